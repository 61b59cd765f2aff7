"""Chooses the price column, or says why that would be a guess."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pipeline.understanding.table import Figures, Table
from pipeline.understanding.text import letter, one_line, short
from pipeline.understanding.words import vocabulary


@dataclass(frozen=True, slots=True)
class Price:
    """The column taken."""

    index: int
    certainty: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    index: int
    level: int
    reason: str
    other: str
    """The word that marks it as another kind of price (old, market, cost …); '' = none."""


def choose_price(table: Table, taken: Collection[int]) -> Price | str:
    """The one column whose header says price and whose values are prices; a sentence if none or several are plausible.
    Of several, one is taken only if its header is a plain word for price and each other one says that it is another
    kind of price."""
    candidates: list[_Candidate] = []
    objections: list[str] = []
    for index, heading in enumerate(table.headings):
        hit = heading.hit("price")
        if hit is None or index in taken:
            continue
        tokens = set(heading.folded.split())
        if hit.level < 4 and tokens & vocabulary("not_a_price"):
            continue
        figures = table.figures(index)
        objection = _disagrees(figures)
        if not objection and hit.level == 2 and figures.filled and not figures.money and "cost" not in tokens:
            objection = "could be a quantity: no value has decimals or a currency"
        if objection:
            objections.append(f"“{table.header(index)}” {objection}")
            continue
        marked = "" if hit.level in {4, 2} else next(iter(sorted(tokens & vocabulary("other_price"))), "")
        candidates.append(_Candidate(index, hit.level, hit.reason, marked))
    for level, certainty in ((4, 0.98), (3, 0.9), (2, 0.65), (1, 0.7)):
        here = [candidate for candidate in candidates if candidate.level == level and not candidate.other]
        if not here:
            continue
        rivals = here if level < 3 else [c for c in candidates if c.level >= 3 and (level == 3 or not c.other)]
        if len(rivals) > 1:
            return _question(table, rivals)
        share = _share(table.figures(here[0].index))
        return Price(
            here[0].index, round(certainty * (0.8 + 0.2 * share), 3), here[0].reason + _unreadable(table, here[0].index)
        )
    if candidates:
        return _question(table, candidates)
    return "; ".join(objections) or "no header says price"


def _share(figures: Figures) -> float:
    return figures.share(figures.prices) if figures.filled else 1.0


def _unreadable(table: Table, index: int) -> str:
    figures = table.figures(index)
    bad = figures.filled - figures.prices
    return f", {bad} of {figures.filled} unreadable" if bad else ""


def _disagrees(figures: Figures) -> str | None:
    if not figures.rows:
        return None
    if not figures.filled:
        return "is blank"
    if not figures.numbers:
        return "holds no number"
    if figures.share(figures.prices) < 0.6:
        return f"holds prices in {figures.share(figures.prices):.0%} of its cells only"
    return None


def _question(table: Table, rivals: list[_Candidate]) -> str:
    shown = []
    for rival in rivals[:8]:
        sample = short(one_line(table.figures(rival.index).sample), 20)
        shown.append(f"“{table.header(rival.index)}” ({letter(rival.index)}, e.g. {sample})")
    if len(rivals) == 1:
        return (
            f"{shown[0]} is a price, but “{rivals[0].other}” says another kind of price; "
            "if it is meant, name it in column_mapping.price"
        )
    return (
        f"{len(rivals)} columns could be the price ({100 // len(rivals)} % each): {', '.join(shown)}; "
        "name one in column_mapping.price"
    )
