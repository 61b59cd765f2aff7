"""The promises of contracts/parser.py as a suite that every parser passes, built in or plugged in.

Subclass `ParserConformance` in a test module of yours, name the class `Test…`, and say what is to be read:

    class TestMyParser(ParserConformance):
        def make(self, directory: Path) -> tuple[Parser, ParseTask]:
            ...  # write a small list into `directory`; return the parser and a task that names it
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from collections.abc import Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import PricemillError
from contracts.parser import Parser, Reading, Source
from contracts.rows import Cursor, Row
from contracts.task import Document, ParseTask

T = TypeVar("T")
AGAIN = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


class Read(NamedTuple):
    rows: list[tuple[int, Row]]
    records: list[bytes]
    cursors: list[Cursor]


async def read(reading: Reading, *, after: Cursor | None = None, size: int = 20_000) -> Read:
    """All rows from a cursor on, with what every chunk promises checked on the way."""
    rows: list[tuple[int, Row]] = []
    records: list[bytes] = []
    cursors: list[Cursor] = []
    async for chunk in reading.chunks(after=after, size=size):
        numbers = list(chunk.row_numbers())
        assert 0 < len(chunk) <= size
        assert len(chunk) == len(numbers) == len(chunk.rows())
        assert chunk.first_row == numbers[0]
        assert chunk.cursor.row >= numbers[-1]
        assert chunk.number == len(cursors) + 1
        if chunk.records is not None:
            assert len(chunk.records) == len(chunk)
            records += chunk.records
        rows += zip(numbers, [tuple(row) for row in chunk.rows()], strict=True)
        cursors.append(chunk.cursor)
    return Read(rows, records, cursors)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 60))


class ParserConformance:
    """See the head of this file."""

    def make(self, directory: Path) -> tuple[Parser, ParseTask]:
        """A parser and a task whose source has at least five rows."""
        raise NotImplementedError

    @pytest.fixture
    def opened(self, tmp_path: Path) -> tuple[Parser, Document, Source]:
        (tmp_path / "lists").mkdir()
        parser, task = self.make(tmp_path / "lists")
        source = run(parser.fetch(task, tmp_path / "spool"))
        return parser, parser.config.model_validate(task.source_config), source

    def all_rows(self, opened: tuple[Parser, Document, Source], **how: Any) -> Read:
        parser, config, source = opened

        async def work() -> Read:
            reading = await parser.open(source, config)
            try:
                return await read(reading, **how)
            finally:
                await reading.close()

        return run(work())

    def test_it_says_its_name_and_its_config(self, opened: tuple[Parser, Document, Source]) -> None:
        parser, config, _ = opened
        assert parser.name.isidentifier()
        assert parser.name == parser.name.lower()
        assert issubclass(parser.config, Document)
        assert isinstance(config, parser.config)

    def test_the_snapshot_lies_in_the_spool_and_has_the_hash_it_claims(
        self, opened: tuple[Parser, Document, Source], tmp_path: Path
    ) -> None:
        _, _, source = opened
        data = source.path.read_bytes()
        assert source.path.is_relative_to(tmp_path / "spool")
        assert source.sha256 == hashlib.sha256(data).hexdigest()
        assert source.size == len(data)
        assert source.name

    def test_rows_are_numbered_upwards_from_one_or_more(self, opened: tuple[Parser, Document, Source]) -> None:
        numbers = [number for number, _ in self.all_rows(opened).rows]
        assert len(numbers) >= 5
        assert numbers[0] >= 1
        assert numbers == sorted(set(numbers))

    def test_cells_are_text_numbers_booleans_or_nothing(self, opened: tuple[Parser, Document, Source]) -> None:
        for _, row in self.all_rows(opened).rows:
            for cell in row:
                assert cell is None or isinstance(cell, (str, bool, Decimal))
                if isinstance(cell, Decimal):
                    assert cell.is_finite()
                    assert "E+" not in str(cell)

    def test_the_same_bytes_give_the_same_rows_and_description(self, opened: tuple[Parser, Document, Source]) -> None:
        parser, config, source = opened

        async def description() -> dict[str, Any]:
            return (await parser.open(source, config)).description.document()

        assert self.all_rows(opened).rows == self.all_rows(opened).rows
        assert run(description()) == run(description())
        json.dumps(run(description()))

    @AGAIN
    @given(size=st.integers(1, 40))
    def test_every_row_comes_once_and_in_order_in_chunks_of_any_size(
        self, opened: tuple[Parser, Document, Source], size: int
    ) -> None:
        whole, small = self.all_rows(opened), self.all_rows(opened, size=size)
        assert small.rows == whole.rows
        assert small.records == whole.records
        assert small.cursors[-1] == whole.cursors[-1]

    @AGAIN
    @given(size=st.integers(1, 40), again=st.integers(1, 40), place=st.integers(0, 1_000))
    def test_reading_goes_on_behind_any_cursor_with_the_same_rest(
        self, opened: tuple[Parser, Document, Source], size: int, again: int, place: int
    ) -> None:
        whole = self.all_rows(opened, size=size)
        cursor = Cursor(**whole.cursors[place % len(whole.cursors)].document())
        rest = self.all_rows(opened, after=cursor, size=again)
        assert rest.rows == [numbered for numbered in whole.rows if numbered[0] > cursor.row]

    def test_some_rows_of_a_chunk_can_be_asked_for(self, opened: tuple[Parser, Document, Source]) -> None:
        parser, config, source = opened

        async def work() -> None:
            reading = await parser.open(source, config)
            async for chunk in reading.chunks(size=20_000):
                which = list(range(0, len(chunk), 2))
                assert chunk.rows(which) == [chunk.rows()[position] for position in which]
                assert chunk.rows([]) == []

        run(work())

    def test_opening_and_reading_use_no_network(
        self, opened: tuple[Parser, Document, Source], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("a connection was opened while reading")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        assert self.all_rows(opened).rows

    @pytest.mark.parametrize(
        "garbage",
        [b"", b"\0" * 5_000, b"PK\x03\x04 not a zip", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, b"\xff\xfe\xd8",
         b'"', b"{", b"[[[[[[", b"<html><body>log in</body></html>", bytes(range(256)) * 20],
        ids=["empty", "zeros", "half a zip", "half an ole", "half a utf-16", "a quote", "a brace", "brackets", "html",
             "every byte"],
    )  # fmt: skip
    def test_what_is_no_such_file_gives_rows_or_an_error_of_the_tree(
        self, opened: tuple[Parser, Document, Source], garbage: bytes
    ) -> None:
        parser, config, source = opened
        path = source.path.with_name("garbage")
        path.write_bytes(garbage)
        bad = Source(path, hashlib.sha256(garbage).hexdigest(), len(garbage), "garbage")
        try:
            self.all_rows((parser, config, bad))
        except PricemillError:
            return  # anything else fails the test
