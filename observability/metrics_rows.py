"""Rows by bucket as counters that only grow, though a later chunk may move a row to another bucket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


class GrowingBuckets:
    """A row that was counted as changed and is overtaken by a later one of its key is taken back from `changed` and put
    into `ignored`: an account may fall, a counter may not. What was put elsewhere is held back until the first bucket
    has grown past what was taken back. So the sum of all buckets is exact at every moment, and a bucket is off by the
    moved rows at most."""

    def __init__(self) -> None:
        self._owed: Counter[str] = Counter()
        """By bucket: below zero, what was told too much; above, what was held back."""

    def grow(self, account: Mapping[str, int]) -> dict[str, int]:
        """What each bucket may be counted up by, for the account of one more chunk; all of it at or above zero."""
        for bucket, rows in account.items():
            self._owed[bucket] += rows
        too_much = -sum(rows for rows in self._owed.values() if rows < 0)
        told: dict[str, int] = {}
        for bucket, rows in sorted(self._owed.items(), key=lambda pair: -pair[1]):
            if rows > 0:
                kept = min(rows, too_much)
                too_much -= kept
                told[bucket] = rows - kept
                self._owed[bucket] = kept
        return told
