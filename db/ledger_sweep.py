"""The rescue: what a dead worker held, what nobody started in time, what the queue has forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from contracts.outcome import Failure
from contracts.queue import Delivery
from db import ledger_documents as documents
from db import ledger_rescue as rescue
from db import ledger_sql as sql


def deliveries_of(rows: Sequence[Any]) -> list[Delivery]:
    return [Delivery(row["id"], row["task_id"], row["epoch"], row["at"], row["priority"]) for row in rows]


async def sweep_once(
    connection: asyncpg.Connection, *, limit: int, redeliver_after: timedelta, poison_after: int, now: datetime
) -> list[Delivery]:
    """One transaction under the fleet's advisory lock; [] if another sweep holds it. `now` only dates results."""
    async with connection.transaction():
        if not await connection.fetchval(rescue.ONE_SWEEP):
            return []
        await settle_lost(connection, await connection.fetch(rescue.LOST, limit, poison_after), now)
        expired = await connection.fetch(rescue.EXPIRED, limit)
        for row in expired:
            await _bury(connection, row, documents.EXPIRED, now)
        await _let_next(connection, [row["supplier_name"] for row in expired])
        await connection.execute(rescue.FORGET_WORKERS)
        limited = await connection.fetchval(rescue.LIMITED)
        due = rescue.DUE_WITHIN_LIMITS if limited else rescue.DUE
        return deliveries_of(await connection.fetch(due, limit, redeliver_after))


async def settle_lost(connection: asyncpg.Connection, lost: Sequence[Any], now: datetime) -> None:
    """Buries the poison among what a dead worker held, and lets those stand first who stood behind."""
    for row in lost:
        if row["status"] == "dead":
            await _bury(connection, row, documents.poison(row["attempts"]), now)
    await _let_next(connection, [row["supplier_name"] for row in lost if row["status"] != "queued"])


async def _let_next(connection: asyncpg.Connection, ended: Sequence[str]) -> None:
    if ended:
        await connection.execute(sql.SUPPLIERS_NEXT, ended)


async def _bury(connection: asyncpg.Connection, row: Any, failure: Failure, now: datetime) -> None:
    message = orjson.loads(row["message"])
    attempts = row["attempts"]
    await connection.execute(sql.DEAD_LETTER, row["id"], *documents.letter(message, failure, attempts=attempts))
    result = documents.failed_result(message, failure, attempt=attempts, now=now)
    await connection.execute(rescue.SET_RESULT, row["id"], documents.dumps(result))
