"""Reads single cells into stored text; what cannot be read is raised as Rejected."""

from __future__ import annotations

from decimal import Decimal

from contracts.reasons import REASONS
from contracts.rows import Cell, Row, RowError
from contracts.understanding import Column
from pipeline.understanding.codes import has_exponent
from pipeline.understanding.headings import basis_of
from pipeline.understanding.text import ERROR_CELLS, TextInvalid, cell_text, clean, plain, raw, short

SHOWN = 1_000
"""Characters of an offending value that are logged."""


class Rejected(Exception):
    """A row cannot be an item; `code` is one of contracts/reasons.py, `column` a Column or "row"."""

    def __init__(self, code: str, column: Column | str, cell: Cell, expected: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.column = column
        self.cell = cell
        self.expected = expected

    def error(self, row_number: int, cells: Row) -> RowError:
        """The record for parsing_logs: the message names the column as the list does, `field` as the product does."""
        column = self.column
        field = None if isinstance(column, str) else column.field or column.key
        shown = column if isinstance(column, str) else column.header or field
        value = raw(self.cell)
        message = REASONS[self.code].sentence.format(field=shown, value=short(value or "", 100), expected=self.expected)
        return RowError(
            row_number,
            self.code,
            message,
            field,
            None if value is None else value[:SHOWN],
            tuple(raw(cell) for cell in cells),
        )


def read_text(cell: Cell, column: Column) -> str:
    """Clean text of a cell (text.clean)."""
    if isinstance(cell, str):
        try:
            return clean(cell)
        except TextInvalid:
            if any("\ud800" <= character <= "\udfff" for character in cell):
                raise Rejected("row_unreadable", column, cell, "text of the list's encoding") from None
            raise Rejected("text_invalid", column, cell) from None
    return cell_text(cell)


def read_code(cell: Cell, column: Column) -> str:
    """A part of the key: never altered but for outer white space (a leading apostrophe belongs to it). A number that a
    spreadsheet rounded to 15 digits, and text with an exponent, have lost digits and are rejected."""
    if isinstance(cell, Decimal):
        text = plain(cell)
        if len(text) > 15 and "." not in text and not text[15:].strip("0"):
            raise Rejected("sku_damaged", column, cell)
        return text
    text = read_text(cell, column)
    if text[:1] == "#" and text in ERROR_CELLS:
        raise Rejected("error_cell", column, cell)
    if text[:1].isdigit() and text[-1:].isdigit() and ("E" in text or "e" in text) and has_exponent(text):
        raise Rejected("sku_damaged", column, cell)
    return text


def read_basis(cell: Cell, column: Column) -> str:
    """How many units a price is for (headings.basis_of); what does not say so is rejected."""
    count = basis_of(cell_text(cell))
    if count is None:
        raise Rejected("basis_invalid", column, cell)
    return str(count)


def as_number(text: str) -> int | Decimal:
    """A canonical number (characteristics.is_canonical_number) such that formatting it gives the text again."""
    return Decimal(text) if "." in text or text[:2] == "-0" else int(text)
