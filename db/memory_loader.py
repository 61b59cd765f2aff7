"""The in-memory twin of the loader: the same promises, row by row."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from contracts.account import Account
from contracts.band import Amount, Band
from contracts.errors import LeaseLost, StateConflict
from contracts.rows import Batch, Item
from contracts.store import Claim, ClaimKey, Current, Known
from db.memory_catalog import Catalog, StoredItem, StoredPrice, StoredSupplier, fingerprints, price_of
from db.memory_holds import HeldPrice
from db.memory_tables import Tables

KEPT_CHECKPOINTS = 10


@dataclass(frozen=True, slots=True)
class _Staged:
    batch: Batch


class MemoryLoader:
    """Implements contracts.store.Loader for one event loop; no method awaits, so each is one transaction."""

    def __init__(self, claim: Claim, *, tables: Tables, catalog: Catalog, source_type: str) -> None:
        self._claim = claim
        self._tables = tables
        self._catalog = catalog
        name = claim.task.supplier_name
        supplier = catalog.suppliers.setdefault(name, StoredSupplier(str(uuid.uuid4()), source_type))
        supplier.source_type = source_type
        self._supplier = supplier
        self.supplier_id = supplier.id
        self.stale = supplier.applied_as_of is not None and claim.as_of < supplier.applied_as_of
        self.stocked = any(supplier_id == self.supplier_id for supplier_id, _ in catalog.items)
        self.band: Band | None = None
        self._sequence = self._newest()

    @classmethod
    async def open(
        cls, claim: Claim, *, tables: Tables, catalog: Catalog, source_type: str, restarted: bool = False
    ) -> MemoryLoader:
        loader = cls(claim, tables=tables, catalog=catalog, source_type=source_type)
        if restarted:
            loader._undo()
        return loader

    async def known(self) -> Known:
        pairs = sorted(
            (stored.item.fingerprint, stored.item.key_hash)
            for (supplier, _), stored in self._catalog.items.items()
            if supplier == self.supplier_id and stored.item.fingerprint is not None
        )
        both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return Known(fingerprints=both[:, 0].copy(), key_hashes=both[:, 1].copy())

    async def prices(self, skus: Sequence[str]) -> dict[str, Current]:
        found = {sku: self._catalog.items.get((self.supplier_id, sku)) for sku in skus}
        return {sku: Current(stored.item.name, *stored.price) for sku, stored in found.items() if stored is not None}

    async def last_keys(self) -> NDArray[np.int64] | None:
        lists = self._catalog.lists.get((self.supplier_id, self._claim.task.options.list_name or ""), {})
        others = [(as_of, task) for task, (as_of, _) in lists.items() if task != self._claim.task_key]
        return lists[max(others)[1]][1] if others else None

    async def keep_keys(self, keys: NDArray[np.int64]) -> None:
        self._fence()
        name = (self.supplier_id, self._claim.task.options.list_name or "")
        self._catalog.lists.setdefault(name, {})[self._claim.task_key] = (self._claim.as_of, keys.copy())

    async def stage(self, batch: Batch) -> object:
        return _Staged(batch)

    async def commit(
        self,
        staged: object,
        complete: Callable[[Account], dict[str, Any]],
        *,
        begun: Callable[[], object] = lambda: None,
    ) -> Account:
        begun()
        assert isinstance(staged, _Staged)
        batch = staged.batch
        self._fence()
        if self._newest() != self._sequence:
            raise LeaseLost("another attempt has moved this task's checkpoint")
        account = Account()
        account.add(batch.account)
        if self.stale:
            account.ignored["stale"] += account.unchanged
            account.unchanged = 0
        before = deepcopy((self._catalog.items, self._catalog.history, self._catalog.holds, self._catalog.described))
        for item in batch.items:
            self._merge(item, account, forced=item.row_number in batch.doubled)
        for item in batch.repeated:
            self._repeat(item, account)
        document = complete(account)
        sequence = document["sequence"]
        if sequence <= self._sequence:
            self._catalog.items, self._catalog.history, self._catalog.holds, self._catalog.described = before
            raise StateConflict(f"checkpoint {sequence} of task {self._claim.task.task_id} exists already")
        logs = self._catalog.logs.setdefault(self._claim.task.task_id, {})
        logs.update({(reject.row_number, reject.code): reject for reject in batch.rejects})
        checkpoints = self._tables.checkpoints.setdefault(self._claim.task_key, {})
        checkpoints[sequence] = orjson.loads(orjson.dumps(document))
        for old in [kept for kept in checkpoints if kept <= sequence - KEPT_CHECKPOINTS]:
            del checkpoints[old]
        self._sequence = sequence
        if batch.items or batch.repeated or batch.account.unchanged:
            applied = self._supplier.applied_as_of
            self._supplier.applied_as_of = self._claim.as_of if applied is None else max(applied, self._claim.as_of)
        return account

    async def close(self) -> None:
        """Nothing is held."""

    def _fence(self) -> None:
        if self._tables.held(ClaimKey(self._claim.task_key, self._claim.epoch)) is None:
            raise LeaseLost

    def _newest(self) -> int:
        return max(self._tables.checkpoints.get(self._claim.task_key, {}), default=0)

    def _merge(self, item: Item, account: Account, *, forced: bool) -> None:
        key = (self.supplier_id, item.sku)
        old = self._catalog.items.get(key)
        if old is None:
            self._write(self._stored(item))
            self._record(item)
            account.new += 1
        elif self.stale:
            account.ignored["stale"] += 1
        else:
            self._catalog.holds.supersede(key, by=self._claim.task_key)
            reason = self._reason(old.price, item)
            new = self._stored(item, kept=old.price if reason else None)
            if forced or reason or new.content != old.content or fingerprints(new) != fingerprints(old):
                self._write(new)
            if reason is not None:
                self._hold(item, old.price, reason)
                account.held[reason] += 1
            elif old.price != price_of(item):
                self._record(item)
                account.changed += 1
            else:
                account.unchanged += 1

    def _repeat(self, item: Item, account: Account) -> None:
        """A row that replaces what this task has written for its key, or at least counted."""
        key = (self.supplier_id, item.sku)
        if key not in self._catalog.items:
            self._merge(item, account, forced=False)
            return
        account.ignored["duplicate"] += 1
        history = self._catalog.history[key]
        mine = self._claim.task_key in history
        before = self._before(key)
        if before is not None and self.stale:
            return
        reason = None if before is None else self._reason(before, item)
        was = self._catalog.holds.forget(key, self._claim.task_key)
        self._write(self._stored(item, kept=before if reason else None))
        repriced = before != price_of(item) and reason is None
        if before is not None:
            _count(account, was or ("changed" if mine else "unchanged"), -1)
            _count(account, reason or ("changed" if repriced else "unchanged"), 1)
            if reason is not None:
                self._hold(item, before, reason)
        if not repriced:
            history.pop(self._claim.task_key, None)
        elif mine:
            own = history[self._claim.task_key]
            history[self._claim.task_key] = replace(own, price=price_of(item), source_row=item.row_number)
        else:
            self._record(item)

    def _reason(self, old: Amount, item: Item) -> str | None:
        new = price_of(item)
        return None if self.band is None or new == old else self.band.reason(old, new)

    def _hold(self, item: Item, old: Amount, reason: str) -> None:
        held = HeldPrice(self._claim.task_key, item.row_number, old, price_of(item), self._claim.as_of, reason)
        self._catalog.holds.open((self.supplier_id, item.sku), held)

    def _before(self, key: tuple[str, str]) -> Amount | None:
        """The price that held when this task began."""
        others = [row for task, row in self._catalog.history[key].items() if task != self._claim.task_key]
        return max(others, key=lambda row: (row.as_of, row.order)).price if others else None

    def _undo(self) -> None:
        self._fence()
        task = self._claim.task_key
        for key, stored in list(self._catalog.items.items()):
            if key[0] != self.supplier_id or stored.task_key != task:
                continue
            before = self._before(key)
            if before is None:
                del self._catalog.items[key], self._catalog.history[key]
            else:
                self._catalog.history[key].pop(task, None)
                former = self._catalog.described.get(key, {}).pop(task, stored)
                self._catalog.items[key] = replace(stored, price=before, item=former.item._replace(fingerprint=None))
        self._catalog.holds.undo(self.supplier_id, task)
        self._catalog.logs.pop(self._claim.task.task_id, None)
        self._tables.checkpoints.pop(task, None)
        self._sequence = 0

    def _stored(self, item: Item, *, kept: Amount | None = None) -> StoredItem:
        """`kept`: the price that goes on to hold, because the row's is held; nothing then matches the row unread."""
        if kept is not None:
            return StoredItem(item._replace(fingerprint=None), kept, self._claim.as_of, self._claim.task_key)
        return StoredItem(item, price_of(item), self._claim.as_of, self._claim.task_key)

    def _write(self, new: StoredItem) -> None:
        key = (self.supplier_id, new.item.sku)
        old = self._catalog.items.get(key)
        if old is not None and old.description != new.description:
            self._catalog.described.setdefault(key, {}).setdefault(self._claim.task_key, old)
        self._catalog.items[key] = new

    def _record(self, item: Item) -> None:
        self._catalog.written += 1
        self._catalog.history.setdefault((self.supplier_id, item.sku), {})[self._claim.task_key] = StoredPrice(
            price_of(item), self._claim.as_of, item.row_number, self._catalog.written
        )


def _count(account: Account, bucket: str, number: int) -> None:
    if bucket == "changed":
        account.changed += number
    elif bucket == "unchanged":
        account.unchanged += number
    else:
        account.held[bucket] += number
