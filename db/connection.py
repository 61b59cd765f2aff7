"""asyncpg connections to PostgreSQL, single and pooled, all under one set of limits."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from contextlib import ExitStack
from typing import Any

import asyncpg

from db.errors import translated

CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 5.0
COMMAND_SECONDS = 30.0
"""Of one command, counted by the client: without it a half-open connection is waited for for ever."""


TRANSACTION_SECONDS = 60.0


def plain_url(url: str) -> str:
    """The URL as asyncpg and psql read it: postgresql+asyncpg://, postgres:// become postgresql://."""
    return re.sub(r"^(postgresql|postgres)(\+\w+)?://", "postgresql://", url)


def limits(
    *,
    application_name: str = "pricemill",
    statement_timeout: float = 60.0,
    lock_timeout: float = 10.0,
    idle_in_transaction: float = 10.0,
    **more: str,
) -> dict[str, str]:
    """Session settings; times in seconds, 0 = none. A transaction that idles holds row locks of a worker that was
    stopped; a client that is gone is looked for while its statement runs."""
    return {
        "application_name": application_name,
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": f"{statement_timeout * 1000:.0f}",
        "lock_timeout": f"{lock_timeout * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{idle_in_transaction * 1000:.0f}",
        "client_connection_check_interval": "2000",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        **more,
    }


async def connect(url: str, *, command_timeout: float | None = COMMAND_SECONDS, **settings: Any) -> asyncpg.Connection:
    """One asyncpg connection with our limits; `settings` as in `limits()`. Raises DatabaseUnavailable."""
    with translated():
        connection = await asyncpg.connect(
            plain_url(url), timeout=CONNECT_SECONDS, command_timeout=command_timeout, server_settings=limits(**settings)
        )
    with ExitStack() as unless_prepared:
        unless_prepared.callback(connection.terminate)
        await _prepare(connection)
        unless_prepared.pop_all()
    return connection


async def limit_transactions(connection: asyncpg.Connection, seconds: float) -> None:
    """Ends the session if one of its transactions lasts longer; 0 = no limit. Without effect before PostgreSQL 17.

    idle_in_transaction_session_timeout does not see a client that was stopped between the two round trips of a
    statement's first execution: the session counts as active, statement_timeout is not looked at while the server
    waits for the client, and the row locks stay for as long as the client sleeps.
    """
    if connection.get_server_version().major >= 17:
        with translated():
            await connection.execute(f"SET transaction_timeout = {seconds * 1000:.0f}")


def keep_alive(connection: asyncpg.Connection) -> None:
    """TCP keepalives on our side too; asyncpg has no option for them."""
    sock = connection._transport.get_extra_info("socket")  # noqa: SLF001  (the only way to it)
    if sock is None or sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 15_000)):
        if hasattr(socket, name):
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _prepare(connection: asyncpg.Connection) -> None:
    keep_alive(connection)
    await limit_transactions(connection, TRANSACTION_SECONDS)


async def _leave_as_is(connection: asyncpg.Connection) -> None:
    """In place of asyncpg's reset, which is a round trip: no user of the pool changes its session."""


async def open_pool(
    url: str, *, size: int = 10, command_timeout: float = COMMAND_SECONDS, **settings: Any
) -> asyncpg.Pool:
    """A pool that opens connections when they are needed and none now; broken ones are replaced when taken."""
    with translated():
        return await asyncpg.create_pool(
            plain_url(url),
            min_size=0,
            max_size=size,
            timeout=CONNECT_SECONDS,
            command_timeout=command_timeout,
            max_inactive_connection_lifetime=300.0,
            init=_prepare,
            reset=_leave_as_is,
            server_settings=limits(**settings),
        )


async def close_pool(pool: asyncpg.Pool) -> None:
    """Lets running commands end for a few seconds, then cuts them off."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        pool.terminate()
