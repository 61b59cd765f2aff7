"""`pricemill import`: one price list, from a file, an address or a Google Sheet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.command import command, filled
from cli.exits import Exit
from cli.hand_in import HandedIn, hand_in, is_address, megabytes, of_address, recognise
from cli.manners import FOREVER
from cli.order import Wishes, make_task
from cli.problems import Failed, Usage
from cli.question_view import propose_answer, question_lines
from cli.screen import Screen
from cli.summary import buckets, ignored, understanding_lines
from cli.text import duration, line, plural, span
from contracts.account import Account
from contracts.band import HELD

if TYPE_CHECKING:
    from db.reports_questions import HeldList
    from db.reports_tasks import TaskDetail
    from workers.app import App

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def load(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FILE|URL")],
    *,
    supplier: Annotated[str, typer.Option(help="Whose list this is.")],
    wait: Annotated[str | None, typer.Option(metavar="[=5m]", help="Until it is loaded, or so long at most.")] = None,
    check: Annotated[bool, typer.Option("--check", "--dry-run", help="Read and judge every row, load none.")] = False,
    currency: Annotated[
        str | None, typer.Option(metavar="EUR", help="Of all prices, where no column says it row by row.")
    ] = None,
    decimal: Annotated[str | None, typer.Option(metavar=",|.", help="The decimal sign, if it is in doubt.")] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Header, letter or zero-based index; repeatable."),
    ] = None,
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="From when the prices hold; else from now.")] = None,
    priority: Annotated[str, typer.Option(help="low, normal or high.")] = "normal",
    key: Annotated[str | None, typer.Option(help="The same key is accepted once only.")] = None,
    parser: Annotated[str | None, typer.Option(help="Instead of the one the file calls for.")] = None,
) -> int:
    """Load a price list. Returns at once with the task's id, or with --wait when the list is loaded: exit 6 if rows
    were rejected or held, 5 if a question holds the whole list, 1 if the task is dead, 124 if the wait ran out."""
    screen: Screen = ctx.obj
    patience = _patience(wait)
    wishes = Wishes(supplier, sheet, currency, decimal, tuple(column or ()), as_of, priority, key, parser)
    screen.known |= {"FILE": source, "SUPPLIER": supplier}
    settings = context.load_settings()
    if check:
        from cli.dry_run import check_list

        return check_list(screen, settings, source, wishes)
    if is_address(source):
        handed = of_address(source)
    else:
        recognise(Path(source))
        handed = hand_in(Path(source), context.inbox(settings), settings.source_roots)
    task = make_task(handed, wishes)

    async def accept(opened: App) -> int:
        before = await opened.reports.same_bytes(supplier, handed.sha256) if handed.sha256 else None
        answer = await opened.producer.enqueue(task)
        if wait is None:
            _accepted(screen, handed, answer, before)
            return Exit.DONE
        from cli.waiting import wait_for

        screen.say(*_handed(handed), f"Task      {line(answer.task_id)}")
        await wait_for(screen, opened, [answer.task_id], total=handed.lines, seconds=patience)
        detail = await opened.reports.task(answer.task_id)
        if detail is None:
            raise Failed(f"task {answer.task_id} is gone")
        return await conclude(screen, opened, detail, before)

    return context.run(accept, settings=settings)


def _patience(wait: str | None) -> float | None:
    if wait is None or wait == FOREVER:
        return None
    try:
        return span(wait).total_seconds()
    except ValueError:
        raise Usage(f"--wait={wait} is no duration; use 90, 5m or 2h") from None


def _handed(handed: HandedIn) -> Iterator[str]:
    size = f"  {megabytes(handed.size)}" if handed.size is not None else ""
    digest = f"  sha256 {handed.sha256[:8]}" if handed.sha256 else ""
    yield f"Source    {line(handed.name)}{size}{digest}"


def _accepted(screen: Screen, handed: HandedIn, answer: Any, before: str | None) -> None:
    document = {
        "task_id": answer.task_id,
        "created": answer.created,
        "delivered": answer.delivered,
        "parser_type": handed.parser_type,
        "sha256": handed.sha256,
        "same_bytes_as": before,
    }
    state = "accepted" if answer.created else "this key was accepted before; nothing new"
    screen.answer(document, lambda: [*_handed(handed), f"Task      {line(answer.task_id)}  {state}"])
    if before:
        screen.note(f"The same bytes were loaded by task {before}.")
    if not answer.delivered:
        screen.note("Redis is away; the task is delivered when it is back.")
    screen.next(command("tasks", "show", answer.task_id))


async def conclude(screen: Screen, opened: App, detail: TaskDetail, before: str | None) -> int:
    """The summary of a task that has ended; the exit code says how."""
    task = detail.task
    if task.state == "dead" and (lists := await opened.reports.open_questions(task_id=task.task_id)):
        return _asks(screen, lists[0])
    if task.state != "completed":
        await _died(opened, detail)
    account = Account.from_document(detail.account) if detail.account else Account()
    groups = await opened.reports.rejected_groups(task_id=task.task_id) if account.rejected else ()
    document = {"task_id": task.task_id, "state": task.state, "same_bytes_as": before, "result": detail.result}
    screen.answer(document, lambda: _lines(screen, detail, account, groups, before))
    if account.held.total():
        screen.next(command("held", "show", task.task_id))
    elif account.rejected:
        screen.next(command("rejected", "groups", "--task", task.task_id))
    else:
        screen.next(command("suppliers", "show", task.supplier))
    return Exit.FINDINGS if account.rejected or account.held else Exit.DONE


def _asks(screen: Screen, held: HeldList) -> int:
    document = {"task_id": held.task_id, "state": "held", "question": held.question.document()}
    told = screen.paint("Held", "bold", "yellow")
    first = f"{told}      {line(held.task_id)}: nothing is loaded"
    screen.answer(document, lambda: [first, *question_lines(held.question)])
    propose_answer(screen, held)
    return Exit.REFUSED


async def _died(opened: App, detail: TaskDetail) -> None:
    """Raises Failed with the reason."""
    if detail.task.state == "cancelled":
        raise Failed(f"task {detail.task.task_id} was cancelled", next=command("tasks", "retry", detail.task.task_id))
    letter = await opened.reports.dead_letter(detail.dead_letter) if detail.dead_letter else None
    if letter is None:
        raise Failed(f"task {detail.task.task_id} is {detail.task.state}")
    step = filled(letter.letter.next_step, {"TASK": detail.task.task_id, "SUPPLIER": detail.task.supplier})
    raise Failed(
        f"{letter.letter.reason} ({letter.letter.code}); the task is dead, nothing more is tried",
        next=f"{step}; then {command('dead', 'retry', letter.letter.id)}"
        if step
        else command("dead", "show", letter.letter.id),
    )


def _turnover(detail: TaskDetail) -> Iterator[str]:
    """Warnings about the list as a whole; those about how it is read are told with that."""
    understanding = detail.understanding or {}
    told = {*understanding.get("warnings", ()), *(understanding.get("description") or {}).get("notes", ())}
    yield from (warning for warning in (detail.result or {}).get("warnings", ()) if warning not in told)


def _lines(
    screen: Screen, detail: TaskDetail, account: Account, groups: tuple[Any, ...], before: str | None
) -> Iterator[str]:
    task = detail.task
    if detail.understanding:
        yield from understanding_lines(detail.understanding)
    took = (task.finished_at - task.started_at).total_seconds() if task.finished_at and task.started_at else None
    speed = f", {account.read / took:,.0f} rows/s" if took and account.read > 1000 else ""
    worker = f" on {line(detail.attempts[0].worker)}" if detail.attempts else ""
    yield f"{screen.paint('Done', 'bold', 'green')}      {line(task.task_id)} in {duration(took)}{worker}{speed}"
    yield f"          {buckets(account)}"
    if account.ignored:
        yield f"          Ignored: {ignored(account)}"
    for warning in _turnover(detail):
        yield f"          {screen.paint(line(warning), 'yellow')}"
    for reason, number in account.held.most_common():
        if number:
            yield f"          {screen.paint(f'Held {number:,}', 'yellow')}: {HELD.get(reason, reason)}"
    if before:
        yield f"          The same bytes were loaded by task {line(before)}."
    for group in groups:
        yield f"          {screen.paint(f'Rejected {group.count:,}', 'yellow')}: {line(group.reason)} (row {group.row})"
        yield f"            Remedy: {line(group.fix)}"
    if len(groups) > 1:
        yield f"          {plural(len(groups), 'cause')} in all."
