"""The port to the registry of workers: who is alive, what it holds, what an operator wants of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from contracts.queue import Delivery

Wish = Literal["drain", "recycle"]
"""drain = take nothing new; recycle = stop running tasks behind their chunk, too, and start anew."""

WorkerState = Literal["working", "draining", "recycling"]
"""What a worker says of itself."""


class Registry(Protocol):
    """Each method is one transaction. Raises DatabaseUnavailable."""

    async def register_worker(self, name: str, *, host: str, pid: int, version: str, slots: int) -> None:
        """On the list, working, nothing asked of it."""
        ...

    async def forget_worker(self, name: str) -> None:
        """Off the list, in good order."""
        ...

    async def beat(
        self, name: str, *, state: WorkerState, busy: int, snapshot: Mapping[str, Any] | None = None
    ) -> Wish | None:
        """A sign of life; `busy` = slots in use. Answers what an operator wants of it."""
        ...

    async def ask_workers(self, names: Sequence[str] | None, wish: Wish | None) -> list[str]:
        """None as names = all that are on the list; None as wish takes an earlier one back. Lost ones are left out.
        Answers whom it reached."""
        ...

    async def give_back(self, *, host: str, pid: int, poison_after: int = 3) -> list[Delivery]:
        """What the workers of that process held goes back at once, as if its leases had run out: the death counts
        unless the checkpoint moved. For who has seen it die. Answers what should be delivered."""
        ...
