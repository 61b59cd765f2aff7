"""How schedules and their slots are written, and how a person names them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from cli.problems import NotFound, Usage
from cli.table import Column
from cli.text import count, duration, line, span, stamp

if TYPE_CHECKING:
    from contracts.schedule import Firing, SchedulePlan
    from db.reports import Reports
    from db.reports_schedules import ScheduleRow


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot to come."""

    at: datetime
    schedule: str
    what: str
    state: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would become of a slot, or of neighbouring ones."""

    slot: datetime
    first: datetime
    slots: int
    state: str
    reason: str


OUTCOMES = [
    Column("FROM", lambda one: stamp(one.first)),
    Column("TO", lambda one: stamp(one.slot)),
    Column("SLOTS", lambda one: count(one.slots), right=True),
    Column("BECOMES", lambda one: one.state.replace("_", " ")),
    Column("REASON", lambda one: line(one.reason or "-")),
]

FIRINGS = [
    Column("SLOT", lambda one: stamp(one.slot)),
    Column("SLOTS", lambda one: count(one.slots), right=True),
    Column("STATE", lambda one: one.state.replace("_", " ")),
    Column("BEHIND", lambda one: duration(one.late_seconds) if one.state == "started" else "-", right=True),
    Column("TASK", lambda one: line(one.task_id or "-")),
    Column("ENDED", lambda one: line(one.task_state or "-")),
    Column("REASON", lambda one: line(one.reason or "-")),
]


def outcome(firing: Firing) -> Outcome:
    return Outcome(firing.slot, firing.first or firing.slot, firing.slots, firing.state, firing.reason)


def plan_of(one: ScheduleRow) -> SchedulePlan:
    """ScheduleInvalid if it was written by another version."""
    from pydantic import ValidationError

    from contracts.errors import ScheduleInvalid
    from contracts.schedule import SchedulePlan

    try:
        return SchedulePlan.model_validate(one.plan)
    except ValidationError as error:
        raise ScheduleInvalid(f"the schedule {one.name!r} cannot be read by this version") from error


def what_of(plan: dict[str, Any]) -> str:
    """csv prices.csv"""
    task = plan.get("task", {})
    source = task.get("source_config", {})
    location = source.get("file_path") or source.get("url") or source.get("sheet_url") or "-"
    return f"{task.get('parser_type', '-')} {location.rstrip('/').rsplit('/', 1)[-1]}"


def state_of(one: ScheduleRow) -> str:
    if not one.enabled:
        return "disabled"
    if one.paused:
        until = f" until {stamp(one.paused_until)}" if one.paused_until else ""
        return f"paused{until}: {one.pause_reason}".removesuffix(": ")
    return "ok" if one.next_at is not None else "over"


def last_of(one: ScheduleRow) -> str:
    """completed in 1.2s, 2026-11-21 05:00:00"""
    if one.last_state is None:
        return "-"
    took = f" in {duration(one.last_seconds)}" if one.last_seconds is not None and one.last_state != "running" else ""
    return f"{one.last_state}{took}, {stamp(one.last_slot)}"


async def one_schedule(reports: Reports, name: str) -> ScheduleRow:
    """Raises NotFound with the nearest name."""
    found = await reports.schedule(name)
    if found is not None:
        return found
    near = get_close_matches(name, [one.name for one in await reports.schedules()], n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise NotFound(f"there is no schedule {name!r}{hint}", next="pricemill schedules list")


def a_moment(text: str | None) -> datetime | None:
    """UTC where no zone is given. Raises Usage."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(f"{text!r} is no date; use 2026-11-02 or 2026-11-02T08:00:00+01:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def a_span(text: str | None) -> timedelta | None:
    """Raises Usage."""
    try:
        return None if text is None else span(text)
    except ValueError:
        raise Usage(f"{text!r} is no time; use 90m, 48h or 7d") from None
