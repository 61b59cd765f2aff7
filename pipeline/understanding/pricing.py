"""Chooses the price column, or says why that would be a guess."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.understanding.agree import MAYBE_QUANTITY, MAYBE_WEIGHT, no_price, states_currency
from pipeline.understanding.headings import Heading
from pipeline.understanding.table import Table
from pipeline.understanding.text import letter, one_line, short
from pipeline.understanding.words import kinds_of, says

NEVER_ALONE = frozenset(("reference", "other"))
"""Kinds that are not what an item costs: former and recommended prices, deposits, freight, totals."""
ASIDE = frozenset(("cost", "wholesale", "promo"))
"""Kinds that stand beside a plain price without being meant by it."""
SCALED = "counts in"
"""Beginning of the objection to a price in hundredths or thousands."""
_CERTAINTY = {4: 0.98, 3: 0.9, 2: 0.65}
BY_RULE = 0.85
MOST = 100
"""Candidates that are looked at; a list with more is a question anyway."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column that could be the price by its header."""

    index: int
    level: int
    """Of the header's hit (words.py)."""
    reason: str
    kinds: frozenset[str]
    """What kind of price the header says (words.KINDS); empty = just a price."""
    objection: str | None = None
    """Why it is none all the same."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The price column, or None and why not."""

    taken: Candidate | None
    certainty: float
    reason: str
    candidates: tuple[Candidate, ...]
    rivals: tuple[Candidate, ...] = ()
    """Where a person must choose: the columns that are left."""


def choose_price(table: Table, taken: Collection[int], order: Sequence[str] = ()) -> Choice:
    """The one column whose header says price and whose values are prices. Of several, one is taken only if it is a
    plain price and each other one says that it is another kind of price; or if `order`, the kinds a person prefers
    (profile rules.price_choice), leaves exactly one."""
    found = tuple(_candidates(table, taken))
    usable = [candidate for candidate in found if candidate.objection is None]
    best = [candidate for candidate in usable if candidate.level >= 3] or usable
    if len(best) == 1 and best[0].kinds:
        # "Retail" stands for a price beside "Wholesale", too, where neither says price.
        best = [candidate for candidate in usable if candidate.level >= 3 or candidate.kinds]
    if best and best[0].level <= 2 and any(_is_spoilt(table, candidate) for candidate in found):
        best = []
    live = [candidate for candidate in best if not candidate.kinds & NEVER_ALONE]
    if not best:
        objections = [
            f"“{table.header(candidate.index)}” {candidate.objection}" for candidate in found if candidate.objection
        ]
        return Choice(None, 0.0, "; ".join(objections) or "no header says price", found)
    if best[0].level <= 2:
        # Among hints only, a column of whole numbers is as likely as one that happens to hold a decimal.
        live += [candidate for candidate in found if candidate.objection == MAYBE_QUANTITY]
        best = live or best
    only = _only(live)
    if only is not None:
        share = table.figures(only.index).share(table.figures(only.index).prices) if _filled(table, only) else 1.0
        certainty = 0.75 if only.level == 2 and only_numbers(table, only.index) else _CERTAINTY[only.level]
        certainty = round(certainty * (0.8 + 0.2 * share), 3)
        return Choice(only, certainty, only.reason + _unreadable(table, only.index), found)
    ruled = _by_rule(live or best, order)
    if ruled is not None:
        kinds = ", ".join(kind for kind in order if kind in ruled.kinds)
        return Choice(ruled, BY_RULE, f"profile: {kinds} before other prices", found)
    rivals = tuple(sorted(best, key=_likely))
    return Choice(None, 0.0, _question(table, rivals), found, rivals)


