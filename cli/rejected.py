"""`pricemill rejected`: rows that were not loaded, why, and what helps."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import context
from cli.command import command
from cli.context import Desk
from cli.exits import Exit
from cli.finding import SHORTEST, one_supplier, one_task
from cli.options import After, Supplier, Task
from cli.rejected_export import export
from cli.rejected_fix import fix, replay
from cli.rejected_rules import proposal, ready
from cli.screen import Screen, plain
from cli.table import Column, render
from cli.text import count, line

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback()
def rejected() -> None:
    """Rejected rows; each stands here exactly once per task."""


app.command()(fix)
app.command()(replay)
app.command()(export)


@app.command()
def groups(
    ctx: typer.Context,
    task: Task = None,
    supplier: Supplier = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
) -> int:
    """By cause and value, with the options of `pricemill rejected fix` that would mend each. Only rows that nobody has
    dealt with; without --task or --supplier, of the last seven days."""
    screen: Screen = ctx.obj

    async def show(opened: Desk) -> int:
        task_id, name = await _scope(opened, task, supplier)
        found = await opened.reports.rejected_causes(task_id=task_id, supplier=name, limit=limit)
        if screen.manners.form == "json":
            shown = [{**plain(cause), "proposal": proposal(cause)} for cause in found]
            screen.answer({"groups": shown}, lambda: ())
            return Exit.DONE
        screen.list(found, _CAUSE, empty="No rejected rows are open.")
        mendable = next((cause for cause in found if ready(proposal(cause))), None)
        if mendable is not None:
            told = command("rejected", "fix", "--task", mendable.task_id, "--cause", mendable.code)
            screen.next(f"{told} {proposal(mendable)} --check")
        elif found:
            task_id = found[0].task_id
            out = f"rejected-{task_id[:SHORTEST]}.xlsx"
            screen.next(command("rejected", "export", "--task", task_id, "--out", out))
        else:
            screen.next(command("tasks", "list"))
        return Exit.DONE

    return context.look(show)


@app.command("list")
def list_rejected(
    ctx: typer.Context,
    *,
    task: Task = None,
    supplier: Supplier = None,
    cause: Annotated[str | None, typer.Option(help="Only this reason code.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    after: After = None,
) -> int:
    """Row by row: file, sheet, row, column, value, reason; of a task in file order, else newest first."""
    screen: Screen = ctx.obj

    async def show(opened: Desk) -> int:
        from db.reports_rejected import RejectedFilter

        task_id, name = await _scope(opened, task, supplier)
        page = await opened.reports.rejected(
            RejectedFilter(task_id=task_id, supplier=name, code=cause, after=after, limit=limit)
        )
        found = await opened.reports.rejected_groups(task_id=task_id, supplier=name)
        if cause:
            found = tuple(group for group in found if group.code == cause)
        if screen.manners.form == "json":
            items = plain([plain(row) for row in page.items])
            screen.answer({"items": items, "next": page.next, "groups": plain(list(found))}, lambda: ())
            return Exit.DONE
        if screen.human and page.items and not screen.manners.fields:
            screen.say(*render(_GROUP, found), "")
        screen.list(page.items, _ROW, empty="No rejected rows.", following=page.next)
        screen.more("--after", page.next)
        if page.items:
            screen.next(command("rejected", "groups", "--task", page.items[0].task_id))
        else:
            screen.next(command("tasks", "list"))
        return Exit.DONE

    return context.look(show)


async def _scope(opened: Any, task: str | None, supplier: str | None) -> tuple[str | None, str | None]:
    task_id = None if task is None else await one_task(opened.reports, task)
    name = None if supplier is None or task_id else await one_supplier(opened.reports, supplier)
    return task_id, name


_GROUP = [
    Column("N", lambda group: count(group.count), right=True),
    Column("CAUSE", lambda group: group.code),
    Column("FIRST", lambda group: f"row {group.row:,}" if group.row else "-"),
    Column("REASON", lambda group: line(group.reason), least=20),
    Column("REMEDY", lambda group: line(group.fix), least=20),
]

_CAUSE = [
    Column("N", lambda cause: count(cause.count), right=True),
    Column("SUPPLIER", lambda cause: line(cause.supplier), least=8),
    Column("CAUSE", lambda cause: cause.code),
    Column("FIELD", lambda cause: line(cause.field or "-")),
    Column("VALUE", lambda cause: line(cause.value) if cause.value else "-", least=8),
    Column("FIRST", lambda cause: f"row {cause.row:,}" if cause.row else "-"),
    Column("TASK", lambda cause: line(cause.task_id)[:13]),
    Column("FIX", lambda cause: proposal(cause) or line(cause.fix), least=20),
]

_ROW = [
    Column("FILE", lambda row: line(row.source), least=10),
    Column("SHEET", lambda row: line(row.sheet or "-"), least=5),
    Column("ROW", lambda row: count(row.row), right=True),
    Column("COLUMN", lambda row: line(row.field or "-"), least=8),
    Column("VALUE", lambda row: line(row.value) if row.value else "-", least=8),
    Column("REASON", lambda row: line(row.reason), least=20),
    Column("REMEDY", lambda row: line(row.fix), least=12),
]
