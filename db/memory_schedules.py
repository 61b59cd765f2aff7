"""Schedules in memory: the twin for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.clock import Clock
from contracts.errors import QueueFull, ScheduleInvalid
from contracts.schedule import Decide, Fired, Firing, Pause, Schedule, SchedulePlan, Seen, Ticked
from db.memory import MemoryLedger
from db.memory_tables import UNFINISHED

LATER = timedelta(minutes=5)


@dataclass(slots=True)
class _Written:
    firing: Firing
    at: datetime


class MemorySchedules:
    """Implements contracts.schedule.Schedules for one event loop, beside a ledger in memory."""

    def __init__(self, ledger: MemoryLedger, *, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._schedules: dict[str, Schedule] = {}
        self.slots: dict[tuple[str, datetime], _Written] = {}

    async def now(self) -> datetime:
        return self._clock.now()

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
        known = self._schedules.get(name)
        if (known is not None) != replace:
            return False
        now = self._clock.now()
        through = now if known is None else max(known.through, now)
        key = len(self._schedules) + 1 if known is None else known.key
        pause = None if known is None else known.pause
        self._schedules[name] = Schedule(key, name, plan, enabled, through, next_at, pause)
        return True

    async def get(self, name: str) -> Schedule | None:
        return self._schedules.get(name)

    async def remove(self, name: str) -> bool:
        self.slots = {key: one for key, one in self.slots.items() if key[0] != name}
        return self._schedules.pop(name, None) is not None

    async def pause(self, name: str, *, reason: str, until: datetime | None) -> bool:
        return self._change(name, pause=Pause(self._clock.now(), until, reason))

    async def resume(self, name: str, *, next_at: datetime | None) -> bool:
        known = self._schedules.get(name)
        if known is None:
            return False
        now = self._clock.now()
        if known.pause is not None and known.pause.covers(now):
            self._change(name, pause=replace(known.pause, until=now))
        if not known.enabled:
            self._change(name, enabled=True, through=max(known.through, now), next_at=next_at)
        return True

    async def tick(self, decide: Decide, *, limit: int = 50) -> Ticked:
        ticked = Ticked([], [])
        now = self._clock.now()
        due = [one for one in self._schedules.values() if one.enabled and one.next_at is not None]
        due = sorted(
            (one for one in due if one.next_at is not None and one.next_at <= now), key=lambda one: str(one.next_at)
        )
        for one in due[:limit]:
            try:
                decision = decide(one, self._seen(one, now))
                for task_id in decision.cancel:
                    await self._ledger.cancel(task_id, actor="schedule")
                fired = await self._write(one.name, decision.firings)
            except (ScheduleInvalid, QueueFull) as error:
                ticked.failed.append((one.name, error.message))
                if isinstance(error, ScheduleInvalid):
                    self._change(one.name, next_at=now + LATER)
                continue
            self._change(one.name, through=decision.through, next_at=decision.next_at)
            ticked.fired.extend(fired)
        return ticked

    async def record(self, name: str, firings: Sequence[Firing]) -> list[Fired]:
        return await self._write(name, firings) if name in self._schedules else []

    async def prune(self, *, older_than: timedelta) -> int:
        limit = self._clock.now() - older_than
        old = [key for key in self.slots if key[1] < limit]
        for key in old:
            del self.slots[key]
        return len(old)

    def _change(self, name: str, **members: object) -> bool:
        known = self._schedules.get(name)
        if known is not None:
            self._schedules[name] = replace(known, **members)  # type: ignore[arg-type]
        return known is not None

    def _seen(self, one: Schedule, now: datetime) -> Seen:
        own = {key[1]: written.firing for key, written in self.slots.items() if key[0] == one.name}
        ids = {firing.task.task_id for firing in own.values() if firing.task is not None}
        rows = self._ledger.tables.tasks.values()
        unfinished = tuple(row.task_id for row in rows if row.task_id in ids and row.status in UNFINISHED)
        return Seen(now, unfinished, frozenset(slot for slot, firing in own.items() if firing.slots == 1))

    async def _write(self, name: str, firings: Sequence[Firing]) -> list[Fired]:
        free = [one for one in firings if (name, one.slot) not in self.slots]
        tasks = [one.task for one in free if one.task is not None]
        answers = await self._ledger.register(tasks, sending=True)
        deliveries = {
            task.task_id: None if one.behind else one.delivery for task, one in zip(tasks, answers, strict=True)
        }
        for one in free:
            self.slots[name, one.slot] = _Written(one, self._clock.now())
        return [Fired(name, one, None if one.task is None else deliveries[one.task.task_id]) for one in free]
