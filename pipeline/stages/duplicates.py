"""Decides which row of a key counts when a list names it more than once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from contracts.understanding import Understanding
from pipeline.stages.fingerprint import Hashes, SeenKeys

Positions = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Ruling:
    """About the accepted rows of one chunk, by their place in the array of keys handed in."""

    dropped: frozenset[int] = frozenset()
    """Ignored as duplicates."""
    repeated: frozenset[int] = frozenset()
    """Kept; their key stood in an earlier chunk and is replaced."""
    doubled: frozenset[int] = frozenset()
    """Kept; another row of the same chunk was dropped for them."""
    ambiguous: frozenset[int] = frozenset()
    """Rejected: the list gives their key different prices."""


NO_DUPLICATES = Ruling()


@dataclass(slots=True)
class Duplicates:
    """Keys are compared as 64-bit hashes."""

    policy: str
    seen: SeenKeys = field(default_factory=SeenKeys)
    ambiguous: Hashes = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Sorted; for policy reject_conflicting, from a pass over the whole list."""

    @classmethod
    def of(cls, understanding: Understanding) -> Duplicates:
        return cls(understanding.duplicates)

    def rule(self, keys: Hashes) -> Ruling:
        """`keys` of the accepted rows in file order; they count as seen from now on."""
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        sorted_before = self.seen.contains(ordered)
        again = np.zeros(len(keys), dtype=bool)
        again[1:] = ordered[1:] == ordered[:-1]
        # Only new keys are added, each once, so that the set stays as small as the list has keys.
        self.seen.add(ordered[~(again | sorted_before)])
        if not again.any() and not sorted_before.any() and not len(self.ambiguous):
            return NO_DUPLICATES
        before = np.empty_like(sorted_before)
        before[order] = sorted_before
        return self._rule(order, again, before, keys)

    def _rule(self, order: Positions, again: NDArray[np.bool_], before: NDArray[np.bool_], keys: Hashes) -> Ruling:
        dropped: set[int] = set()
        repeated: set[int] = set()
        doubled: set[int] = set()
        ambiguous: set[int] = set()
        if len(self.ambiguous):
            ambiguous = set(np.flatnonzero(np.isin(keys, self.ambiguous)).tolist())
        starts = np.flatnonzero(~again)
        ends = np.append(starts[1:], len(order))
        interesting = (ends - starts > 1) | before[order[starts]]
        for start, end in zip(starts[interesting].tolist(), ends[interesting].tolist(), strict=True):
            group = [place for place in order[start:end].tolist() if place not in ambiguous]
            if not group:
                continue
            if self.policy == "first":
                dropped.update(group if before[group[0]] else group[1:])
                continue
            dropped.update(group[:-1])
            if before[group[-1]]:
                repeated.add(group[-1])
            elif len(group) > 1:
                doubled.add(group[-1])
        return Ruling(frozenset(dropped), frozenset(repeated), frozenset(doubled), frozenset(ambiguous))
