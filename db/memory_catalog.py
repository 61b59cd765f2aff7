"""Items, prices and lists, as the in-memory twin of the loader remembers them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import numpy as np
import orjson
from numpy.typing import NDArray

from contracts.band import Amount
from contracts.rows import Item, RowError
from db.memory_holds import Holds


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One row of supplier_items."""

    item: Item
    price: Amount
    as_of: datetime
    task_key: int

    @property
    def description(self) -> tuple[object, ...]:
        """What a list says of an item, but for its price."""
        item = self.item
        return (item.name, item.unit, item.gtin, item.category, orjson.loads(item.characteristics))

    @property
    def content(self) -> tuple[object, ...]:
        return (*self.description, self.price)


@dataclass(frozen=True, slots=True)
class StoredPrice:
    """One row of price_history; `order` stands for its id."""

    price: Amount
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
    holds: Holds = field(default_factory=Holds)
    described: dict[tuple[str, str], dict[int, StoredItem]] = field(default_factory=dict)
    """Items as they were before a task described them anew; by supplier id and code, then by task key."""
    lists: dict[tuple[str, str], dict[int, tuple[datetime, NDArray[np.int64]]]] = field(default_factory=dict)
    """Codes of lists as hashes, by supplier id and list name, then by task key."""
    written: int = 0


def price_of(item: Item) -> Amount:
    return Amount(Decimal(item.price), item.currency, Decimal(item.price_basis))


def fingerprints(stored: StoredItem) -> tuple[int | None, int]:
    return stored.item.fingerprint, stored.item.key_hash
