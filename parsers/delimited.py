"""Reads delimited text: the fast path of the whole product."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from contracts.parser import Source
from contracts.questions import Question
from contracts.rows import Description
from contracts.task import CsvSource, Document, ParseTask
from parsers.cells import decoder
from parsers.chunk import Decoder
from parsers.dialect import Found, find_dialect, sample_lines
from parsers.encoding import Text, read_text
from parsers.fixed_width import Columns, find_columns, fixed_decoder, stated_columns, which_columns
from parsers.quoting import Dialect
from parsers.reading import RecordReading
from parsers.resources import Resources
from parsers.signatures import require_text
from parsers.sources import fetch_table
from parsers.text_marks import apostrophes, unmarked

DOUBTFUL = 0.5
"""Share of records with the same number of cells, below which columns of fixed width are looked for."""
MOSTLY = 0.8
_DECIMAL = re.compile(r"(?<=\d),(?=\d)")


class DelimitedParser:
    """CSV and its relatives: comma, semicolon, tab, bar or columns of fixed width; any encoding that can be told."""

    name: ClassVar[str] = "csv"
    config: ClassVar[type[Document]] = CsvSource

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def fetch(self, task: ParseTask, spool: Path) -> Source:
        config = CsvSource.model_validate(task.source_config)
        return await fetch_table(config, spool, self._resources)

    async def open(self, source: Source, config: Document) -> RecordReading:
        wanted = config if isinstance(config, CsvSource) else CsvSource(file_path=source.name)
        return await asyncio.to_thread(
            open_delimited, source, wanted.encoding, wanted.delimiter, fixed_width=wanted.fixed_width
        )


def open_delimited(
    source: Source,
    encoding: str | None = None,
    delimiter: str | None = None,
    notes: tuple[str, ...] = (),
    *,
    fixed_width: Sequence[int] | None = None,
) -> RecordReading:
    """Reads the file once for its encoding (blocking). Raises SourceUnreadable for what is no text."""
    require_text(source)
    text = read_text(source.path, encoding)
    notes = (*notes, *text.notes)
    if fixed_width is not None:
        lines = sample_lines(text)
        return _fixed(text, stated_columns(fixed_width, lines), notes=notes, said="as configured")
    found = find_dialect(text, delimiter)
    question: Question | None = None
    lines = sample_lines(text) if delimiter is None else []
    if delimiter is None and (found.share < DOUBTFUL or found.width == 1 or _at_decimals(found, lines)):
        proven, maybe = find_columns(lines)
        if proven is not None:
            question = None if maybe is None else which_columns(proven, maybe, lines)
            said = f"blanks stand below each other in {proven.lines} lines"
            return _fixed(text, proven, notes=notes, said=said, question=question)
    dialect = found.dialect
    decode = decoder(dialect, text.encoding, found.width, quoting=found.quoting)
    marked = _apostrophes(text, decode)
    description = Description(
        format="csv",
        encoding=text.original,
        delimiter=dialect.delimiter.decode("ascii"),
        quote=None if dialect.quote is None else dialect.quote.decode("ascii"),
        notes=(*notes, found.reason, *found.notes),
        layout=_layout(dialect, marked),
    )
    return RecordReading(
        text.path,
        start=text.start,
        dialect=dialect,
        decode=unmarked(decode, marked),
        description=description,
    )


def _at_decimals(found: Found, lines: Sequence[str]) -> bool:
    """True if nearly all commas that would separate two cells stand within numbers."""
    if found.dialect.delimiter != b"," or found.width != 2:
        return False
    commas = sum(line.count(",") for line in lines)
    return sum(len(_DECIMAL.findall(line)) for line in lines) >= MOSTLY * commas


def _apostrophes(text: Text, decode: Decoder) -> tuple[int, ...]:
    """Looks at the lines of the sample, even where a record takes several."""
    lines = [line for line in sample_lines(text) if line]
    if not any("'" in line for line in lines):
        return ()
    return apostrophes(decode([line.encode(text.encoding, "replace") for line in lines]))


def _layout(dialect: Dialect, marked: Sequence[int]) -> str | None:
    parts = ["blanks before quotes"] if dialect.padded else []
    parts += [f"apostrophes in front of columns {', '.join(map(str, marked))}"] if marked else []
    parts += [] if dialect.escape is None else [f"escape U+{dialect.escape[0]:04X}"]
    return ", ".join(parts) or None


def _fixed(
    text: Text, columns: Columns, *, notes: tuple[str, ...], said: str, question: Question | None = None
) -> RecordReading:
    places = ", ".join(map(str, columns.starts))
    description = Description(
        format="csv",
        encoding=text.original,
        notes=(*notes, f"columns of fixed width begin at the places {places}: {said}"),
        question=question,
        layout=f"columns at {places}",
    )
    return RecordReading(
        text.path,
        start=text.start,
        dialect=Dialect(b",", None, text.newline),
        decode=fixed_decoder(columns, text.encoding),
        description=description,
    )
