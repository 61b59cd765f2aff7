"""What a run uses of the process, and the loader that it opens while its source is still being fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from config.settings import Settings
from contracts.catalog import Matcher, Profiles, RejectedRows, Shapes
from contracts.parser import Parser
from contracts.store import Claim, Current, Known, Loader
from resilience.cooldown import Cooldown


class OpenLoader(Protocol):
    """How a run gets its Loader; workers/app.py chooses the implementation."""

    def __call__(self, claim: Claim, *, source_type: str, restarted: bool) -> Awaitable[Loader]: ...


@dataclass(frozen=True, slots=True)
class Collaborators:
    """What every run of this process uses."""

    settings: Settings
    parser: Callable[[str], Parser]
    open_loader: OpenLoader
    profiles: Profiles
    matcher: Matcher | None
    shapes: Shapes | None = None
    """None = every list is read as if it were the first."""
    rejected: RejectedRows | None = None
    """None = rejected rows cannot be taken up again here."""
    resize: Callable[[int], int] = lambda rows: rows
    """The chunk size to use now, of the one that was planned: smaller where memory is short."""
    alerts: Cooldown = field(default_factory=Cooldown)
    """Of this process: how often stopped lists may raise an alert."""


class Ahead:
    """The loader and what is known of the supplier's items, read while the source is fetched and understood: for a
    large supplier both take seconds. Begun early only where a list was loaded before, so that a source that turns
    out to be none leaves no supplier behind."""

    def __init__(self, claim: Claim, with_: Collaborators, *, begin: bool) -> None:
        self._claim = claim
        self._with = with_
        self._task = asyncio.create_task(self._open(restarted=False)) if begin else None
        self._loader: Loader | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._drop()

    async def loader(self, *, restarted: bool) -> tuple[Loader, Known]:
        """Opened once. What an earlier attempt wrote is taken back with `restarted`."""
        if self._task is not None and not restarted:
            return await self._task
        await self._drop()
        return await self._open(restarted=restarted)

    async def prices(self, skus: Sequence[str]) -> Mapping[str, Current]:
        """What holds now for these codes, before it is known how the run goes on; nothing is known where no list was
        loaded before."""
        if self._task is None:
            return {}
        loader, _ = await asyncio.shield(self._task)
        return await loader.prices(skus)

    async def _drop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.exception()  # whatever it was: the run failed earlier, or the next attempt meets it again
            self._task = None
        if self._loader is not None:
            loader, self._loader = self._loader, None
            await loader.close()

    async def _open(self, *, restarted: bool) -> tuple[Loader, Known]:
        source_type = self._claim.task.parser_type
        self._loader = await self._with.open_loader(self._claim, source_type=source_type, restarted=restarted)
        return self._loader, await self._loader.known()
