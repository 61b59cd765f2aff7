"""Keeps the tasks of a supplier from running while a person changes what they have written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from contracts.errors import StateConflict

_STATE = "SELECT status::text FROM tasks WHERE id = $1 FOR UPDATE"
_TAKE = "UPDATE tasks SET status = 'running', lease_until = now() WHERE id = $1"
_GIVE_BACK = "UPDATE tasks SET status = $2::task_status, lease_until = NULL WHERE id = $1"


@asynccontextmanager
async def exclusive(connection: asyncpg.Connection, task_key: int, supplier: str) -> AsyncIterator[None]:
    """To be used within a transaction, with any task of the supplier that has ended. Raises StateConflict while one of
    them runs; a claim that comes meanwhile waits for the transaction."""
    state = await connection.fetchval(_STATE, task_key)
    if state in {"queued", "retryable", "running"}:
        raise StateConflict(f"a list of {supplier!r} is not loaded to its end", next="pricemill status")
    try:
        # The index that lets one task of a supplier run at a time is the lock: nobody outside sees this state.
        await connection.execute(_TAKE, task_key)
    except asyncpg.UniqueViolationError as error:
        raise StateConflict(
            f"a list of {supplier!r} is being loaded", next="wait until it is, then try again"
        ) from error
    yield
    await connection.execute(_GIVE_BACK, task_key, state)
