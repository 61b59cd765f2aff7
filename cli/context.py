"""Where commands meet the application: settings, one opened app, one event loop."""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.errors import QueueUnavailable
from contracts.queue import Delivery

if TYPE_CHECKING:
    from config.settings import Settings
    from db.reports import Reports
    from workers.app import App

Action = Callable[["App"], Awaitable[int]]


def load_settings(**overrides: Any) -> Settings:
    """From the environment; `overrides` win. Raises SettingsInvalid."""
    from config import settings

    return settings.load_settings(**overrides)


def run(action: Action, *, settings: Settings | None = None) -> int:
    """Opens the app, awaits the action in an event loop of its own, closes the app. Servers of an embedded
    installation are started if need be, and its tables are brought up to date."""
    chosen = settings or load_settings()
    quiet_logs()
    return asyncio.run(_within(action, chosen))


async def _within(action: Action, settings: Settings) -> int:
    from workers.app import open_app

    async with open_app(settings) as app:
        return await action(app)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command needs that only looks."""

    settings: Settings
    reports: Reports


def look(action: Callable[[Desk], Awaitable[int]]) -> int:
    """Like `run`, for commands that change nothing: needs the database only, so it works while Redis is away, and
    spares the start of everything else."""
    settings = load_settings()
    quiet_logs()
    return asyncio.run(_looking(action, settings))


async def _looking(action: Callable[[Desk], Awaitable[int]], settings: Settings) -> int:
    from db.reports import Reports
    from db.reports_reader import TablesMissing

    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            url = settings.database_url.get_secret_value()
        else:
            from db import embedded as server

            url = stack.enter_context(await asyncio.to_thread(server.start, settings.data_dir)).url
        reports = await Reports.open(url)
        stack.push_async_callback(reports.close)
        try:
            return await action(Desk(settings, reports))
        except TablesMissing:
            if settings.database_url is not None:
                raise
        from db.engine import upgrade

        # A database of our own that was never used: as if it had been.
        await upgrade(url)
        return await action(Desk(settings, reports))


def embedded(settings: Settings) -> bool:
    """This installation runs its own database: one machine, one data directory."""
    return settings.database_url is None


def inbox(settings: Settings) -> Path:
    """Where files are handed in; every worker of this installation counts it as a source root."""
    from workers.app import INBOX

    return settings.data_dir.expanduser().absolute() / INBOX


def actor() -> str:
    """Who stands in the history for what this command changes."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return f"{name}@{socket.gethostname()}"[:120]


async def deliver(app: App, deliveries: Sequence[Delivery]) -> bool:
    """Hands deliveries to the queue. False: Redis is away; the sweep of the workers sends them later."""
    if not deliveries:
        return True
    try:
        await app.queue.deliver(deliveries)
    except QueueUnavailable:
        return False
    await app.ledger.dispatched(deliveries)
    return True


def quiet_logs() -> None:
    """Of a command that is no worker: what goes wrong it tells itself; the log, on stderr, keeps to defects."""
    from observability.logging import configure

    configure(level="ERROR")
