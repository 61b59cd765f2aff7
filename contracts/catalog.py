"""The ports a run needs beside the ledger and the loader: supplier profiles and product matching."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from contracts.store import Claim


class StoredProfile(NamedTuple):
    version: int
    document: dict[str, Any]


class Profiles(Protocol):
    """Versioned supplier profiles; a version is never changed."""

    async def newest(self, supplier_name: str) -> StoredProfile | None: ...

    async def add(self, supplier_name: str, document: dict[str, Any], *, created_by: str) -> int:
        """Adds a version and returns its number; creates the supplier if it is unknown."""
        ...


class Matcher(Protocol):
    """Joins supplier items with products. Never touches an item that has a product."""

    async def match(self, claim: Claim) -> int:
        """Matches the items this task wrote, in one transaction of its own; repeating it changes nothing.
        Returns how many were matched."""
        ...
