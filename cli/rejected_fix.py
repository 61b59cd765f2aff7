"""`pricemill rejected fix` and `replay`: one rule for the supplier, then only the broken rows again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.command import command
from cli.confirm import agree
from cli.exits import Exit
from cli.finding import one_task
from cli.options import Yes
from cli.problems import Failed, NotFound, Usage
from cli.rejected_rules import Wish, patch_of
from cli.screen import Screen
from cli.text import line, money, plural
from contracts.errors import ContractViolation, ProfileInvalid
from contracts.failpoints import failpoint

if TYPE_CHECKING:
    from cli.recheck import Rechecked
    from contracts.task import ParseTask
    from db.reports_tasks import TaskDetail
    from workers.app import App

Task = Annotated[str, typer.Option(help="Whose rows: an id, or the beginning of one.")]


def fix(
    ctx: typer.Context,
    *,
    task: Task,
    cause: Annotated[str, typer.Option(help="The reason code, as in `pricemill rejected groups`.")],
    value: Annotated[str | None, typer.Option(help="The value that is meant, as it stands in the list.")] = None,
    to: Annotated[str | None, typer.Option(help="What the value is to be read as.")] = None,
    ignore: Annotated[bool, typer.Option("--ignore", help="Rows with this value are no items.")] = False,
    letters: Annotated[bool, typer.Option("--letters", help="In prices, letter O is 0, and l or I is 1.")] = False,
    on_request: Annotated[bool, typer.Option("--on-request", help="The value means: no fixed price.")] = False,
    assign: Annotated[
        list[str] | None, typer.Option("--set", metavar="MEMBER=VALUE", help="A member of the profile.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", "--dry-run", help="Say what would become of the rows.")] = False,
    yes: Yes = False,
) -> int:
    """Make a rule of the supplier's profile, judge the rejected rows of this cause anew, and load those that pass. The
    rule holds for later lists, too."""
    screen: Screen = ctx.obj

    async def act(app: App) -> int:
        from config.profiles import SupplierProfile, amend

        detail = await _detail(app, task)
        known = await app.reports.rejected_causes(task_id=detail.task.task_id, limit=1000)
        meant = [one for one in known if one.code == cause and value in {None, one.value}]
        if not meant:
            raise NotFound(
                f"task {detail.task.task_id} has no open row rejected for {cause}{f' with {value!r}' if value else ''}",
                next=command("rejected", "groups", "--task", detail.task.task_id),
            )
        field = meant[0].field
        stored = await app.profiles.newest(detail.task.supplier)
        profile = None if stored is None else SupplierProfile.model_validate(stored.document)
        wish = Wish(cause, field, value, to, ignore, letters, on_request, tuple(assign or ()))
        patch = patch_of(wish, profile, column=_column(detail, field))
        try:
            amended = amend(profile, patch)
        except ProfileInvalid as error:
            # The profile is sound: what was asked for cannot be a rule of it.
            raise Usage(f"this cannot be a rule: {error.message.partition(': ')[2]}") from error
        rows = await _rows(app, detail.task.task_id, [cause])
        from cli.recheck import recheck

        found = await recheck(app, _original(detail), amended, rows)
        # A better reason is a gain, too: “on request” tells a buyer more than “not a number”.
        gained = found.loaded + found.ignored + found.rejected.total() - found.rejected[cause]
        if check:
            screen.answer(_document(patch, rows, found), lambda: _lines(rows, found, cause))
            groups = command("rejected", "groups", "--task", detail.task.task_id)
            screen.next(screen.again("--check", "--dry-run") if gained else groups)
            return Exit.DONE if gained else Exit.FINDINGS
        screen.say(*_lines(rows, found, cause))
        if not gained:
            raise Usage("this rule would mend none of the rows; nothing was changed")
        if not agree(screen, f"take up {plural(len(rows), 'row')}", count=len(rows), yes=yes):
            return Exit.DONE
        version = await app.profiles.add(detail.task.supplier, amended.document(), created_by=context.actor())
        failpoint("fix.kept")
        return await _replay(screen, app, detail, [cause], version)

    return context.run(act)


def replay(
    ctx: typer.Context,
    *,
    task: Task,
    cause: Annotated[list[str] | None, typer.Option(help="Only rows with this reason code; repeatable.")] = None,
    yes: Yes = False,
) -> int:
    """Judge rejected rows anew, with the supplier's profile as it is now; every other row of the list is passed over.
    A newer list's price is never overwritten."""
    screen: Screen = ctx.obj

    async def act(app: App) -> int:
        detail = await _detail(app, task)
        rows = await _rows(app, detail.task.task_id, cause or [])
        if not rows:
            screen.answer({"rows": 0, "task_id": None}, lambda: ["Nothing to do: every rejected row was dealt with."])
            return Exit.DONE
        if not agree(screen, f"take up {plural(len(rows), 'row')}", count=len(rows), yes=yes):
            return Exit.DONE
        stored = await app.profiles.newest(detail.task.supplier)
        return await _replay(screen, app, detail, cause or [], None if stored is None else stored.version)

    return context.run(act)


