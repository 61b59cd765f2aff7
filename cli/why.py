"""`pricemill why`: the cause, what shows it, and what is safe to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from cli import context, why_all, why_task
from cli.context import Desk
from cli.diagnosis import Finding, lines
from cli.exits import Exit
from cli.finding import one_supplier, one_task
from cli.problems import NotFound
from cli.screen import Screen, plain

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def why(
    ctx: typer.Context,
    subject: Annotated[
        str | None, typer.Argument(metavar="[TASK|SUPPLIER]", help="Id of a task or the beginning of one; a supplier.")
    ] = None,
) -> int:
    """Why a task, a supplier or the whole is as it is: cause, evidence, effect, what is safe to do and what is not
    now. From the ledger, so it works while Redis is away. Exit 6 if there is something to look at, 1 if nothing
    works, 0 if nothing is wrong."""
    screen: Screen = ctx.obj

    async def tell(opened: Desk) -> int:
        found: Sequence[Finding]
        if subject is None:
            found = why_all.explain(await _seen(opened, None))
        elif await opened.reports.supplier(subject) is not None:
            found = why_all.explain(await _seen(opened, subject))
        else:
            found = await _of_task_or_supplier(opened, subject)
        screen.answer({"findings": plain(list(found))}, lambda: lines(screen, found))
        if step := next((step for step in found[0].safe), None):
            screen.next(step.command)
        return max((one.code for one in found), key=_RANK.index)

    return context.look(tell)


_RANK = (Exit.DONE, Exit.FINDINGS, Exit.FAILED)


async def _of_task_or_supplier(opened: Desk, subject: str) -> Sequence[Finding]:
    if await opened.reports.find_tasks(subject):
        return [why_task.explain(await _known(opened, await one_task(opened.reports, subject)))]
    # A supplier of whom nothing was loaded yet may have tasks all the same.
    seen = await _seen(opened, subject)
    if seen.last_task is not None or seen.pauses or seen.dead:
        return why_all.explain(seen)
    await one_supplier(opened.reports, subject)
    raise NotFound(f"there is no task or supplier {subject!r}")


async def _seen(opened: Desk, supplier: str | None) -> why_all.Seen:
    from db.reports_held import HeldFilter
    from db.reports_tasks import TaskFilter

    reports = opened.reports
    status = await reports.status()
    tasks = () if supplier is None else (await reports.tasks(TaskFilter(supplier=supplier, limit=1))).items
    held = status.held_rows
    running = status.running
    if supplier is not None:
        held = len((await reports.held_prices(HeldFilter(supplier=supplier, limit=10_000))).items)
        running = sum(run.supplier == supplier for run in status.runs)
    return why_all.Seen(
        now=status.now,
        supplier=supplier,
        waiting=await reports.waiting(supplier=supplier),
        alive=sum(worker.alive for worker in status.workers),
        running=running,
        held_prices=held,
        pauses=await reports.pauses(supplier=supplier),
        retrying=await reports.retrying(supplier=supplier),
        dead=await reports.dead_letter_groups(supplier=supplier),
        questions=await reports.open_questions(supplier=supplier),
        last_task=tasks[0].task_id if tasks else None,
    )


async def _known(opened: Desk, task_id: str) -> why_task.Known:
    from db.reports_held import HeldFilter

    reports = opened.reports
    detail = await reports.task(task_id)
    if detail is None:
        raise NotFound(f"there is no task {task_id!r}")
    status = await reports.status()
    questions = await reports.open_questions(task_id=task_id)
    letter = None if detail.dead_letter is None else await reports.dead_letter(detail.dead_letter)
    groups = {} if letter is None else {group.code: group.count for group in await reports.dead_letter_groups()}
    return why_task.Known(
        now=status.now,
        detail=detail,
        question=questions[0] if questions else None,
        letter=letter,
        alike=0 if letter is None else groups.get(letter.letter.code, 0),
        pauses=await reports.pauses(task_id=task_id),
        blocker=None if detail.blocked_by is None else await reports.task(detail.blocked_by),
        behind=await reports.behind(task_id),
        alive=sum(worker.alive for worker in status.workers),
        held=len((await reports.held_prices(HeldFilter(task_id=task_id, limit=10_000))).items),
        rejected=sum(cause.count for cause in await reports.rejected_causes(task_id=task_id, limit=10_000)),
    )
