"""Pausing and resuming a queue, a supplier, a parser or a source: what `queues` and `suppliers` share."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.command import command
from cli.exits import Exit
from cli.options import Reason
from cli.problems import Usage
from cli.screen import Screen, plain
from cli.text import line, span, stamp

if TYPE_CHECKING:
    from contracts.controls import PauseKind

Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="10m, 2h, 03:15 (UTC), or a time such as 2026-11-20T03:15:00Z.")
]
Running = Annotated[bool, typer.Option("--running", help="Running tasks stop behind their chunk, too.")]


def pause(screen: Screen, kind: PauseKind, name: str, *, until: str | None, running: bool, reason: str) -> int:
    """Prints what was paused; returns the exit code."""
    ends = None if until is None else moment(until, datetime.now(UTC))

    async def act(opened: Any) -> int:
        from contracts.controls import Pause

        one = Pause(kind, name, context.actor(), reason, ends, running)
        await opened.ledger.pause(one)
        told = f"until {stamp(ends)}" if ends else "until it is resumed"
        rest = "running tasks stop behind their chunk" if running else "running tasks go on"
        screen.answer({"paused": plain(one)}, lambda: [f"Paused {kind} {line(name)} {told}; {rest}."])
        screen.next(_resume(kind, name))
        return Exit.DONE

    return context.run(act)


def resume(screen: Screen, kind: PauseKind, name: str) -> int:
    """Exit 5 if it was not paused."""

    async def act(opened: Any) -> int:
        held = await opened.ledger.resume(kind, name)
        said = f"Resumed {kind} {line(name)}." if held else f"{kind} {line(name)} was not paused; nothing was changed."
        screen.answer({"kind": kind, "name": name, "resumed": held}, lambda: [said[0].upper() + said[1:]])
        screen.next("pricemill queues list")
        return Exit.DONE if held else Exit.REFUSED

    return context.run(act)


def pause_supplier(
    ctx: typer.Context, supplier: Annotated[str, typer.Argument()], *, until: Until = None, running: Running = False,
    reason: Reason = "",
) -> int:  # fmt: skip
    """Start no list of this supplier until it is resumed."""
    return pause(ctx.obj, "supplier", supplier, until=until, running=running, reason=reason)


def resume_supplier(ctx: typer.Context, supplier: Annotated[str, typer.Argument()]) -> int:
    """Start its lists again."""
    return resume(ctx.obj, "supplier", supplier)


def _resume(kind: PauseKind, name: str) -> str:
    if kind == "supplier":
        return command("suppliers", "resume", name)
    return command("queues", "resume", *(() if kind == "queue" else (f"--{kind}",)), name)


def moment(text: str, now: datetime) -> datetime:
    """A span from now, the next such hour in UTC, or a time with its zone. Raises Usage."""
    try:
        ends = now + span(text)
    except ValueError:
        try:
            if len(text) == 5 and text[2] == ":":
                ends = datetime.combine(now.date(), time.fromisoformat(text), UTC)
                ends += timedelta(days=ends <= now)
            else:
                ends = datetime.fromisoformat(text)
        except ValueError:
            raise Usage(f"{text!r} is no time; use 10m, 2h, 03:15 or 2026-11-20T03:15:00Z") from None
    if ends.tzinfo is None:
        raise Usage(f"{text!r} needs a zone, such as {text}Z")
    if ends <= now:
        raise Usage(f"{text!r} has passed")
    return ends.astimezone(UTC)