def _candidates(table: Table, taken: Collection[int]) -> list[Candidate]:
    candidates: list[Candidate] = []
    for index, heading in enumerate(table.headings):
        hit = heading.hit("price")
        if hit is None or index in taken or len(candidates) == MOST:
            continue
        kinds = kinds_of(heading.folded)
        objection = no_price(table, index, hit.level)
        reason = hit.reason
        if hit.level == 2 and kinds and objection in {None, MAYBE_QUANTITY}:
            if only_numbers(table, index):
                objection, reason = None, f"{reason}, and no other column holds numbers"
            elif "cost" in kinds:
                objection = None
        if hit.level == 2 and kinds and kinds <= {"net", "gross"} and not objection:
            objection = None if states_currency(table, index) else MAYBE_WEIGHT
        if hit.level < 4 and (word := says(heading.folded, "not_price")):
            objection = objection or f"speaks of “{word}”"
        if hit.level < 4 and heading.hits[0].level == 4:
            objection = objection or f"is a usual header of {heading.hits[0].field}"
        if word := scale_of(heading):
            objection = f"{SCALED} “{word}”, so a figure of it is not yet a price"
        candidates.append(Candidate(index, hit.level, reason, kinds, objection))
    return candidates


def scale_of(heading: Heading) -> str:
    """The word by which a header says that its figures count hundredths or thousands of the currency ("Price (cents)",
    "Preis in Tsd. EUR", "千円"); '' if none. Beside a currency "коп" only names what stands behind the decimal sign."""
    word = says(heading.folded, "scales")
    if word:
        return word
    return says(heading.folded, "scales_beside_currency" if heading.sign is not None else "scales_alone")


def only_numbers(table: Table, index: int) -> bool:
    """True if no other column holds numbers."""
    return not any(table.figures(other).mostly_numbers for other in range(table.width) if other != index)


def _only(live: Sequence[Candidate]) -> Candidate | None:
    """The column that is plainly the price. Nearly the right letters alone are not enough, and neither is a promotional
    price."""
    if len(live) == 1 and live[0].level > 1 and "promo" not in live[0].kinds:
        return live[0]
    plain = [candidate for candidate in live if candidate.level == 4 and not candidate.kinds]
    if len(plain) == 1 and all(candidate.kinds & ASIDE for candidate in live if candidate is not plain[0]):
        return plain[0]
    return None


def _by_rule(live: Sequence[Candidate], order: Sequence[str]) -> Candidate | None:
    left = list(live)
    for kind in order:
        of_kind = [candidate for candidate in left if kind in candidate.kinds]
        left = of_kind or left
        if len(of_kind) == 1 and of_kind[0].level > 1:
            return of_kind[0]
    return None


def _likely(candidate: Candidate) -> tuple[bool, int, int]:
    """Order of the options: prices first, former and recommended ones last."""
    return bool(candidate.kinds & (NEVER_ALONE | {"promo"})), -candidate.level, candidate.index


def _is_spoilt(table: Table, candidate: Candidate) -> bool:
    """The column that is plainly called price is filled with something else or counts in another unit: no other one may
    take its place."""
    if candidate.objection is None or not _filled(table, candidate):
        return False
    return candidate.level == 4 or candidate.objection.startswith(SCALED)


def _filled(table: Table, candidate: Candidate) -> bool:
    return bool(table.figures(candidate.index).filled)


def _unreadable(table: Table, index: int) -> str:
    figures = table.figures(index)
    bad = figures.filled - figures.prices
    return f", {bad} of {figures.filled} unreadable" if bad else ""


def _question(table: Table, rivals: Sequence[Candidate]) -> str:
    shown = []
    for rival in rivals[:8]:
        sample = short(one_line(table.figures(rival.index).sample), 20)
        shown.append(f"“{table.header(rival.index)}” ({letter(rival.index)}, e.g. {sample})")
    if len(rivals) > 1:
        return f"{len(rivals)} columns could be the price ({100 // len(rivals)} % each): {', '.join(shown)}"
    if rivals[0].level == 1:
        return f"{shown[0]} may be the price: {rivals[0].reason}, which alone proves nothing"
    word = next(filter(None, (says(table.headings[rivals[0].index].folded, f"price_kinds.{kind}") for kind in
                              sorted(rivals[0].kinds))), "")  # fmt: skip
    return f"{shown[0]} is a price, but “{word}” says another kind of price"
