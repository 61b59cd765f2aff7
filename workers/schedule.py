"""Which slots of a schedule are due, and what becomes of each: cron with zones and catch-up, pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from contracts.errors import ContractViolation, ScheduleInvalid
from contracts.schedule import GRACE, CatchUp, Decision, Firing, Overlap, Pause, Schedule, SchedulePlan, Seen
from contracts.schema import parse_task
from contracts.task import ParseTask

SLICE: Final = 20_000
"""Slots that one decision looks at before it stops inside a backlog that is older than any catch-up; the rest is
for the next one."""
_STEP: Final = timedelta(hours=6)
"""In which a zone changes its offset once at most."""
_LONGEST_GAP: Final = timedelta(hours=26)
"""Samoa left out a whole day."""
_DATE: Final = "{date}"
STARTING: Final = ("started", "caught_up")
"""States of slots that have a task."""


def slots(plan: SchedulePlan, after: datetime) -> Iterator[datetime]:
    """The slots later than `after` (aware), in UTC, ascending, none twice. As cron does it: an expression whose minute
    or hour begins with * goes by elapsed time, so it fires in both of two equal hours and not in a missing one. Any
    other is meant by the clock on the wall: once in two equal hours, and at the end of the gap where its time is
    missing. Ends where the expression matches no day for 50 years. Raises ScheduleInvalid."""
    zone = _zone(plan.zone)
    fields = plan.cron.split()
    if len(fields) != 5:
        raise ScheduleInvalid(f"“{plan.cron}” is no cron expression: five fields are needed, not {len(fields)}")
    try:
        CronSim(plan.cron, datetime(2000, 1, 1))  # noqa: DTZ001 (read without a zone)
    except CronSimError as error:
        raise ScheduleInvalid(f"“{plan.cron}” is no cron expression: {error}") from error
    after = after.astimezone(UTC)
    if fields[0].startswith("*") or fields[1].startswith("*"):
        return _by_elapsed_time(plan.cron, zone, after)
    return _by_the_wall(plan.cron, zone, after)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleInvalid(f"there is no time zone “{name}”; use a name such as Europe/Berlin") from error


def _by_the_wall(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    last = after
    for local in CronSim(cron, after.astimezone(zone).replace(tzinfo=None)):
        slot = _instant(local, zone)
        if slot > last:  # several times of one gap meet at its end; behind two equal hours the first ones are over
            last = slot
            yield slot


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The first of two equal times; for a missing one the end of the gap."""
    slot = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if slot.astimezone(zone).replace(tzinfo=None) == local:
        return slot
    # Read with the offset from before the gap, a missing time lies behind it.
    return _change(zone, slot - _LONGEST_GAP, slot) or slot


