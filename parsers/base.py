"""The base with which a parser is written in a few lines: yield numbered rows, get the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import ClassVar

from contracts.errors import SourceUnreadable
from contracts.parser import Source
from contracts.rows import Chunk, Cursor, Description, Row
from contracts.task import Document, ParseTask, TableSource
from parsers.chunk import RowChunk
from parsers.resources import Resources
from parsers.sources import fetch_table

Numbered = Iterator[tuple[int, Row]]

_UNREADABLE = (OSError, ValueError, LookupError, ArithmeticError, EOFError)
"""What a parser that stumbles over a file raises; anything else is a defect and stays what it is."""


class StreamReading:
    """Reads an iterator of rows in a thread; goes on from a cursor by skipping what lies before it."""

    def __init__(self, start: Callable[[], Numbered], description: Description, name: str) -> None:
        self.description = description
        self._start = start
        self._name = name

    async def chunks(self, *, after: Cursor | None = None, size: int = 20_000) -> AsyncGenerator[Chunk, None]:
        """Raises SourceUnreadable where the parser cannot go on."""
        behind = 0 if after is None else after.row
        iterator = self._start()
        number = 0
        while taken := await asyncio.to_thread(self._take, iterator, behind, size):
            number += 1
            numbers = [row_number for row_number, _ in taken]
            behind = numbers[-1]
            yield RowChunk(number, Cursor(behind), numbers, [row for _, row in taken])

    def _take(self, iterator: Numbered, behind: int, size: int) -> list[tuple[int, Row]]:
        try:
            return list(islice((numbered for numbered in iterator if numbered[0] > behind), size))
        except _UNREADABLE as error:
            raise SourceUnreadable(f"“{self._name}” cannot be read: {error}", name=self._name) from error

    async def close(self) -> None:
        """Nothing is held between calls."""


class RecordsParser:
    """Subclass it with `name`, `config` and `records`. Sources come by path or address, are snapshotted, and
    are opened again from any row."""

    name: ClassVar[str]
    config: ClassVar[type[Document]] = TableSource

    def __init__(self, resources: Resources) -> None:
        self.resources = resources

    def records(self, path: Path, config: Document) -> Numbered:
        """Every physical row with its number (from 1, rising), in order, the same for the same bytes; titles
        and blank rows too. Runs in a thread; must not keep the whole file in memory. A row that cannot be
        cut into cells is a contracts.rows.BrokenRow."""
        raise NotImplementedError

    def describe(self, path: Path, config: Document) -> Description:
        """Runs in a thread, before any row is read."""
        return Description(format=self.name)

    async def fetch(self, task: ParseTask, spool: Path) -> Source:
        config = self.config.model_validate(task.source_config)
        if not isinstance(config, TableSource):
            raise NotImplementedError(f"{type(self).__name__} must fetch what its own config names")
        return await fetch_table(config, spool, self.resources)

    async def open(self, source: Source, config: Document) -> StreamReading:
        try:
            description = await asyncio.to_thread(self.describe, source.path, config)
        except _UNREADABLE as error:
            raise SourceUnreadable(f"“{source.name}” cannot be read: {error}", name=source.name) from error
        return StreamReading(lambda: self.records(source.path, config), description, source.name)
