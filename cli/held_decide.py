"""`pricemill held approve` and `reject`: what a person decides about prices that moved too far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from cli import context
from cli.command import command
from cli.confirm import agree
from cli.exits import Exit
from cli.finding import one_supplier, one_task
from cli.held_choice import chosen
from cli.held_view import PRICES
from cli.options import DryRun, Everything, Reason, Supplier, Task, Yes
from cli.screen import Screen, plain
from cli.table import render
from cli.text import plural

Skus = Annotated[list[str] | None, typer.Argument(metavar="SKU", help="Codes of the items.")]
SHOWN = 20
"""Prices that are told one by one before a person is asked."""
STATUS = {"approve": "approved", "reject": "rejected"}
DONE = {"approve": "applied", "reject": "closed without being applied"}


def deciding(verb: str) -> Callable[..., int]:
    """The command of that name; both take the same."""

    def decide(
        ctx: typer.Context,
        *,
        sku: Skus = None,
        task: Task = None,
        supplier: Supplier = None,
        everything: Everything = False,
        yes: Yes = False,
        reason: Reason = "",
        dry_run: DryRun = False,
    ) -> int:
        screen: Screen = ctx.obj

        async def act(opened: Any) -> int:
            from db.holds import PostgresHolds

            task_id = None if task is None else await one_task(opened.reports, task)
            name = None if supplier is None else await one_supplier(opened.reports, supplier)
            rows = await chosen(
                opened.reports, sku or [], task_id=task_id, supplier=name, everything=everything, decided=STATUS[verb]
            )
            if dry_run or not rows:
                document = {f"would_{verb}": len(rows), "prices": [plain(row) for row in rows]}
                screen.answer(
                    document, lambda: render(PRICES, rows) if rows else ["Nothing to do: it was decided before."]
                )
                return Exit.DONE
            if screen.manners.asks and not yes:
                for text in render(PRICES, rows[:SHOWN]):
                    screen.note(text)
            if not agree(screen, f"{verb} {plural(len(rows), 'price')}", count=len(rows), yes=yes):
                return Exit.DONE
            async with PostgresHolds.open(opened.database_url) as holds:
                settle = holds.approve if verb == "approve" else holds.reject
                done = await settle([row.id for row in rows], actor=context.actor(), reason=reason)
            left = f", {done.outdated:,} left: the item's price was changed since" if done.outdated else ""
            screen.answer(
                {"decided": done.decided, "outdated": done.outdated},
                lambda: [f"{plural(done.decided, 'price')} {DONE[verb]}{left}."],
            )
            screen.next(command("held", "list"))
            return Exit.REFUSED if done.outdated else Exit.DONE

        return context.run(act)

    return decide
