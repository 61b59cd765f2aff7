"""The worker's side of parsers whose documents are read in a child process (parsers/documents.py)."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import ClassVar

from contracts.parser import Reading, Source
from contracts.task import Document, ParseTask, TableSource
from parsers.child import DOCUMENT
from parsers.process import Job, convert
from parsers.resources import Resources
from parsers.row_file import open_row_file
from parsers.sources import fetch_table

_VERSION = "1"
"""Raised whenever the same document could give other rows; keeps an old conversion from being used."""
_LOCATION = {"file_path", "url", "column_mapping", "characteristic_columns"}


class DocumentParser:
    """Subclass it with `name`, `config` and `kind_of`."""

    name: ClassVar[str]
    config: ClassVar[type[TableSource]]

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def kind_of(self, source: Source) -> str:
        """For parsers/documents.py. Raises SourceUnreadable for what is no such document."""
        raise NotImplementedError

    async def fetch(self, task: ParseTask, spool: Path) -> Source:
        return await fetch_table(self.config.model_validate(task.source_config), spool, self._resources)

    async def open(self, source: Source, config: Document) -> Reading:
        """Converts once; the rows stay in the spool and are read from there, after a crash too."""
        options = json.dumps(config.model_dump(mode="json", exclude=_LOCATION, exclude_none=True), sort_keys=True)
        kind = await asyncio.to_thread(self.kind_of, source)
        key = hashlib.sha256(f"{_VERSION} {source.sha256} {kind} {options}".encode()).hexdigest()[:16]
        target = source.path.with_name(f"rows-{key}.jsonl")
        if not target.exists():
            await convert(Job(source.path, kind, options, source.name, DOCUMENT), target, self._resources)
        return await asyncio.to_thread(open_row_file, target)
