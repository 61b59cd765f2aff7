"""The read model of the workers: who is alive, what each holds, what lost ones left behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.reports_reader import ReadModels, json
from db.reports_status import ALIVE

MOST_TASKS = 20
"""Of one worker."""


@dataclass(frozen=True, slots=True)
class WorkerRow:
    name: str
    host: str
    pid: int
    version: str
    state: str
    """working, draining, recycling, or lost: no heartbeat for 30 s, or seen to die."""
    asked: str | None
    """drain or recycle, where an operator wants that and the worker has not heard of it or is about it."""
    slots: int
    busy: int
    started_at: datetime
    heartbeat_at: datetime
    heartbeat_seconds: float
    """Age of the last one."""
    holds: tuple[str, ...]
    """Ids of tasks that run there (at most 20)."""
    lost: tuple[str, ...]
    """Ids of tasks that it held when it was lost (at most 20); others took them up."""
    snapshot: dict[str, Any] | None
    """What the process used at the last heartbeat."""


_WORKERS = """
SELECT w.name, w.host, w.pid, w.version, w.asked, w.slots, w.busy, w.started_at, w.heartbeat_at,
       w.snapshot::text AS snapshot, extract(epoch FROM now() - w.heartbeat_at)::float8 AS heartbeat_seconds,
       CASE WHEN w.heartbeat_at > now() - $1::interval THEN w.state ELSE 'lost' END AS state,
       ARRAY(SELECT t.task_id FROM tasks t WHERE t.status = 'running' AND t.worker = w.name ORDER BY t.id LIMIT $2)
         AS holds,
       ARRAY(SELECT t.task_id FROM task_attempts a JOIN tasks t ON t.id = a.task_key
              WHERE a.outcome = 'lost' AND a.worker = w.name AND a.started_at >= w.started_at
              ORDER BY a.id DESC LIMIT $2) AS lost
  FROM workers w ORDER BY state = 'lost', w.host, w.name LIMIT 1000
"""


class WorkerReports(ReadModels):
    """Workers."""

    async def workers(self) -> tuple[WorkerRow, ...]:
        """Lost ones last; they are forgotten after a day."""
        rows = await self._rows(_WORKERS, ALIVE, MOST_TASKS)
        return tuple(
            WorkerRow(
                **dict(row)
                | {"holds": tuple(row["holds"]), "lost": tuple(row["lost"]), "snapshot": json(row["snapshot"])}
            )
            for row in rows
        )
