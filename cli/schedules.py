"""`pricemill schedules`: what is started when, what became of it, and what would be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from cli import context, schedules_change
from cli.context import Desk
from cli.exits import Exit
from cli.problems import Usage
from cli.schedules_add import add, bare_plan
from cli.schedules_words import (
    FIRINGS,
    OUTCOMES,
    Slot,
    a_moment,
    a_span,
    last_of,
    one_schedule,
    outcome,
    plan_of,
    state_of,
    what_of,
)
from cli.screen import Screen
from cli.table import Column, render
from cli.text import count, duration, line, stamp

if TYPE_CHECKING:
    from contracts.schedule import SchedulePlan
    from db.reports_schedules import FiringRow, ScheduleRow

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME")]


@app.callback()
def schedules() -> None:
    """Tasks that come by the clock. Every worker starts what is due; a slot is started once, however many there are."""


@app.command("list")
def list_schedules(ctx: typer.Context) -> int:
    """By name, with what became of the slots of 90 days."""
    screen: Screen = ctx.obj

    async def show(desk: Desk) -> int:
        found = await desk.reports.schedules()
        columns = [
            Column("SCHEDULE", lambda one: line(one.name)),
            Column("CRON", lambda one: line(f"{one.plan['cron']} {one.plan.get('zone', 'UTC')}"), least=16),
            Column("WHAT", lambda one: line(what_of(one.plan)), least=12),
            Column("NEXT", lambda one: stamp(one.next_at)),
            Column("LAST", lambda one: line(last_of(one))),
            Column("STARTED", lambda one: count(one.started + one.caught_up), right=True),
            Column("LATE", lambda one: count(one.late), right=True),
            Column("MISSED", lambda one: count(one.missed), right=True),
            Column("SKIPPED", lambda one: count(one.skipped), right=True),
            Column("STATE", lambda one: line(state_of(one))),
        ]
        screen.list(found, columns, empty="No schedules yet.")
        screen.next("pricemill schedules next" if found else "pricemill schedules add --help")
        return Exit.DONE

    return context.look(show)


@app.command("next")
def coming(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 10,
) -> int:
    """The next slots of all schedules, or of one, by time (UTC)."""
    screen: Screen = ctx.obj

    async def show(desk: Desk) -> int:
        now = datetime.now(UTC)
        rows = [await one_schedule(desk.reports, name)] if name else await desk.reports.schedules()
        put_off = await desk.reports.skipped_ahead()
        slots = list(islice(merge(*(_slots(one, put_off) for one in rows), key=lambda slot: slot.at), limit))
        columns = [
            Column("AT", lambda slot: stamp(slot.at)),
            Column("IN", lambda slot: duration(int(max((slot.at - now).total_seconds(), 0)))),
            Column("SCHEDULE", lambda slot: line(slot.schedule)),
            Column("WHAT", lambda slot: line(slot.what), least=12),
            Column("STATE", lambda slot: line(slot.state)),
        ]
        screen.list(slots, columns, empty="No slot is to come.")
        return Exit.DONE

    return context.look(show)


def _slots(one: ScheduleRow, put_off: frozenset[tuple[str, datetime]]) -> Iterator[Slot]:
    from workers import schedule

    if not one.enabled:
        return
    for slot, due in schedule.coming(one.name, plan_of(one), one.through):
        state = "ok"
        if (one.name, slot) in put_off:
            state = "skipped"
        elif one.paused and (one.paused_until is None or slot < one.paused_until):
            state = f"paused: {one.pause_reason}".removesuffix(": ")
        yield Slot(due, one.name, what_of(one.plan), state)


@app.command()
def show(
    ctx: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Slots to show.")] = 10,
) -> int:
    """One schedule: its plan, its next slots, and what became of the last ones."""
    screen: Screen = ctx.obj

    async def present(desk: Desk) -> int:
        found = await one_schedule(desk.reports, name)
        firings = await desk.reports.firings(found.name, limit=limit)
        screen.answer({"schedule": found, "slots": list(firings)}, lambda: _lines(found, firings))
        screen.next(f"pricemill schedules simulate {line(found.name)}")
        return Exit.DONE

    return context.look(present)


def _lines(one: ScheduleRow, firings: tuple[FiringRow, ...]) -> Iterator[str]:
    from workers import schedule, schedule_preview

    plan = plan_of(one)
    yield f"Schedule  {line(one.name)}  {line(state_of(one))}"
    yield f"When      {line(schedule_preview.in_words(plan))}  ({line(plan.cron)})"
    if plan.jitter_seconds:
        yield f"Jitter    up to {duration(plan.jitter_seconds)}"
    yield f"What      {line(what_of(one.plan))} of {line(plan.task.supplier_name)}"
    upcoming = islice(schedule.coming(one.name, plan, one.through), 3) if one.enabled else ()
    yield f"Next      {', '.join(stamp(due) for _, due in upcoming) or '-'}"
    yield f"Overlap   {plan.overlap.value}"
    yield f"Catch-up  {_catch_up(plan)}"
    yield f"Last      {line(last_of(one))}"
    counted = f"{count(one.started)} started, {count(one.late)} late, {count(one.caught_up)} caught up"
    yield f"90 days   {counted}, {count(one.missed)} missed, {count(one.skipped)} skipped"
    if firings:
        yield ""
        yield from render(FIRINGS, firings)


def _catch_up(plan: SchedulePlan) -> str:
    if plan.catch_up.value == "skip":
        return "none"
    most = f"at most {plan.catch_up_runs}" if plan.catch_up.value == "all" else "the latest"
    return f"{most} of the last {duration(plan.catch_up_seconds)}"


@app.command()
def simulate(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None,
    *,
    cron: Annotated[str | None, typer.Option(help="Instead of a schedule: five fields.")] = None,
    zone: Annotated[str, typer.Option(help="With --cron: an IANA time zone.")] = "UTC",
    start: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Else from now on.")] = None,
    limit: Annotated[int, typer.Option("--count", min=1, max=10_000)] = 10,
    down: Annotated[
        str | None, typer.Option(metavar="48h", help="What would happen after no worker ran so long.")
    ] = None,
) -> int:
    """The slots of a schedule or of an expression, by the clock of its zone and in UTC; changes nothing."""
    screen: Screen = ctx.obj
    begin = a_moment(start) or datetime.now(UTC)
    if (name is None) == (cron is None):
        raise Usage("give either a schedule or --cron")
    if cron is not None:
        return _simulated(screen, bare_plan(cron, zone), "simulated", begin=begin, limit=limit, down=a_span(down))

    async def show(desk: Desk) -> int:
        assert name is not None
        found = await one_schedule(desk.reports, name)
        return _simulated(screen, plan_of(found), found.name, begin=begin, limit=limit, down=a_span(down))

    return context.look(show)


def _simulated(
    screen: Screen, plan: SchedulePlan, name: str, *, begin: datetime, limit: int, down: timedelta | None
) -> int:
    from workers import schedule_preview

    if down is not None:
        decision = schedule_preview.after_downtime(name, plan, begin, down)
        screen.list([outcome(one) for one in decision.firings], OUTCOMES, empty="No slot lies in that time.")
        return Exit.DONE
    slots = schedule_preview.imagine(plan, begin, limit)
    columns = [
        Column("LOCAL", lambda one: f"{one.local:%a %Y-%m-%d %H:%M %Z}"),
        Column("UTC", lambda one: stamp(one.slot)),
        Column("AFTER", lambda one: duration(one.seconds), right=True),
        Column("NOTE", lambda one: one.note),
    ]
    screen.list(slots, columns, empty="There is no such time in 50 years.")
    return Exit.DONE


for command in (add, *schedules_change.COMMANDS):
    app.command()(command)
