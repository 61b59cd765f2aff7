"""`pricemill held`: lists that wait for an answer, and prices that wait for a decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.answers import answer as take
from cli.answers import answered, held_list
from cli.command import command
from cli.confirm import agree
from cli.context import Desk
from cli.exits import Exit
from cli.finding import one_task
from cli.held_decide import deciding
from cli.held_view import PRICES
from cli.options import After, DryRun, Reason, Supplier, Task, Yes
from cli.problems import NotFound
from cli.question_view import propose_answer, question_lines
from cli.screen import Screen, plain
from cli.table import render
from cli.text import line, plural, stamp

if TYPE_CHECKING:
    from db.reports_held import HeldPrice
    from db.reports_questions import HeldList

app = typer.Typer(add_completion=False, rich_markup_mode=None)


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
        screen.more("--after", page.next)
        if lists:
            screen.next(command("held", "show", lists[0].task_id))
        elif page.items:
            screen.next(command("held", "show", page.items[0].task_id))
        else:
            screen.next(command("status"))
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
        yield from render(PRICES, prices)


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
            propose_answer(screen, lists[0])
            return Exit.DONE
        page = await opened.reports.held_prices(HeldFilter(task_id=task_id, limit=1000))
        if not page.items:
            raise NotFound(f"nothing of task {task_id} is held", next=command("held", "list"))
        document = {"task_id": task_id, "prices": [plain(row) for row in page.items], "next": page.next}
        screen.answer(document, lambda: render(PRICES, page.items))
        screen.next(*(command("held", verb, "--task", task_id) for verb in ("approve", "reject")))
        return Exit.DONE

    return context.look(present)


def _question(one: HeldList) -> Iterator[str]:
    yield f"Supplier  {line(one.supplier)}"
    yield f"Source    {line(one.source)}  task {line(one.task_id)}, held since {stamp(one.since)}"
    yield from question_lines(one.question)


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
        task_id = await one_task(opened.reports, task)
        if (before := await answered(opened, task_id, number)) is not None:
            sentence = f"Nothing was changed: “{line(before.label)}” was answered already."
            screen.answer(before, lambda: [sentence])
            screen.next(command("tasks", "show", task_id))
            return Exit.DONE
        one = await held_list(opened.reports, task_id=task_id)
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
            screen.next(command("held", "list"))
        else:
            state = "the list is queued again" if done.started else "the list was queued again already"
            sentence = f"Answered: {line(done.label)}. Kept in profile v{done.version}; {state}."
            screen.answer(done, lambda: [sentence])
            screen.next(command("tasks", "show", done.task_id))
        return Exit.DONE

    return context.run(act)


app.command("approve", help="Apply held prices, with the list and row they came from.")(deciding("approve"))
app.command(
    "reject",
    help="Close held prices without applying them. The next list that brings such a price is asked about again.",
)(deciding("reject"))
