"""`pricemill demo`: five sample lists through the whole path, in a data directory of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.demo_lists import DemoList, write
from cli.exits import Exit
from cli.hand_in import HandedIn, hand_in, megabytes
from cli.problems import Failed
from cli.screen import Screen
from cli.summary import buckets, ignored, layout
from cli.text import duration, line, money, plural
from contracts.account import Account

if TYPE_CHECKING:
    from db.reports_errors import DeadLetterRow
    from db.reports_prices import PriceChange
    from db.reports_rejected import RejectedRow
    from db.reports_tasks import TaskDetail
    from workers.app import App

app = typer.Typer(add_completion=False, rich_markup_mode=None)

SHOWN = 3
"""Price changes and rejected rows shown of each list."""
VALID_FROM = {"acme_2026-10.csv": datetime(2026, 10, 1, tzinfo=UTC)}
"""The older of the two versions; everything else holds from November on."""
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shown:
    """What became of one list."""

    file: str
    supplier: str
    what: str
    task_id: str
    state: str
    account: dict[str, Any] | None
    seconds: float | None
    understanding: dict[str, Any] | None
    same_bytes: bool
    """They were loaded before."""
    changes: tuple[PriceChange, ...]
    rejected: tuple[RejectedRow, ...]
    dead: DeadLetterRow | None


@app.command()
def demo(
    ctx: typer.Context,
    *,
    data_dir: Annotated[Path, typer.Option(help="Where its servers and lists live.")] = Path("var/demo"),
) -> int:
    """Sample lists, embedded servers, one worker: what was loaded, changed, rejected and why. Safe to run again."""
    screen: Screen = ctx.obj
    home = data_dir.absolute()
    settings = context.load_settings(data_dir=home, database_url=None, redis_url=None)
    screen.say(screen.paint("Pricemill demo", "bold") + f"  five price lists, data in {data_dir}")
    fresh = not (home / "postgres").exists()
    screen.note("Starting PostgreSQL and Redis" + (" (the first time takes some seconds)" if fresh else ""))
    lists = write(home / "lists")
    context.quiet_logs()

    async def work(opened: App) -> int:
        from cli.waiting import wait_for

        handed = [hand_in(one.path, context.inbox(settings)) for one in lists]
        known = [
            await opened.reports.same_bytes(one.supplier, two.sha256 or "")
            for one, two in zip(lists, handed, strict=True)
        ]
        screen.say("", *_offered(lists, handed))
        answers = await opened.producer.enqueue_many([_task(*pair) for pair in zip(lists, handed, strict=True)])
        ids = [answer.task_id for answer in answers]
        await wait_for(screen, opened, ids, total=sum(one.lines or 0 for one in handed), seconds=None)
        shown = [
            await _shown(opened, one, task_id, same_bytes=before is not None)
            for one, task_id, before in zip(lists, ids, known, strict=True)
        ]
        _present(screen, shown)
        screen.note(f"Look around: export PRICEMILL_DATA_DIR={data_dir}")
        screen.next(f"pricemill explain price {lists[2].supplier!r} {_example(shown)}")
        return Exit.DONE

    return context.run(work, settings=settings)


def _task(one: DemoList, handed: HandedIn) -> dict[str, Any]:
    """The broken file carries a key, so that a second run finds it dead instead of letting it die again."""
    from cli.order import Wishes, make_task

    key = f"demo {handed.sha256}" if one.broken else None
    as_of = VALID_FROM.get(one.path.name, NOVEMBER).isoformat()
    return make_task(handed, Wishes(one.supplier, as_of=as_of, key=key, parser=one.parser_type)).document()


def _offered(lists: tuple[DemoList, ...], handed: list[HandedIn]) -> Iterator[str]:
    from cli.table import Column, render

    columns = [
        Column("LIST", lambda pair: pair[0].path.name),
        Column("SUPPLIER", lambda pair: pair[0].supplier),
        Column("SIZE", lambda pair: megabytes(pair[1].size), right=True),
        Column("", lambda pair: pair[0].what),
    ]
    yield from render(columns, list(zip(lists, handed, strict=True)))


async def _shown(opened: App, one: DemoList, task_id: str, *, same_bytes: bool) -> Shown:
    from db.reports_rejected import RejectedFilter

    detail = await opened.reports.task(task_id)
    if detail is None:
        raise Failed(f"task {task_id} is gone")
    rejected = await opened.reports.rejected(RejectedFilter(task_id=task_id, limit=SHOWN))
    letter = await opened.reports.dead_letter(detail.dead_letter) if detail.dead_letter else None
    return Shown(
        file=one.path.name,
        supplier=one.supplier,
        what=one.what,
        task_id=task_id,
        state=detail.task.state,
        account=detail.account,
        seconds=_seconds(detail),
        understanding=detail.understanding,
        same_bytes=same_bytes,
        changes=await opened.reports.price_changes(task_id, limit=SHOWN),
        rejected=rejected.items,
        dead=letter.letter if letter else None,
    )


def _seconds(detail: TaskDetail) -> float | None:
    task = detail.task
    return (task.finished_at - task.started_at).total_seconds() if task.finished_at and task.started_at else None


def _present(screen: Screen, shown: list[Shown]) -> None:
    done = [one for one in shown if one.account]
    accounts = [Account.from_document(one.account or {}) for one in done]
    nothing = bool(done) and not any(account.new + account.changed for account in accounts)
    screen.answer({"nothing_changed": nothing, "lists": shown}, lambda: _lines(screen, shown))
    if nothing:
        items = sum(account.unchanged for account in accounts)
        screen.say(
            "", screen.paint("Nothing changed", "bold", "green") + f": the same bytes, {items:,} items unchanged."
        )


def _lines(screen: Screen, shown: list[Shown]) -> Iterator[str]:
    for one in shown:
        yield ""
        mark = screen.paint("✖", "red") if one.dead else screen.paint("●", "green")
        again = "  (the same bytes as before)" if one.same_bytes else ""
        yield f"{mark} {screen.paint(one.file, 'bold')}  {one.supplier}{again}"
        if one.understanding:
            yield f"  Read as   {layout(one.understanding['description'], one.understanding)}"
        if one.account:
            account = Account.from_document(one.account)
            yield f"  Rows      {buckets(account)}"
            if account.ignored:
                yield f"  Ignored   {ignored(account)}"
            if one.seconds and account.read > 10_000:
                yield f"  Speed     {account.read / one.seconds:,.0f} rows/s, {duration(one.seconds)}"
        for change in one.changes:
            old, new = money(change.old), money(change.new, change.currency)
            yield f"  Price     {line(change.sku)}  {old} → {new}  {line(change.name)}"
        for row in one.rejected:
            yield f"  Rejected  row {row.row}: {line(row.reason)}"
            yield f"            {line(row.fix)}"
        if one.dead:
            yield f"  Dead      {line(one.dead.reason)} ({one.dead.code}, {plural(one.dead.attempts, 'attempt')})"
            yield f"  Remedy    {line(one.dead.next_step)}"
            yield f"            then pricemill dead retry {one.dead.id[:8]}"


def _example(shown: list[Shown]) -> str:
    """A SKU whose price has a history."""
    return next((change.sku for one in shown for change in one.changes), "AF-000003")
