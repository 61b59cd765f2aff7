"""The read model of the queues: how much waits and runs in each, how it flows, and what holds it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.ledger_controls_sql import paused
from db.reports_reader import ReadModels
from db.reports_status import WINDOW

NEWEST = 20_000
"""Tasks among which those that came in within the window are counted."""


@dataclass(frozen=True, slots=True)
class QueueRow:
    name: str
    waiting: int
    active: int
    retry: int
    """Waits for another attempt."""
    held_back: int
    """Of waiting and retry, what a pause holds back (of the queue, its suppliers, parsers or sources)."""
    oldest_seconds: float | None
    """For which the oldest task has been due that no pause holds back."""
    in_per_minute: float
    out_per_minute: float
    """Both over the last 10 minutes."""
    empty_in_seconds: float | None
    """If it goes on like this; None = it does not shrink, or nothing waits."""
    concurrency: int | None
    rate_calls: int | None
    """Starts in rate_seconds."""
    rate_seconds: float | None
    max_waiting: int | None
    paused_by: str | None
    """Of the queue itself."""
    paused_until: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PauseRow:
    kind: str
    name: str
    paused_by: str
    reason: str
    until: datetime | None
    stop_running: bool
    paused_at: datetime
    held_back: int
    """Tasks that wait because of it."""


@dataclass(frozen=True, slots=True)
class LimitRow:
    kind: str
    name: str
    concurrency: int | None
    rate_calls: int | None
    rate_seconds: float | None
    max_waiting: int | None
    changed_by: str
    running: int
    waiting: int


_QUEUES = f"""
WITH now_there AS (
  SELECT queue, count(*) FILTER (WHERE status = 'queued') AS waiting,
         count(*) FILTER (WHERE status = 'running') AS active, count(*) FILTER (WHERE status = 'retryable') AS retry,
         count(*) FILTER (WHERE status <> 'running' AND {paused("tasks")}) AS held_back,
         extract(epoch FROM now() - min(run_at) FILTER (
           WHERE status <> 'running' AND run_at <= now() AND NOT {paused("tasks")}))::float8 AS oldest
    FROM tasks WHERE status IN ('queued', 'running', 'retryable') GROUP BY queue),
came AS (
  SELECT queue, count(*) AS number FROM (SELECT queue, enqueued_at FROM tasks ORDER BY id DESC LIMIT $2) newest
   WHERE enqueued_at > now() - $1::interval GROUP BY queue),
went AS (SELECT queue, count(*) AS number FROM tasks WHERE finished_at > now() - $1::interval GROUP BY queue),
names AS (
  SELECT 'default' AS name UNION SELECT queue FROM now_there UNION SELECT queue FROM came UNION SELECT queue FROM went
   UNION SELECT name FROM limits WHERE kind = 'queue' UNION SELECT name FROM pauses WHERE kind = 'queue')
SELECT n.name, coalesce(t.waiting, 0) AS waiting, coalesce(t.active, 0) AS active, coalesce(t.retry, 0) AS retry,
       coalesce(t.held_back, 0) AS held_back, t.oldest, coalesce(c.number, 0) AS came, coalesce(w.number, 0) AS went,
       l.concurrency, l.rate_calls, l.rate_seconds, l.max_waiting, p.paused_by, p.until, p.reason
  FROM names n LEFT JOIN now_there t ON t.queue = n.name LEFT JOIN came c ON c.queue = n.name
  LEFT JOIN went w ON w.queue = n.name LEFT JOIN limits l ON l.kind = 'queue' AND l.name = n.name
  LEFT JOIN pauses p ON p.kind = 'queue' AND p.name = n.name AND (p.until IS NULL OR p.until > now())
 ORDER BY n.name LIMIT 1000
"""

_OF = """CASE x.kind WHEN 'queue' THEN t.queue WHEN 'supplier' THEN t.supplier_name WHEN 'parser' THEN t.parser_type
  ELSE t.source END = x.name"""

_PAUSES = f"""
SELECT x.kind, x.name, x.paused_by, x.reason, x.until, x.stop_running, x.paused_at,
       (SELECT count(*) FROM tasks t WHERE t.status IN ('queued', 'retryable') AND {_OF}) AS held_back
  FROM pauses x WHERE x.until IS NULL OR x.until > now() ORDER BY x.kind, x.name LIMIT 1000
"""

_LIMITS = f"""
SELECT x.kind, x.name, x.concurrency, x.rate_calls, x.rate_seconds, x.max_waiting, x.changed_by,
       (SELECT count(*) FROM tasks t WHERE t.status = 'running' AND {_OF}) AS running,
       (SELECT count(*) FROM tasks t WHERE t.status IN ('queued', 'retryable') AND {_OF}) AS waiting
  FROM limits x ORDER BY x.kind, x.name LIMIT 1000
"""


class QueueReports(ReadModels):
    """Queues, pauses and limits."""

    async def queues(self) -> tuple[QueueRow, ...]:
        """By name; `default` is always there."""
        minutes = WINDOW.total_seconds() / 60
        found = []
        for row in await self._rows(_QUEUES, WINDOW, NEWEST):
            left, shrinks = row["waiting"] + row["retry"], row["went"] - row["came"]
            found.append(
                QueueRow(
                    name=row["name"],
                    waiting=row["waiting"],
                    active=row["active"],
                    retry=row["retry"],
                    held_back=row["held_back"],
                    oldest_seconds=row["oldest"],
                    in_per_minute=round(row["came"] / minutes, 1),
                    out_per_minute=round(row["went"] / minutes, 1),
                    empty_in_seconds=round(60 * minutes * left / shrinks, 1) if left and shrinks > 0 else None,
                    concurrency=row["concurrency"],
                    rate_calls=row["rate_calls"],
                    rate_seconds=row["rate_seconds"],
                    max_waiting=row["max_waiting"],
                    paused_by=row["paused_by"],
                    paused_until=row["until"],
                    reason=row["reason"],
                )
            )
        return tuple(found)

    async def paused_things(self) -> tuple[PauseRow, ...]:
        return tuple(PauseRow(**dict(row)) for row in await self._rows(_PAUSES))

    async def limited_things(self) -> tuple[LimitRow, ...]:
        return tuple(LimitRow(**dict(row)) for row in await self._rows(_LIMITS))
