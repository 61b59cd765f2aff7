"""What is to be known of a sheet beside its values, whichever format it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple


class Area(NamedTuple):
    """Merged cells; rows count from 1 as in the sheet, columns from 0."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Marks:
    MERGES_SEARCHED: ClassVar[int] = 100
    """Rows whose merged areas are told one by one."""
    MOST_TALL: ClassVar[int] = 200_000

    rows: int = 0
    """An upper limit of the rows that hold something."""
    last_row: int = 0
    """Number of the last row that is mentioned."""
    width: int = 0
    errors: bool = False
    no_results: int = 0
    """Formulas whose result is not in the file."""
    codes: int = 0
    """Numbers shown with leading zeros."""
    percents: int = 0
    currencies: tuple[tuple[int, str], ...] = ()
    """Column and the sign with which most of its numbers are shown."""
    money: tuple[int, ...] = ()
    """Columns whose numbers are shown with several signs, or only some of them with one."""
    hidden_rows: int = 0
    hidden_columns: int = 0
    merged: tuple[Area, ...] = ()
    """Those that begin in the first rows, where a header may be."""
    merges: int = 0
    tall: tuple[Area, ...] = ()
    """All that reach over several rows; at most MOST_TALL."""
    regular: bool = True
    """False: the sheet is written in a way that could not be looked through."""

    @property
    def careful(self) -> bool:
        """True if a reader that knows values only would lose something."""
        return bool(self.errors or self.no_results or self.codes or self.percents or self.money or not self.regular)

    def notes(self) -> Iterator[str]:
        if self.hidden_rows:
            yield f"{self.hidden_rows:,} hidden rows were read"
        if self.hidden_columns:
            yield f"{self.hidden_columns:,} hidden columns were read"
        if self.codes:
            yield f"{self.codes:,} numbers with leading zeros were read as they are shown"
        if self.percents:
            yield f"{self.percents:,} numbers shown as percent were read as they are shown"
        if self.no_results:
            yield (
                f"{self.no_results:,} formulas have no result in the file: open it in a spreadsheet program and save it"
            )
        if self.money:
            yield f"numbers are shown with different currencies in {_columns(self.money)}: each was read with its own"
        for column, sign in self.currencies:
            yield f"numbers are shown with “{sign}” in {_columns((column,))}"
        if self.merges:
            yield f"{self.merges:,} merged areas: the value counts at the upper left"


def settle_currencies(
    signs: Mapping[int, Counter[str | None]],
) -> tuple[tuple[tuple[int, str], ...], tuple[int, ...]]:
    """From how often each sign (None = none) stands beside the numbers of a column: the columns where one sign holds
    for most numbers, and those where it is to be told number by number."""
    one: list[tuple[int, str]] = []
    several: list[int] = []
    for column, found in sorted(signs.items()):
        named = {sign: count for sign, count in found.items() if sign is not None}
        if len(named) == 1 and sum(named.values()) * 2 > found.total():
            one.append((column, next(iter(named))))
        elif named:
            several.append(column)
    return tuple(one), tuple(several)


def letters(column: int) -> str:
    """0 is A, 16,383 is XFD."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _columns(columns: tuple[int, ...]) -> str:
    named = ", ".join(letters(column) for column in columns[:10])
    more = "…" if len(columns) > 10 else ""
    return f"{'column' if len(columns) == 1 else 'columns'} {named}{more}"
