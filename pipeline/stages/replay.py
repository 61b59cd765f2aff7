"""Narrows a list to some of its rows: those that a task takes up again because another one rejected them."""

from __future__ import annotations

from collections.abc import Collection

from contracts.rows import Batch


class Replayed:
    """Looks at the batches of a whole list, in order; every row that is not wanted is ignored as `not_replayed`, unless
    it is ignored for another reason. All rows are read, because the heading above a row and the keys before it decide
    what becomes of it."""

    def __init__(self, rows: Collection[int]) -> None:
        self._rows = frozenset(rows)
        self._written: set[int] = set()
        """Hashes of the keys that this task has handed on; those of other rows belong to the task before."""

    def narrow(self, batch: Batch) -> None:
        """Changes the batch in place, before its rejected rows are counted; its account stays balanced."""
        passed = batch.account.unchanged
        batch.account.unchanged = 0
        accepted = sorted((*batch.items, *batch.repeated), key=lambda item: item.row_number)
        rejects = [reject for reject in batch.rejects if reject.row_number in self._rows]
        passed += len(batch.rejects) - len(rejects)
        batch.items, batch.repeated, batch.rejects = [], [], rejects
        for item in accepted:
            if item.key_hash in self._written:
                # Also a row that nobody asked for: it stands below the replayed one and has the last word on its key.
                batch.repeated.append(item)
            elif item.row_number in self._rows:
                self._written.add(item.key_hash)
                batch.items.append(item)
                # A row above it, of the task before, may have stored it exactly so: it is written all the same.
                batch.doubled.add(item.row_number)
            else:
                passed += 1
        if passed:
            batch.account.ignored["not_replayed"] += passed
