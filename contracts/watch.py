"""The port to what is remembered of the files in a watched folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.queue import Delivery
from contracts.task import ParseTask


@dataclass(frozen=True, slots=True)
class Known:
    """What was last seen at one place."""

    signature: str
    """Of the file's size and times."""
    version: int
    """Contents this place has had; 0 = the place is new."""


class Watched(Protocol):
    """Places are named `supplier/name`. Each method is one transaction. Raises DatabaseUnavailable."""

    async def known(self, places: Sequence[str]) -> Mapping[str, Known]:
        """Of those that are known."""
        ...

    async def handed_in(
        self, place: str, *, since: int, signature: str, sha256: str, task: Callable[[int], ParseTask]
    ) -> tuple[str, Delivery | None] | None:
        """Registers `task(version)` as sent if the content differs from the last one at this place; answers its id and
        delivery. None if it does not, or if somebody else has seen another version than `since` meanwhile."""
        ...

    async def refused(self, place: str, *, since: int, signature: str, problem: str) -> bool:
        """Remembers that what lies there cannot be handed in. False if that is known."""
        ...
