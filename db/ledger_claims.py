"""Claiming a task in PostgreSQL: one statement, or a short transaction where a limit holds for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pydantic

from contracts.outcome import Failure
from contracts.queue import Delivery
from contracts.store import Claim, Refusal
from contracts.task import ParseTask
from db import ledger_documents as documents
from db import ledger_sql as sql
from db.ledger_controls_sql import EACH, ROOM, WAITING, about
from db.ledger_supersede import SUPERSEDE
from db.statements import Statements
from observability.logging import get_logger

log = get_logger(__name__)

# Who counts what runs must see what others have just started: the rows of the limits are locked first, and counted is
# in a statement of its own, whose snapshot is newer than the lock.
LOCK = f"""
SELECT FROM limits l JOIN tasks t ON {about("t")} WHERE t.id = $1 ORDER BY l.kind, l.name FOR UPDATE OF l
"""

HAS_ROOM = f"SELECT coalesce(bool_and({ROOM} > 0), true) FROM limits l JOIN tasks t ON {about('t')} WHERE t.id = $1"

TAKE_RATE = f"""
UPDATE limits l SET full_at = greatest(l.full_at, clock_timestamp()) + {EACH} * interval '1 second'
  FROM tasks t WHERE t.id = $1 AND l.rate_calls IS NOT NULL AND {about("t")}
"""

HELD_BACK = f"UPDATE tasks SET dispatched_at = NULL WHERE id = $1 AND epoch = $2 AND {WAITING}"
"""So that the sweep sends it as soon as it may run."""


class ClaimsInPostgres:
    _statements: Statements
    _supersede: bool

    async def _end(self, claimed: tuple[int, int, int], failure: Failure, message: dict[str, Any]) -> None:
        raise NotImplementedError

    async def claim(self, delivery: Delivery, *, worker: str, lease: timedelta) -> Claim | Refusal:
        row = await self._statements.run(lambda one: _claim(one, delivery, worker, lease, self._supersede))
        within_limits = False
        if row is None:
            refusal = await self._why_not(delivery)
            if refusal.reason == "outdated":
                return await self._supersede_older(delivery)
            if refusal.reason == "paused":
                await self._statements.rows(HELD_BACK, delivery.task_key, delivery.epoch)
            if refusal.reason != "limited":
                return refusal
            row = await self._statements.run(lambda one: _claim_limited(one, delivery, worker, lease, self._supersede))
            if row is None:
                return refusal
            within_limits = True
        message = orjson.loads(row["message"])
        try:
            task = ParseTask.model_validate(documents.with_queue(message, row["queue"]))
        except pydantic.ValidationError as error:
            # Written by another version of ours. Its worker would fall over it again and again.
            await self._end((delivery.task_key, row["epoch"], row["attempt"]), documents.unreadable(error), message)
            return Refusal("ended")
        return Claim(
            task=task,
            task_key=delivery.task_key,
            epoch=row["epoch"],
            attempt=row["attempt"],
            as_of=row["as_of"],
            worker=worker,
            checkpoints=tuple(orjson.loads(document) for document in row["checkpoints"]),
            waited_seconds=round(row["waited_seconds"], 3),
            within_limits=within_limits,
        )

    async def _following(self, supplier_name: str, itself: int | None) -> list[Delivery]:
        raise NotImplementedError

    async def _supersede_older(self, delivery: Delivery) -> Refusal:
        """Ends all versions that are older than the newest, this one among them."""
        ended = await self._statements.rows(SUPERSEDE, delivery.task_key, delivery.epoch)
        if ended:
            log.info("task.superseded", tasks=len(ended), by=ended[0]["by"])
        supplier = (await self._statements.row("SELECT supplier_name FROM tasks WHERE id = $1", delivery.task_key))[0]
        return Refusal("outdated", tuple(await self._following(supplier, None)))

    async def _why_not(self, delivery: Delivery) -> Refusal:
        rows = await self._statements.rows(sql.WHY_NOT, delivery.task_key, delivery.task_id, self._supersede)
        if not rows:
            return Refusal("unknown")
        row = rows[0]
        if not row["unfinished"]:
            return Refusal("ended")
        if not row["waiting"] or row["epoch"] != delivery.epoch:
            return Refusal("superseded")
        if row["expired"]:
            return Refusal("expired")
        if row["early"]:
            return Refusal("not_due")
        if row["blocked"]:
            return Refusal("blocked")
        if row["paused"]:
            return Refusal("paused")
        if row["outdated"]:
            return Refusal("outdated")
        return Refusal("limited" if row["limited"] else "blocked")


async def _claim(
    connection: asyncpg.Connection, delivery: Delivery, worker: str, lease: timedelta, supersede: bool
) -> Any:
    try:
        return await connection.fetchrow(
            sql.CLAIM, delivery.task_key, delivery.task_id, delivery.epoch, worker, lease, False, supersede
        )
    except asyncpg.UniqueViolationError:
        return None  # another task of the supplier was claimed at the same moment


async def _claim_limited(
    connection: asyncpg.Connection, delivery: Delivery, worker: str, lease: timedelta, supersede: bool
) -> Any:
    """None: no place is free. Exact in the whole fleet, because who claims within one limit takes turns."""
    async with connection.transaction():
        await connection.execute(LOCK, delivery.task_key)
        if await connection.fetchval(HAS_ROOM, delivery.task_key):
            try:
                async with connection.transaction():
                    row = await connection.fetchrow(
                        sql.CLAIM, delivery.task_key, delivery.task_id, delivery.epoch, worker, lease, True, supersede
                    )
            except asyncpg.UniqueViolationError:
                row = None
            if row is not None:
                await connection.execute(TAKE_RATE, delivery.task_key)
                return row
        await connection.execute(HELD_BACK, delivery.task_key, delivery.epoch)
        return None
