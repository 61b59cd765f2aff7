"""The ports a run needs beside the ledger and the loader: supplier profiles and product matching."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from contracts.store import Claim, Current


class StoredProfile(NamedTuple):
    version: int
    document: dict[str, Any]


class Profiles(Protocol):
    """Versioned supplier profiles; a version is never changed."""

    async def newest(self, supplier_name: str) -> StoredProfile | None: ...

    async def add(self, supplier_name: str, document: dict[str, Any], *, created_by: str) -> int:
        """Adds a version and returns its number; creates the supplier if it is unknown."""
        ...


class Shapes(Protocol):
    """What earlier lists of a supplier looked like and what its items cost, for comparison with the next list."""

    async def newest(self, supplier_name: str, list_name: str) -> dict[str, Any] | None:
        """The document of the list with the newest as_of that was not taken back; `list_name` is '' for a supplier's
        only list."""
        ...

    async def add(self, claim: Claim, document: dict[str, Any]) -> None:
        """Keeps the shape of a list that was loaded; a task has one. A supplier that is unknown keeps none. Only the
        newest ten of a list name stay."""
        ...

    async def prices(self, supplier_name: str, skus: Sequence[str]) -> Mapping[str, Current]:
        """As Loader.prices, for whoever only looks; empty for an unknown supplier."""
        ...


class Matcher(Protocol):
    """Joins supplier items with products. Never touches an item that has a product."""

    async def match(self, claim: Claim) -> int:
        """Matches the items this task wrote, in one transaction of its own; repeating it changes nothing.
        Returns how many were matched."""
        ...


class ToReplay(NamedTuple):
    """Rejected rows of a task that are still to be dealt with."""

    source_sha256: str | None
    """Of the list they stand in; None if the task never got so far."""
    rows: frozenset[int]
    """Physical row numbers."""


class RejectedRows(Protocol):
    """Rejected rows, and what became of them."""

    async def to_replay(self, task_id: str, codes: Sequence[str], *, by: str) -> ToReplay:
        """Rows that nothing was done about yet, or that the task `by` has taken up itself; of all reasons if there are
        no `codes`."""
        ...

    async def taken_up(self, task_id: str, rows: Collection[int], *, by: str) -> int:
        """Notes that the task `by` has dealt with these rows: they are loaded, or stand rejected under its own id.
        Repeating it changes nothing. Returns how many log entries were closed."""
        ...
