"""`pricemill tasks`: list, show, retry, cancel and take back tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.command import command
from cli.confirm import agree
from cli.context import Desk
from cli.exits import Exit
from cli.finding import one_task, short_ids
from cli.options import After, DryRun, Reason, Yes
from cli.problems import NotFound, Usage
from cli.screen import Screen, plain
from cli.summary import buckets, understanding_lines
from cli.table import Column
from cli.tasks_snooze import snooze
from cli.text import count, line, plural, stamp
from contracts.account import Account
from contracts.errors import StateConflict

if TYPE_CHECKING:
    from db.reports_tasks import TaskDetail

app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.command()(snooze)

STATES = ("queued", "running", "retryable", "completed", "dead", "cancelled")


@app.callback()
def tasks() -> None:
    """Tasks: one price list to be loaded each."""


@app.command("list")
def list_tasks(
    ctx: typer.Context,
    *,
    state: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(STATES)}; may be repeated.")] = None,
    supplier: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    before: After = None,
) -> int:
    """Newest first."""
    screen: Screen = ctx.obj
    if wrong := [one for one in state or () if one not in STATES]:
        raise Usage(f"{wrong[0]!r} is no state; use {', '.join(STATES)}")
    if before is not None and not before.isdigit():
        raise Usage("--before takes the `next` of the page before")

    async def show(opened: Desk) -> int:
        from db.reports_tasks import TaskFilter

        which = TaskFilter(states=tuple(state or ()), supplier=supplier, limit=limit, before=before)
        page = await opened.reports.tasks(which)
        ids = short_ids([task.task_id for task in page.items])
        columns = [
            Column("TASK", lambda task: line(ids[task.task_id] if screen.manners.terminal else task.task_id)),
            Column("STATE", _state),
            Column("SUPPLIER", lambda task: line(task.supplier), least=8),
            Column("FILE", lambda task: line(task.source), least=10),
            Column("ROWS", lambda task: count(task.rows), right=True),
            Column("REJECTED", lambda task: count(task.rejected), right=True),
            Column("TRY", lambda task: f"{task.attempt}/{task.tries}", right=True),
            Column("ENQUEUED", lambda task: stamp(task.enqueued_at)),
        ]
        screen.list(page.items, columns, empty="No tasks.", following=page.next)
        screen.more("--before", page.next)
        if page.items:
            screen.next(command("tasks", "show", page.items[0].task_id))
        else:
            screen.next(command("tasks", "list") if state or supplier else "pricemill import FILE --supplier NAME")
        return Exit.DONE

    return context.look(show)


@app.command()
def show(ctx: typer.Context, task: Annotated[str, typer.Argument(help="Id, or the beginning of one.")]) -> int:
    """Everything that is known of one task."""
    screen: Screen = ctx.obj

    async def present(opened: Desk) -> int:
        detail = await opened.reports.task(await one_task(opened.reports, task))
        if detail is None:
            raise NotFound(f"there is no task {task!r}")
        screen.answer(detail, lambda: _lines(detail))
        if detail.dead_letter:
            screen.next(command("why", detail.task.task_id))
        elif detail.task.rejected:
            screen.next(command("rejected", "groups", "--task", detail.task.task_id))
        elif detail.blocked_by:
            screen.next(command("why", detail.task.task_id))
        else:
            screen.next(command("tasks", "list", "--supplier", detail.task.supplier))
        return Exit.DONE

    return context.look(present)


def _state(task: Any) -> str:
    if task.superseded_by:
        return "superseded"
    return "reverted" if task.reverted_at else str(task.state)


def _lines(detail: TaskDetail) -> Iterator[str]:
    task = detail.task
    outcome = f" ({task.outcome.replace('_', ' ')})" if task.outcome else ""
    yield f"Task      {line(task.task_id)}"
    since = ", cancel requested" if task.cancel_requested else ", taken back since" if detail.reverted_at else ""
    yield f"State     {task.state}{outcome}{since}"
    yield f"Supplier  {line(task.supplier)}"
    yield f"Source    {line(task.source)}  {task.parser}"
    if detail.source_sha256:
        yield f"          sha256 {detail.source_sha256}"
    yield f"Valid as  {stamp(detail.as_of)}"
    yield f"Enqueued  {stamp(task.enqueued_at)}  priority {task.priority}, attempt {task.attempt} of {task.tries}"
    if task.started_at:
        yield f"Started   {stamp(task.started_at)}"
    if task.finished_at:
        yield f"Ended     {stamp(task.finished_at)}"
    if task.superseded_by:
        yield f"Replaced  by {line(task.superseded_by)}, a newer version of the list"
    if task.queue != "default":
        yield f"Queue     {line(task.queue)}"
    if detail.blocked_by:
        yield f"Waits     for {line(detail.blocked_by)}, an older task of the same supplier"
    if detail.account:
        account = Account.from_document(detail.account)
        yield f"Rows      {buckets(account)}"
    if detail.understanding:
        yield from understanding_lines(detail.understanding)
    if detail.reverted_at is not None:
        yield f"Reverted  {_taken_back(detail)}"
    for attempt in detail.attempts:
        # A failure has a message; what was put back or cancelled only a reason.
        why = (attempt.error or {}).get("message") or (attempt.error or {}).get("reason")
        told = f": {line(str(why))}" if why else ""
        outcome = attempt.outcome or "running"
        yield f"Attempt   {attempt.epoch}. {stamp(attempt.started_at)}  {outcome} on {line(attempt.worker)}{told}"


def _taken_back(detail: TaskDetail) -> str:
    """When, by whom and why."""
    done = detail.reverted or {}
    because = f": {line(done['reason'])}" if done.get("reason") else ""
    return f"{stamp(detail.reverted_at)} by {line(done.get('by', '-'))}{because}"


@app.command()
def retry(
    ctx: typer.Context,
    task: Annotated[list[str], typer.Argument(help="Ids, or beginnings of them.")],
    reason: Reason = "",
    dry_run: DryRun = False,
) -> int:
    """Start dead or cancelled tasks again; they go on behind their last checkpoint."""
    screen: Screen = ctx.obj

    async def replay(opened: Any) -> int:
        ids = [await one_task(opened.reports, one) for one in task]
        details = [await opened.reports.task(one) for one in ids]
        for one, detail in zip(ids, details, strict=True):
            state = detail.task.state
            if detail.reverted_at is not None:
                raise StateConflict(
                    f"task {one} was taken back at {_taken_back(detail)}; it never runs again",
                    next="import the file anew",
                )
            if state not in {"dead", "cancelled"}:
                raise StateConflict(
                    f"task {one} is {state}; only dead and cancelled tasks are started again",
                    next=command("tasks", "show", one),
                )
        if dry_run:
            screen.answer({"would_retry": ids}, lambda: [f"Would retry {plural(len(ids), 'task')}."])
            return Exit.DONE
        following = await opened.ledger.replay(ids, actor=context.actor(), reason=reason)
        delivered = await context.deliver(opened, following)
        answer = {"retried": ids, "delivered": delivered}
        screen.answer(answer, lambda: [f"{plural(len(ids), 'task')} will be tried again."])
        screen.next(command("tasks", "show", ids[0]))
        return Exit.DONE

    return context.run(replay)


@app.command()
def cancel(
    ctx: typer.Context,
    task: Annotated[list[str], typer.Argument(help="Ids, or beginnings of them.")],
    reason: Reason = "",
    dry_run: DryRun = False,
) -> int:
    """End waiting tasks now; ask running ones to stop behind their chunk. Rows already committed stay."""
    screen: Screen = ctx.obj

    async def end(opened: Any) -> int:
        ids = [await one_task(opened.reports, one) for one in task]
        if dry_run:
            screen.answer({"would_cancel": ids}, lambda: [f"Would cancel {plural(len(ids), 'task')}."])
            return Exit.DONE
        answers = {one: await opened.ledger.cancel(one, actor=context.actor(), reason=reason) for one in ids}
        words = {
            "cancelled": "cancelled",
            "requested": "asked to stop behind its chunk",
            "ended": "had ended before; nothing was changed",
            "unknown": "is unknown",
        }
        screen.answer({"tasks": answers}, lambda: [f"{line(one)}  {words[said]}" for one, said in answers.items()])
        screen.next(command("tasks", "show", ids[0]))
        return Exit.REFUSED if "ended" in answers.values() else Exit.DONE

    return context.run(end)


@app.command()
def revert(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="Id, or the beginning of one.")],
    *,
    yes: Yes = False,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> int:
    """Take back what a task loaded: prices and names are what they were before, new items are withdrawn. The history
    keeps both; what later lists priced is left alone; the same file can be imported again."""
    screen: Screen = ctx.obj

    async def take_back(opened: Any) -> int:
        from db.revert import Reverts

        one = await one_task(opened.reports, task)
        detail = await opened.reports.task(one)
        if detail is not None and detail.reverted_at is not None:
            by = (detail.reverted or {}).get("by")
            document = {"reverted": one, "already": True, "at": plain(detail.reverted_at), "by": by}
            told = f"Nothing was changed: it was taken back already, at {_taken_back(detail)}."
            screen.answer(document, lambda: [told])
            screen.next(command("tasks", "show", one))
            return Exit.DONE
        async with Reverts.open(opened.database_url) as reverts:
            would = await reverts.revert(one, actor=context.actor(), reason=reason, keep=False)
            sentence = f"{plural(would.restored, 'price')} back, {plural(would.withdrawn, 'new item')} withdrawn"
            sentence += f", {would.left_alone:,} left that later lists priced" if would.left_alone else ""
            if dry_run:
                screen.answer({"would_revert": one, **plain(would)}, lambda: [f"Would take back: {sentence}."])
                return Exit.DONE
            number = would.restored + would.withdrawn
            if not agree(screen, f"take back task {line(one)}: {sentence}", count=number, yes=yes):
                return Exit.DONE
            done = await reverts.revert(one, actor=context.actor(), reason=reason)
        screen.answer({"reverted": one, **plain(done)}, lambda: [f"Taken back: {sentence}."])
        screen.next(command("tasks", "show", one))
        return Exit.DONE

    return context.run(take_back)
