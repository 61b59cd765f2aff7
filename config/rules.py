"""The rules of a supplier profile: decisions about doubtful rows and lists."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, model_validator
from pydantic_core import SchemaError

from contracts.task import ColumnRef, Document

Word = Annotated[str, StringConstraints(min_length=1, max_length=500)]


def _pattern(text: str) -> str:
    try:
        TypeAdapter(Annotated[str, StringConstraints(pattern=text)])
    except SchemaError as error:
        raise ValueError("is no regular expression that ends in linear time") from error
    return text


Factor = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}(\.[0-9]{1,4})?$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Move = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?( [A-Z]{3})?$")]


class ProfileBand(Document):
    """How far the price of one unit may move from list to list before a person is asked."""

    up: Factor = Field(description="More than so many times the current price is held, as text: '3'.")
    down: Factor = Field(description="Less than the current price divided by this is held, as text: '3'.")


class ProfileIgnore(Document):
    """Rows that are no items: those where a cell is, holds or matches a text."""

    column: ColumnRef | None = Field(
        default=None, description="Which column is looked at: header, letter or zero-based index; null = each."
    )
    equals: Word | None = Field(default=None, description="The whole cell; upper and lower case do not matter.")
    contains: Word | None = Field(default=None, description="A part of the cell; upper and lower case do not matter.")
    matches: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_pattern)] | None = Field(
        default=None, description="A regular expression for a part of the cell, without look-around."
    )

    @model_validator(mode="after")
    def _says_what_to_look_for(self) -> Self:
        if (self.equals, self.contains, self.matches).count(None) != 2:
            raise ValueError("give exactly one of equals, contains and matches")
        return self


PriceKind = Literal["net", "gross", "cost", "list", "retail", "wholesale", "promo"]


class ProfileRules(Document):
    """Decisions about doubtful rows."""

    duplicates: Literal["last", "first", "reject_conflicting"] | None = Field(
        default=None, description="Which row counts where a code stands in one list more than once."
    )
    zero_price: Literal["reject", "accept"] | None = Field(
        default=None, description="Whether a price of 0 is a price or an error."
    )
    ragged: Literal["reject", "pad"] | None = Field(
        default=None,
        description="Rows with fewer cells than the header: rejected, or filled up with blanks at their end; null = "
        "filled up only where so many end early that it is how the list is written.",
    )
    price_choice: Annotated[list[PriceKind], Field(max_length=7)] = Field(
        default=[],
        description="Which of several price columns counts, the preferred kind first: ['net', 'cost'] takes net before "
        "gross, and of several net prices the cost; empty = a person is asked.",
    )
    values: dict[
        Literal["sku", "name", "price", "currency", "category", "gtin", "unit", "price_basis"],
        Annotated[dict[Word, Annotated[str, StringConstraints(max_length=500)]], Field(max_length=1000)],
    ] = Field(
        default={},
        description="What a cell is to be read as, by field: {'unit': {'Stck': 'pcs'}}; whole cells, as written.",
    )
    letters_as_digits: bool = Field(
        default=False, description="True: in prices the letters O and l or I between digits are 0 and 1."
    )
    on_request: Annotated[list[Word], Field(max_length=100)] = Field(
        default=[], description="The supplier's own words for “no fixed price”, beside those everybody uses."
    )
    ignore_rows: Annotated[list[ProfileIgnore], Field(max_length=100)] = Field(
        default=[], description="Rows that are no items, counted as notes."
    )
    accepted_lists: Annotated[list[Sha256], Field(max_length=20)] = Field(
        default=[],
        description="SHA-256 of lists that a person let through though they differ from those before; newest last.",
    )
    price_band: ProfileBand | Literal["off"] | None = Field(
        default=None, description="How far prices may move; off = nothing is held for a person; null = the setting."
    )
    list_cut: Annotated[str, StringConstraints(pattern=r"^(0(\.[0-9]{1,4})?|1)$")] | None = Field(
        default=None,
        description="A list with less than this share of the last one's items is marked as cut, as text; null = '0.5'.",
    )
    accepted_moves: Annotated[dict[Sha256, Move], Field(max_length=20)] = Field(
        default={},
        json_schema_extra={"additionalProperties": False},
        description="Lists (by SHA-256) of which a person accepted that all prices move: factor and, if it changed, "
        "the new currency: '100', '1.0842 USD'.",
    )
