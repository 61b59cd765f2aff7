"""`pricemill held`: lists that wait for an answer, and prices that wait for a decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.answers import answer as take
from cli.answers import held_list
from cli.confirm import agree
from cli.context import Desk
from cli.exits import Exit
from cli.finding import one_supplier, one_task
from cli.held_choice import chosen
from cli.options import After, DryRun, Reason, Supplier, Task, Yes
from cli.problems import NotFound
from cli.screen import Screen, plain
from cli.table import Column, render
from cli.text import line, money, plural, stamp
from contracts.questions import Question

if TYPE_CHECKING:
    from db.reports_held import HeldPrice
    from db.reports_questions import HeldList

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Skus = Annotated[list[str] | None, typer.Argument(metavar="SKU", help="Codes of the items.")]
Everything = Annotated[bool, typer.Option("--all", help="Every price that is held.")]


@app.callback()
def held() -> None:
    """What waits for a person: lists with a question, and single prices that moved too far."""


@app.command("list")
def list_held(
    ctx: typer.Context,
    *,
    task: Task = None,
    supplier: Supplier = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    after: After = None,
) -> int:
    """Open questions, newest first; then held prices in the order in which they were held."""
    screen: Screen = ctx.obj

    async def show(opened: Desk) -> int:
        from db.reports_held import HeldFilter

        task_id = None if task is None else await one_task(opened.reports, task)
        lists = [] if after else await opened.reports.open_questions(supplier=supplier, task_id=task_id)
        which = HeldFilter(supplier=supplier, task_id=task_id, after=after, limit=limit)
        page = await opened.reports.held_prices(which)
        document = {
            "lists": [_document(one) for one in lists],
            "prices": [plain(row) for row in page.items],
            "next": page.next,
        }
        screen.answer(document, lambda: _overview(lists, page.items))
        if page.next:
            screen.note(f"More: pricemill held list --after {page.next}")
        if lists:
            screen.next(f"pricemill held show {line(lists[0].task_id)}")
        elif page.items:
            screen.next(
                f"pricemill held approve {line(page.items[0].sku)!r} --supplier {line(page.items[0].supplier)!r}"
            )
        else:
            screen.next("pricemill status")
        return Exit.DONE

    return context.look(show)


def _document(one: HeldList) -> dict[str, Any]:
    return {
        "task_id": one.task_id,
        "supplier": one.supplier,
        "source": one.source,
        "since": one.since,
        "question": one.question.document(),
    }


def _overview(lists: Sequence[HeldList], prices: Sequence[HeldPrice]) -> Iterator[str]:
    if not lists and not prices:
        yield "Nothing is held."
    for one in lists:
        yield f"{line(one.supplier)}, {line(one.source)}, task {line(one.task_id)}, since {stamp(one.since)}"
        yield f"  {line(one.question.sentence)} ({plural(len(one.question.options), 'answer')})"
    if lists and prices:
        yield ""
    if prices:
        yield from render(_PRICES, prices)


def told(price: Decimal, currency: str, basis: Decimal) -> str:
    """1.20 EUR, 12.00 EUR per 100."""
    return money(price, currency) + ("" if basis == 1 else f" per {basis.normalize():f}")


_PRICES = [
    Column("SUPPLIER", lambda row: line(row.supplier), least=8),
    Column("SKU", lambda row: line(row.sku), least=8),
    Column("NAME", lambda row: line(row.name), least=12),
    Column("HOLDS", lambda row: told(row.old_price, row.old_currency, row.old_basis), right=True),
    Column("LIST SAYS", lambda row: told(row.price, row.currency, row.price_basis), right=True),
    Column("REASON", lambda row: row.reason),
    Column("ROW", lambda row: f"{row.row:,}", right=True),
    Column("TASK", lambda row: line(row.task_id)[:13]),
]


@app.command()
def show(ctx: typer.Context, task: Annotated[str, typer.Argument(help="Id, or the beginning of one.")]) -> int:
    """The question of one list with its numbered answers, or the prices of it that are held."""
    screen: Screen = ctx.obj

    async def present(opened: Desk) -> int:
        from db.reports_held import HeldFilter

        task_id = await one_task(opened.reports, task)
        lists = await opened.reports.open_questions(task_id=task_id)
        if lists:
            screen.answer(_document(lists[0]), lambda: _question(lists[0]))
            screen.next(
                f"pricemill held answer {line(task_id)} NUMBER" if lists[0].question.options else "pricemill held list"
            )
            return Exit.DONE
        page = await opened.reports.held_prices(HeldFilter(task_id=task_id, limit=1000))
        if not page.items:
            raise NotFound(f"nothing of task {task_id} is held", next="pricemill held list")
        document = {"task_id": task_id, "prices": [plain(row) for row in page.items], "next": page.next}
        screen.answer(document, lambda: render(_PRICES, page.items))
        screen.next(f"pricemill held approve --task {line(task_id)}, or pricemill held reject --task {line(task_id)}")
        return Exit.DONE

    return context.look(present)


def _question(one: HeldList) -> Iterator[str]:
    yield f"Supplier  {line(one.supplier)}"
    yield f"Source    {line(one.source)}  task {line(one.task_id)}, held since {stamp(one.since)}"
    yield from question_lines(one.question)


def question_lines(question: Question) -> Iterator[str]:
    """The sentence and the numbered answers."""
    yield f"Question  {line(question.sentence)}"
    for number, option in enumerate(question.options, 1):
        yield f"  {number}. {line(option.label)}"
        yield f"     {line(option.consequence)}"
    if not question.options:
        yield "          There is no ready answer; the supplier's profile can give one."


@app.command()
def answer(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="Id, or the beginning of one.")],
    number: Annotated[int, typer.Argument(help="Of the answer, as `pricemill held show` counts them.")],
    *,
    yes: Yes = False,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> int:
    """Take one answer: the supplier's profile is amended, and the list is loaded with it."""
    screen: Screen = ctx.obj

    async def act(opened: Any) -> int:
        one = await held_list(opened.reports, task_id=await one_task(opened.reports, task))
        options = one.question.options
        if 1 <= number <= len(options):
            option = options[number - 1]
            if dry_run:
                document = {
                    "would_answer": option.label,
                    "consequence": option.consequence,
                    "patch": dict(option.patch),
                }
                screen.answer(document, lambda: [f"Would answer: {line(option.label)} ({line(option.consequence)})"])
                return Exit.DONE
            if not agree(screen, f"answer “{line(option.label)}”: {line(option.consequence)}", count=number, yes=yes):
                return Exit.DONE
        done = await take(opened, one, number, reason=reason)
        if done.version is None:
            screen.answer(done, lambda: [f"Answered: {line(done.label)}. The list is not loaded."])
            screen.next("pricemill held list")
        else:
            sentence = f"Answered: {line(done.label)}. Kept in profile v{done.version}; the list is loaded again."
            screen.answer(done, lambda: [sentence])
            screen.next(f"pricemill tasks show {line(done.task_id)}")
        return Exit.DONE

    return context.run(act)


