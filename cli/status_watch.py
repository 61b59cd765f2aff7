"""`pricemill status --watch`: the status again and again, on a terminal in place, elsewhere as a block a time."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cli import context
from cli.context import Desk
from cli.problems import Usage
from cli.screen import Screen
from cli.text import duration, line, span, stamp
from contracts.errors import DatabaseUnavailable, QueueUnavailable

if TYPE_CHECKING:
    from config.settings import Settings

LEAST_SECONDS: Final = 0.5
PATIENCE_SECONDS: Final = 5.0
"""For one look; a server that does not answer within it counts as away."""

Show = Callable[[Desk, Screen], Awaitable[int]]
"""One status, written to a screen."""


def keep_watching(screen: Screen, pace: str, show: Show) -> int:
    """Until Ctrl-C, which the caller turns into exit code 130. PostgreSQL or Redis being away ends nothing."""
    seconds = _seconds(pace)

    async def watch(opened: Desk) -> int:
        with _output(screen) as put:
            async for block in _blocks(screen, opened, show, seconds=seconds):
                put(block)
        return 0

    return context.look(watch)


def _seconds(pace: str) -> float:
    try:
        seconds = span(pace).total_seconds()
    except ValueError:
        raise Usage(f"--watch={pace} is no duration; use 2s, 30s or 5m") from None
    if seconds < LEAST_SECONDS:
        raise Usage(f"--watch={pace} is too often; {LEAST_SECONDS:g}s is the least")
    return seconds


async def _blocks(screen: Screen, opened: Desk, show: Show, *, seconds: float) -> AsyncIterator[str]:
    postgresql, redis = _Server("PostgreSQL"), _Server("Redis")
    last = ""
    while True:
        began = time.monotonic()
        text, reason = await _status(screen, opened, show)
        postgresql.heard(reason)
        redis.heard(await _redis(opened.settings))
        last = text or last
        if not screen.human:
            if text:
                yield text
        else:
            away = [told for server in (postgresql, redis) if (told := server.told())]
            marked = [screen.paint(f"✖ {told}", "red") for told in away]
            foot = screen.paint(f"{stamp(datetime.now(UTC))} UTC, every {duration(seconds)}; Ctrl-C ends", "dim")
            yield "".join(f"{part}\n" for part in (*marked, last.rstrip("\n"), "", foot))
        await asyncio.sleep(max(seconds - (time.monotonic() - began), 0.1))


async def _status(screen: Screen, opened: Desk, show: Show) -> tuple[str, str | None]:
    """The text, or why there is none."""
    written = io.StringIO()
    quiet = Screen(replace(screen.manners, quiet=True), written, io.StringIO())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await show(opened, quiet)
    except (DatabaseUnavailable, TimeoutError, OSError) as error:
        return "", str(error) or "no answer"
    return written.getvalue(), None


async def _redis(settings: Settings) -> str | None:
    """Why it is away. An embedded one is there whenever a worker is."""
    if settings.redis_url is None:
        return None
    from workers.health import ping_redis

    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await ping_redis(settings.redis_url.get_secret_value())
    except (QueueUnavailable, TimeoutError, OSError) as error:
        return str(error) or "no answer"
    return None


@dataclass(slots=True)
class _Server:
    """Since when one does not answer."""

    name: str
    since: float | None = None
    reason: str = ""

    def heard(self, reason: str | None) -> None:
        if reason is None:
            self.since = None
        else:
            self.since = self.since or time.monotonic()
            self.reason = reason

    def told(self) -> str:
        if self.since is None:
            return ""
        return f"{self.name} has not answered for {duration(time.monotonic() - self.since)}: {line(self.reason)}"


@contextmanager
def _output(screen: Screen) -> Iterator[Callable[[str], None]]:
    """On a terminal each block replaces the one before; else it follows it, a blank line between."""
    if not (screen.human and screen.manners.terminal and screen.manners.bar):

        def append(block: str) -> None:
            screen.out.write(block + ("\n" if screen.human else ""))
            screen.out.flush()

        yield append
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=screen.out, highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        yield lambda block: live.update(Text.from_ansi(block), refresh=True)
