"""Proposes keys for a list whose codes are not plain: a column, or the fewest columns that tell its rows apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.understanding.agree import counts_rows, foreign_form, looks_like_codes
from pipeline.understanding.gtin import is_gtin
from pipeline.understanding.table import Table, is_number
from pipeline.understanding.text import cell_text, is_blank
from pipeline.understanding.words import says

SINGLES, COMPOSITES = 4, 3
"""Most proposals of each sort."""
PARTS = 8
"""Columns that are tried in composites."""
TELLS_APART = 0.98
"""Share of the rows that a composite must tell apart."""
WORTH_SHOWING = 0.5
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Key:
    """What a key would do to the rows of the sample that have a price."""

    columns: tuple[int, ...]
    rows: int
    keyed: int
    """Rows in which it is filled."""
    distinct: int
    twofold: int
    """Values that stand beside more than one price."""
    sample: str

    @property
    def share(self) -> float:
        return self.distinct / self.keyed if self.keyed else 0.0

    @property
    def told(self) -> str:
        """One line with figures."""
        if not self.keyed:
            return "it is blank in all rows"
        told = f"all {self.keyed} differ" if self.distinct == self.keyed else (
            f"{self.distinct} different in {self.keyed} rows"
            + (f", {self.twofold} of them with several prices (rules.duplicates decides)" if self.twofold else "")
        )  # fmt: skip
        blank = self.rows - self.keyed
        return f"{told}, e.g. {self.sample}" + (f"; blank in {blank} rows, which are rejected" if blank else "")


def try_key(table: Table, columns: Sequence[int], price: int | None) -> Key:
    """Counts over the rows that have a number in the price column; over all rows if `price` is None."""
    prices: dict[tuple[str, ...], set[str]] = {}
    rows = keyed = 0
    for row in table.rows():
        if price is not None and not (price < len(row) and is_number(row[price])):
            continue
        rows += 1
        key = tuple(
            "" if column >= len(row) or is_blank(row[column]) else cell_text(row[column]).strip() for column in columns
        )
        if any(key):
            keyed += 1
            prices.setdefault(key, set()).add("" if price is None else cell_text(row[price]).strip())
    sample = " | ".join(next(iter(prices), ("",)))[:60]
    twofold = sum(len(found) > 1 for found in prices.values())
    return Key(tuple(columns), rows, keyed, len(prices), twofold, sample)


def propose_keys(table: Table, price: int | None, names: Sequence[int], taken: Collection[int]) -> list[Key]:
    """Most likely first: columns that look like codes, GTINs, the name; then composites, smallest first, if no single
    column tells the rows apart. `names` are the columns mapped as name, `taken` those of other fields."""
    usable = [index for index in range(table.width) if _could_tell(table, index, price, taken)]
    ranked = sorted(usable, key=lambda index: (*_rank(table, index, names), index))
    singles = [try_key(table, [index], price) for index in ranked if _rank(table, index, names)[0] < _OTHER]
    singles = sorted(
        (key for key in singles if key.keyed and key.share >= WORTH_SHOWING), key=lambda key: key.share < 0.9
    )
    if any(key.distinct == key.keyed == key.rows for key in singles):
        return singles[:SINGLES]
    found: list[Key] = []
    parts = ranked[:PARTS]
    for size in (2, 3):
        for columns in combinations(parts, size):
            if len(found) < COMPOSITES and not any(set(key.columns) <= set(columns) for key in found):
                key = try_key(table, columns, price)
                if key.share >= TELLS_APART and key.distinct > max((try_.distinct for try_ in singles), default=0):
                    found.append(key)
        if found:
            break
    return [*singles[:SINGLES], *found] if singles and singles[0].share >= TELLS_APART else [*found, *singles[:SINGLES]]


_OTHER = 4


def _rank(table: Table, index: int, names: Sequence[int]) -> tuple[int, float]:
    """What a column most likely is: code by its header, by its values, GTIN, name, anything else."""
    figures = table.figures(index)
    hit = table.headings[index].hit("sku")
    if hit is not None and hit.level >= 2:
        sort = 0
    elif _gtins(table, index):
        sort = 2
    elif looks_like_codes(table, index) and figures.share(figures.distinct) > 0.8:
        sort = 1
    else:
        sort = 3 if index in names or table.headings[index].hit("name") is not None else _OTHER
    return sort, -figures.fill * figures.share(figures.distinct)


def _gtins(table: Table, index: int) -> bool:
    values = table.values(index)[:200]
    return bool(values) and sum(is_gtin(cell_text(value).strip()) for value in values) > 0.8 * len(values)


def _could_tell(table: Table, index: int, price: int | None, taken: Collection[int]) -> bool:
    """Never prices, stock, dates, long texts or row numbers."""
    figures, heading = table.figures(index), table.headings[index]
    if index == price or (index in taken and heading.hit("gtin") is None and heading.hit("category") is None):
        return False
    if figures.fill < 0.2 or figures.distinct < 2 or figures.longest > LONGEST or figures.money * 2 > figures.filled:
        return False
    if heading.hit("price") is not None or foreign_form(table, index) is not None or counts_rows(table, index):
        return False
    return heading.hit("sku") is not None or not says(heading.folded, "not_price")


def gtin_as_key(table: Table, index: int, price: int) -> bool:
    """True if GTINs can serve as the codes of a list that has no others: filled in every row with a price, valid, and
    no two rows alike."""
    key = try_key(table, [index], price)
    return key.keyed == key.rows == key.distinct and key.rows > 1 and _gtins(table, index)
