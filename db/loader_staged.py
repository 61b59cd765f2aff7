"""A batch on its way into the tables: what stage() hands to commit()."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from contracts.account import Account
from contracts.rows import Batch, Item, RowError
from db.loader_lane import Lane


@dataclass(slots=True, eq=False)
class Staged:
    """A batch on its way: the token between stage() and commit()."""

    lane: Lane
    items: list[Item]
    kinds: list[int]
    repeated: int
    rejects: list[RowError]
    counted: Account
    """By the stages, and refusals of the database."""
    begun: Callable[[], object] = lambda: None
    alone: bool = True
    """Without items it may be committed by one statement."""
    suspect: bool = False
    """The database refused a row of it."""
    account: Account | None = None
    document: dict[str, Any] | None = None
    """Of the attempt to commit whose answer may have been lost."""

    @classmethod
    def of(cls, batch: Batch, lane: Lane, *, refused: Collection[str]) -> Staged:
        """`refused`: codes of rows that the database has refused; a later row of such a code repeats nothing."""
        items, kinds = list(batch.items), [0] * len(batch.items)
        if batch.doubled:
            kinds = [int(item.row_number in batch.doubled) for item in items]
        for item in batch.repeated:
            items.append(item)
            kinds.append(1 if item.sku in refused else 2)
        counted = Account()
        counted.add(batch.account)
        return cls(lane, items, kinds, kinds.count(2), list(batch.rejects), counted)