async def _detail(app: App, text: str) -> TaskDetail:
    task_id = await one_task(app.reports, text)
    detail = await app.reports.task(task_id)
    if detail is None:
        raise Failed(f"task {task_id} is gone")
    if detail.task.state != "completed":
        raise Usage(f"task {task_id} is {detail.task.state}; its rows are judged when it is completed")
    return detail


async def _rows(app: App, task_id: str, causes: Sequence[str]) -> frozenset[int]:
    from db.rejected import PostgresRejectedRows

    async with PostgresRejectedRows.open(app.database_url) as rejected:
        return (await rejected.to_replay(task_id, causes, by="")).rows


def _original(detail: TaskDetail, **changed: Any) -> ParseTask:
    from contracts.schema import parse_task

    try:
        task: ParseTask = parse_task({**detail.message, **changed})
    except ContractViolation as error:
        raise Failed(f"the message of task {detail.task.task_id} cannot be used again: {error.message}") from error
    return task


def _column(detail: TaskDetail, field: str | None) -> str | int | None:
    """The one column of a field as a profile names it: by header, or by index where that is blank or stands twice."""
    columns = [] if field is None or not detail.understanding else detail.understanding["columns"]
    ours = [column for column in columns if column["field"] == field]
    if len(ours) != 1:
        return None
    headers = [column["header"] for column in columns]
    header = ours[0]["header"]
    named: str | int = header if header and headers.count(header) == 1 else ours[0]["index"]
    return named


async def _replay(screen: Screen, app: App, detail: TaskDetail, causes: list[str], version: int | None) -> int:
    from contracts.task import new_task_id

    about = f"{detail.task.task_id} {sorted(causes)} {version}"
    task = _original(
        detail,
        task_id=new_task_id(),
        enqueued_at=datetime.now(UTC).isoformat(),
        as_of=detail.as_of.isoformat(),
        expires_at=None,
        idempotency_key=f"replay {hashlib.sha256(about.encode()).hexdigest()[:32]}",
        options={**detail.message.get("options", {}), "replay_of": detail.task.task_id, "replay_codes": sorted(causes)},
    )
    answer = await app.producer.enqueue(task)
    document = {"task_id": answer.task_id, "created": answer.created, "profile": version}
    kept = f"Kept in profile v{version}; the" if version else "The"
    state = f"{kept} rows are taken up by task {line(answer.task_id)}."
    screen.answer(document, lambda: [state if answer.created else f"Task {line(answer.task_id)} does it already."])
    screen.next(command("tasks", "show", answer.task_id))
    return Exit.DONE


def _document(patch: dict[str, Any], rows: frozenset[int], found: Rechecked) -> dict[str, Any]:
    return {
        "patch": patch,
        "rows": len(rows),
        "would_load": found.loaded,
        "would_ignore": found.ignored,
        "still_rejected": dict(found.rejected),
        "first": [item._asdict() for item in found.first],
    }


def _lines(rows: frozenset[int], found: Rechecked, cause: str) -> list[str]:
    told = [f"{plural(len(rows), 'row')}: {found.loaded:,} would be loaded, {found.ignored:,} ignored"]
    for code, count in found.rejected.most_common():
        still = "Still rejected" if code == cause else "Rejected for another reason"
        told.append(f"  {still} {count:,}: {line(found.samples.get(code, code))}")
    for item in found.first:
        price = money(Decimal(item.price), item.currency)
        told.append(f"  row {item.row_number:,}  {line(item.sku)}  {price}")
    return told
