"""`pricemill suppliers`: whom we buy from, and how their lists are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cli import context, profiles
from cli.command import command
from cli.context import Desk
from cli.exits import Exit
from cli.finding import one_supplier
from cli.options import After
from cli.pauses import pause_supplier, resume_supplier
from cli.problems import NotFound
from cli.screen import Screen
from cli.suppliers_expect import expect, rhythm_of
from cli.table import Column, render
from cli.text import count, line, money, stamp

if TYPE_CHECKING:
    from db.reports_prices import ItemRow, SupplierRow

app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.add_typer(profiles.app, name="profile")
app.command()(expect)
app.command("pause")(pause_supplier)
app.command("resume")(resume_supplier)

Name = Annotated[str, typer.Argument(metavar="SUPPLIER")]


@app.callback()
def suppliers() -> None:
    """Suppliers; one appears with its first list."""


@app.command("list")
def list_suppliers(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    after: After = None,
) -> int:
    """By name."""
    screen: Screen = ctx.obj

    async def show(opened: Desk) -> int:
        page = await opened.reports.suppliers(after=after, limit=limit)
        columns = [
            Column("SUPPLIER", lambda one: line(one.name), least=12),
            Column("ITEMS", lambda one: count(one.items), right=True),
            Column("FORMAT", lambda one: one.source_type),
            Column("PROFILE", lambda one: f"v{one.profile}" if one.profile else "-"),
            Column("LIST OF", lambda one: stamp(one.applied_as_of)),
            Column("LAST TASK", lambda one: one.last_state or "-"),
            Column("LISTS", lambda one: one.freshness or "-"),
        ]
        screen.list(page.items, columns, empty="No suppliers yet.", following=page.next)
        screen.more("--after", page.next)
        if page.items:
            screen.next(command("suppliers", "show", page.items[0].name))
        else:
            screen.next("pricemill import FILE --supplier NAME")
        return Exit.DONE

    return context.look(show)


@app.command()
def show(
    ctx: typer.Context,
    supplier: Name,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Items to show.")] = 10,
    after: Annotated[str | None, typer.Option(help="Items behind this SKU.")] = None,
) -> int:
    """One supplier and its items by SKU."""
    screen: Screen = ctx.obj

    async def present(opened: Desk) -> int:
        name = await one_supplier(opened.reports, supplier)
        found = await opened.reports.supplier(name)
        if found is None:
            raise NotFound(f"there is no supplier {name!r}")
        page = await opened.reports.items_of(name, after=after, limit=limit)
        answer = {"supplier": found, "items": list(page.items), "next": page.next}
        screen.answer(answer, lambda: _lines(found, page.items))
        screen.more("--after", page.next)
        if page.items:
            screen.next(command("explain", "price", name, page.items[0].sku))
        else:
            screen.next(command("tasks", "list", "--supplier", name))
        return Exit.DONE

    return context.look(present)


def _lines(found: SupplierRow, items: tuple[ItemRow, ...]) -> Iterator[str]:
    yield f"Supplier  {line(found.name)}"
    yield f"Items     {count(found.items)}"
    yield f"List of   {stamp(found.applied_as_of)}"
    yield f"Profile   {f'v{found.profile}' if found.profile else 'none'}"
    yield f"Expected  {rhythm_of(found)}"
    if found.last_task:
        yield f"Last task {line(found.last_task)}  {found.last_state}"
    if items:
        yield ""
        yield from render(_ITEM, items)


_ITEM = [
    Column("SKU", lambda item: line(item.sku), least=10),
    Column("NAME", lambda item: line(item.name), least=16),
    Column("PRICE", lambda item: money(item.price, item.currency), right=True),
    Column("PER", lambda item: f"{item.price_basis.normalize():f} {line(item.unit or '')}".rstrip(), right=True),
    Column("PRODUCT", lambda item: line(item.product or "-")),
    Column("SINCE", lambda item: stamp(item.as_of)),
]
