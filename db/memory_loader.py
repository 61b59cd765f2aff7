"""The in-memory twin of the loader: the same promises, row by row."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import orjson

from contracts.account import Account
from contracts.errors import LeaseLost, StateConflict
from contracts.rows import Batch, Item, RowError
from contracts.store import Claim, ClaimKey, Current, Known
from db.memory_tables import Tables

KEPT_CHECKPOINTS = 10


class Price(NamedTuple):
    amount: Decimal
    currency: str
    basis: Decimal


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One row of supplier_items."""

    item: Item
    price: Price
    as_of: datetime
    task_key: int

    @property
    def content(self) -> tuple[object, ...]:
        """What a list says of an item."""
        item = self.item
        return (item.name, item.unit, item.gtin, item.category, orjson.loads(item.characteristics), self.price)


@dataclass(frozen=True, slots=True)
class StoredPrice:
    """One row of price_history; `order` stands for its id."""

    price: Price
    as_of: datetime
    source_row: int
    order: int


@dataclass(slots=True)
class StoredSupplier:
    id: str
    source_type: str
    applied_as_of: datetime | None = None


@dataclass(slots=True)
class Catalog:
    """What the twin remembers beside the ledger's tables."""

    suppliers: dict[str, StoredSupplier] = field(default_factory=dict)
    items: dict[tuple[str, str], StoredItem] = field(default_factory=dict)
    """By supplier id and code."""
    history: dict[tuple[str, str], dict[int, StoredPrice]] = field(default_factory=dict)
    """By supplier id and code, then by task key."""
    logs: dict[str, dict[tuple[int, str], RowError]] = field(default_factory=dict)
    """By task id, then by row number and code."""
    written: int = 0


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
        self._stale = supplier.applied_as_of is not None and claim.as_of < supplier.applied_as_of
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
        if self._stale:
            account.ignored["stale"] += account.unchanged
            account.unchanged = 0
        before = (dict(self._catalog.items), {key: dict(rows) for key, rows in self._catalog.history.items()})
        for item in batch.items:
            self._merge(item, account, forced=item.row_number in batch.doubled)
        for item in batch.repeated:
            self._repeat(item, account)
        document = complete(account)
        sequence = document["sequence"]
        if sequence <= self._sequence:
            self._catalog.items, self._catalog.history = before
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
            self._write(item)
            self._record(item)
            account.new += 1
        elif self._stale:
            account.ignored["stale"] += 1
        else:
            changed = old.price != price_of(item)
            new = self._stored(item)
            if forced or new.content != old.content or fingerprints(new) != fingerprints(old):
                self._write(item)
            if changed:
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
        if before is not None and self._stale:
            return
        self._write(item)
        repriced = before != price_of(item)
        if before is not None:
            account.changed += repriced - mine
            account.unchanged -= repriced - mine
        if not repriced:
            history.pop(self._claim.task_key, None)
        elif mine:
            own = history[self._claim.task_key]
            history[self._claim.task_key] = replace(own, price=price_of(item), source_row=item.row_number)
        else:
            self._record(item)

    def _before(self, key: tuple[str, str]) -> Price | None:
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
                self._catalog.items[key] = replace(stored, price=before, item=stored.item._replace(fingerprint=None))
        self._catalog.logs.pop(self._claim.task.task_id, None)
        self._tables.checkpoints.pop(task, None)
        self._sequence = 0

    def _stored(self, item: Item) -> StoredItem:
        return StoredItem(item, price_of(item), self._claim.as_of, self._claim.task_key)

    def _write(self, item: Item) -> None:
        self._catalog.items[self.supplier_id, item.sku] = self._stored(item)

    def _record(self, item: Item) -> None:
        self._catalog.written += 1
        self._catalog.history.setdefault((self.supplier_id, item.sku), {})[self._claim.task_key] = StoredPrice(
            price_of(item), self._claim.as_of, item.row_number, self._catalog.written
        )


def price_of(item: Item) -> Price:
    return Price(Decimal(item.price), item.currency, Decimal(item.price_basis))


def fingerprints(stored: StoredItem) -> tuple[int | None, int]:
    return stored.item.fingerprint, stored.item.key_hash