def _by_elapsed_time(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    # cronsim's own way with zones misses slots where a clock is set by half an hour (Australia/Lord_Howe), so it
    # walks along clocks that are never set, one after the other.
    begin, looked, offset = after, after, _offset(zone, after)
    while True:
        end: datetime | None = None
        for local in CronSim(cron, (begin + offset).replace(tzinfo=None)):
            slot = local.replace(tzinfo=UTC) - offset
            while end is None and looked < slot:
                end = _change(zone, looked, looked + _STEP)
                looked += _STEP
            if end is not None and slot >= end:
                break
            yield slot
        if end is None:
            return
        begin, looked, offset = end - timedelta(seconds=1), end, _offset(zone, end)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _change(zone: ZoneInfo, begin: datetime, end: datetime) -> datetime | None:
    """The first moment in (begin, end] with another offset than `begin`, to the second; None if there is none."""
    before = _offset(zone, begin)
    if _offset(zone, end) == before:
        return None
    low, high = int(begin.timestamp()), int(end.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, datetime.fromtimestamp(middle, UTC)) == before:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def due_at(name: str, plan: SchedulePlan, slot: datetime) -> datetime:
    """The slot and its jitter, which depends on name and slot alone."""
    if not plan.jitter_seconds:
        return slot
    seed = hashlib.sha256(f"{name} {slot.isoformat()}".encode()).digest()
    return slot + timedelta(seconds=int.from_bytes(seed[:8]) % (plan.jitter_seconds + 1))


def coming(name: str, plan: SchedulePlan, after: datetime) -> Iterator[tuple[datetime, datetime]]:
    """(slot, when it is due) behind `after`. Slots never overtake each other, whatever their jitter."""
    latest = after
    for slot in slots(plan, after):
        latest = max(latest, due_at(name, plan, slot))
        yield slot, latest


def next_due(name: str, plan: SchedulePlan, now: datetime) -> datetime | None:
    """When the first slot behind `now` is due; None = never. Raises ScheduleInvalid."""
    return next((due for _, due in coming(name, plan, now)), None)


def task_id(name: str, slot: datetime) -> str:
    return f"schedule-{name}-{slot.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def task_for(name: str, plan: SchedulePlan, slot: datetime) -> ParseTask:
    """The task of a slot, the same however often it is made. Raises ScheduleInvalid where the template fits no
    schema."""
    day = slot.astimezone(_zone(plan.zone)).date().isoformat()
    config = {
        key: value.replace(_DATE, day) if isinstance(value, str) else value
        for key, value in plan.task.source_config.items()
    }
    document = plan.task.model_dump(mode="json", exclude_none=True) | {
        "schema_version": "2.0" if plan.task.queue is None else "2.1",
        "task_id": task_id(name, slot),
        "idempotency_key": task_id(name, slot),
        "enqueued_at": slot.isoformat(),
        "source_config": config,
    }
    if config != plan.task.source_config:
        document["as_of"] = slot.isoformat()
    try:
        return parse_task(document)
    except ContractViolation as error:
        raise ScheduleInvalid(f"the task of this schedule cannot be: {error.message}") from error


def due_fires(schedule: Schedule, seen: Seen) -> Decision:
    """What becomes of every slot between `schedule.through` and `seen.now`: each is started, caught up, missed or
    skipped, once. Raises ScheduleInvalid."""
    plan, now = schedule.plan, seen.now
    oldest = now - timedelta(seconds=plan.catch_up_seconds)
    found: list[Firing] = []
    through, next_at = schedule.through, None
    for looked, (slot, due) in enumerate(coming(schedule.name, plan, schedule.through)):
        if due > now:
            next_at = due
            break
        if looked >= SLICE and slot < oldest:
            next_at = now
            break
        through = slot
        if slot in seen.taken:
            continue
        if schedule.pause is not None and schedule.pause.covers(slot):
            found.append(Firing(slot, "skipped", due, reason=_paused(schedule.pause)))
        else:
            found.append(Firing(slot, "started" if now - due <= GRACE else "missed", due))
    for place in _to_catch_up(plan, found, oldest):
        found[place] = replace(found[place], state="caught_up")
    chosen, cancel = _overlapping(plan.overlap, found, seen.unfinished)
    firings = tuple(
        replace(one, task=task_for(schedule.name, plan, one.slot)) if one.state in STARTING else one
        for one in _grouped(chosen)
    )
    return Decision(firings, through, next_at, cancel)


def _paused(pause: Pause) -> str:
    return f"paused: {pause.reason}" if pause.reason else "paused"


def _to_catch_up(plan: SchedulePlan, found: Sequence[Firing], oldest: datetime) -> list[int]:
    """Places of the missed slots that are started after all: the newest ones, within both limits."""
    if plan.catch_up is CatchUp.SKIP:
        return []
    if plan.catch_up is CatchUp.LATEST and any(one.state == "started" for one in found):
        return []
    missed = [place for place, one in enumerate(found) if one.state == "missed" and one.slot >= oldest]
    return missed[-(1 if plan.catch_up is CatchUp.LATEST else plan.catch_up_runs) :]


def _grouped(found: Iterable[Firing]) -> list[Firing]:
    """Neighbours that are missed or skipped for one reason become one."""
    grouped: list[Firing] = []
    for one in found:
        last = grouped[-1] if grouped else None
        if (
            last is not None
            and one.state in {"missed", "skipped"}
            and (last.state, last.reason)
            == (
                one.state,
                one.reason,
            )
        ):
            grouped[-1] = replace(one, first=last.first or last.slot, slots=last.slots + 1)
        else:
            grouped.append(one)
    return grouped


def _overlapping(
    overlap: Overlap, found: Sequence[Firing], unfinished: Sequence[str]
) -> tuple[list[Firing], tuple[str, ...]]:
    """Firings after the overlap policy, and what gives way to them. What is caught up waits in line under any policy
    but cancel_running: to catch up and to skip at once would mean nothing."""
    starting = [place for place, one in enumerate(found) if one.state in STARTING]
    found = list(found)
    if overlap is Overlap.QUEUE or not starting:
        return found, ()
    if overlap is Overlap.CANCEL_RUNNING:
        for place in starting[:-1]:
            found[place] = replace(found[place], state="skipped", reason="a later slot takes its place")
        return found, tuple(unfinished)
    busy = unfinished[0] if unfinished else ""
    for place in starting:
        if found[place].state == "started":
            if busy:
                found[place] = replace(found[place], state="skipped", reason=f"{busy} has not ended")
            else:
                busy = "an earlier slot"
    return found, ()
