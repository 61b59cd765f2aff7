"""`pricemill workers`: who works, and who shall stop taking tasks or start anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.context import Desk
from cli.exits import Exit
from cli.finding import short_ids
from cli.problems import NotFound, Usage
from cli.screen import Screen
from cli.table import Column
from cli.text import duration, line, plural

if TYPE_CHECKING:
    from contracts.fleet import Wish
    from db.reports_workers import WorkerRow

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Names, or beginnings of them.")]
Everyone = Annotated[bool, typer.Option("--all", help="Every worker that is alive.")]


@app.callback()
def workers() -> None:
    """Worker processes, on all hosts."""


@app.command("list")
def list_workers(ctx: typer.Context) -> int:
    """Those that are alive, and what lost ones held. Exit 6 if some are lost."""
    screen: Screen = ctx.obj

    async def show(opened: Desk) -> int:
        found = await opened.reports.workers()
        columns = [
            Column("WORKER", lambda one: line(one.name), least=12),
            Column("STATE", _state),
            Column("VERSION", lambda one: line(one.version or "-")),
            Column("BUSY", lambda one: f"{one.busy}/{one.slots}", right=True),
            Column("MEMORY", _memory, right=True),
            Column("HEARTBEAT", lambda one: duration(one.heartbeat_seconds), right=True),
            Column("TASKS", _tasks, least=13),
        ]
        screen.list(found, columns, empty="No worker is on the list.")
        lost = [one for one in found if one.state == "lost"]
        held = [task for one in lost for task in one.lost]
        if held:
            screen.next(f"pricemill tasks show {held[0]}")
        else:
            screen.next("pricemill status" if found else "pricemill worker")
        return Exit.FINDINGS if lost else Exit.DONE

    return context.look(show)


def _state(one: WorkerRow) -> str:
    if one.state == "working" and one.asked:
        return f"asked to {one.asked}"
    return one.state


def _memory(one: WorkerRow) -> str:
    used = (one.snapshot or {}).get("own_mb")
    return f"{used:,} MB" if isinstance(used, int) else "-"


def _tasks(one: WorkerRow) -> str:
    tasks = one.lost if one.state == "lost" else one.holds
    if not tasks:
        return "-"
    told = " ".join(line(short) for short in list(short_ids(list(tasks)).values())[:3])
    more = f" +{len(tasks) - 3}" if len(tasks) > 3 else ""
    return f"{'held ' if one.state == 'lost' else ''}{told}{more}"


@app.command()
def drain(ctx: typer.Context, names: Names = None, everyone: Everyone = False) -> int:
    """Take nothing new; running tasks go on to their end. The worker stays, and takes tasks again with `resume`."""
    return _ask(ctx.obj, names, everyone, "drain", "take nothing new")


@app.command()
def recycle(ctx: typer.Context, names: Names = None, everyone: Everyone = False) -> int:
    """Stop running tasks behind their chunk, and leave with exit code 75, so that the supervisor starts it anew."""
    return _ask(ctx.obj, names, everyone, "recycle", "start anew")


@app.command()
def resume(ctx: typer.Context, names: Names = None, everyone: Everyone = False) -> int:
    """Take tasks again, after `drain`."""
    return _ask(ctx.obj, names, everyone, None, "take tasks again")


def _ask(screen: Screen, names: list[str] | None, everyone: bool, wish: Wish | None, told: str) -> int:
    if everyone == bool(names):
        raise Usage("give names of workers, or --all")

    async def act(opened: Any) -> int:
        alive = [one.name for one in await opened.reports.workers() if one.state != "lost"]
        chosen = alive if everyone else [_one(name, alive) for name in names or ()]
        reached = await opened.ledger.ask_workers(chosen, wish)
        seconds = opened.settings.heartbeat_seconds
        screen.answer(
            {"asked": wish, "workers": reached},
            lambda: [f"{plural(len(reached), 'worker')} will {told}, within {duration(seconds)}."],
        )
        screen.next("pricemill workers list")
        return Exit.DONE

    return context.run(act)


def _one(text: str, alive: list[str]) -> str:
    if text in alive:
        return text
    found = [name for name in alive if name.startswith(text)]
    if not found:
        raise NotFound(f"no worker that is alive is called {text!r}", next="pricemill workers list")
    if len(found) > 1:
        raise Usage(f"several workers begin with {text!r}; give more of the name", next="pricemill workers list")
    return found[0]
