"""Tells a person how a list was understood, column by column."""

from __future__ import annotations

from typing import NamedTuple

from contracts.rows import Description
from contracts.understanding import Column, Understanding
from pipeline.understanding.prices import PriceReader
from pipeline.understanding.text import letter


class MappingRow(NamedTuple):
    """One line of `pricemill map`; every member is ready to print."""

    column: str
    """The header, or "column C" where there is none."""
    field: str
    """One of contracts.understanding.FIELDS, or "-"."""
    sure: str
    """"98 %", or "" for characteristics."""
    why: str
    sample: str
    """A value; for the price also what it is read as."""


def describe_mapping(understanding: Understanding, description: Description, name: str) -> list[MappingRow]:
    """Columns in list order, one line for each field a column serves. `describe_layout` gives the sentence above."""
    del description, name
    columns = sorted(understanding.columns, key=lambda column: column.index)
    return [_row(column, understanding) for column in columns if column.field or column.header or column.sample]


def describe_layout(
    understanding: Understanding, description: Description, name: str, *, rows: int | None = None
) -> str:
    """One line: format, rows, header, how prices are written, currency."""
    shape = [_format(description)]
    if rows is not None:
        shape.append(f"{rows:,} rows")
    sentences = [", ".join(shape)]
    if understanding.header_row is None:
        sentences.append("No header row")
    else:
        first = understanding.header_row - understanding.header_rows + 1
        where = f"row {first}" if first == understanding.header_row else f"rows {first}-{understanding.header_row}"
        above = "" if first == 1 else ", row 1 skipped" if first == 2 else f", rows 1-{first - 1} skipped"
        sentences.append(f"Header in {where}{above}")
    numbers = understanding.numbers
    if numbers.decimal is not None or numbers.thousands:
        sentences.append(f"Prices: {numbers.reason}")
    sentences.append(f"Currency {understanding.currency or 'by row'} ({understanding.currency_reason})")
    if understanding.price_basis != "1":
        sentences.append(f"Prices are per {understanding.price_basis} {understanding.unit or 'units'}")
    if understanding.sections:
        sentences.append("Rows with one text name the category below")
    return f"{name}  {'. '.join(sentences)}."


def _format(description: Description) -> str:
    delimiters = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
    parts = [
        {"csv": "CSV", "json_lines": "JSON lines", "google_sheets": "Google Sheet"}.get(
            description.format, description.format
        )
    ]
    if description.delimiter:
        parts.append(delimiters.get(description.delimiter, f"separator {description.delimiter!r}"))
    if description.encoding:
        parts.append(description.encoding)
    if description.sheet:
        parts.append(f"sheet “{description.sheet}”")
    return ", ".join(parts)


def reading_of(column: Column, understanding: Understanding) -> str:
    """What the sample of the price column is read as, "12.50 EUR"; '' for other columns and unreadable samples."""
    if column.field != "price" or not column.sample:
        return ""
    read = PriceReader(understanding.numbers, accept_zero=True).read(column.sample)
    if read.price is None:
        return ""
    currency = understanding.currency if understanding.currency not in {None, "XXX"} else ""
    basis = "" if read.basis is None else f" per {read.basis} {read.unit or ''}"
    return f"{read.price} {currency}{basis}".strip()


def _row(column: Column, understanding: Understanding) -> MappingRow:
    shown = column.header or f"column {letter(column.index)}"
    if column.field is None:
        return MappingRow(shown, "-", "", column.reason if column.key is None else _kept(column), column.sample)
    reading = reading_of(column, understanding)
    sample = f"{column.sample} → {reading}" if reading else column.sample
    return MappingRow(shown, column.field, f"{column.certainty:.0%}".replace("%", " %"), column.reason, sample)


def _kept(column: Column) -> str:
    return f"kept as characteristic {column.key}" + (" (number)" if column.kind == "number" else "")
