"""Recognises raw records that were loaded before and keys that stood earlier in the same source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from contracts.store import Known

Hashes = NDArray[np.int64]


def signed(digests: Iterable[int], count: int) -> Hashes:
    """Unsigned 64-bit digests as the signed integers that PostgreSQL keeps."""
    return np.fromiter(digests, dtype=np.uint64, count=count).view(np.int64)


def fingerprints(records: Sequence[bytes], seed: int) -> Hashes:
    """xxh3 of each raw record under the plan's seed."""
    return signed([xxh3_64_intdigest(record, seed) for record in records], len(records))


def key_hashes(skus: Sequence[str]) -> Hashes:
    """xxh3 of each code in UTF-8."""
    return signed([xxh3_64_intdigest(sku.encode()) for sku in skus], len(skus))


def find(sorted_hashes: Hashes, wanted: Hashes) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Which of `wanted` (sorted, too) stand in a sorted array, and where. Searching in order is four times faster than
    here and there in an array that is larger than the cache."""
    if not len(sorted_hashes) or not len(wanted):
        return np.zeros(len(wanted), dtype=bool), np.zeros(len(wanted), dtype=np.intp)
    places = np.searchsorted(sorted_hashes, wanted)
    places[places == len(sorted_hashes)] = 0
    return sorted_hashes[places] == wanted, places


BLOCK = 65_536


def in_both(one: Hashes, other: Hashes) -> int:
    """How many hashes two sorted arrays share, neither of which repeats any. Takes no memory to speak of: numpy's set
    operations would copy both several times."""
    blocks = (one[start : start + BLOCK] for start in range(0, len(one), BLOCK))
    return sum(int(np.count_nonzero(find(other, block)[0])) for block in blocks)


SHORTER = 8
"""How much shorter a run must be than the one before it to be left alone: merging two is cheap, searching many not."""


class SeenKeys:
    """A set of 64-bit hashes at 8 bytes each: a few sorted runs, the younger the shorter. A set of Python integers
    takes ten times that."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []

    def __len__(self) -> int:
        return sum(map(len, self._runs))

    def all(self) -> Hashes:
        """Sorted."""
        if not self._runs:
            return np.empty(0, dtype=np.int64)
        if len(self._runs) > 1:
            every = np.concatenate(self._runs)
            every.sort(kind="stable")
            self._runs = [every]
        return self._runs[0]

    def contains(self, hashes: Hashes) -> NDArray[np.bool_]:
        """For each of some sorted hashes."""
        answer = np.zeros(len(hashes), dtype=bool)
        for run in self._runs:
            answer |= find(run, hashes)[0]
        return answer

    def add(self, hashes: NDArray[Any]) -> None:
        """Sorted hashes, none of which is contained yet."""
        if not len(hashes):
            return
        run = hashes
        while self._runs and len(self._runs[-1]) <= SHORTER * len(run):
            older = self._runs.pop()
            run = np.concatenate((older, run))
            run.sort(kind="stable")  # two sorted runs: a merge
        self._runs.append(run)


class KnownRecords:
    """What is stored of the supplier's items, asked by the fingerprint of a record."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def match(self, prints: Hashes) -> tuple[NDArray[np.bool_], Hashes]:
        """Which records are stored exactly so, and the key hashes of those (0 for the others)."""
        order = np.argsort(prints)
        hits, places = find(self._known.fingerprints, prints[order])
        found = np.zeros(len(prints), dtype=bool)
        found[order] = hits
        keys = np.zeros(len(prints), dtype=np.int64)
        keys[order[hits]] = self._known.key_hashes[places[hits]]
        return found, keys
