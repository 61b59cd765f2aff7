"""What a schedule would do: its slots by the clock on the wall, and what a downtime would leave behind; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim

from contracts.schedule import Decision, Schedule, SchedulePlan, Seen
from workers.schedule import due_fires, slots

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Imagined:
    """One slot to come."""

    slot: datetime
    """UTC."""
    local: datetime
    """By the clock of the schedule's zone."""
    seconds: float
    """Since the slot before, or since the beginning."""
    note: str
    """What is unusual about it: a change of the clocks."""


def in_words(plan: SchedulePlan) -> str:
    """At 05:00 on Monday through Friday, Europe/Berlin."""
    return f"{CronSim(plan.cron, datetime(2000, 1, 1)).explain()}, {plan.zone}"  # noqa: DTZ001 (read without a zone)


def imagine(plan: SchedulePlan, begin: datetime, count: int) -> list[Imagined]:
    """The next slots behind `begin`. Raises ScheduleInvalid."""
    zone = ZoneInfo(plan.zone)
    found: list[Imagined] = []
    for slot in islice(slots(plan, begin), count):
        before = found[-1].slot if found else begin
        local = slot.astimezone(zone)
        found.append(Imagined(slot, local, (slot - before).total_seconds(), _note(plan, local)))
    return found


def _note(plan: SchedulePlan, local: datetime) -> str:
    shown = local.replace(tzinfo=None, fold=0)
    if next(CronSim(plan.cron, shown - timedelta(seconds=1))) != shown:
        return "its own time is missing on this day"
    offset, day_before = (
        local.utcoffset(),
        (local.astimezone(ZoneInfo("UTC")) - DAY).astimezone(local.tzinfo).utcoffset(),
    )
    if offset is None or day_before is None or offset == day_before:
        return ""
    moved = int(abs((offset - day_before).total_seconds()) // 60)
    return f"the clocks went {'forward' if offset > day_before else 'back'} by {moved} minutes"


def after_downtime(name: str, plan: SchedulePlan, end: datetime, down: timedelta) -> Decision:
    """What would become of the slots if nobody had looked from `end - down` to `end`."""
    schedule = Schedule(0, name, plan, enabled=True, through=end - down, next_at=None, pause=None)
    return due_fires(schedule, Seen(end))
