"""Pauses and limits in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import orjson

from contracts.clock import Clock
from contracts.controls import Limit, Pause, PauseKind
from contracts.store import ClaimKey
from db.memory_tables import WAITING, Tables, TaskRow

PLACE = ("file_path", "url", "sheet_url", "sheet_name")


class ControlsInMemory:
    """Implements contracts.controls.Controls for the ledger in memory."""

    tables: Tables
    _clock: Clock

    async def pause(self, pause: Pause) -> None:
        self.tables.pauses[pause.kind, pause.name] = pause

    async def resume(self, kind: PauseKind, name: str) -> bool:
        gone = self.tables.pauses.pop((kind, name), None)
        return gone is not None and (gone.until is None or gone.until > self._clock.now())

    async def pauses(self) -> list[Pause]:
        now = self._clock.now()
        return [pause for _, pause in sorted(self.tables.pauses.items()) if pause.until is None or pause.until > now]

    async def set_limit(self, limit: Limit) -> None:
        key = (limit.kind, limit.name)
        self.tables.full_at.pop(key, None)
        if limit.concurrency is None and limit.rate is None and limit.max_waiting is None:
            self.tables.limits.pop(key, None)
        else:
            self.tables.limits[key] = limit

    async def limits(self) -> list[Limit]:
        return [limit for _, limit in sorted(self.tables.limits.items())]

    async def snooze(self, task_id: str, until: datetime) -> Literal["snoozed", "running", "ended", "unknown"]:
        row = next((row for row in self.tables.tasks.values() if row.task_id == task_id), None)
        if row is None:
            return "unknown"
        if row.status not in WAITING:
            return "running" if row.status == "running" else "ended"
        row.run_at, row.dispatched_at = until, None
        return "snoozed"

    async def room(self, queue: str, *, most: int) -> int:
        waiting = [row for row in self.tables.tasks.values() if row.status in WAITING]
        own = self.tables.limits.get(("queue", queue))
        room = most - len(waiting)
        if own is not None and own.max_waiting is not None:
            room = min(room, own.max_waiting - sum(row.queue == queue for row in waiting))
        return max(room, 0)

    async def limited(self) -> bool:
        return any(limit.concurrency is not None or limit.rate is not None for limit in self.tables.limits.values())

    async def paused(self, claims: Sequence[ClaimKey]) -> set[ClaimKey]:
        return {
            claim
            for claim in claims
            if (row := self.tables.held(claim)) is not None and self._paused(row, lambda pause: pause.stop_running)
        }

    async def yielding(self, claims: Sequence[ClaimKey], *, slice_: timedelta) -> set[ClaimKey]:
        now = self._clock.now()
        running = [row for row in self.tables.tasks.values() if row.status == "running"]
        alive = [row for row in self.tables.workers.values() if row.heartbeat_at > now - timedelta(seconds=15)]
        if len(running) < sum(row.slots for row in alive if row.state == "working") or not alive:
            return set()
        waiting = [
            row
            for row in self.tables.tasks.values()
            if row.status in WAITING
            and row.run_at <= now
            and row.dispatched_at is not None
            and row.dispatched_at < now - timedelta(seconds=1)
            and self.tables.first(row.supplier_name) is row
            and not self._paused(row)
        ]
        began = {row.id: self.tables.attempts[row.id][-1].started_at for row in running}
        long = [row for row in running if began[row.id] + slice_ * 2 ** min(row.slices, 10) < now]
        long.sort(key=lambda row: began[row.id])
        return {ClaimKey(row.id, row.epoch) for row in long[: len(waiting)]} & set(claims)

    def _paused(self, row: TaskRow, also: Callable[[Pause], bool] = lambda _: True) -> bool:
        now = self._clock.now()
        found = [self.tables.pauses.get(key) for key in row.classes()]
        return any(pause and (pause.until is None or pause.until > now) and also(pause) for pause in found)

    def _supersede_older(self, head: TaskRow, now: datetime) -> bool:
        """Ends all queued versions of its list that are older than the newest; False if it is the newest."""
        newest = max(self._versions(head), key=lambda row: (row.as_of, row.id), default=None)
        if newest is None:
            return False
        for row in self.tables.of(head.supplier_name):
            if newest in self._versions(row):
                row.status, row.finished_at, row.superseded_by = "cancelled", now, newest.task_id
        return True

    def _versions(self, old: TaskRow) -> list[TaskRow]:
        """The newer ones of the list."""
        return [new for new in self.tables.of(old.supplier_name) if _same_list(old, new)]

    def _limits(self, row: TaskRow) -> list[Limit]:
        """That hold for the task."""
        found = [self.tables.limits.get(key) for key in row.classes()]
        return [limit for limit in found if limit and (limit.concurrency is not None or limit.rate is not None)]

    def _room(self, limit: Limit, now: datetime) -> int:
        """How many of it may start now."""
        key = (limit.kind, limit.name)
        room = 1_000_000
        if limit.concurrency is not None:
            running = [row for row in self.tables.tasks.values() if row.status == "running" and key in row.classes()]
            room = limit.concurrency - len(running)
        if limit.rate is not None:
            taken = max((self.tables.full_at.get(key, now) - now).total_seconds(), 0.0)
            room = min(room, int(limit.rate.burst - taken / limit.rate.each + 1e-6))
        return room

    def _take(self, limits: Sequence[Limit], now: datetime) -> None:
        for limit in limits:
            if limit.rate is not None:
                key = (limit.kind, limit.name)
                begin = max(self.tables.full_at.get(key, now), now)
                self.tables.full_at[key] = begin + timedelta(seconds=limit.rate.each)

    def _within(self, due: Sequence[TaskRow], now: datetime) -> list[TaskRow]:
        """Those that limits leave room for, in order."""
        room = {(one.kind, one.name): self._room(one, now) for one in self.tables.limits.values()}
        fit = []
        for row in due:
            keys = [(limit.kind, limit.name) for limit in self._limits(row)]
            if all(room[key] > 0 for key in keys):
                fit.append(row)
                for key in keys:
                    room[key] -= 1
        return fit


def _same_list(old: TaskRow, new: TaskRow) -> bool:
    """As db.ledger_supersede.same_list."""
    first, second = orjson.loads(old.message), orjson.loads(new.message)
    if any(row.status not in WAITING or row.epoch for row in (old, new)) or (new.as_of, new.id) <= (old.as_of, old.id):
        return False
    named = [one.get("options", {}).get("list_name") for one in (first, second)]
    if named[0] != named[1] or old.parser_type != new.parser_type:
        return False
    if any("replay_of" in one.get("options", {}) for one in (first, second)):
        return False
    places = [[one["source_config"].get(member) for member in PLACE] for one in (first, second)]
    if named[0] is None and (places[0] != places[1] or not any(places[0])):
        return False
    same_day = old.as_of.astimezone(UTC).date() == new.as_of.astimezone(UTC).date()
    return same_day or not ("as_of" in first or "as_of" in second)
