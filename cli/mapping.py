"""`pricemill map`: how a file is understood, column by column."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.exits import Exit
from cli.order import Wishes
from cli.screen import Screen
from cli.summary import layout
from cli.table import Column, render
from cli.text import line

if TYPE_CHECKING:
    from contracts.catalog import StoredProfile

app = typer.Typer(add_completion=False, rich_markup_mode=None)

DOUBT = 0.8
"""Below this certainty a person should look."""


@app.command("map")
def map_file(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FILE|URL")],
    *,
    supplier: Annotated[str | None, typer.Option(help="Read it with this supplier's profile.")] = None,
    currency: Annotated[str | None, typer.Option(metavar="EUR")] = None,
    decimal: Annotated[str | None, typer.Option(metavar=",|.")] = None,
    sheet: Annotated[str | None, typer.Option()] = None,
    column: Annotated[list[str], typer.Option("--map", metavar="FIELD=COLUMN")] = [],  # noqa: B006
    parser: Annotated[str | None, typer.Option()] = None,
) -> int:
    """How a file is understood, with certainty and reason. Needs no database, unless --supplier is given."""
    screen: Screen = ctx.obj
    wishes = Wishes(supplier or "-", sheet, currency, decimal, tuple(column), parser=parser)
    settings = context.load_settings()

    async def understood(stored: StoredProfile | None) -> int:
        from cli.reading import opened_list

        async with opened_list(settings, source, wishes, stored) as (handed, read):
            document = {
                "source": handed.name,
                "description": read.reading.description.document(),
                **read.plan.understanding.document(),
            }
        return _present(screen, source, document, supplier)

    if supplier is None:
        return asyncio.run(understood(None))

    async def with_profile(opened: Any) -> int:
        return await understood(await opened.profiles.newest(supplier))

    return context.run(with_profile, settings=settings)


def _present(screen: Screen, source: str, document: dict[str, Any], supplier: str | None) -> int:
    screen.answer(document, lambda: _lines(document))
    for note in document["description"]["notes"]:
        screen.note(f"  {line(note)}")
    for warning in document["warnings"]:
        screen.note(f"! {line(warning)}")
    name = line(supplier) if supplier else "NAME"
    screen.next(f"pricemill import {line(source)!r} --supplier {name!r} --check")
    return Exit.DONE


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"{line(document['source'])}  {layout(document['description'], document)}."
    if document["profile_version"]:
        yield f"Read with profile v{document['profile_version']}."
    yield ""
    yield from render(_COLUMN, sorted(document["columns"], key=lambda column: column["index"]))
    yield ""
    numbers = document["numbers"]
    sign = {".": "decimal point", ",": "decimal comma", None: "no decimals"}[numbers["decimal"]]
    grouped = {"": "", " ": ", grouped by spaces"}.get(numbers["thousands"], f", grouped by {numbers['thousands']}")
    reason = line(numbers["reason"])
    yield f"Prices    {reason if reason.startswith(sign) else f'{sign}{grouped}: {reason}'}"
    currency = {None: "by column or cell", "XXX": "not stated"}.get(document["currency"], document["currency"])
    reason = document["currency_reason"]
    yield f"Currency  {line(currency)}" + (f": {line(reason)}" if reason else "")
    if document["price_basis"] != "1":
        yield f"Per       {document['price_basis']} {line(document['unit'] or '')}".rstrip()


def _sure(column: dict[str, Any]) -> str:
    return f"{round(100 * column['certainty'])} %" if column["field"] else ""


def _why(column: dict[str, Any]) -> str:
    if column["field"]:
        doubt = "? " if column["certainty"] < DOUBT else ""
        return doubt + line(column["reason"])
    if column["key"]:
        return f"kept as characteristic {line(column['key'])}"
    return line(column["reason"]) or "left out"


def _letter(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


_COLUMN = [
    Column("", lambda column: _letter(column["index"])),
    Column("COLUMN", lambda column: line(column["header"]) or "-", least=8),
    Column("FIELD", lambda column: column["field"] or "-"),
    Column("SURE", _sure, right=True),
    Column("WHY", _why, least=12),
    Column("SAMPLE", lambda column: line(column["sample"]), least=8),
]
