"""The read model behind the gauges of the fleet: what waits by queue, what is dead by category, who is alive."""

from __future__ import annotations

from dataclasses import dataclass, field

from db.reports_reader import ReadModels
from db.reports_status import ALIVE


@dataclass(frozen=True, slots=True)
class QueueFigures:
    queue: str
    queued: int
    """Due."""
    scheduled: int
    """Queued, and their time has not come."""
    retryable: int
    running: int
    oldest_seconds: float
    """Since when the oldest is due, of those that no pause holds; 0 if there is none."""
    paused: bool


@dataclass(frozen=True, slots=True)
class DeadFigures:
    queue: str
    category: str
    """Lower case; `question` for lists that wait for an answer."""
    letters: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class ScheduleFigures:
    name: str
    next_at: float | None
    """Unix seconds; None while it is paused."""
    succeeded_at: float | None
    """When the newest of its tasks was completed; None if none of the last fifty was."""


@dataclass(frozen=True, slots=True)
class FleetFigures:
    """By the database's clock."""

    queues: tuple[QueueFigures, ...]
    """`default` always; others that have tasks, a pause or a limit."""
    dead: tuple[DeadFigures, ...]
    """Where there are any."""
    workers: dict[str, int] = field(default_factory=dict)
    """online, draining, lost; those without a sign of life for more than an hour are forgotten."""
    schedules: tuple[ScheduleFigures, ...] = ()
    """Those that are on."""
    suppliers: dict[str, int] = field(default_factory=dict)
    """With an expected rhythm: fresh, late, never, paused."""


# A pause is looked up in arrays that are read once, not row by row: there may be a million tasks.
_QUEUES = """
WITH held AS MATERIALIZED (
  SELECT kind, array_agg(name::text) AS names FROM pauses WHERE until IS NULL OR until > now() GROUP BY kind),
waiting AS (
  SELECT queue, status, run_at,
         queue = ANY (coalesce((SELECT names FROM held WHERE kind = 'queue'), '{}'))
           OR supplier_name = ANY (coalesce((SELECT names FROM held WHERE kind = 'supplier'), '{}'))
           OR parser_type = ANY (coalesce((SELECT names FROM held WHERE kind = 'parser'), '{}'))
           OR coalesce(source, '') = ANY (coalesce((SELECT names FROM held WHERE kind = 'source'), '{}')) AS paused
    FROM tasks WHERE status IN ('queued', 'running', 'retryable')),
counted AS (
  SELECT queue, count(*) FILTER (WHERE status = 'queued' AND run_at <= now()) AS queued,
         count(*) FILTER (WHERE status = 'queued' AND run_at > now()) AS scheduled,
         count(*) FILTER (WHERE status = 'retryable') AS retryable,
         count(*) FILTER (WHERE status = 'running') AS running,
         min(run_at) FILTER (WHERE status <> 'running' AND run_at <= now() AND NOT paused) AS oldest
    FROM waiting GROUP BY queue),
named AS (
  SELECT 'default' AS queue UNION SELECT queue FROM counted
   UNION SELECT name FROM pauses WHERE kind = 'queue' UNION SELECT name FROM limits WHERE kind = 'queue')
SELECT named.queue, coalesce(queued, 0) AS queued, coalesce(scheduled, 0) AS scheduled,
       coalesce(retryable, 0) AS retryable, coalesce(running, 0) AS running,
       coalesce(extract(epoch FROM now() - oldest), 0)::float8 AS oldest_seconds,
       named.queue = ANY (coalesce((SELECT names FROM held WHERE kind = 'queue'), '{}')) AS paused
  FROM named LEFT JOIN counted USING (queue) ORDER BY queue LIMIT 200
"""

_DEAD = """
SELECT coalesce(t.queue, 'default') AS queue,
       CASE WHEN d.error #> '{context,question}' IS NULL THEN lower(d.category) ELSE 'question' END AS category,
       count(*) AS letters, extract(epoch FROM now() - min(d.created_at))::float8 AS oldest_seconds
  FROM dead_letters d LEFT JOIN tasks t ON t.id = d.task_key
 WHERE d.status = 'open' GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 1000
"""

_WORKERS = """
SELECT CASE WHEN state = 'lost' OR heartbeat_at <= now() - $1::interval THEN 'lost'
            WHEN state = 'working' THEN 'online' ELSE 'draining' END AS state, count(*) AS workers
  FROM workers WHERE heartbeat_at > now() - interval '1 hour' GROUP BY 1 LIMIT 3
"""

_SCHEDULES = """
SELECT s.name,
       CASE WHEN s.paused_at IS NULL OR s.paused_until <= now()
            THEN extract(epoch FROM s.next_at)::float8 END AS next_at,
       (SELECT extract(epoch FROM max(t.finished_at))::float8
          FROM (SELECT task_id FROM schedule_firings WHERE schedule_id = s.id AND task_id IS NOT NULL
                 ORDER BY slot DESC LIMIT 50) f
          JOIN tasks t USING (task_id) WHERE t.status = 'completed') AS succeeded_at
  FROM schedules s WHERE s.enabled ORDER BY s.name LIMIT 200
"""

# Late and fresh mean what they mean in db/reports_prices.py.
_SUPPLIERS = """
SELECT CASE WHEN paused THEN 'paused' WHEN last IS NULL THEN 'never'
            WHEN last < now() - expected_every * coalesce(expected_tolerance, 1.5)::float8 THEN 'late'
            ELSE 'fresh' END AS freshness, count(*) AS suppliers
  FROM (SELECT expected_every, expected_tolerance,
               (SELECT t.finished_at FROM tasks t
                 WHERE t.supplier_name = s.name AND t.status = 'completed' AND t.reverted_at IS NULL
                   AND t.message #> '{options,replay_of}' IS NULL
                 ORDER BY t.finished_at DESC LIMIT 1) AS last,
               EXISTS (SELECT FROM pauses p WHERE p.kind = 'supplier' AND p.name = s.name
                          AND (p.until IS NULL OR p.until > now())) AS paused
          FROM suppliers s WHERE expected_every IS NOT NULL LIMIT 10000) rhythms
 GROUP BY 1
"""


class FleetReport(ReadModels):
    """The whole fleet in a few figures; five statements. Their cost grows with what waits and what is dead."""

    async def fleet(self) -> FleetFigures:
        queues = await self._rows(_QUEUES)
        dead = await self._rows(_DEAD)
        workers = await self._rows(_WORKERS, ALIVE)
        schedules = await self._rows(_SCHEDULES)
        suppliers = await self._rows(_SUPPLIERS)
        return FleetFigures(
            queues=tuple(QueueFigures(**dict(row)) for row in queues),
            dead=tuple(DeadFigures(**dict(row)) for row in dead),
            workers={row["state"]: row["workers"] for row in workers},
            schedules=tuple(ScheduleFigures(**dict(row)) for row in schedules),
            suppliers={row["freshness"]: row["suppliers"] for row in suppliers},
        )
