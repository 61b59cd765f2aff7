"""Pauses and limits in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from contracts.controls import Limit, Pause, PauseKind, Rate
from contracts.store import ClaimKey
from db.ledger_controls_sql import UNFINISHED, WAITING, paused
from db.ledger_rescue import LIMITED
from db.statements import Statements

PAUSE = """
INSERT INTO pauses (kind, name, paused_by, reason, until, stop_running) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (kind, name) DO UPDATE
   SET paused_by = $3, reason = $4, until = $5, stop_running = $6, paused_at = now()
"""

RESUME = "DELETE FROM pauses WHERE kind = $1 AND name = $2 RETURNING until IS NULL OR until > now() AS held"

PAUSES = """
SELECT kind, name, paused_by, reason, until, stop_running FROM pauses WHERE until IS NULL OR until > now()
 ORDER BY kind, name
"""

SET_LIMIT = """
INSERT INTO limits (kind, name, changed_by, concurrency, rate_calls, rate_seconds, max_waiting)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (kind, name) DO UPDATE
   SET changed_by = $3, concurrency = $4, rate_calls = $5, rate_seconds = $6, max_waiting = $7, full_at = NULL,
       changed_at = now()
"""

LIMITS = """
SELECT kind, name, changed_by, concurrency, rate_calls, rate_seconds, max_waiting FROM limits ORDER BY kind, name
"""

# Counted no further than needed.
ROOM = f"""
WITH own AS (SELECT max_waiting FROM limits WHERE kind = 'queue' AND name = $1 AND max_waiting IS NOT NULL)
SELECT least(
  $2::bigint - (SELECT count(*) FROM (SELECT FROM tasks WHERE {WAITING} LIMIT $2::bigint) part),
  (SELECT max_waiting - (SELECT count(*) FROM (
     SELECT FROM tasks WHERE {WAITING} AND queue = $1 LIMIT own.max_waiting) part) FROM own))
"""

SNOOZE = f"UPDATE tasks SET run_at = $2, dispatched_at = NULL WHERE task_id = $1 AND {WAITING} RETURNING id"

STOPPING = f"""
SELECT t.id, t.epoch FROM tasks t JOIN unnest($1::bigint[], $2::int[]) AS held(id, epoch) USING (id, epoch)
 WHERE t.status = 'running' AND {paused("t", also="p.stop_running")}
"""


YIELDING = f"""
WITH RECURSIVE heads AS (
  (SELECT supplier_name, id FROM tasks WHERE {UNFINISHED} ORDER BY supplier_name, id LIMIT 1)
   UNION ALL
  SELECT following.* FROM heads, LATERAL (
    SELECT o.supplier_name, o.id FROM tasks o
     WHERE o.{UNFINISHED} AND o.supplier_name > heads.supplier_name ORDER BY o.supplier_name, o.id LIMIT 1) following),
long AS (
  SELECT t.id, t.epoch, row_number() OVER (ORDER BY a.started_at) AS rank
    FROM tasks t JOIN task_attempts a ON a.task_key = t.id AND a.epoch = t.epoch
   WHERE t.status = 'running' AND a.started_at + $3::interval * power(2, least(t.slices, 10)) < now()),
wait AS (
  SELECT count(*) AS number FROM (
    SELECT FROM heads JOIN tasks t USING (id)
     WHERE t.{WAITING} AND t.run_at <= now() AND t.dispatched_at < now() - interval '1 second' AND NOT {paused("t")}
     LIMIT 64) waiting)
SELECT long.id, long.epoch FROM long JOIN unnest($1::bigint[], $2::int[]) AS held(id, epoch) USING (id, epoch)
 WHERE (SELECT count(*) FROM tasks WHERE status = 'running')
       >= (SELECT sum(slots) FROM workers WHERE heartbeat_at > now() - interval '15 seconds' AND state = 'working')
   AND long.rank <= (SELECT number FROM wait)
"""


class ControlsInPostgres:
    """Implements contracts.controls.Controls for the ledger."""

    _statements: Statements

    async def pause(self, pause: Pause) -> None:
        await self._statements.rows(
            PAUSE, pause.kind, pause.name, pause.by, pause.reason, pause.until, pause.stop_running
        )

    async def resume(self, kind: PauseKind, name: str) -> bool:
        rows = await self._statements.rows(RESUME, kind, name)
        return bool(rows and rows[0]["held"])

    async def pauses(self) -> list[Pause]:
        rows = await self._statements.rows(PAUSES)
        return [
            Pause(row["kind"], row["name"], row["paused_by"], row["reason"], row["until"], row["stop_running"])
            for row in rows
        ]

    async def set_limit(self, limit: Limit) -> None:
        rate = limit.rate
        if limit.concurrency is None and rate is None and limit.max_waiting is None:
            await self._statements.rows("DELETE FROM limits WHERE kind = $1 AND name = $2", limit.kind, limit.name)
            return
        calls, seconds = (None, None) if rate is None else (rate.calls, rate.seconds)
        await self._statements.rows(
            SET_LIMIT, limit.kind, limit.name, limit.by, limit.concurrency, calls, seconds, limit.max_waiting
        )

    async def limits(self) -> list[Limit]:
        return [
            Limit(
                row["kind"],
                row["name"],
                row["changed_by"],
                row["concurrency"],
                None if row["rate_calls"] is None else Rate(row["rate_calls"], row["rate_seconds"]),
                row["max_waiting"],
            )
            for row in await self._statements.rows(LIMITS)
        ]

    async def snooze(self, task_id: str, until: datetime) -> Literal["snoozed", "running", "ended", "unknown"]:
        if await self._statements.rows(SNOOZE, task_id, until):
            return "snoozed"
        rows = await self._statements.rows("SELECT status::text FROM tasks WHERE task_id = $1", task_id)
        if not rows:
            return "unknown"
        return "running" if rows[0]["status"] == "running" else "ended"

    async def room(self, queue: str, *, most: int) -> int:
        return int((await self._statements.row(ROOM, queue, most))[0])

    async def limited(self) -> bool:
        return bool((await self._statements.row(LIMITED))[0])

    async def paused(self, claims: Sequence[ClaimKey]) -> set[ClaimKey]:
        if not claims:
            return set()
        keys, epochs = [claim.task_key for claim in claims], [claim.epoch for claim in claims]
        return {ClaimKey(row["id"], row["epoch"]) for row in await self._statements.rows(STOPPING, keys, epochs)}

    async def yielding(self, claims: Sequence[ClaimKey], *, slice_: timedelta) -> set[ClaimKey]:
        if not claims:
            return set()
        keys, epochs = [claim.task_key for claim in claims], [claim.epoch for claim in claims]
        rows = await self._statements.rows(YIELDING, keys, epochs, slice_)
        return {ClaimKey(row["id"], row["epoch"]) for row in rows}
