"""`pricemill explain`: where a number comes from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cli import context
from cli.command import command
from cli.context import Desk
from cli.exits import Exit
from cli.finding import one_supplier
from cli.problems import NotFound
from cli.screen import Screen, plain
from cli.table import Column, render
from cli.text import line, money, stamp
from contracts.errors import PricemillError

if TYPE_CHECKING:
    from db.reports_prices import Explanation, Origin

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback()
def explain() -> None:
    """Where a number comes from."""


@app.command()
def price(
    ctx: typer.Context,
    supplier: Annotated[str, typer.Argument()],
    sku: Annotated[str, typer.Argument(metavar="SKU")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Earlier prices to show.")] = 10,
) -> int:
    """Back to task, file, sheet and row; with the raw cells, as far as they were kept."""
    screen: Screen = ctx.obj

    async def show(opened: Desk) -> int:
        name = await one_supplier(opened.reports, supplier)
        found = await opened.reports.explain_price(name, sku, limit=limit)
        if found is None:
            raise NotFound(f"{name!r} has no item {sku!r}", next=command("suppliers", "show", name))
        cells = await _cells(opened, found.origin)
        document = plain(found)
        if document["origin"] is not None:
            document["origin"]["cells"] = cells
        screen.answer(document, lambda: _lines(found, cells))
        if found.origin:
            screen.next(command("tasks", "show", found.origin.task_id))
        else:
            screen.next(command("suppliers", "show", name))
        return Exit.DONE

    return context.look(show)


async def _cells(opened: Desk, origin: Origin | None) -> list[str | None] | None:
    """The row as it stands in the snapshot of its task, where that is still kept with the very same bytes."""
    from cli.reading import raw_cells
    from parsers.spool import kept
    from pipeline.run import spool_of

    if origin is None:
        return None
    source = await asyncio.to_thread(kept, spool_of(opened.settings, origin.task_id))
    detail = await opened.reports.task(origin.task_id)
    if source is None or detail is None or source.sha256 != origin.source_sha256:
        return None
    try:
        return await raw_cells(opened.settings, detail.task.parser, detail.message["source_config"], source, origin.row)
    except PricemillError:
        return None


def _lines(found: Explanation, cells: list[str | None] | None) -> Iterator[str]:
    item, origin = found.item, found.origin
    basis = "" if item.price_basis == 1 else f" per {item.price_basis.normalize():f}"
    unit = f" {line(item.unit)}" if item.unit else ""
    yield f"Price     {money(item.price, item.currency)}{basis}{unit}"
    if item.withdrawn_at is not None:
        yield f"Withdrawn {stamp(item.withdrawn_at)}: the list that brought it was taken back"
    if item.currency == "XXX":
        yield "          the list states no currency"
    yield f"Item      {line(item.sku)}  {line(item.name)}"
    yield f"Supplier  {line(item.supplier)}"
    if item.product:
        yield f"Product   {line(item.product)}"
    yield f"Valid as  {stamp(found.history[0].as_of if found.history else item.as_of)}"
    if origin is None:
        yield "From      a task that is gone"
    else:
        sheet = f", sheet “{line(origin.sheet)}”" if origin.sheet else ""
        yield f"From      {line(origin.source)}{sheet}, row {origin.row:,}"
        if origin.column:
            sign = {".": ", decimal point", ",": ", decimal comma"}.get((origin.numbers or {}).get("decimal") or "", "")
            yield f"Column    {line(origin.column)}{sign}"
        if cells:
            yield f"Cells     {' | '.join(line(cell) if cell is not None else '' for cell in cells)}"
        if origin.source_sha256:
            yield f"Bytes     sha256 {origin.source_sha256}"
        if origin.location and origin.location != origin.source:
            yield f"Location  {line(origin.location)}"
        yield f"Task      {line(origin.task_id)}"
        worker = f" on {line(origin.worker)}" if origin.worker else ""
        [loaded] = [one.recorded_at for one in found.history if one.event == "loaded"][:1]
        yield f"Loaded    {stamp(loaded)}{worker}"
    if found.history:
        yield ""
        yield from render(_HISTORY, found.history)


_EVENTS = {"loaded": "", "taken_back": " (taken back)", "restored": " (taken back: this price holds again)"}
_HISTORY = [
    Column("VALID AS", lambda change: stamp(change.as_of)),
    Column("PRICE", lambda change: money(change.price, change.currency), right=True),
    Column("PER", lambda change: f"{change.price_basis.normalize():f}", right=True),
    Column("FILE", lambda change: line(change.source), least=10),
    Column("ROW", lambda change: f"{change.row:,}", right=True),
    Column("TASK", lambda change: line(change.task_id or "-") + _EVENTS[change.event]),
]
