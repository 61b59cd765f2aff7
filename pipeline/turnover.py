"""Which items a list no longer has, and which it has again: counted by code, nothing is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from contracts.store import Loader
from observability.logging import get_logger
from pipeline.stages.fingerprint import Hashes, in_both

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Turnover:
    """Of a list against the last one of its name. Both count codes with an accepted row: an item whose row was rejected
    is missing, too."""

    missing: int = 0
    returned: int = 0
    """Not in the last list, but stored before it."""
    warnings: tuple[str, ...] = ()


async def compare_with_last(loader: Loader, seen: Hashes, *, new: int, cut: Decimal) -> Turnover:
    """Behind the last chunk; `seen` = key hashes of the list, sorted; `new` = items that were not stored before.
    Remembers the hashes for the next list. A list that is older than what was applied is compared with nothing. Raises
    LeaseLost."""
    if loader.stale:
        return Turnover()
    last = await loader.last_keys()
    before, both = (None, 0) if last is None else (len(last), in_both(last, seen))
    last = None  # as long as the list itself: not to be held beside what is sent next
    if len(seen):
        await loader.keep_keys(seen)
    if before is None:
        return Turnover()
    missing = before - both
    # What the last list did not have is new, or stored from a list before it; refused rows are seen and never stored.
    returned = max(len(seen) - both - new, 0)
    told = f"{missing:,} items of the last list have no accepted row in this one; they keep their prices"
    warnings = [told] if missing else []
    if len(seen) < cut * before:
        warnings.append(f"the list may be cut: it has {len(seen):,} items, the last one had {before:,}")
        log.warning("list.cut", items=len(seen), last=before)
    return Turnover(missing, returned, tuple(warnings))
