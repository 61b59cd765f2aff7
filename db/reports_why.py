"""Read models of what keeps tasks from being done: pauses, older tasks, failures that are tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.ledger_controls_sql import paused
from db.reports_reader import ReadModels


@dataclass(frozen=True, slots=True)
class Pause:
    kind: str
    """queue, supplier, parser or source."""
    name: str
    reason: str
    by: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Tasks that are neither running nor ended; each counts once."""

    paused: int
    blocked: int
    """Behind an older unfinished task of their supplier."""
    later: int
    """Their time has not come."""
    free: int
    """Any worker with a free slot may take them."""
    oldest_seconds: float | None
    """For how long the oldest of the free ones has been due."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """Tasks that failed in one way and are tried again by themselves."""

    code: str
    message: str
    """Of the newest."""
    count: int
    suppliers: int
    task_id: str
    """One of them."""
    next_at: datetime


_PAUSES = """
SELECT p.kind, p.name, p.reason, p.paused_by AS by, p.until FROM pauses p
 WHERE (p.until IS NULL OR p.until > now())
   AND ($1::text IS NULL OR EXISTS (
     SELECT FROM tasks t WHERE t.task_id = $1
        AND p.name = CASE p.kind WHEN 'queue' THEN t.queue WHEN 'supplier' THEN t.supplier_name
                                 WHEN 'parser' THEN t.parser_type ELSE t.source END))
   AND ($2::text IS NULL OR (p.kind = 'supplier' AND p.name = $2))
 ORDER BY p.paused_at, p.kind, p.name LIMIT 50
"""

_WAITING = f"""
SELECT count(*) FILTER (WHERE paused) AS paused, count(*) FILTER (WHERE NOT paused AND blocked) AS blocked,
       count(*) FILTER (WHERE NOT paused AND NOT blocked AND run_at > now()) AS later,
       count(*) FILTER (WHERE NOT paused AND NOT blocked AND run_at <= now()) AS free,
       extract(epoch FROM now() - min(run_at) FILTER (WHERE NOT paused AND NOT blocked AND run_at <= now()))::float8
         AS oldest_seconds
  FROM (SELECT t.run_at, {paused("t")} AS paused,
               EXISTS (SELECT FROM tasks o WHERE o.supplier_name = t.supplier_name AND o.id < t.id
                          AND o.status IN ('queued', 'running', 'retryable')) AS blocked
          FROM tasks t WHERE t.status IN ('queued', 'retryable') AND ($1::text IS NULL OR t.supplier_name = $1)
         LIMIT 100000) waiting
"""

_RETRYING = """
SELECT a.error ->> 'code' AS code, (array_agg(a.error ->> 'message' ORDER BY a.started_at DESC))[1] AS message,
       count(*) AS count, count(DISTINCT t.supplier_name) AS suppliers, min(t.run_at) AS next_at,
       (array_agg(t.task_id ORDER BY t.run_at))[1] AS task_id
  FROM (SELECT * FROM tasks WHERE status = 'retryable' AND ($1::text IS NULL OR supplier_name = $1) LIMIT 10000) t
 CROSS JOIN LATERAL (SELECT error, started_at FROM task_attempts WHERE task_key = t.id AND error IS NOT NULL
                      ORDER BY epoch DESC LIMIT 1) a
 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 20
"""

_BEHIND = """
SELECT count(*) AS behind FROM tasks t JOIN tasks o ON o.supplier_name = t.supplier_name AND o.id > t.id
 WHERE t.task_id = $1 AND o.status IN ('queued', 'retryable')
"""


class WhyReports(ReadModels):
    async def pauses(self, *, task_id: str | None = None, supplier: str | None = None) -> tuple[Pause, ...]:
        """Those that hold, the oldest first: of one task, of one supplier, or all."""
        return tuple(Pause(**dict(row)) for row in await self._rows(_PAUSES, task_id, supplier))

    async def waiting(self, *, supplier: str | None = None) -> Waiting:
        """Counts no more than 100,000."""
        return Waiting(**dict(await self._row(_WAITING, supplier)))

    async def retrying(self, *, supplier: str | None = None) -> tuple[Retrying, ...]:
        """By cause, the most frequent first."""
        rows = await self._rows(_RETRYING, supplier)
        return tuple(
            Retrying(**{**dict(row), "code": row["code"] or "unknown", "message": row["message"] or "-"})
            for row in rows
        )

    async def behind(self, task_id: str) -> int:
        """How many tasks of the same supplier are younger and wait."""
        return int((await self._row(_BEHIND, task_id))["behind"])
