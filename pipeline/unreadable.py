"""Stops a list of which no row can be read, so that it waits for a person instead of ending with nothing loaded."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from config.profiles import SupplierProfile
from contracts.errors import ListDoubtful
from contracts.questions import Option, Question
from contracts.reasons import REASONS
from contracts.rows import Row, RowError
from contracts.understanding import Understanding
from pipeline.stages.normalization import Normalised, RowNormaliser
from pipeline.understanding.numbers import take_apart
from pipeline.understanding.text import cell_text, short

FEWEST = 5
"""Rejected rows from which on it is no accident that nothing could be read."""
MOST = 0.9
"""Share of the rejected rows that have one cause; with fewer, the other causes are told, too."""
KEPT = 20
"""Lists of a supplier that a person let through, the newest ones."""
Numbered = Sequence[tuple[int, Row]]


async def stop_if_unreadable(
    sample: Numbered, understanding: Understanding, *, profile: SupplierProfile | None, sha256: str
) -> None:
    """To be asked before the first chunk of a list. Raises ListDoubtful if none of its first rows is an item and
    FEWEST or more are rejected, unless a person let exactly this list through. Looks no further than to the first
    item."""
    accepted = [] if profile is None else profile.rules.accepted_lists
    if sha256 in accepted:
        return
    question = await asyncio.to_thread(_judged, sample, understanding, [*accepted, sha256][-KEPT:])
    if question is not None:
        raise ListDoubtful(question=question)


def _judged(sample: Numbered, it: Understanding, accepted: list[str]) -> Question | None:
    read = RowNormaliser(it).read
    rejects: list[RowError] = []
    for number, row in sample:
        outcome = read(number, row)
        if isinstance(outcome, Normalised):
            return None
        if isinstance(outcome, RowError):
            rejects.append(outcome)
    return None if len(rejects) < FEWEST else _question(it, rejects, accepted)


def _question(it: Understanding, rejects: list[RowError], accepted: list[str]) -> Question:
    causes = Counter(reject.code for reject in rejects)
    code, count = causes.most_common(1)[0]
    alike = [reject for reject in rejects if reject.code == code]
    told = f"no row of this list can be read: {count:,} of {len(rejects):,} rejected rows {_told(code, alike, it)}"
    if count < MOST * len(rejects):
        told += "; others: " + ", ".join(f"{code} {number:,}" for code, number in causes.most_common(4)[1:])
    keep = Option(
        "keep the rejected rows, this once",
        f"{len(rejects):,} rows are rejected and can be looked through and exported; no price is stored",
        {"rules": {"accepted_lists": accepted}},
    )
    leave = Option("do not load this list", "nothing is changed; the task stays dead", {})
    return Question("rejected", told, (keep, leave))


def _told(code: str, alike: Sequence[RowError], it: Understanding) -> str:
    if code != "row_ragged":
        examples = "; ".join(f"row {one.row_number}: {short(one.message, 120)}" for one in alike[:3])
        return f"have one cause ({examples}); {REASONS[code].fix}"
    sizes = Counter(len(one.cells) for one in alike)
    size, _ = sizes.most_common(1)[0]
    told = f"have {size} cells where the header has {it.width}"
    if len(sizes) > 1:
        told = f"have {min(sizes)} to {max(sizes)} cells where the header has {it.width}"
    price = it.columns_of("price")[0].index
    split = [one.cells for one in alike if _is_split(one.cells, price)]
    if len(split) < MOST * len(alike):
        return f"{told}; ask the supplier for an export in which each row has as many cells as the header"
    whole, part = cell_text(split[0][price]).strip(), cell_text(split[0][price + 1]).strip()
    return (
        f"{told}: the decimal comma may have split the price (“{short(whole, 20)}” and “{part}” stand in two cells); "
        "ask the supplier for prices in quotes, or for another separator"
    )


def _is_split(cells: Sequence[str | None], price: int) -> bool:
    """A whole number where the price belongs, with a cell of one or two digits behind it."""
    if len(cells) <= price + 1:
        return False
    written = take_apart(cell_text(cells[price]).strip())
    behind = cell_text(cells[price + 1]).strip()
    return written is not None and written.body.isdecimal() and behind.isdecimal() and len(behind) <= 2
