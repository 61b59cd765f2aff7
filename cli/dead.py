"""`pricemill dead`: what nobody tries any more until a person decides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.command import command, filled
from cli.confirm import agree
from cli.context import Desk
from cli.dead_choice import Choice, choose
from cli.exits import Exit
from cli.finding import one_supplier, short_ids
from cli.options import After, DryRun, Everything, Reason, Supplier, Yes
from cli.problems import NotFound
from cli.safety import AFTER_ANSWER, YES, safe_to_retry
from cli.screen import Screen
from cli.table import Column
from cli.text import age, line, plural, stamp

if TYPE_CHECKING:
    from db.reports_errors import DeadGroup, DeadLetterDetail

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Ids = Annotated[list[str] | None, typer.Argument(help="Ids of dead letters or tasks, or beginnings of them.")]
Cause = Annotated[str | None, typer.Option(help="Only this cause, as in `pricemill dead groups`.")]


@app.callback()
def dead() -> None:
    """Dead letters: tasks that failed for good, and messages that never were tasks."""


@app.command()
def groups(ctx: typer.Context) -> int:
    """Open dead letters by cause."""
    screen: Screen = ctx.obj

    async def show(opened: Desk) -> int:
        found = await opened.reports.dead_letter_groups()
        now = datetime.now(UTC)
        columns = [
            Column("N", lambda group: f"{group.count:,}", right=True),
            Column("CAUSE", lambda group: group.code),
            Column("MESSAGE", lambda group: line(group.reason), least=20),
            Column("SUPPLIERS", _suppliers, least=10),
            Column("LAST", lambda group: f"{age(group.newest, now)} ago", right=True),
            Column("SAFE TO RETRY", safe_of),
        ]
        screen.list(found, columns, empty="No open dead letters.")
        if not found:
            screen.next(command("status"))
        elif safe_of(found[0]) == AFTER_ANSWER:
            screen.next(command("held", "list"))
        elif safe_of(found[0]) == YES:
            screen.next(command("dead", "retry", "--cause", found[0].code))
        else:
            screen.next(command("dead", "list", "--cause", found[0].code))
        return Exit.DONE

    return context.look(show)


def safe_of(group: DeadGroup) -> str:
    """Whether starting them again can help."""
    return safe_to_retry(group.code, group.category, group.disposition, asks=group.asks)


def _suppliers(group: Any) -> str:
    if group.supplier is None:
        return "-"
    return line(group.supplier) + (f" +{group.suppliers - 1}" if group.suppliers > 1 else "")


@app.command("list")
def list_dead(
    ctx: typer.Context,
    *,
    cause: Cause = None,
    supplier: Supplier = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    before: After = None,
) -> int:
    """Open dead letters, newest first."""
    screen: Screen = ctx.obj

    async def show(opened: Desk) -> int:
        from db.reports_errors import DeadFilter

        page = await opened.reports.dead_letters(DeadFilter(cause=cause, supplier=supplier, before=before, limit=limit))
        ids = short_ids([letter.id for letter in page.items])
        columns = [
            Column("LETTER", lambda letter: ids[letter.id][:8] if screen.manners.terminal else letter.id),
            Column("CAUSE", lambda letter: letter.code),
            Column("SUPPLIER", lambda letter: line(letter.supplier or "-"), least=8),
            Column("FILE", lambda letter: line(letter.source), least=10),
            Column("TRIES", lambda letter: str(letter.attempts), right=True),
            Column("DIED", lambda letter: stamp(letter.created_at)),
            Column("REASON", lambda letter: line(letter.reason), least=20),
        ]
        screen.list(page.items, columns, empty="No open dead letters.", following=page.next)
        screen.more("--before", page.next)
        screen.next(command("dead", "show", page.items[0].id) if page.items else command("status"))
        return Exit.DONE

    return context.look(show)


@app.command()
def show(ctx: typer.Context, letter: Annotated[str, typer.Argument(help="Id of a dead letter or a task.")]) -> int:
    """One dead letter: the whole message, the error, the last checkpoint."""
    screen: Screen = ctx.obj

    async def present(opened: Desk) -> int:
        chosen = await choose(opened.reports, [letter], Choice())
        detail = await opened.reports.dead_letter(chosen[0].id)
        if detail is None:
            raise NotFound(f"there is no dead letter {letter!r}", next=command("dead", "list"))
        screen.answer(detail, lambda: _lines(detail))
        if detail.letter.status == "open":
            screen.next(*(command("dead", verb, detail.letter.id) for verb in ("retry", "discard")))
        else:
            screen.next(command("dead", "list"))
        return Exit.DONE

    return context.look(present)


def _lines(detail: DeadLetterDetail) -> Iterator[str]:
    from cli.screen import dumps

    letter = detail.letter
    yield f"Letter    {letter.id}  {letter.status}"
    yield f"Task      {line(letter.task_id or '-')}"
    yield f"Supplier  {line(letter.supplier or '-')}"
    yield f"Source    {line(letter.source)}"
    yield f"Cause     {letter.code} ({letter.category})"
    yield f"Reason    {line(letter.reason)}"
    if letter.next_step:
        yield f"Remedy    {filled(line(letter.next_step), _known(detail))}"
    yield f"Died      {stamp(letter.created_at)} after {plural(letter.attempts, 'attempt')}"
    if detail.last_checkpoint:
        yield f"Reached   row {detail.last_checkpoint.get('cursor', {}).get('row', '-')}"
    if detail.closed_at:
        why = f": {line(detail.close_reason)}" if detail.close_reason else ""
        yield f"Closed    {stamp(detail.closed_at)} by {line(detail.closed_by or '-')}{why}"
    yield f"Message   {line(dumps(detail.message))}"


def _known(detail: DeadLetterDetail) -> dict[str, object]:
    source = (detail.message or {}).get("source_config") if isinstance(detail.message, dict) else None
    places = [source.get(name) for name in ("file_path", "url", "sheet_url")] if isinstance(source, dict) else []
    file = next((place for place in places if place), None)
    return {"TASK": detail.letter.task_id, "SUPPLIER": detail.letter.supplier, "FILE": file}


@app.command()
def retry(
    ctx: typer.Context,
    *,
    letters: Ids = None,
    cause: Cause = None,
    supplier: Supplier = None,
    everything: Everything = False,
    yes: Yes = False,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> int:
    """Start the tasks again; they go on behind their last checkpoint."""
    screen: Screen = ctx.obj

    async def replay(opened: Any) -> int:
        if supplier is not None:
            await one_supplier_or_dead(opened, supplier)
        found = await choose(opened.reports, letters or [], Choice(cause, supplier, everything))
        tasks = [letter.task_id for letter in found if letter.task_id]
        never = len(found) - len(tasks)
        if not _go_on(screen, "retry", len(tasks), bulk=not letters, yes=yes, dry_run=dry_run, ids=tasks):
            return Exit.DONE
        following, changed = [], 0
        for start in range(0, len(tasks), 1000):
            part = await opened.ledger.replay(tasks[start : start + 1000], actor=context.actor(), reason=reason)
            following += part
        changed = len(tasks) - len(await opened.reports.dead_letters_of(tasks))
        delivered = await context.deliver(opened, following)
        answer = {"retried": changed, "not_a_task": never, "delivered": delivered}
        told = (
            f", {plural(never, 'message')} that never {'was a task' if never == 1 else 'were tasks'} left"
            if never
            else ""
        )
        screen.answer(answer, lambda: [f"{plural(changed, 'task')} will be tried again{told}."])
        screen.next("pricemill status")
        return Exit.DONE

    return context.run(replay)


@app.command()
def discard(
    ctx: typer.Context,
    *,
    letters: Ids = None,
    cause: Cause = None,
    supplier: Supplier = None,
    everything: Everything = False,
    yes: Yes = False,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> int:
    """Close dead letters for good; their tasks stay dead, their rows stay as they are."""
    screen: Screen = ctx.obj

    async def close(opened: Any) -> int:
        if supplier is not None:
            await one_supplier_or_dead(opened, supplier)
        found = await choose(opened.reports, letters or [], Choice(cause, supplier, everything))
        ids = [letter.id for letter in found]
        if not _go_on(screen, "discard", len(ids), bulk=not letters, yes=yes, dry_run=dry_run, ids=ids):
            return Exit.DONE
        closed = await opened.ledger.discard(ids, actor=context.actor(), reason=reason)
        screen.answer({"discarded": closed}, lambda: [f"{plural(closed, 'dead letter')} discarded."])
        screen.next(command("dead", "groups"))
        return Exit.DONE

    return context.run(close)


async def one_supplier_or_dead(opened: Any, supplier: str) -> None:
    """A supplier whose first list died has no row yet, but may have dead letters."""
    from db.reports_errors import DeadFilter

    if not (await opened.reports.dead_letters(DeadFilter(supplier=supplier, limit=1))).items:
        await one_supplier(opened.reports, supplier)


def _go_on(screen: Screen, verb: str, number: int, *, bulk: bool, yes: bool, dry_run: bool, ids: list[Any]) -> bool:
    """False: nothing is to be done (any more), and that was said."""
    if dry_run or not number:
        answer = {f"would_{verb}": number, "ids": ids}
        screen.answer(
            answer, lambda: [f"Would {verb} {plural(number, 'dead letter')}." if number else "Nothing to do."]
        )
        screen.next(screen.again("--dry-run") if number and dry_run else command("dead", "groups"))
        return False
    return not bulk or agree(screen, f"{verb} {plural(number, 'dead letter')}", count=number, yes=yes)
