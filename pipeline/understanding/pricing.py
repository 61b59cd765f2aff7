"""Chooses the price column, or says why that would be a guess."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.understanding.agree import MAYBE_QUANTITY, MAYBE_WEIGHT, no_price, states_currency
from pipeline.understanding.currency import split_header
from pipeline.understanding.headings import Heading
from pipeline.understanding.rivals import BY_TAX, NEAR, go_together, unnamed_prices
from pipeline.understanding.scales import scale_of
from pipeline.understanding.table import Table
from pipeline.understanding.text import letter, one_line, short
from pipeline.understanding.words import Hit, kinds_of, says, without

TIER, PACK = "tier", "pack"
"""Kinds that no profile names: a price from a quantity or a day on ("Preis ab 10"), one per something ("price per
carton")."""
NEVER_ALONE = frozenset(("reference", "other"))
"""Kinds that are not what an item costs: former and recommended prices, deposits, freight, totals."""
ASIDE = frozenset(("cost", "wholesale", "promo", TIER))
"""Kinds that stand beside a plain price without being meant by it."""
PARTLY = frozenset(("promo", TIER, PACK))
"""Kinds that are what an item costs under a condition, and no price of a list by themselves."""
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


def choose_price(table: Table, taken: Collection[int], order: Sequence[str] = (), currency: str = "") -> Choice:
    """The one column whose header says price and whose values are prices. Of several, one is taken only if it is a
    plain price and each other one says that it is another kind of price; or if `order`, the kinds a person prefers
    (profile rules.price_choice), or the `currency` a person stated leaves exactly one."""
    found = tuple(_candidates(table, taken))
    best = _best(table, found)
    live = [candidate for candidate in best if not candidate.kinds & NEVER_ALONE]
    if not best:
        objections = [
            f"“{table.header(candidate.index)}” {candidate.objection}" for candidate in found if candidate.objection
        ]
        return Choice(None, 0.0, "; ".join(objections) or "no header says price", found)
    if max(candidate.level for candidate in best) <= 2:
        # Among hints only, a column of whole numbers is as likely as one that happens to hold a decimal.
        live += [candidate for candidate in found if candidate.objection == MAYBE_QUANTITY and candidate not in live]
        best = live or best
    only = _only(table, live)
    if only is not None and not _is_plain(table, only):
        # Beside a plain price a word nobody knows may mean anything; beside a retail price it may mean the price.
        unnamed = [
            Candidate(index, 1, "its amounts go with the price", frozenset())
            for index in unnamed_prices(table, only.index, taken)
        ]
        found, live = (*found, *unnamed), [*live, *unnamed]
        best, only = ([only, *unnamed], None) if unnamed else (best, only)
    if only is not None:
        share = table.figures(only.index).share(table.figures(only.index).prices) if _filled(table, only) else 1.0
        certainty = 0.75 if only.level == 2 and only_numbers(table, only.index) else _CERTAINTY[only.level]
        certainty = round(certainty * (0.8 + 0.2 * share), 3)
        return Choice(only, certainty, only.reason + _unreadable(table, only.index), found)
    ruled = _by_rule(live or best, order)
    if ruled is not None:
        kinds = ", ".join(kind for kind in order if kind in ruled.kinds)
        return Choice(ruled, BY_RULE, f"profile: {kinds} before other prices", found)
    of_currency = [candidate for candidate in live if _in_currency(table, candidate, currency)]
    if len(of_currency) == 1 and (found_one := _only(table, of_currency)) is not None:
        return Choice(
            found_one, BY_RULE, f"of several prices the one in {currency}, which is the stated currency", found
        )
    rivals = tuple(sorted(best, key=_likely))
    return Choice(None, 0.0, _question(table, rivals), found, rivals)


def _best(table: Table, found: Sequence[Candidate]) -> list[Candidate]:
    """What is called a price, and what is called one of its kinds: "Retail" stands for a price beside "Wholesale
    price", too. Hints, if nothing else is there and no column that is called price is spoilt."""
    usable = [candidate for candidate in found if candidate.objection is None]
    called = [candidate for candidate in usable if candidate.level >= 3]
    if not called and any(_is_spoilt(table, candidate) for candidate in found):
        return []
    first = (called or usable)[:1]
    told = [
        candidate
        for candidate in found
        if candidate.level < 3 and _is_kind(table, candidate) and _is_rival(table, first, candidate)
    ]
    return [*called, *told] if called else [*usable, *(candidate for candidate in told if candidate not in usable)]


def _is_kind(table: Table, candidate: Candidate) -> bool:
    return bool(candidate.kinds) or table.headings[candidate.index].sign is not None


def _is_rival(table: Table, first: Sequence[Candidate], candidate: Candidate) -> bool:
    """What may be a weight or a quantity is a price if its figures go with those of the first price."""
    if candidate.objection is None or not first:
        return candidate.objection is None
    near = {MAYBE_QUANTITY: NEAR, MAYBE_WEIGHT: BY_TAX}.get(candidate.objection)
    return near is not None and go_together(table, first[0].index, candidate.index, near)


def _candidates(table: Table, taken: Collection[int]) -> list[Candidate]:
    candidates: list[Candidate] = []
    for index, heading in enumerate(table.headings):
        hit = heading.hit("price") or _only_currency(heading)
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
        rest = heading.folded
        if hit.level == 3:
            for kind in (TIER, PACK):
                if says(rest, f"price_kinds.{kind}"):
                    rest, kinds = without(rest, f"price_kinds.{kind}"), kinds | {kind}
        for kind in kinds_of(rest):
            rest = without(rest, f"price_kinds.{kind}")  # "end user" speaks of no end
        if hit.level < 4 and (word := says(rest, "not_price")) and objection in {None, MAYBE_QUANTITY, MAYBE_WEIGHT}:
            objection = f"speaks of “{word}”, which is said of other columns beside a price"
        if hit.level < 4 and heading.hits and heading.hits[0].level == 4:
            objection = objection or f"is a usual header of {heading.hits[0].field}"
        if word := scale_of(heading):
            objection = f"{SCALED} “{word}”, so a figure of it is not yet a price"
        candidates.append(Candidate(index, hit.level, reason, kinds, objection))
    return candidates


def _only_currency(heading: Heading) -> Hit | None:
    """Such as "EUR" beside "USD": each is the price in that currency."""
    if heading.sign is None or heading.hits or split_header(heading.text)[0] != heading.text:
        return None
    return Hit("price", 2, 997, "header is a currency")


def _in_currency(table: Table, candidate: Candidate, currency: str) -> bool:
    sign = table.headings[candidate.index].sign
    return sign is not None and currency in sign.codes


def only_numbers(table: Table, index: int) -> bool:
    """True if no other column holds numbers."""
    return not any(table.figures(other).mostly_numbers for other in range(table.width) if other != index)


def _only(table: Table, live: Sequence[Candidate]) -> Candidate | None:
    """The column that is plainly the price. Nearly the right letters alone are not enough, and neither is a price under
    a condition."""
    if len(live) == 1 and live[0].level > 1 and not live[0].kinds & PARTLY:
        return live[0]
    plain = [candidate for candidate in live if _is_plain(table, candidate)]
    if len(plain) == 1 and all(candidate.kinds & ASIDE for candidate in live if candidate is not plain[0]):
        return plain[0]
    return None


def _is_plain(table: Table, candidate: Candidate) -> bool:
    """Just a price, of one piece."""
    return candidate.level == 4 and not candidate.kinds and table.headings[candidate.index].unit is None


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
    folded = table.headings[rivals[0].index].folded
    words = [word for kind in sorted(rivals[0].kinds) if (word := says(folded, f"price_kinds.{kind}"))]
    return f"{shown[0]} is a price, but “{''.join(words[:1])}” says another kind of price"
