"""The read model of the whole: what waits, what runs, what is dead, how fast it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from db.ledger_controls_sql import paused
from db.reports_reader import ReadModels
from db.reports_tasks import TASK, TaskRow, task_row

WINDOW = timedelta(minutes=10)
"""Over which throughput is measured."""
ALIVE = timedelta(seconds=30)
"""A worker without a heartbeat for longer counts as lost."""


@dataclass(frozen=True, slots=True)
class Worker:
    name: str
    host: str
    pid: int
    version: str
    slots: int
    started_at: datetime
    heartbeat_at: datetime
    alive: bool


@dataclass(frozen=True, slots=True)
class Status:
    """How the fleet stands, by the database's clock."""

    now: datetime
    queued: int
    retryable: int
    running: int
    due: int
    """Queued or retryable, their time has come, and no pause holds them back."""
    oldest_due_seconds: float | None
    dead: int
    """Open dead letters, but for lists that are held."""
    held_lists: int
    """Lists that wait for an answer."""
    held_rows: int
    """Prices that wait for a decision."""
    finished_today: int
    """Ended within the last 24 hours."""
    rows_per_minute: float
    rejected_per_minute: float
    workers: tuple[Worker, ...]
    runs: tuple[TaskRow, ...]
    """What runs now, oldest first."""
    held_back: int = 0
    """Queued or retryable, and paused."""


_RUNS = TASK + "WHERE t.status = 'running' ORDER BY t.started_at, t.id LIMIT 200"

_DEPTH = f"""
SELECT now() AS now, count(*) FILTER (WHERE status = 'queued') AS queued,
       count(*) FILTER (WHERE status = 'retryable') AS retryable, count(*) FILTER (WHERE status = 'running') AS running,
       count(*) FILTER (WHERE status <> 'running' AND run_at <= now() AND NOT {paused("tasks")}) AS due,
       extract(epoch FROM now() - min(run_at) FILTER (
         WHERE status <> 'running' AND run_at <= now() AND NOT {paused("tasks")}))::float AS oldest,
       count(*) FILTER (WHERE status <> 'running' AND {paused("tasks")}) AS held_back,
       (SELECT count(*) FROM dead_letters
         WHERE status = 'open' AND error #> '{{context,question}}' IS NULL) AS dead,
       (SELECT count(*) FROM dead_letters
         WHERE status = 'open' AND error #> '{{context,question}}' IS NOT NULL) AS held_lists,
       (SELECT count(*) FROM held_rows WHERE status = 'open') AS held_rows,
       (SELECT count(*) FROM tasks f WHERE f.finished_at > now() - interval '24 hours') AS finished
FROM tasks WHERE status IN ('queued', 'running', 'retryable') LIMIT 1
"""

# The rows of one task within the window: those of its newest checkpoint minus those of the newest checkpoint from
# before the window (none kept = the oldest that is kept, unless the whole run lies in the window).
_THROUGHPUT = """
SELECT coalesce(sum(newest.read - coalesce(base.read, 0)), 0)::float AS rows,
       coalesce(sum(newest.rejected - coalesce(base.rejected, 0)), 0)::float AS rejected
FROM (SELECT id, started_at FROM tasks WHERE status = 'running'
      UNION ALL SELECT id, started_at FROM tasks WHERE finished_at > now() - $1::interval
      LIMIT 5000) t
CROSS JOIN LATERAL (
  SELECT (document #>> '{account,read}')::bigint AS read,
         (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(document #> '{account,rejected}')) AS rejected
  FROM checkpoints WHERE task_key = t.id AND created_at > now() - $1::interval ORDER BY sequence DESC LIMIT 1) newest
LEFT JOIN LATERAL (
  SELECT (document #>> '{account,read}')::bigint AS read,
         (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(document #> '{account,rejected}')) AS rejected
  FROM checkpoints WHERE task_key = t.id AND t.started_at <= now() - $1::interval
  ORDER BY created_at <= now() - $1::interval DESC,
           CASE WHEN created_at <= now() - $1::interval THEN -sequence ELSE sequence END LIMIT 1) base ON true
LIMIT 1
"""

_WORKERS = """
SELECT name, host, pid, version, slots, started_at, heartbeat_at, heartbeat_at > now() - $1::interval AS alive
FROM workers ORDER BY heartbeat_at DESC LIMIT 200
"""


class StatusReport(ReadModels):
    """How the fleet stands."""

    async def status(self) -> Status:
        depth = await self._row(_DEPTH)
        speed = await self._row(_THROUGHPUT, WINDOW)
        workers = await self._rows(_WORKERS, ALIVE)
        runs = await self._rows(_RUNS)
        minutes = WINDOW.total_seconds() / 60
        return Status(
            now=depth["now"],
            queued=depth["queued"],
            retryable=depth["retryable"],
            running=depth["running"],
            due=depth["due"],
            oldest_due_seconds=depth["oldest"],
            dead=depth["dead"],
            held_lists=depth["held_lists"],
            held_rows=depth["held_rows"],
            finished_today=depth["finished"],
            rows_per_minute=round(speed["rows"] / minutes, 1),
            rejected_per_minute=round(speed["rejected"] / minutes, 1),
            workers=tuple(Worker(**dict(row)) for row in workers),
            runs=tuple(task_row(row) for row in runs),
            held_back=depth["held_back"],
        )
