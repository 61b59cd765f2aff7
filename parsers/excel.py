"""Reads workbooks: xlsx, xls, xlsb and ods, in a child process."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import ClassVar

from contracts.errors import SourceUnreadable
from contracts.parser import Reading, Source
from contracts.task import Document, ExcelSource, ParseTask
from parsers.container import check_container
from parsers.delimited import open_delimited
from parsers.process import Job, convert
from parsers.resources import Resources
from parsers.row_file import open_row_file
from parsers.signatures import require_workbook
from parsers.sources import fetch_table

_VERSION = "4"
"""Raised whenever the same workbook could give other rows; keeps an old conversion from being used."""
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_BOOK_STREAMS = tuple(name.encode("utf-16-le") for name in ("Workbook", "Book", "WORKBOOK", "BOOK"))


class ExcelParser:
    """What the file is decides, not its name: text that is called .xlsx is read as text, with a note."""

    name: ClassVar[str] = "excel"
    config: ClassVar[type[Document]] = ExcelSource

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def fetch(self, task: ParseTask, spool: Path) -> Source:
        config = ExcelSource.model_validate(task.source_config)
        return await fetch_table(config, spool, self._resources)

    async def open(self, source: Source, config: Document) -> Reading:
        """Converts the sheet once; the rows stay in the spool and are read from there, after a crash too."""
        sheet = config.sheet_name if isinstance(config, ExcelSource) else None
        kind = await asyncio.to_thread(_kind, source)
        if kind == "text":
            note = "the file is text, not a workbook, whatever its name says"
            return await asyncio.to_thread(open_delimited, source, None, None, (note,))
        key = hashlib.sha256("\0".join((_VERSION, source.sha256, sheet or "", kind)).encode()).hexdigest()[:16]
        target = source.path.with_name(f"rows-{key}.jsonl")
        if not target.exists():
            await convert(Job(source.path, kind, sheet, source.name), target, self._resources)
        return await asyncio.to_thread(open_row_file, target)


def _kind(source: Source) -> str:
    """xlsx, xlsb, ods, xls or text. Raises SourceUnreadable, SourceRefused."""
    found = require_workbook(source)
    if found == "zip":
        return check_container(source.path, source.name)
    if found == "ole":
        _check_ole(source)
    return "text" if found == "text" else "xls"


def _check_ole(source: Source) -> None:
    with source.path.open("rb") as file:
        data = file.read(16_777_216)
    if _ENCRYPTED_STREAM in data:
        raise SourceUnreadable(f"“{source.name}” is protected by a password", name=source.name)
    if source.size <= len(data) and not any(stream in data for stream in _BOOK_STREAMS):
        raise SourceUnreadable(f"“{source.name}” is an Office document without a workbook", name=source.name)