@app.command()
def approve(
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
    """Apply held prices, with the list and row they came from."""
    return _decide(
        ctx.obj, "approve", sku or [], task, supplier, everything=everything, yes=yes, why=reason, dry=dry_run
    )


@app.command()
def reject(
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
    """Close held prices without applying them. The next list that brings such a price is asked about again."""
    return _decide(
        ctx.obj, "reject", sku or [], task, supplier, everything=everything, yes=yes, why=reason, dry=dry_run
    )


def _decide(
    screen: Screen,
    verb: str,
    skus: list[str],
    task: str | None,
    supplier: str | None,
    *,
    everything: bool,
    yes: bool,
    why: str,
    dry: bool,
) -> int:
    async def act(opened: Any) -> int:
        from db.holds import PostgresHolds

        task_id = None if task is None else await one_task(opened.reports, task)
        name = None if supplier is None else await one_supplier(opened.reports, supplier)
        rows = await chosen(opened.reports, skus, task_id=task_id, supplier=name, everything=everything)
        if dry or not rows:
            document = {f"would_{verb}": len(rows), "prices": [plain(row) for row in rows]}
            screen.answer(document, lambda: render(_PRICES, rows) if rows else ["Nothing to do."])
            return Exit.DONE
        if not skus and not agree(screen, f"{verb} {plural(len(rows), 'price')}", count=len(rows), yes=yes):
            return Exit.DONE
        async with PostgresHolds.open(opened.database_url) as holds:
            decide = holds.approve if verb == "approve" else holds.reject
            done = await decide([row.id for row in rows], actor=context.actor(), reason=why)
        past = {"approve": "applied", "reject": "closed without being applied"}[verb]
        left = f", {done.outdated:,} left: the item's price was changed since" if done.outdated else ""
        screen.answer(
            {"decided": done.decided, "outdated": done.outdated},
            lambda: [f"{plural(done.decided, 'price')} {past}{left}."],
        )
        screen.next("pricemill held list")
        return Exit.REFUSED if done.outdated else Exit.DONE

    return context.run(act)
