"""Holds the items of a list, as the run will read them, against what is stored before the first one is written."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from config.profiles import SupplierProfile
from contracts.errors import ListDoubtful
from contracts.questions import Option, Question
from contracts.rows import Item, Row
from contracts.store import Current
from contracts.understanding import Understanding
from pipeline.drift.agreement import TELLING, Agreement, compare, percent
from pipeline.drift.compared import Lookup
from pipeline.drift.doubts import ACCEPTED
from pipeline.drift.price_again import PriceAgain
from pipeline.drift.remembered import FEW
from pipeline.stages.validation import Validation

VERIFIED = 500
"""Rows of the sample that are read."""
MOST = 0.8


async def verify(
    sample: Sequence[tuple[int, Row]],
    understanding: Understanding,
    *,
    profile: SupplierProfile,
    lookup: Lookup,
    sha256: str,
    believed: bool = False,
) -> None:
    """Raises ListDoubtful if the prices are plainly of another kind than the stored ones, or have lost the currency.
    `believed`: a person has said which column holds the price since the last list. Movements by a power of ten are
    left to the gate."""
    if sha256 in profile.rules.accepted_lists:
        return
    items = await asyncio.to_thread(_items, sample[:VERIFIED], understanding)
    often = Counter(item.sku for item in items)
    current = await lookup(list(often))
    pairs = [(item, current[item.sku]) for item in items if item.sku in current and often[item.sku] == 1]
    if len(pairs) < FEW:
        return
    accepted = {"rules": {"accepted_lists": [*profile.rules.accepted_lists, sha256][-ACCEPTED:]}}
    lost = _lost_currency(pairs)
    if lost is not None:
        raise ListDoubtful(
            question=Question(
                "currency",
                f"the list states no currency any more; {lost[1]:,} of {len(pairs):,} known prices are in {lost[0]}",
                (
                    Option(
                        f"the prices are in {lost[0]}",
                        f"{lost[0]} for every price without a currency",
                        {"currency": lost[0]},
                    ),
                    Option("store them without a currency", "all prices are stored as XXX", accepted),
                ),
            )
        )
    basis = _lost_basis(pairs)
    if basis is not None:
        header = understanding.columns_of("price")[0].header or "the price column"
        raise ListDoubtful(
            question=Question(
                "layout",
                f"the prices in “{header}” were per {basis[0]}, and the list no longer says so; "
                f"{percent(basis[1])} of {len(pairs):,} known prices are about what they were",
                (
                    Option(f"still per {basis[0]}", "the prices of one unit stay", {"price_basis": basis[0]}),
                    Option("per unit now", f"each unit costs {basis[0]} times what it did", accepted),
                ),
            )
        )
    found = compare((Decimal(item.price) / Decimal(item.price_basis), now.price / now.basis) for item, now in pairs)
    if believed or found.power or not _is_another_kind(found):
        return
    header = understanding.columns_of("price")[0].header or "the price column"
    told = PriceAgain.told(found)
    raise ListDoubtful(
        question=Question(
            "layout",
            f"the prices in “{header}” are others than those of the last list: {told}",
            (Option(f"“{header}” is still the price", told, accepted),),
        )
    )


def _items(sample: Sequence[tuple[int, Row]], understanding: Understanding) -> list[Item]:
    numbers = [number for number, _ in sample]
    return Validation(understanding).read(numbers, [row for _, row in sample], [None] * len(numbers)).items


def _lost_currency(pairs: Sequence[tuple[Item, Current]]) -> tuple[str, int] | None:
    """The currency that nearly all known prices had and none has now."""
    now = sum(item.currency == "XXX" for item, _ in pairs)
    [(before, count)] = Counter(current.currency for _, current in pairs).most_common(1)
    return (before, count) if before != "XXX" and min(now, count) >= MOST * len(pairs) else None


def _lost_basis(pairs: Sequence[tuple[Item, Current]]) -> tuple[str, float] | None:
    """How many units nearly all prices were for while they are for one now, though the amounts are the same."""
    [(basis, count)] = Counter(current.basis for _, current in pairs).most_common(1)
    now = sum(item.price_basis == "1" for item, _ in pairs)
    amounts = compare((Decimal(item.price), current.price) for item, current in pairs)
    if basis == 1 or min(now, count) < MOST * len(pairs) or not amounts.agrees:
        return None
    return f"{basis.normalize():f}", amounts.near


def _is_another_kind(found: Agreement) -> bool:
    return found.shifted or (found.common >= TELLING and found.far < 0.5)
