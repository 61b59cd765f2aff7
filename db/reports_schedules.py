"""The read models of schedules: what comes, what became of the slots, how the last task ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.schedule import LATE
from db.reports_reader import ReadModels, json


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    name: str
    plan: dict[str, Any]
    """contracts.schedule.SchedulePlan."""
    enabled: bool
    through: datetime
    """Every slot up to here is decided."""
    next_at: datetime | None
    """None = never again."""
    paused: bool
    paused_until: datetime | None
    pause_reason: str
    created_by: str
    started: int
    """Of these 90 days, as the following; slots that were caught up are not among them."""
    caught_up: int
    missed: int
    skipped: int
    late: int
    """Of the started ones: more than a minute behind their time."""
    last_slot: datetime | None
    """The newest one that has a task."""
    last_task: str | None
    last_state: str | None
    last_seconds: float | None
    last_success: datetime | None
    """When a task of this schedule last completed."""


@dataclass(frozen=True, slots=True)
class FiringRow:
    slot: datetime
    first_slot: datetime | None
    slots: int
    state: str
    at: datetime
    late_seconds: float
    task_id: str | None
    task_state: str | None
    reason: str


_SCHEDULE = """
SELECT s.name, s.plan::text AS plan, s.enabled, s.through, s.next_at,
       coalesce(s.paused_at <= now() AND (s.paused_until IS NULL OR s.paused_until > now()), false) AS paused,
       s.paused_until, s.pause_reason, s.created_by,
       coalesce(f.started, 0) AS started, coalesce(f.caught_up, 0) AS caught_up, coalesce(f.missed, 0) AS missed,
       coalesce(f.skipped, 0) AS skipped, coalesce(f.late, 0) AS late,
       l.slot AS last_slot, l.task_id AS last_task, l.status AS last_state, l.seconds AS last_seconds,
       w.finished_at AS last_success
  FROM schedules s
  LEFT JOIN LATERAL (
    SELECT sum(slots) FILTER (WHERE state = 'started') AS started,
           sum(slots) FILTER (WHERE state = 'caught_up') AS caught_up,
           sum(slots) FILTER (WHERE state = 'missed') AS missed, sum(slots) FILTER (WHERE state = 'skipped') AS skipped,
           count(*) FILTER (WHERE state = 'started' AND at > due_at + $1::interval) AS late
      FROM schedule_firings WHERE schedule_id = s.id) f ON true
  LEFT JOIN LATERAL (
    SELECT g.slot, g.task_id, t.status::text AS status,
           extract(epoch FROM coalesce(t.finished_at, now()) - t.started_at)::float AS seconds
      FROM schedule_firings g JOIN tasks t USING (task_id)
     WHERE g.schedule_id = s.id AND g.task_id IS NOT NULL ORDER BY g.slot DESC LIMIT 1) l ON true
  LEFT JOIN LATERAL (
    SELECT t.finished_at FROM schedule_firings g JOIN tasks t USING (task_id)
     WHERE g.schedule_id = s.id AND t.status = 'completed' ORDER BY g.slot DESC LIMIT 1) w ON true
"""

_FIRINGS = """
SELECT f.slot, f.first_slot, f.slots, f.state, f.at,
       greatest(extract(epoch FROM f.at - f.due_at), 0)::float AS late_seconds, f.task_id, t.status::text AS task_state,
       f.reason
  FROM schedule_firings f LEFT JOIN tasks t USING (task_id)
 WHERE f.schedule_id = (SELECT id FROM schedules WHERE name = $1) ORDER BY f.slot DESC LIMIT $2
"""

_AHEAD = """
SELECT s.name, f.slot FROM schedule_firings f JOIN schedules s ON s.id = f.schedule_id
 WHERE f.slot > s.through AND f.state = 'skipped' ORDER BY f.slot LIMIT 1000
"""


class ScheduleReports(ReadModels):
    """Schedules and their slots."""

    async def schedules(self, *, limit: int = 1000) -> tuple[ScheduleRow, ...]:
        """By name."""
        rows = await self._rows(_SCHEDULE + "ORDER BY s.name LIMIT $2", LATE, limit)
        return tuple(_schedule(row) for row in rows)

    async def schedule(self, name: str) -> ScheduleRow | None:
        row = await self._row(_SCHEDULE + "WHERE s.name = $2 LIMIT 1", LATE, name)
        return None if row is None else _schedule(row)

    async def firings(self, name: str, *, limit: int = 20) -> tuple[FiringRow, ...]:
        """Newest first."""
        return tuple(FiringRow(**dict(row)) for row in await self._rows(_FIRINGS, name, limit))

    async def skipped_ahead(self) -> frozenset[tuple[str, datetime]]:
        """Coming slots that a person has put off, as (schedule, slot)."""
        return frozenset((row["name"], row["slot"]) for row in await self._rows(_AHEAD))


def _schedule(row: Any) -> ScheduleRow:
    return ScheduleRow(**dict(row) | {"plan": json(row["plan"])})
