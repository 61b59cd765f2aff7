"""Hands out the records of a snapshot in chunks, from any place where a record starts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import BinaryIO

from contracts.errors import SourceUnavailable
from contracts.rows import Chunk, Cursor, Description
from parsers.chunk import Decoder, RecordChunk
from parsers.cutting import cut
from parsers.quoting import Dialect

CHUNK_BYTES = 16_777_216
"""A chunk ends here even if it has fewer rows than it may have."""


class RecordReading:
    """Chunks of raw records; nothing is decoded before it is asked for."""

    def __init__(self, path: Path, *, start: int, dialect: Dialect, decode: Decoder, description: Description) -> None:
        """`start` is the byte offset of the first record."""
        self.description = description
        self._path = path
        self._start = start
        self._dialect = dialect
        self._decode = decode

    async def chunks(self, *, after: Cursor | None = None, size: int = 20_000) -> AsyncGenerator[Chunk, None]:
        """Reads on the event loop (about 2 ms a chunk) and lets others run between chunks."""
        row, offset = (0, self._start) if after is None else (after.row, after.offset)
        strip = self._dialect.newline == b"\n"
        held: list[bytes] = []
        number, held_bytes = 0, 0
        with _opened(self._path) as file:
            for block in cut(file, offset=offset, dialect=self._dialect):
                records, at, start = block.records, 0, offset
                while at < len(records):
                    part = records[at : at + size - len(held)]
                    at += len(part)
                    # adding up lengths is dear, and only needed where a chunk ends within a block
                    offset = block.end if at == len(records) else offset + sum(map(len, part)) + len(part)
                    held += [record.removesuffix(b"\r") for record in part] if strip and block.returns else part
                    if len(held) >= size or held_bytes + offset - start >= CHUNK_BYTES:
                        number += 1
                        yield self._chunk(number, row, offset, held)
                        row, held, held_bytes, start = row + len(held), [], 0, offset
                        await asyncio.sleep(0)
                held_bytes += offset - start
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
