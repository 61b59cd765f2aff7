"""`pricemill tasks snooze`: let waiting tasks wait longer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import context
from cli.exits import Exit
from cli.finding import one_task
from cli.pauses import moment
from cli.problems import Usage
from cli.screen import Screen, plain
from cli.text import line, stamp

WORDS = {
    "snoozed": "waits",
    "running": "runs; nothing was changed",
    "ended": "had ended before; nothing was changed",
    "unknown": "is unknown",
}


def snooze(
    ctx: typer.Context,
    task: Annotated[list[str], typer.Argument(help="Ids, or beginnings of them.")],
    until: Annotated[str | None, typer.Option(help="03:15 (UTC), or a time such as 2026-11-20T03:15:00Z.")] = None,
    duration: Annotated[str | None, typer.Option("--for", help="Such as 10m or 2h.")] = None,
) -> int:
    """Let waiting tasks wait, and with them the later ones of their suppliers; no attempt is counted."""
    screen: Screen = ctx.obj
    if (until is None) == (duration is None):
        raise Usage("give --until or --for")
    ends = moment(until or duration or "", datetime.now(UTC))

    async def act(opened: Any) -> int:
        ids = [await one_task(opened.reports, one) for one in task]
        answers = {one: await opened.ledger.snooze(one, ends) for one in ids}
        screen.answer(
            {"until": plain(ends), "tasks": answers},
            lambda: [
                f"{line(one)}  {WORDS[said]}" + (f" until {stamp(ends)}" if said == "snoozed" else "")
                for one, said in answers.items()
            ],
        )
        screen.next(f"pricemill tasks show {ids[0]}")
        return Exit.DONE if set(answers.values()) == {"snoozed"} else Exit.REFUSED

    return context.run(act)
