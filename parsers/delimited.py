"""Reads delimited text: the fast path of the whole product."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from contracts.parser import Source
from contracts.rows import Description
from contracts.task import CsvSource, Document, ParseTask
from parsers.cells import decoder
from parsers.dialect import find_dialect
from parsers.encoding import read_text
from parsers.reading import RecordReading
from parsers.resources import Resources
from parsers.signatures import require_text
from parsers.sources import fetch_table


class DelimitedParser:
    """CSV and its relatives: comma, semicolon, tab or bar; any encoding that can be told."""

    name: ClassVar[str] = "csv"
    config: ClassVar[type[Document]] = CsvSource

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def fetch(self, task: ParseTask, spool: Path) -> Source:
        config = CsvSource.model_validate(task.source_config)
        return await fetch_table(config, spool, self._resources)

    async def open(self, source: Source, config: Document) -> RecordReading:
        wanted = config if isinstance(config, CsvSource) else CsvSource(file_path=source.name)
        return await asyncio.to_thread(open_delimited, source, wanted.encoding, wanted.delimiter)


def open_delimited(
    source: Source, encoding: str | None = None, delimiter: str | None = None, notes: tuple[str, ...] = ()
) -> RecordReading:
    """Reads the file once for its encoding (blocking). Raises SourceUnreadable for what is no text."""
    require_text(source)
    text = read_text(source.path, encoding)
    found = find_dialect(text, delimiter)
    dialect = found.dialect
    description = Description(
        format="csv",
        encoding=text.original,
        delimiter=dialect.delimiter.decode("ascii"),
        quote=None if dialect.quote is None else dialect.quote.decode("ascii"),
        notes=(*notes, *text.notes, found.reason),
    )
    return RecordReading(
        text.path,
        start=text.start,
        dialect=dialect,
        decode=decoder(dialect, text.encoding),
        description=description,
    )
