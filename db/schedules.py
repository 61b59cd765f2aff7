"""Schedules in PostgreSQL: a slot's row and its task are written together, so a slot fires once in the fleet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pydantic

from contracts.errors import QueueFull, ScheduleInvalid
from contracts.failpoints import failpoint
from contracts.schedule import Decide, Fired, Firing, Pause, Schedule, SchedulePlan, Seen, Ticked
from db import schedules_sql as sql
from db.ledger_register import register_on
from db.ledger_sql import CANCEL, SUPPLIERS_NEXT
from db.pooled import Pooled
from db.storable import json_text


class PostgresSchedules(Pooled):
    """Implements contracts.schedule.Schedules."""

    name = "pricemill-schedules"

    async def now(self) -> datetime:
        moment: datetime = (await self._statements.row("SELECT now()"))[0]
        return moment

    async def put(
        self,
        name: str,
        plan: SchedulePlan,
        *,
        next_at: datetime | None,
        actor: str,
        replace: bool = False,
        enabled: bool = True,
    ) -> bool:
        document = json_text(plan.model_dump(mode="json", exclude_none=True))
        if replace:
            return bool(await self._statements.rows(sql.CHANGE, name, document, next_at, enabled))
        return bool(await self._statements.rows(sql.PUT, name, document, next_at, enabled, actor))

    async def get(self, name: str) -> Schedule | None:
        rows = await self._statements.rows(sql.GET, name)
        return _schedule(rows[0]) if rows else None

    async def remove(self, name: str) -> bool:
        return bool(await self._statements.rows(sql.REMOVE, name))

    async def pause(self, name: str, *, reason: str, until: datetime | None) -> bool:
        return bool(await self._statements.rows(sql.PAUSE, name, reason, until))

    async def resume(self, name: str, *, next_at: datetime | None) -> bool:
        return bool(await self._statements.rows(sql.RESUME, name, next_at))

    async def tick(self, decide: Decide, *, limit: int = 50) -> Ticked:
        async def act(connection: asyncpg.Connection) -> Ticked:
            ticked = Ticked([], [])
            async with connection.transaction():
                if not await connection.fetchval(sql.ONE_TICK):
                    return ticked
                for row in await connection.fetch(sql.DUE, limit):
                    try:
                        async with connection.transaction():
                            ticked.fired.extend(await _decide(connection, row, decide))
                    except (ScheduleInvalid, QueueFull) as error:
                        ticked.failed.append((row["name"], error.message))
                        if isinstance(error, ScheduleInvalid):
                            await connection.execute(sql.POSTPONE, row["id"])
                if ticked.fired:
                    failpoint("schedule.written")
            if ticked.fired:
                failpoint("schedule.committed")
            return ticked

        return await self._statements.run(act)

    async def record(self, name: str, firings: Sequence[Firing]) -> list[Fired]:
        async def act(connection: asyncpg.Connection) -> list[Fired]:
            async with connection.transaction():
                row = await connection.fetchrow(f"{sql.GET} FOR NO KEY UPDATE", name)
                return [] if row is None else await _write(connection, row["id"], name, firings)

        return await self._statements.run(act)

    async def prune(self, *, older_than: timedelta) -> int:
        async def act(connection: asyncpg.Connection) -> str:
            return str(await connection.execute(sql.PRUNE, older_than))

        return int((await self._statements.run(act)).rsplit(" ", 1)[1])


async def _decide(connection: asyncpg.Connection, row: Any, decide: Decide) -> list[Fired]:
    schedule = _schedule(row)
    seen = await connection.fetchrow(sql.SEEN, schedule.key, schedule.plan.task.supplier_name, schedule.through)
    decision = decide(schedule, Seen(seen["now"], tuple(seen["unfinished"]), frozenset(seen["taken"])))
    for task_id in decision.cancel:
        await connection.execute(CANCEL, task_id)
    if decision.cancel:
        await connection.execute(SUPPLIERS_NEXT, [schedule.plan.task.supplier_name])
    fired = await _write(connection, schedule.key, schedule.name, decision.firings)
    await connection.execute(sql.DECIDED, schedule.key, decision.through, decision.next_at)
    return fired


async def _write(connection: asyncpg.Connection, key: int, name: str, firings: Sequence[Firing]) -> list[Fired]:
    """The firings of free slots, their tasks registered in order; in the caller's transaction."""
    written = [one for one in firings if await connection.fetchval(sql.FIRING, key, *_columns(one))]
    tasks = [one.task for one in written if one.task is not None]
    answers = await register_on(connection, tasks, sending=True) if tasks else []
    deliveries = {task.task_id: None if one.behind else one.delivery for task, one in zip(tasks, answers, strict=True)}
    return [Fired(name, one, None if one.task is None else deliveries[one.task.task_id]) for one in written]


def _columns(one: Firing) -> tuple[Any, ...]:
    task_id = None if one.task is None else one.task.task_id
    return (one.slot, one.state, one.first, one.slots, one.due, task_id, one.reason)


def _schedule(row: Any) -> Schedule:
    try:
        plan = SchedulePlan.model_validate(orjson.loads(row["plan"]))
    except pydantic.ValidationError as error:
        # Written by another version of ours.
        raise ScheduleInvalid(f"the schedule {row['name']!r} cannot be read by this version") from error
    paused = row["paused_at"]
    return Schedule(
        key=row["id"],
        name=row["name"],
        plan=plan,
        enabled=row["enabled"],
        through=row["through"],
        next_at=row["next_at"],
        pause=None if paused is None else Pause(paused, row["paused_until"], row["pause_reason"]),
    )
