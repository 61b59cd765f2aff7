"""Reads JSON lines: one object a line, its members are the columns."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, ClassVar

import orjson

from contracts.errors import SourceUnreadable
from contracts.rows import Description, Row
from contracts.task import Document, JsonLinesSource
from parsers.base import Numbered, RecordsParser
from parsers.chunk import SHOWN, broken
from parsers.cutting import MAX_RECORD, cut
from parsers.encoding import Text, read_text
from parsers.json_text import read_object
from parsers.quoting import Dialect

MAX_COLUMNS = 1_000


class JsonLinesParser(RecordsParser):
    """The columns are all names of the whole file in order of first sight, so that no row is ever longer than
    the table. A line that is no object is a row that is rejected; a blank line is a blank row."""

    name: ClassVar[str] = "json_lines"
    config: ClassVar[type[Document]] = JsonLinesSource

    def records(self, path: Path, config: Document) -> Numbered:
        text, columns = _prepared(path, config)
        for number, line in enumerate(_lines(text), start=1):
            yield number, _row(line, text.encoding, columns)

    def describe(self, path: Path, config: Document) -> Description:
        text, columns = _prepared(path, config)
        return Description(format=self.name, encoding=text.original, columns=columns, notes=text.notes)


def _row(line: bytes, encoding: str, columns: tuple[str, ...]) -> Row:
    if len(line) > MAX_RECORD:
        return broken(line[: 4 * SHOWN].decode(encoding, "replace"), "row_too_large")
    if not line.strip():
        return ()
    try:
        found = read_object(line.decode(encoding))
    except ValueError:
        return broken(line.decode(encoding, "surrogateescape"), "row_unreadable")
    if len(found) > len(columns) or not found.keys() <= set(columns):
        return broken(line.decode(encoding), "row_ragged")
    return [found.get(column) for column in columns]


def _prepared(path: Path, config: Document) -> tuple[Text, tuple[str, ...]]:
    status = path.stat()
    wanted = config.encoding if isinstance(config, JsonLinesSource) else None
    return _scan(path, wanted, status.st_ino, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=32)
def _scan(path: Path, wanted: str | None, *_identity: int) -> tuple[Text, tuple[str, ...]]:
    """One pass for the encoding and one for the columns; both are needed again for each reading of the file."""
    text = read_text(path, wanted)
    columns: dict[str, None] = {}
    for line in _lines(text):
        names = list(_names(line, text.encoding))
        if not columns and len(names) > MAX_COLUMNS:
            raise SourceUnreadable(
                f"the first object has {len(names):,} members; lists of at most {MAX_COLUMNS:,} columns are read",
                next="ask the supplier for an export with fewer columns",
            )
        for name in names:
            if len(columns) < MAX_COLUMNS:
                columns.setdefault(name)
    return text, tuple(columns)


def _names(line: bytes, encoding: str) -> Iterator[str]:
    """The members of a line; none of a line that will be rejected (or of one that only the slow reader knows)."""
    if len(line) > MAX_RECORD:
        return
    try:
        found = orjson.loads(line if encoding == "utf-8" else line.decode(encoding))
    except ValueError:
        return
    if isinstance(found, dict):
        yield from found


def _lines(text: Text) -> Iterator[bytes]:
    with text.path.open("rb") as file:
        for block in _blocks(file, text):
            yield from block


def _blocks(file: BinaryIO, text: Text) -> Iterator[list[bytes]]:
    for block in cut(file, offset=text.start, dialect=Dialect(b",", None, text.newline)):
        yield [record.removesuffix(b"\r") for record in block.records]
