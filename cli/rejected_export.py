"""`pricemill rejected export`: the rejected rows of a list, as a file that the supplier can mend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.command import command
from cli.context import Desk
from cli.exits import Exit
from cli.finding import one_task
from cli.problems import Failed, NotFound, Usage
from cli.screen import Screen
from cli.text import line, plural

if TYPE_CHECKING:
    from db.reports_rejected import OpenReject
    from parsers.rejected_list import RejectedLine


def export(
    ctx: typer.Context,
    *,
    task: Annotated[str, typer.Option(help="Whose rows: an id, or the beginning of one.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Ends in .xlsx (with comments) or .csv.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> int:
    """Write the open rejected rows in the supplier's own columns, with the reason on each bad cell. No cell of it can
    start a formula."""
    screen: Screen = ctx.obj
    kind = out.suffix.lower()
    if kind not in {".xlsx", ".csv"}:
        raise Usage(f"{out} ends neither in .xlsx nor in .csv")
    if out.exists() and not force:
        raise Usage(f"{out} is there already; --force writes over it")

    async def act(opened: Desk) -> int:
        from parsers.rejected_list import write_csv, write_xlsx

        task_id = await one_task(opened.reports, task)
        detail = await opened.reports.task(task_id)
        if detail is None:
            raise Failed(f"task {task_id} is gone")
        columns = (detail.understanding or {}).get("columns", [])
        places = {name: column["index"] for column in columns for name in (column["key"], column["field"]) if name}
        width = max((column["index"] for column in columns), default=-1) + 1
        header = [""] * width
        for column in columns:
            header[column["index"]] = column["header"]
        lines = [_line(reject, places) async for reject in opened.reports.open_rejects(task_id)]
        if not lines:
            raise NotFound(f"task {task_id} has no open rejected rows", next=command("rejected", "groups"))
        draft = out.with_name(f".{out.name}.new")
        count = (write_xlsx if kind == ".xlsx" else write_csv)(draft, header, lines)
        draft.replace(out)
        screen.answer({"file": str(out), "rows": count}, lambda: [f"{plural(count, 'row')} written to {line(out)}"])
        screen.next("send the file to the supplier; import their answer as a new list")
        return Exit.DONE

    return context.look(act)


def _line(reject: OpenReject, places: dict[str, Any]) -> RejectedLine:
    from contracts.reasons import REASONS
    from parsers.rejected_list import RejectedLine

    comments: dict[int, str] = {}
    for code, field, sentence in reject.reasons:
        remedy = f". {REASONS[code].fix.capitalize()}" if code in REASONS and REASONS[code].fix else ""
        place = places.get(field or "", -1)
        comments[place] = "; ".join(filter(None, (comments.get(place), f"{sentence}{remedy}")))
    return RejectedLine(reject.row, reject.cells, comments)
