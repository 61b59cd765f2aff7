"""`pricemill suppliers expect`: how often a list should come, and when it counts as late."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from cli import context
from cli.command import command
from cli.exits import Exit
from cli.finding import one_supplier
from cli.problems import Usage
from cli.schedules_words import a_span
from cli.screen import Screen
from cli.text import duration, line

if TYPE_CHECKING:
    from db.reports_prices import SupplierRow
    from workers.app import App

TOLERANCE = "1.5"


def expect(
    ctx: typer.Context,
    supplier: Annotated[str, typer.Argument(metavar="SUPPLIER")],
    *,
    every: Annotated[str | None, typer.Option(metavar="7d", help="Between two lists.")] = None,
    tolerance: Annotated[str, typer.Option(metavar="1.5", help="A list is late after so many times that.")] = TOLERANCE,
    nothing: Annotated[bool, typer.Option("--nothing", help="No list is expected any more.")] = False,
) -> int:
    """Say how often a list should come; `suppliers list` then tells fresh from late."""
    screen: Screen = ctx.obj
    if (every is None) != nothing:
        raise Usage("say either --every 7d or --nothing")
    span, times = a_span(every), _tolerance(tolerance)
    if span is not None and not span:
        raise Usage("--every 0 is no time between two lists")

    async def note(opened: App) -> int:
        from db.rhythm import PostgresRhythm

        name = await one_supplier(opened.reports, supplier)
        async with PostgresRhythm.open(opened.database_url) as rhythm:
            await rhythm.expect(name, span, None if span is None else times)
        found = await opened.reports.supplier(name)
        assert found is not None
        screen.answer(found, lambda: [f"{line(name)}: {rhythm_of(found)}"])
        screen.next(command("suppliers", "show", name))
        return Exit.DONE

    return context.run(note)


def rhythm_of(found: SupplierRow) -> str:
    """every 7d00h, late after 1.5 times that: fresh"""
    if found.expected_seconds is None:
        return "no list is expected" if found.freshness is None else f"no list is expected, {found.freshness}"
    times = found.expected_tolerance if found.expected_tolerance is not None else Decimal(TOLERANCE)
    return f"every {duration(found.expected_seconds)}, late after {times.normalize():f} times that: {found.freshness}"


def _tolerance(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal(0)
    if not 1 <= found <= 1000:
        raise Usage(f"--tolerance {text!r} is no number from 1 to 1000")
    return round(found, 2)
