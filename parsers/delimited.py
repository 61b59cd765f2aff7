"""Reads delimited text: the fast path of the whole product."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, ClassVar

from contracts.errors import SourceUnavailable
from contracts.parser import Source
from contracts.rows import Chunk, Cursor, Description
from contracts.task import CsvSource, Document, ParseTask
from parsers.cells import decoder
from parsers.chunk import RecordChunk
from parsers.cutting import Dialect, cut
from parsers.dialect import find_dialect
from parsers.encoding import Text, read_text
from parsers.resources import Resources
from parsers.signatures import require_text
from parsers.sources import fetch_table

CHUNK_BYTES = 16_777_216
"""A chunk ends here even if it has fewer rows than it may have."""


class DelimitedReading:
    """Chunks of raw records; nothing is decoded before it is asked for."""

    def __init__(self, text: Text, dialect: Dialect, description: Description) -> None:
        self.description = description
        self._text = text
        self._dialect = dialect
        self._decode = decoder(dialect, text.encoding)

    async def chunks(self, *, after: Cursor | None = None, size: int = 20_000) -> AsyncIterator[Chunk]:
        """Reads on the event loop (about 2 ms a chunk) and lets others run between chunks."""
        row, offset = (0, self._text.start) if after is None else (after.row, after.offset)
        strip = self._dialect.newline == b"\n"
        held: list[bytes] = []
        number, held_bytes = 0, 0
        with _opened(self._text.path) as file:
            for block in cut(file, offset=offset, dialect=self._dialect):
                records, at = block.records, 0
                while at < len(records):
                    part = records[at : at + size - len(held)]
                    at += len(part)
                    length = sum(map(len, part)) + len(part)
                    offset = block.end if at == len(records) else offset + length
                    held += [record.removesuffix(b"\r") for record in part] if strip and _has_return(part) else part
                    held_bytes += length
                    if len(held) >= size or held_bytes >= CHUNK_BYTES:
                        number += 1
                        yield self._chunk(number, row, offset, held)
                        row, held, held_bytes = row + len(held), [], 0
                        await asyncio.sleep(0)
            if held:
                yield self._chunk(number + 1, row, offset, held)

    def _chunk(self, number: int, row: int, offset: int, records: list[bytes]) -> RecordChunk:
        return RecordChunk(number, row + 1, Cursor(row + len(records), offset), records, self._decode)

    async def close(self) -> None:
        """Nothing is held between calls."""


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise SourceUnavailable(f"the snapshot is gone: {error.strerror}", path=str(path)) from error


def _has_return(records: list[bytes]) -> bool:
    """Whether any record may end in a carriage return; a file has them everywhere or hardly anywhere."""
    return any(record.endswith(b"\r") for record in records)


class DelimitedParser:
    """CSV and its relatives: comma, semicolon, tab or bar; any encoding that can be told."""

    name: ClassVar[str] = "csv"
    config: ClassVar[type[Document]] = CsvSource

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def fetch(self, task: ParseTask, spool: Path) -> Source:
        config = CsvSource.model_validate(task.source_config)
        return await fetch_table(config, spool, self._resources)

    async def open(self, source: Source, config: Document) -> DelimitedReading:
        wanted = config if isinstance(config, CsvSource) else CsvSource(file_path=source.name)
        return await asyncio.to_thread(open_delimited, source, wanted.encoding, wanted.delimiter)


def open_delimited(
    source: Source, encoding: str | None = None, delimiter: str | None = None, notes: tuple[str, ...] = ()
) -> DelimitedReading:
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
    return DelimitedReading(text, dialect, description)
