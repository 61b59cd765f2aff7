"""Which items a list no longer has, and which it has again: counted by code, nothing is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from contracts.store import Loader
from observability.logging import get_logger
from pipeline.stages.fingerprint import Hashes, find, in_both

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Turnover:
    """Of a list against the last one of its name."""

    missing: int = 0
    """In no row of this list, not even a rejected one."""
    returned: int = 0
    """Not in the last list, but stored before it."""
    warnings: tuple[str, ...] = ()


async def compare_with_last(loader: Loader, seen: Hashes, *, named: Hashes, new: int, cut: Decimal) -> Turnover:
    """Behind the last chunk; `seen` = key hashes of the list, sorted; `named` = those that only rejected rows have, of
    which none is in `seen`; `new` = items that were not stored before. Remembers the hashes of what the list has for
    the next one. A list that is older than what was applied is compared with nothing. Raises
    LeaseLost."""
    if loader.stale:
        return Turnover()
    last = await loader.last_keys()
    before, both = (None, 0) if last is None else (len(last), in_both(last, seen))
    refused = named[:0] if last is None else named[find(last, named)[0]]
    last = None  # as long as the list itself: not to be held beside what is sent next
    if len(seen):
        await loader.keep_keys(np.union1d(seen, refused) if len(refused) else seen)
    if before is None:
        return Turnover()
    missing = before - both - len(refused)
    # What the last list did not have is new, or stored from a list before it; refused rows are seen and never stored.
    returned = max(len(seen) - both - new, 0)
    warnings = []
    if missing:
        warnings.append(f"{missing:,} items of the last list are not in this one; they keep their prices")
    if len(refused):
        warnings.append(f"the rows of {len(refused):,} items of the last list were rejected; they keep their prices")
    if len(seen) + len(refused) < cut * before:
        warnings.append(f"the list may be cut: it has {len(seen) + len(refused):,} items, the last one had {before:,}")
        log.warning("list.cut", items=len(seen) + len(refused), last=before)
    return Turnover(missing, returned, tuple(warnings))
