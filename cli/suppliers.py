"""`pricemill suppliers`: whom we buy from, and how their lists are read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.context import Desk
from cli.exits import Exit
from cli.finding import one_supplier
from cli.problems import NotFound, Usage
from cli.screen import Screen
from cli.table import Column, render
from cli.text import count, line, money, stamp

if TYPE_CHECKING:
    from db.reports_prices import ItemRow, SupplierRow

app = typer.Typer(add_completion=False, rich_markup_mode=None)
profile = typer.Typer(add_completion=False, rich_markup_mode=None)
app.add_typer(profile, name="profile")

Name = Annotated[str, typer.Argument(metavar="SUPPLIER")]


@app.callback()
def suppliers() -> None:
    """Suppliers; one appears with its first list."""


@app.command("list")
def list_suppliers(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    after: Annotated[str | None, typer.Option(help="The `next` of the page before.")] = None,
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
        ]
        screen.list(page.items, columns, empty="No suppliers yet.", following=page.next)
        if page.next:
            screen.note(f"More: pricemill suppliers list --after {line(page.next)!r}")
        screen.next("pricemill suppliers show SUPPLIER" if page.items else "pricemill import FILE --supplier NAME")
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
        if page.next:
            screen.note(f"More: pricemill suppliers show {line(name)!r} --after {line(page.next)!r}")
        screen.next(f"pricemill explain price {line(name)!r} SKU")
        return Exit.DONE

    return context.look(present)


def _lines(found: SupplierRow, items: tuple[ItemRow, ...]) -> Iterator[str]:
    yield f"Supplier  {line(found.name)}"
    yield f"Items     {count(found.items)}"
    yield f"List of   {stamp(found.applied_as_of)}"
    yield f"Profile   {f'v{found.profile}' if found.profile else 'none'}"
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


@profile.callback()
def profiles() -> None:
    """How a supplier's lists are read; versions are added, never changed."""


@profile.command("show")
def show_profile(ctx: typer.Context, supplier: Name) -> int:
    """The newest version."""
    return _profile(ctx.obj, supplier, bare=False)


@profile.command("export")
def export_profile(ctx: typer.Context, supplier: Name) -> int:
    """The newest version as JSON on stdout: edit it, then `profile import`."""
    return _profile(ctx.obj, supplier, bare=True)


def _profile(screen: Screen, supplier: str, *, bare: bool) -> int:
    async def present(opened: Any) -> int:
        import orjson

        name = await one_supplier(opened.reports, supplier)
        stored = await opened.profiles.newest(name)
        if stored is None:
            raise NotFound(f"{name!r} has no profile yet", next=f"pricemill import FILE --supplier {name!r}")
        text = orjson.dumps(stored.document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
        if bare:
            screen.out.write(text + "\n")
        else:
            answer = {"supplier": name, "version": stored.version, "document": stored.document}
            screen.answer(
                answer, lambda: [f"{line(name)}, profile v{stored.version}", *map(line_of, text.splitlines())]
            )
        screen.next(f"pricemill suppliers profile export {line(name)!r} > profile.json")
        return Exit.DONE

    return context.run(present)


def line_of(text: str) -> str:
    """One line of indented JSON, inert, its indentation kept."""
    return text[: len(text) - len(text.lstrip())] + line(text)


@profile.command("import")
def import_profile(
    ctx: typer.Context,
    supplier: Name,
    file: Annotated[str, typer.Argument(help="A profile as JSON, or - for stdin.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check it, change nothing.")] = False,
) -> int:
    """Adds a version. It holds for the next list; what is loaded stays as it is."""
    screen: Screen = ctx.obj
    document = _read(file)

    async def add(opened: Any) -> int:
        from config.profiles import load_profile

        # Stored as it was handed in, without what was never set: most specific wins, and silence is not a choice.
        checked = load_profile(document).document()
        if dry_run:
            screen.answer({"valid": True}, lambda: ["The profile is valid."])
            return Exit.DONE
        version = await opened.profiles.add(supplier, checked, created_by=context.actor())
        screen.answer({"supplier": supplier, "version": version}, lambda: [f"{line(supplier)}: profile v{version}"])
        screen.next(f"pricemill import FILE --supplier {line(supplier)!r}")
        return Exit.DONE

    return context.run(add)


def _read(file: str) -> dict[str, Any]:
    import orjson

    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise NotFound(f"{file}: {error.strerror}") from error
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Usage(f"{file} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise Usage(f"{file} holds no JSON object")
    return document
