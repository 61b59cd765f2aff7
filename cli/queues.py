"""`pricemill queues`: what waits where, what is paused, how much may run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cli import context, pauses
from cli.context import Desk
from cli.exits import Exit
from cli.options import Reason
from cli.problems import Usage
from cli.screen import Screen, plain
from cli.table import Column
from cli.text import count, duration, line, stamp

if TYPE_CHECKING:
    from contracts.controls import LimitKind, PauseKind, Rate
    from db.reports_queues import QueueRow

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Queue = Annotated[str | None, typer.Argument(metavar="QUEUE")]
Parser = Annotated[str | None, typer.Option(metavar="NAME", help="A parser, such as csv, instead of a queue.")]
Source = Annotated[str | None, typer.Option(metavar="NAME", help="A source: a host, or google_sheets:CREDENTIAL.")]
Supplier = Annotated[str | None, typer.Option(metavar="NAME", help="A supplier instead of a queue.")]


@app.callback()
def queues() -> None:
    """Queues; a task waits in `default` unless its message names another."""


@app.command("list")
def list_queues(ctx: typer.Context) -> int:
    """How much waits and runs in each, how it flows, what is paused and limited."""
    screen: Screen = ctx.obj

    async def show(opened: Desk) -> int:
        found, held, limits = (
            await opened.reports.queues(),
            [one for one in await opened.reports.paused_things() if one.kind != "queue"],
            [one for one in await opened.reports.limited_things() if one.kind != "queue"],
        )
        if not screen.human or screen.manners.fields:
            screen.list(found, columns(), empty="")
            return Exit.DONE
        screen.list(found, [*columns(), Column("LIMIT", _limit)], empty="")
        for one in held:
            until = f" until {stamp(one.until)}" if one.until else ""
            why = f": {line(one.reason)}" if one.reason else ""
            screen.say(f"‖ {one.kind} {line(one.name)}  {count(one.held_back)} held back{until} by "
                       f"{line(one.paused_by)}{why}")  # fmt: skip
        for limit in limits:
            screen.say(f"  {limit.kind} {line(limit.name)}  {_limit(limit)}  {limit.running} run, "
                       f"{count(limit.waiting)} wait")  # fmt: skip
        screen.next("pricemill tasks list")
        return Exit.DONE

    return context.look(show)


def columns() -> list[Column]:
    """As `pricemill status` shows them, too."""
    return [
        Column("QUEUE", lambda row: f"{'‖' if row.paused_by else '●'} {line(row.name)}", least=8),
        Column("WAITING", lambda row: count(row.waiting), right=True),
        Column("ACTIVE", lambda row: count(row.active), right=True),
        Column("RETRY", lambda row: count(row.retry), right=True),
        Column("OLDEST", lambda row: duration(row.oldest_seconds), right=True),
        Column("IN/MIN", lambda row: f"{row.in_per_minute:,.0f}", right=True),
        Column("OUT/MIN", lambda row: f"{row.out_per_minute:,.0f}", right=True),
        Column("EMPTY IN", _empty, least=8),
    ]


def _empty(row: QueueRow) -> str:
    if row.paused_by:
        until = f" until {stamp(row.paused_until)}" if row.paused_until else ""
        return f"paused by {line(row.paused_by)}{until}"
    if not row.waiting + row.retry:
        return "now"
    return duration(row.empty_in_seconds)


def _limit(row: Any) -> str:
    told = []
    if row.concurrency is not None:
        told.append(f"{row.concurrency} at once")
    if row.rate_calls is not None:
        told.append(f"{row.rate_calls} in {duration(row.rate_seconds)}")
    if row.max_waiting is not None:
        told.append(f"{count(row.max_waiting)} may wait")
    return ", ".join(told) or "-"


@app.command()
def pause(
    ctx: typer.Context,
    queue: Queue = None,
    *,
    parser: Parser = None,
    source: Source = None,
    supplier: Supplier = None,
    until: pauses.Until = None,
    running: pauses.Running = False,
    reason: Reason = "",
) -> int:
    """Start none of its tasks until it is resumed; they wait, lose no attempt, and their age alarms nobody."""
    kind, name = _one(queue, parser, source, supplier)
    return pauses.pause(ctx.obj, kind, name, until=until, running=running, reason=reason)


@app.command()
def resume(
    ctx: typer.Context,
    queue: Queue = None,
    *,
    parser: Parser = None,
    source: Source = None,
    supplier: Supplier = None,
) -> int:
    """Start its tasks again."""
    kind, name = _one(queue, parser, source, supplier)
    return pauses.resume(ctx.obj, kind, name)


class _Unchanged(NamedTuple):
    concurrency: int | None
    rate: Rate | None
    max_waiting: int | None


@app.command("set")
def set_limit(
    ctx: typer.Context,
    queue: Queue = None,
    *,
    parser: Parser = None,
    source: Source = None,
    concurrency: Annotated[str | None, typer.Option(metavar="N", help="Tasks at once in the whole fleet; off.")] = None,
    rate: Annotated[
        str | None, typer.Option(metavar="N/TIME", help="Starts, such as 30/m, 5/s, 100/100s; off.")
    ] = None,
    max_waiting: Annotated[str | None, typer.Option(metavar="N", help="Of a queue: refuse tasks beyond; off.")] = None,
) -> int:
    """Limit how much of a queue, a parser or a source runs; what is not named stays as it is."""
    screen: Screen = ctx.obj
    found, name = _one(queue, parser, source, None)
    kind: LimitKind = "queue" if found == "queue" else "parser" if found == "parser" else "source"
    if concurrency is rate is max_waiting is None:
        raise Usage("give --concurrency, --rate or --max-waiting")
    if max_waiting is not None and kind != "queue":
        raise Usage("--max-waiting is of queues")

    async def act(opened: Any) -> int:
        from contracts.controls import Limit

        known = {(one.kind, one.name): one for one in await opened.ledger.limits()}.get((kind, name))
        before = _Unchanged(known.concurrency, known.rate, known.max_waiting) if known else _Unchanged(None, None, None)
        limit = Limit(
            kind,
            name,
            context.actor(),
            before.concurrency if concurrency is None else _number(concurrency),
            before.rate if rate is None else _rate(rate),
            before.max_waiting if max_waiting is None else _number(max_waiting),
        )
        await opened.ledger.set_limit(limit)
        screen.answer({"limit": plain(limit)}, lambda: [f"{kind} {line(name)} is limited as told."])
        screen.next("pricemill queues list")
        return Exit.DONE

    return context.run(act)


def _one(queue: str | None, parser: str | None, source: str | None, supplier: str | None) -> tuple[PauseKind, str]:
    kinds: dict[PauseKind, str | None] = {"queue": queue, "parser": parser, "source": source, "supplier": supplier}
    given = [(kind, name) for kind, name in kinds.items() if name]
    if len(given) != 1:
        raise Usage("name one queue, or give one of --parser, --source and --supplier", next="pricemill queues list")
    kind, name = given[0]
    if kind == "queue" and not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name):
        raise Usage(f"{name!r} is no name of a queue: lower-case letters, digits, _ and -, at most 63")
    return kind, name.lower() if kind == "source" and ":" not in name else name


def _number(text: str) -> int | None:
    if text == "off":
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1_000_000_000:
        raise Usage(f"{text!r} is no number above 0; use one, or off")
    return int(text)


def _rate(text: str) -> Rate | None:
    from contracts.controls import Rate

    if text == "off":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,6})/([0-9]{0,6})(s|m|h)", text)
    if found is None or found[2].startswith("0"):
        raise Usage(f"{text!r} is no rate; use 30/m, 5/s, 100/100s, or off")
    return Rate(int(found[1]), float(int(found[2] or 1) * {"s": 1, "m": 60, "h": 3600}[found[3]]))
