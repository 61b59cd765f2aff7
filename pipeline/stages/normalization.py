"""Turns the physical rows of a list into items, one answer a row."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from contracts.rows import BrokenRow, Cell, Row, RowError
from contracts.understanding import Understanding
from pipeline.stages.cells import Rejected, as_number, read_basis, read_code, read_text
from pipeline.stages.classification import MAX_CATEGORY, Classifier, Ignored
from pipeline.stages.rules import Rules
from pipeline.understanding.characteristics import is_canonical_number
from pipeline.understanding.charges import is_charge
from pipeline.understanding.currency import sign_of
from pipeline.understanding.gtin import is_gtin
from pipeline.understanding.headings import take_basis
from pipeline.understanding.prices import PriceReader, Read
from pipeline.understanding.table import is_number
from pipeline.understanding.text import ERROR_CELLS, cell_text, filled, fold, is_blank, short

__all__ = ["Ignored", "Normalised", "RowNormaliser"]

MAX_SKU, MAX_NAME, MAX_UNIT = 255, 500, 40
MAX_TEXT = 10_000
"""Characters of one characteristic; a longer text is rejected, never cut."""
LEVELS = " > "
"""Between the levels of a category in one cell."""


class Normalised(NamedTuple):
    """One item. Text is clean (text.clean); characteristics are text, or int/Decimal where the column is numeric and
    the cell a canonical number."""

    row_number: int
    sku: str
    name: str
    price: str
    currency: str
    price_basis: str
    unit: str | None
    gtin: str | None
    category: tuple[str, ...]
    characteristics: dict[str, str | int | Decimal]


class RowNormaliser:
    r"""Reads the rows of one list; `read` must see them in file order where the list has sections, because a section
    names the category of the rows below. Otherwise it keeps no state.

    A row passes unchanged (so that a faster gate may skip this class) when all of this holds; whatever does not is
    read here, and both give the same item:
    - understanding.sections is false, and the name is not made of the key's columns;
    - no cell of a mapped column is to be read as another text, and no rule ignores the row (stages/rules.py); where
      charges are told from items by their codes, the key has a digit;
    - the row has exactly `width` cells, all text; it lies below the header; if header_row is None, any row;
    - every cell is printable (str.isprintable), in NFC, without outer spaces, at most 10,000 characters;
    - key: every part filled, 1-255 characters in all; no part like 1.2E+5, 1,2E5 or 1E+5, none a spreadsheet error;
      parts are joined with "|";
    - name: 1-500 characters, no part a spreadsheet error; parts are joined with " / ", blank ones left out;
    - price: (0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?, greater than 0 unless zero_price is "accept"; with decimals only if
      numbers.decimal is "." and numbers.thousands is not, and with three of them behind 1 to 999 only if numbers.three;
    - currency column: an ISO 4217 code in capitals, not XXX, equal to understanding.currency where that is set and
      not XXX; without such a column understanding.currency is set;
    - price_basis column: blank or [1-9][0-9]{0,8}; unit column: at most 40 characters, without digits;
    - category columns: at most 255 characters each, without " > "; blank ones are left out of the path;
    - gtin column: blank, or 8, 12, 13 or 14 digits with the right check digit;
    - characteristics: any text, blank cells are left out; in a column of kind "number" a canonical number
      (-?(0|[1-9][0-9]*)(\.[0-9]+)?, at most 15 digits) is a number, everything else text."""

    def __init__(self, understanding: Understanding) -> None:
        self._it = understanding
        self._width = understanding.width
        self._header_row = understanding.header_row or 0
        self._first_header = self._header_row - understanding.header_rows + 1
        self._classifier = Classifier(understanding)
        self._always_classify = understanding.sections or self._classifier.name_is_key
        self._sku = understanding.columns_of("sku")
        self._name = understanding.columns_of("name")
        self._price = understanding.columns_of("price")[0]
        self._first = (self._sku[0].index, self._name[0].index, self._price.index)
        self._categories = understanding.columns_of("category")
        self._currency = next(iter(understanding.columns_of("currency")), None)
        self._unit = next(iter(understanding.columns_of("unit")), None)
        self._gtin = next(iter(understanding.columns_of("gtin")), None)
        self._basis = next(iter(understanding.columns_of("price_basis")), None)
        self._others = tuple(
            (column.index, column.key, column.kind == "number", column)
            for column in understanding.columns
            if column.key is not None
        )
        last = max(column.index for column in understanding.columns) + 1
        self._padding: tuple[Cell, ...] = (None,) * max(last, self._width)
        self._rules = Rules(understanding)
        self._charges = understanding.rules.charges
        self._prices = PriceReader(
            understanding.numbers,
            accept_zero=understanding.zero_price == "accept",
            letters_as_digits=understanding.rules.letters_as_digits,
            on_request=understanding.rules.on_request,
        )

    def state(self) -> list[list[int | str]]:
        """The section that following rows belong to, JSON-ready."""
        return [[indent, title] for indent, title in self._classifier.section]

    def restore(self, state: list[list[int | str]]) -> None:
        """Goes on behind the row at which `state` was taken."""
        self._classifier.section = tuple((int(indent), str(title)) for indent, title in state)

    def read(self, row_number: int, cells: Row) -> Normalised | RowError | Ignored:
        """Every row of the source, once: an item, one error, or the reason why it is no item."""
        if type(cells) is BrokenRow:
            return self._broken(cells).error(row_number, cells)
        if row_number <= self._header_row:
            if not filled(cells):
                return Ignored("blank")
            return Ignored("title" if row_number < self._first_header else "header")
        if not cells:
            return Ignored("blank")
        size = len(cells)
        padded: Row = cells if size >= len(self._padding) else (*cells, *self._padding[size:])
        if self._rules:
            if self._rules.ignore(cells):
                return Ignored("note")
            padded = self._rules.translate(padded)
        if self._charges is not None and is_charge(self._charges, padded):
            return Ignored("note")
        sku, name, price = self._first
        checked = self._always_classify or not (padded[sku] and padded[name] and padded[price])
        if checked and (ignored := self._classifier.no_item(padded)) is not None:
            return ignored
        try:
            if size != self._width:
                self._check_width(cells, size)
            return self._item(row_number, padded)
        except Rejected as rejected:
            if not checked:
                ignored = self._classifier.no_item(padded)
                if ignored is None and self._classifier.repeats_price_header(padded[price]):
                    ignored = Ignored("header")
                if ignored is not None:
                    return ignored
            return rejected.error(row_number, cells)

    def _broken(self, cells: BrokenRow) -> Rejected:
        if cells.code == "row_ragged":
            return Rejected(cells.code, "row", "an unknown number of", str(self._width))
        text = short(" ".join(map(cell_text, cells)), 200)
        return Rejected(cells.code, "row", text, "text of the list's encoding")

    def _check_width(self, cells: Row, size: int) -> None:
        it, missing = self._it, abs(size - self._width)
        wrong = not it.short_rows if size < self._width else not it.long_rows or bool(filled(cells[self._width :]))
        if it.guarded and not wrong:
            price = self._price.index
            beside = (*cells[max(0, price - missing) : price], *cells[price + 1 : price + 1 + missing])
            wrong = any(map(is_number, beside))
        if wrong:
            raise Rejected("row_ragged", "row", str(size), str(self._width))

    def _item(self, row_number: int, cells: Row) -> Normalised:
        sku = self._read_sku(cells)
        name = self._read_name(cells)
        cell = cells[self._price.index]
        found = self._prices.read(cell)
        if found.price is None:
            expected = self._prices.expected if found.error == "price_format" else ""
            raise Rejected(found.error or "price_not_a_number", self._price, cell, expected)
        currency = self._read_currency(cells, found)
        extras: dict[str, str | int | Decimal] = {}
        unit, basis = self._read_unit(cells, found, extras)
        gtin = self._read_gtin(cells, extras)
        category = self._read_category(cells)
        for index, key, number, column in self._others:
            cell = cells[index]
            if cell is None or cell == "":
                continue
            if type(cell) is str and cell.isprintable() and cell.isascii() and cell[0] != " " != cell[-1]:
                text = cell
            else:
                text = read_text(cell, column)
            if len(text) > MAX_TEXT:
                raise Rejected("text_invalid", column, cell)
            if text:
                extras[key] = as_number(text) if number and is_canonical_number(text) else text
        return Normalised(row_number, sku, name, found.price, currency, basis, unit, gtin, category, extras)

    def _read_sku(self, cells: Row) -> str:
        parts = [read_code(cells[column.index], column) for column in self._sku]
        if not any(parts):
            raise Rejected("sku_missing", self._sku[0], None)
        sku = "|".join(parts)
        if len(sku) > MAX_SKU:
            raise Rejected("sku_too_long", self._sku[0], sku)
        return sku

    def _read_name(self, cells: Row) -> str:
        parts = []
        for column in self._name:
            part = read_text(cells[column.index], column)
            if part[:1] == "#" and part in ERROR_CELLS:
                raise Rejected("error_cell", column, part)
            if part:
                parts.append(part)
        name = " / ".join(parts)
        if not name:
            raise Rejected("name_missing", self._name[0], None)
        if len(name) > MAX_NAME and len(name := _once(" ".join(name.split()))) > MAX_NAME:
            raise Rejected("name_too_long", self._name[0], name)
        return name

    def _read_currency(self, cells: Row, found: Read) -> str:
        """A cell may confirm the list's currency or state one where the list states none, never contradict it."""
        listed = self._it.currency
        sign, column, cell = found.sign, self._price, cells[self._price.index]
        if self._currency is not None and not is_blank(cells[self._currency.index]):
            own = cells[self._currency.index]
            stated = sign_of(cell_text(own))
            if stated is None:
                raise Rejected("currency_unknown", self._currency, own)
            if sign is not None and not set(sign.codes) & set(stated.codes):
                raise Rejected("currency_conflict", self._price, cell, cell_text(own).strip())
            sign, column, cell = stated, self._currency, own
        if listed is not None and listed != "XXX":
            if sign is not None and listed not in sign.codes:
                raise Rejected("currency_conflict", column, cell, listed)
            return listed
        if sign is not None and sign.settled is not None:
            return sign.settled
        if listed == "XXX":
            return listed
        raise Rejected("currency_unknown", self._currency or self._price, cell if sign is not None else None)

    def _read_unit(self, cells: Row, found: Read, extras: dict[str, str | int | Decimal]) -> tuple[str | None, str]:
        """What the price cell says may complete what list and columns say, never contradict it."""
        unit, basis = self._it.unit, self._it.price_basis
        stated = basis if basis != "1" else None
        if self._unit is not None and (cell := cells[self._unit.index]):
            text = read_text(cell, self._unit)
            count, of = (None, None) if text.isalpha() else take_basis(text)[:2]
            if count is not None:
                unit, basis = of, str(count)
                stated = basis
            elif len(text) > MAX_UNIT:
                unit, extras["unit"] = None, text
            elif text:
                unit = text
        if self._basis is not None and not is_blank(cells[self._basis.index]):
            stated = basis = read_basis(cells[self._basis.index], self._basis)
        if found.note:
            extras["price_note"] = found.note
        if found.basis is None:
            return unit, basis
        if stated is not None and stated != str(found.basis):
            raise Rejected("basis_conflict", self._price, cells[self._price.index], f"per {stated}")
        if unit is not None and found.unit is not None and fold(unit) != fold(found.unit):
            extras["unit"] = unit
        return found.unit or unit, str(found.basis)

    def _read_gtin(self, cells: Row, extras: dict[str, str | int | Decimal]) -> str | None:
        if self._gtin is None or is_blank(cells[self._gtin.index]):
            return None
        text = read_text(cells[self._gtin.index], self._gtin)
        if is_gtin(text):
            return text
        extras["gtin"] = text
        return None

    def _read_category(self, cells: Row) -> tuple[str, ...]:
        path: list[str] = []
        for column in self._categories:
            text = read_text(cells[column.index], column)
            if LEVELS in text:
                path += filter(None, (part.strip() for part in text.split(LEVELS)))
            elif text:
                path.append(text)
            if len(text) > MAX_CATEGORY and max(map(len, path), default=0) > MAX_CATEGORY:
                raise Rejected("text_invalid", column, text)
        return tuple(path) if path else tuple(title for _, title in self._classifier.section)


def _once(text: str) -> str:
    """A text that is nothing but the repetition of several words (a cell unmerged by a program) is those words."""
    once = text[: (text + text).find(text, 1)].strip()
    return once if " " in once else text
