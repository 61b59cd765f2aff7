"""Proposes keys for a list whose codes are not plain: a column, or the fewest columns that tell its rows apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.understanding.agree import counts_rows, foreign_form, looks_like_codes
from pipeline.understanding.gtin import is_gtin
from pipeline.understanding.table import Table, is_number
from pipeline.understanding.text import cell_text, is_blank
from pipeline.understanding.words import says, vocabulary

SINGLES, COMPOSITES = 4, 3
"""Most proposals of each sort."""
PARTS = 8
"""Columns that are tried in composites."""
TELLS_APART = 0.98
"""Share of the rows that a composite must tell apart."""
WORTH_SHOWING, NAMES_REPEAT = 0.5, 0.3
"""Least share of different values in a proposal: codes, names."""
LONGEST = 200
STEPS = 20
"""Most values of a column that is no code and may still tell the rows of one code apart."""
WIDEST = 200
"""Columns that are looked at for proposals."""


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
    """Most likely first: columns that look like codes, GTINs, names; and composites, smallest first, if no single
    column tells the rows apart. `names` are columns that are or could be the name, `taken` those of other fields."""
    usable = [
        index
        for index in range(min(table.width, WIDEST))
        if _could_tell(table, index, price, set(taken).difference(names))
    ]
    ranked = sorted(usable, key=lambda index: (*_rank(table, index, names), index))
    singles = [
        key
        for index in ranked
        if (rank := _rank(table, index, names)[0]) < _OTHER
        and (key := try_key(table, [index], price)).keyed * 2 > key.rows
        and key.share >= (NAMES_REPEAT if rank == _NAME else WORTH_SHOWING)
    ]
    singles.sort(key=lambda key: key.share < 0.9)
    if any(key.distinct == key.keyed == key.rows for key in singles):
        return singles[:SINGLES]
    found = _composites(table, price, ranked[:PARTS], most=max((key.distinct for key in singles), default=0))
    good = bool(singles) and singles[0].share >= TELLS_APART
    return [*singles[:SINGLES], *found] if good else [*found, *singles[:SINGLES]]


def _composites(table: Table, price: int | None, parts: Sequence[int], *, most: int) -> list[Key]:
    """The smallest ones that tell more rows apart than `most`; if two or three columns do not, one that was put
    together step by step."""
    found: list[Key] = []
    for size in (2, 3):
        for columns in combinations(parts, size):
            if len(found) < COMPOSITES and not any(set(key.columns) <= set(columns) for key in found):
                key = try_key(table, columns, price)
                if key.share >= TELLS_APART and key.distinct > most:
                    found.append(key)
        if found and any(not key.twofold for key in found):
            return found
    if found or not parts:
        return found
    best = try_key(table, parts[:1], price)
    while best.share < TELLS_APART and len(best.columns) < PARTS:
        wider = [try_key(table, [*best.columns, part], price) for part in parts if part not in best.columns]
        if not wider or max(key.distinct for key in wider) <= best.distinct:
            break
        best = max(wider, key=lambda key: key.distinct)
    return [best] if len(best.columns) > 1 and best.distinct > most else []


_PARTS = ("gtin", "category", "unit", "currency")
"""Fields whose columns may be parts of a key all the same."""
_NAME, _OTHER = 3, 4


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
        sort = _NAME if index in names or table.headings[index].hit("name") is not None else _OTHER
    return sort, -figures.fill * figures.share(figures.distinct)


def _gtins(table: Table, index: int) -> bool:
    values = table.values(index)[:200]
    return bool(values) and sum(is_gtin(cell_text(value).strip()) for value in values) > 0.8 * len(values)


def _could_tell(table: Table, index: int, price: int | None, taken: Collection[int]) -> bool:
    """Never prices, stock, dates, long texts or row numbers."""
    figures, heading = table.figures(index), table.headings[index]
    if index == price or (index in taken and not any(map(heading.hit, _PARTS))):
        return False
    if figures.fill < 0.1 or figures.distinct < 2 or figures.money * 2 > figures.filled:
        return False
    if heading.hit("price") is not None or foreign_form(table, index) is not None or counts_rows(table, index):
        return False
    if heading.hit("name") is None and figures.longest > LONGEST:
        return False
    word = says(heading.folded, "not_price")
    if heading.hit("sku") is not None or not word or word in vocabulary("fields.sku"):
        return True
    # such as the quantity from which on a price holds
    return figures.distinct <= STEPS and figures.distinct * 2 <= figures.filled


def gtin_as_key(table: Table, index: int, price: int) -> bool:
    """True if GTINs can serve as the codes of a list that has no others: filled in every row with a price, valid, and
    no two rows alike."""
    key = try_key(table, [index], price)
    return key.keyed == key.rows == key.distinct and key.rows > 1 and _gtins(table, index)
