"""How a list is understood: where its table lies, which column is what, how its numbers are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

FIELDS = ("sku", "name", "price", "currency", "category", "gtin", "unit", "price_basis")
"""What a column may be mapped to; every other column becomes a characteristic."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table."""

    index: int
    """Zero-based."""
    header: str
    """As it stands in the list, white space folded; '' if it has none."""
    field: str | None
    """One of FIELDS, or None."""
    key: str | None
    """Name among the characteristics, or None if the column is mapped or dropped."""
    kind: Literal["text", "number"] = "text"
    """For characteristics: numbers are stored as JSON numbers where they are canonical."""
    certainty: float = 0.0
    """0..1."""
    reason: str = ""
    """One phrase: why this field."""
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A column that was considered for a field and not taken."""

    field: str
    index: int
    header: str
    reason: str
    """One phrase: why not, or what else it is."""
    sample: str = ""

    def document(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("field", "index", "header", "reason", "sample")}


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a column writes numbers."""

    decimal: Literal[".", ","] | None
    """None = no value of the column has decimals; a value with a separator then does not fit."""
    thousands: str
    """'' or one of , . ' and space (any Unicode space counts as space)."""
    reason: str = ""
    three: bool = True
    """False: this column writes at most two decimals, so that "1,234" could as well be a thousand and is no price."""
    lakhs: bool = False
    """True: "," groups two digits above the thousands (1,23,456)."""
    scale: str = "1"
    """What one of a figure is worth in the currency: 0.01 where a column counts cents."""


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """Rows that a person declared to be no items."""

    index: int | None
    """Of the column that is looked at; None = each."""
    how: Literal["equals", "contains", "matches"]
    text: str

    def document(self) -> dict[str, Any]:
        return {"index": self.index, "how": self.how, "text": self.text}


@dataclass(frozen=True, slots=True)
class Charges:
    """Rows of freight, packing and the like, which are no items, wherever they stand below the rows first seen."""

    column: int
    """Holds the code, or the name where names are the keys."""
    price: int
    coded: bool
    """True: every item's code has a digit, so that a word without any that is said of charges is one. False: only a
    text that says nothing else."""

    def document(self) -> dict[str, Any]:
        return {"column": self.column, "price": self.price, "coded": self.coded}


@dataclass(frozen=True, slots=True)
class RowRules:
    """What a person said about reading rows, and which of them are charges."""

    values: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """(field, ((text of a cell, what it is read as), …)), sorted."""
    letters_as_digits: bool = False
    on_request: tuple[str, ...] = ()
    """Folded words for "no fixed price"."""
    ignore: tuple[IgnoreRule, ...] = ()
    charges: Charges | None = None

    def document(self) -> dict[str, Any]:
        return {
            "values": {field: dict(words) for field, words in self.values},
            "letters_as_digits": self.letters_as_digits,
            "on_request": list(self.on_request),
            "ignore": [rule.document() for rule in self.ignore],
            "charges": None if self.charges is None else self.charges.document(),
        }


@dataclass(frozen=True, slots=True)
class Understanding:
    """Deterministic for the same bytes, config and profile; part of the plan's fingerprint."""

    header_row: int | None
    """Physical number (1-based) of the last header row; None = no header in the rows."""
    header_rows: int
    """How many rows the header has (0, 1 or 2)."""
    columns: tuple[Column, ...]
    numbers: NumberFormat
    """Of the price column."""
    currency: str | None
    """ISO 4217 where one holds for the whole list; None = by column or per cell, XXX = not stated."""
    currency_reason: str
    price_basis: str
    """Canonical text of the units a price is for, where the list states one for all; '1' otherwise."""
    unit: str | None
    duplicates: Literal["last", "first", "reject_conflicting"]
    zero_price: Literal["reject", "accept"]
    sections: bool
    """True: rows with text in one cell only name the category of the rows below."""
    width: int
    """Cells a complete row has."""
    profile_version: int | None = None
    warnings: tuple[str, ...] = ()
    short_rows: bool = True
    """True: a row may end early, what is missing is blank (spreadsheets, JSON). False: it lost a separator."""
    long_rows: bool = True
    """True: a row may have blank cells behind the last column. False: a separator stands inside a cell."""
    guarded: bool = False
    """True: in a row of another length, a number beside the price shows that its cells have moved."""
    key_shapes: tuple[str, ...] = ()
    """Codes of the list with letters as A and digits as 9; a lone cell of such a shape is an item, no heading."""
    rules: RowRules = RowRules()
    alternatives: tuple[Alternative, ...] = ()
    """For people; no part of the fingerprint."""

    def columns_of(self, field: str) -> tuple[Column, ...]:
        """All columns mapped to a field, in key order (a composite key has several)."""
        return tuple(column for column in self.columns if column.field == field)

    def document(self) -> dict[str, Any]:
        """For results, checkpoints and `pricemill map`."""
        return {
            "header_row": self.header_row,
            "header_rows": self.header_rows,
            "columns": [
                {
                    "index": column.index,
                    "header": column.header,
                    "field": column.field,
                    "key": column.key,
                    "kind": column.kind,
                    "certainty": round(column.certainty, 2),
                    "reason": column.reason,
                    "sample": column.sample,
                }
                for column in self.columns
            ],
            "numbers": {
                "decimal": self.numbers.decimal,
                "thousands": self.numbers.thousands,
                "reason": self.numbers.reason,
                "three": self.numbers.three,
                "lakhs": self.numbers.lakhs,
                "scale": self.numbers.scale,
            },
            "currency": self.currency,
            "currency_reason": self.currency_reason,
            "price_basis": self.price_basis,
            "unit": self.unit,
            "duplicates": self.duplicates,
            "zero_price": self.zero_price,
            "sections": self.sections,
            "width": self.width,
            "profile_version": self.profile_version,
            "warnings": list(self.warnings),
            "short_rows": self.short_rows,
            "long_rows": self.long_rows,
            "guarded": self.guarded,
            "key_shapes": list(self.key_shapes),
            "rules": self.rules.document(),
            "alternatives": [other.document() for other in self.alternatives],
        }
