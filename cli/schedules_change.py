"""The commands that change what a schedule does: remove, run, backfill, skip, pause, resume."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.confirm import agree
from cli.exits import Exit
from cli.options import DryRun, Yes
from cli.problems import NotFound, Usage
from cli.schedules_words import a_moment, a_span
from cli.screen import Screen
from cli.text import count, line, plural, stamp

if TYPE_CHECKING:
    from contracts.schedule import Fired, Firing, Schedule
    from workers.app import App

MOST = 1_000
"""Slots of one backfill."""

Name = Annotated[str, typer.Argument(metavar="NAME")]
Reason = Annotated[str, typer.Option(help="Why; kept with the slots.")]


def remove(ctx: typer.Context, name: Name, *, yes: Yes = False) -> int:
    """Forget a schedule and what became of its slots; its tasks stay."""
    screen: Screen = ctx.obj

    async def forget(opened: App) -> int:
        await _known(opened, name)
        if agree(screen, f"this forgets the schedule {line(name)} and its slots", count=1, yes=yes):
            await opened.schedules.remove(name)
            screen.answer({"name": name, "removed": True}, lambda: [f"{line(name)} is removed"])
        return Exit.DONE

    return context.run(forget)


def run(ctx: typer.Context, name: Name) -> int:
    """Start its task now, besides its slots; also while it is paused."""
    screen: Screen = ctx.obj

    async def start(opened: App) -> int:
        one = await _known(opened, name)
        slot = (await opened.schedules.now()).replace(microsecond=0)
        fired = await _record(opened, one, [_firing(one, slot, "started", f"by hand, {context.actor()}")])
        task_id = fired[0].firing.task.task_id if fired and fired[0].firing.task is not None else None
        screen.answer(
            {"name": name, "task_id": task_id, "started": bool(fired)},
            lambda: [f"{task_id}  accepted" if task_id else "It was started within this second already."],
        )
        if task_id:
            screen.next(f"pricemill tasks show {line(task_id)}")
        return Exit.DONE

    return context.run(start)


def backfill(
    ctx: typer.Context,
    name: Name,
    *,
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="The first moment; UTC if no zone is given.")],
    until: Annotated[str | None, typer.Option(metavar="DATE", help="The last one; else now.")] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> int:
    """Start the tasks of slots that lie in the past and were not started. What was started stays as it is."""
    screen: Screen = ctx.obj
    begin, end = a_moment(start), a_moment(until)
    assert begin is not None

    async def fill(opened: App) -> int:
        from workers import schedule

        one = await _known(opened, name)
        now = await opened.schedules.now()
        last = min(end or now, now)
        found = takewhile(lambda slot: slot <= last, schedule.slots(one.plan, begin - timedelta(seconds=1)))
        slots = list(islice(found, MOST + 1))
        if len(slots) > MOST:
            raise Usage(f"more than {count(MOST)} slots lie in that time; fill them in parts")
        sentence = f"this starts {plural(len(slots), 'task')} of {line(name)}"
        if dry_run or not slots:
            screen.answer({"name": name, "slots": slots}, lambda: [f"{stamp(slot)}" for slot in slots] or ["No slot."])
            return Exit.DONE
        if not agree(screen, sentence, count=len(slots), yes=yes):
            return Exit.DONE
        reason = f"backfill, {context.actor()}"
        fired = await _record(opened, one, [_firing(one, slot, "caught_up", reason) for slot in slots])
        answer = {"name": name, "started": len(fired), "known": len(slots) - len(fired)}
        told = f"{plural(len(fired), 'task')} accepted, {count(len(slots) - len(fired))} decided before"
        screen.answer(answer, lambda: [told])
        screen.next("pricemill tasks list")
        return Exit.DONE

    return context.run(fill)


def skip(ctx: typer.Context, name: Name, *, reason: Reason = "") -> int:
    """Leave the next slot out."""
    screen: Screen = ctx.obj

    async def leave_out(opened: App) -> int:
        from workers import schedule

        one = await _known(opened, name)
        why = f"by hand, {context.actor()}: {reason}".removesuffix(": ")
        for slot in islice(schedule.slots(one.plan, max(one.through, await opened.schedules.now())), MOST):
            if await opened.schedules.record(name, [_firing(one, slot, "skipped", why)]):
                screen.answer({"name": name, "skipped": slot}, lambda: [f"{line(name)} leaves out {stamp(slot)}"])  # noqa: B023
                break
        screen.next(f"pricemill schedules next {line(name)}")
        return Exit.DONE

    return context.run(leave_out)


def pause(
    ctx: typer.Context,
    name: Name,
    *,
    reason: Reason = "",
    until: Annotated[str | None, typer.Option(metavar="DATE|2h", help="Else until it is resumed.")] = None,
) -> int:
    """Skip all slots for a while."""
    screen: Screen = ctx.obj

    async def hold(opened: App) -> int:
        await _known(opened, name)
        end = _until(until, await opened.schedules.now())
        await opened.schedules.pause(name, reason=reason, until=end)
        told = f"{line(name)} is paused" + (f" until {stamp(end)}" if end else "")
        screen.answer({"name": name, "paused": True, "until": end, "reason": reason}, lambda: [told])
        screen.next(f"pricemill schedules resume {line(name)}")
        return Exit.DONE

    return context.run(hold)


def resume(ctx: typer.Context, name: Name) -> int:
    """End its pause, or enable it. Slots of the pause stay skipped."""
    screen: Screen = ctx.obj

    async def go_on(opened: App) -> int:
        from workers import schedule

        one = await _known(opened, name)
        upcoming = schedule.next_due(name, one.plan, await opened.schedules.now())
        await opened.schedules.resume(name, next_at=upcoming)
        told = f"{line(name)} goes on, next {stamp(upcoming)}"
        screen.answer({"name": name, "paused": False, "next": upcoming}, lambda: [told])
        return Exit.DONE

    return context.run(go_on)


COMMANDS = (remove, run, backfill, skip, pause, resume)


async def _known(opened: App, name: str) -> Schedule:
    found = await opened.schedules.get(name)
    if found is None:
        raise NotFound(f"there is no schedule {name!r}", next="pricemill schedules list")
    return found


def _firing(one: Schedule, slot: datetime, state: Any, reason: str) -> Firing:
    from contracts.schedule import Firing
    from workers import schedule

    task = schedule.task_for(one.name, one.plan, slot) if state in schedule.STARTING else None
    return Firing(slot, state, slot, reason=reason, task=task)


async def _record(opened: App, one: Schedule, firings: list[Firing]) -> list[Fired]:
    """Writes them and hands their tasks over."""
    fired = await opened.schedules.record(one.name, firings)
    await context.deliver(opened, [done.delivery for done in fired if done.delivery is not None])
    return fired


def _until(text: str | None, now: datetime) -> datetime | None:
    """A date, or so long from now."""
    if text is None:
        return None
    try:
        span = a_span(text)
    except Usage:
        return a_moment(text)
    return None if span is None else now + span
