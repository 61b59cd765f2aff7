"""The registry of workers in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.clock import Clock
from contracts.fleet import Wish, WorkerState
from contracts.queue import Delivery
from db import ledger_documents as documents
from db.memory_tables import WAITING, Tables, TaskRow, WorkerRow


class WorkersInMemory:
    """Implements contracts.fleet.Registry for the ledger in memory."""

    tables: Tables
    _clock: Clock

    async def register_worker(self, name: str, *, host: str, pid: int, version: str, slots: int) -> None:
        now = self._clock.now()
        self.tables.workers[name] = WorkerRow(now, now, host=host, pid=pid, slots=slots)

    async def forget_worker(self, name: str) -> None:
        self.tables.workers.pop(name, None)

    async def beat(
        self, name: str, *, state: WorkerState, busy: int, snapshot: Mapping[str, Any] | None = None
    ) -> Wish | None:
        now = self._clock.now()
        row = self.tables.workers.setdefault(name, WorkerRow(now, now))
        row.heartbeat_at, row.state, row.busy, row.snapshot = now, state, busy, snapshot
        return row.asked

    async def ask_workers(self, names: Sequence[str] | None, wish: Wish | None) -> list[str]:
        reached = [
            name
            for name, row in self.tables.workers.items()
            if (names is None or name in names) and row.state != "lost"
        ]
        for name in reached:
            self.tables.workers[name].asked = wish
        return sorted(reached)

    async def give_back(self, *, host: str, pid: int, poison_after: int = 3) -> list[Delivery]:
        now = self._clock.now()
        gone = {name for name, row in self.tables.workers.items() if (row.host, row.pid) == (host, pid)}
        held = [row for row in self.tables.tasks.values() if row.status == "running" and row.worker in gone]
        self._take_back(held, poison_after, now)
        for name in gone:
            self.tables.workers[name].state, self.tables.workers[name].busy = "lost", 0
        return [Delivery(row.id, row.task_id, row.epoch, None, row.priority) for row in held if row.status == "queued"]

    def _take_back(self, lost: Sequence[TaskRow], poison_after: int, now: datetime) -> None:
        """Of workers that died, or whose leases ran out."""
        for row in lost:
            self._rescue(row, poison_after, now)
        self.tables.forget_dispatch([row.supplier_name for row in lost if row.status not in WAITING])

    def _rescue(self, row: TaskRow, poison_after: int, now: datetime) -> None:
        attempt = self.tables.attempts[row.id][-1]
        attempt.outcome = "lost"
        worker = self.tables.workers.get(row.worker or "")
        alive = (
            worker is not None
            and row.lease_until is not None
            and worker.heartbeat_at > row.lease_until
            and worker.started_at <= attempt.started_at
        )
        if max(self.tables.checkpoints.get(row.id, {}), default=0) > attempt.start_sequence:
            row.crashes = 0
        elif not alive:
            row.crashes += 1
        row.attempt = max(row.attempt - 1, 0)
        row.worker = row.lease_until = row.dispatched_at = None
        row.status, row.run_at = "queued", now
        if row.cancel_requested:
            row.status, row.finished_at = "cancelled", now
        elif row.crashes >= poison_after:
            self.tables.kill(row, documents.poison(row.crashes), attempts=row.crashes, now=now)
