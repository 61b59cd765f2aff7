"""A batch on its way into the tables: what stage() hands to commit()."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contracts.account import Account
from contracts.rows import Item, RowError
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
    suspect: bool = False
    """The database refused a row of it."""
    account: Account | None = None
    document: dict[str, Any] | None = None
    """Of the attempt to commit whose answer may have been lost."""
