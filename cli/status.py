"""`pricemill status`: the verdict and the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli import context
from cli.context import Desk
from cli.exits import Exit
from cli.finding import short_ids
from cli.queues import columns
from cli.screen import Screen, plain
from cli.status_watch import keep_watching
from cli.table import Column
from cli.text import age, count, duration, line, plural

if TYPE_CHECKING:
    from db.reports_queues import QueueRow
    from db.reports_status import Status

app = typer.Typer(add_completion=False, rich_markup_mode=None)

LATE_SECONDS = 120.0
"""A due task that has waited longer makes the installation degraded."""


@app.command()
def status(
    ctx: typer.Context,
    watch: Annotated[str | None, typer.Option(metavar="[=2s]", help="Again and again, until Ctrl-C.")] = None,
) -> int:
    """What waits, what runs, what is dead, how fast it goes. Exit 6 if degraded, 1 if nothing works on it."""
    screen: Screen = ctx.obj

    async def show(opened: Desk, to: Screen) -> int:
        return present(to, await opened.reports.status(), await opened.reports.queues())

    if watch is not None:
        return keep_watching(screen, watch, show)
    return context.look(lambda opened: show(opened, screen))


def verdict(status: Status) -> tuple[Exit, str, str]:
    """Exit code, word and reason; the worst that holds."""
    alive = [worker for worker in status.workers if worker.alive]
    late = status.oldest_due_seconds is not None and status.oldest_due_seconds > LATE_SECONDS
    if late and not alive:
        return Exit.FAILED, "Unhealthy", f"tasks wait for {duration(status.oldest_due_seconds)} and no worker is alive"
    if late:
        return Exit.FINDINGS, "Degraded", f"the oldest due task waits for {duration(status.oldest_due_seconds)}"
    if status.dead:
        return Exit.FINDINGS, "Degraded", f"{plural(status.dead, 'dead letter')} to look at"
    if status.held_lists or status.held_rows:
        return Exit.FINDINGS, "Degraded", f"{_held(status)} for a person"
    if status.due and not alive:
        return Exit.FINDINGS, "Degraded", f"{plural(status.due, 'task')} due and no worker is alive"
    return Exit.DONE, "Healthy", "nothing waits too long, nothing is dead"


def _held(status: Status) -> str:
    parts = [(status.held_lists, "list"), (status.held_rows, "price")]
    number = status.held_lists + status.held_rows
    return " and ".join(plural(held, noun) for held, noun in parts if held) + (" waits" if number == 1 else " wait")


def present(screen: Screen, status: Status, queues: Sequence[QueueRow] = ()) -> int:
    """Prints the status; returns the exit code. The queues are a table of their own where there are several, or one is
    paused."""
    code, word, reason = verdict(status)
    document = {"status": word.lower(), "reason": reason, **plain(status), "queues": plain(list(queues))}
    screen.answer(document, lambda: _lines(screen, status, code, word, reason))
    if screen.human and not screen.manners.fields and (len(queues) > 1 or any(one.paused_by for one in queues)):
        screen.say("")
        screen.list(queues, columns(), empty="")
    if screen.human and not screen.manners.fields and status.runs:
        screen.say("")
        screen.list(status.runs, _columns(status), empty="")
    if status.dead:
        screen.next("pricemill dead groups")
    elif status.held_lists or status.held_rows:
        screen.next("pricemill held list")
    elif status.due and not any(worker.alive for worker in status.workers):
        screen.next("pricemill worker")
    elif status.runs or status.queued or status.retryable:
        screen.next("pricemill tasks list")
    else:
        screen.next("pricemill import FILE --supplier NAME")
    return code


def _lines(screen: Screen, status: Status, code: Exit, word: str, reason: str) -> list[str]:
    mark, style = {Exit.DONE: ("●", "green"), Exit.FINDINGS: ("▲", "yellow"), Exit.FAILED: ("✖", "red")}[code]
    alive = [worker for worker in status.workers if worker.alive]
    lost = len(status.workers) - len(alive)
    waiting = status.queued + status.retryable
    due = f"  {count(status.due)} due, the oldest for {duration(status.oldest_due_seconds)}" if status.due else ""
    speed = f"{status.rows_per_minute:,.0f} / min"
    bad = status.rejected_per_minute / status.rows_per_minute if status.rows_per_minute else 0.0
    slots = sum(worker.slots for worker in alive)
    return [
        f"{screen.paint(mark, style)} {screen.paint(word, 'bold')}  {reason}",
        "",
        f"Waiting  {count(waiting):<10}{due}".rstrip(),
        *([f"Paused   {count(status.held_back)} held back; see pricemill queues list"] if status.held_back else []),
        f"Running  {count(status.running)}",
        f"Retry    {count(status.retryable)}",
        f"Dead     {count(status.dead)} open",
        f"Held     {plural(status.held_lists, 'list')}, {plural(status.held_rows, 'price')}",
        f"Ended    {count(status.finished_today)} in the last 24 h",
        f"Rows     {speed:<13} {100 * bad:.1f} % rejected, over the last 10 min",
        f"Workers  {len(alive)} alive, {plural(slots, 'slot')}" + (f", {lost} lost" if lost else ""),
    ]


def _columns(status: Status) -> list[Column]:
    ids = short_ids([run.task_id for run in status.runs])
    return [
        Column("TASK", lambda run: line(ids[run.task_id])),
        Column("SUPPLIER", lambda run: line(run.supplier), least=8),
        Column("FILE", lambda run: line(run.source), least=8),
        Column("ROWS", lambda run: count(run.rows), right=True),
        Column("REJECTED", lambda run: count(run.rejected), right=True),
        Column("FOR", lambda run: age(run.started_at, status.now), right=True),
        Column("TRY", lambda run: f"{run.attempt}/{run.tries}", right=True),
        Column("WORKER", lambda run: line(run.worker or "-"), least=8),
    ]
