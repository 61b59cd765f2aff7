"""`pricemill import --check`: every row judged as a run would and held against what is stored; nothing written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from cli import context, order
from cli.asking import doubt, last_list, propose, show_question
from cli.command import command
from cli.exits import Exit
from cli.order import understanding_words
from cli.plan import Plan
from cli.plan_view import plan_lines
from cli.problems import exit_of
from cli.question_view import question_lines
from cli.reading import opened_list
from cli.screen import Screen
from cli.summary import ignored, understanding_lines
from cli.table import Column, render
from cli.text import line, money, plural
from contracts.account import Account
from contracts.errors import ListDoubtful, NeedsAnswer
from contracts.reasons import REASONS

if TYPE_CHECKING:
    from cli.order import Wishes
    from cli.plan import Lookup
    from config.settings import Settings
    from contracts.catalog import StoredProfile
    from contracts.rows import Item, RowError
    from pipeline.open import Opened

FLAGS = ("--check", "--dry-run")
SHOWN = 5
"""Items to show as they would be stored."""


@dataclass(slots=True)
class Judged:
    """What would become of a list; `account.new` holds the items that would be loaded."""

    account: Account = field(default_factory=Account)
    first: list[Item] = field(default_factory=list)
    rejects: dict[str, RowError] = field(default_factory=dict)
    """The first row of each cause."""
    seen: Any = None
    named: Any = None
    """Sorted hashes of the codes of all items."""


def check_list(screen: Screen, settings: Settings, source: str, wishes: Wishes) -> int:
    """Prints what would be loaded. Exit 6 if rows would be rejected or held, 5 if the whole list would wait for an
    answer. Reads what is known of the supplier, writes nothing."""

    async def check(opened: Any) -> int:
        stored = await opened.profiles.newest(wishes.supplier)
        question: ListDoubtful | None = None
        last = await last_list(opened.shapes, wishes.supplier, stored)
        async with AsyncExitStack() as stack:
            try:
                handed, read = await stack.enter_async_context(opened_list(settings, source, wishes, stored, last=last))
            except ListDoubtful as error:
                # What it would do is worth seeing all the same.
                question = error
                handed, read = await stack.enter_async_context(opened_list(settings, source, wishes, stored))
            except NeedsAnswer as error:
                return show_question(screen, source, wishes, error)
            plan = await _plan(opened, settings, wishes, read, stored)
            question = question or await doubt(
                read, stored, supplier=wishes.supplier, shapes=opened.shapes, stale=plan.stale
            )
            plan.question = None if question is None else question.question
            judged = await judge(read, plan, partial(opened.shapes.prices, wishes.supplier))
            await _conclude(opened, wishes.supplier, plan, judged, stored)
            understanding = {
                "description": read.reading.description.document(),
                **read.plan.understanding.document(),
            }
        account = judged.account
        document = {"source": handed.name, "understanding": understanding, **_document(judged, plan)}
        screen.answer(document, lambda: _lines(screen, handed.name, understanding, judged, plan))
        if question is not None:
            propose(screen, source, wishes, question)
            return exit_of(question)
        if account.rejected:
            screen.next(command("map", source, *understanding_words(wishes)), screen.again(*FLAGS))
        else:
            screen.next(screen.again(*FLAGS))
        return Exit.FINDINGS if account.rejected or plan.kinds["held"] or plan.shapes else Exit.DONE

    return context.run(check, settings=settings)


async def _plan(opened: Any, settings: Settings, wishes: Wishes, read: Opened, stored: StoredProfile | None) -> Plan:
    from config.limits import band_of
    from config.profiles import SupplierProfile

    profile = None if stored is None else SupplierProfile.model_validate(stored.document)
    known = await opened.reports.supplier(wishes.supplier)
    applied = None if known is None else known.applied_as_of
    as_of = datetime.fromisoformat(moment) if (moment := order.moment(wishes.as_of)) else datetime.now(UTC)
    band = band_of(profile, settings.price_band, sha256=read.source.sha256)
    return Plan(band, stale=applied is not None and as_of < applied)


async def _conclude(opened: Any, supplier: str, plan: Plan, judged: Judged, stored: StoredProfile | None) -> None:
    from config.limits import list_cut_of
    from config.profiles import SupplierProfile

    profile = None if stored is None else SupplierProfile.model_validate(stored.document)
    missing = plan.finish(judged.seen, judged.named, await opened.reports.last_list(supplier), list_cut_of(profile))
    if missing:
        plan.missing_codes = await opened.reports.codes(supplier, missing[:1000])


async def judge(read: Opened, plan: Plan | None = None, lookup: Lookup | None = None) -> Judged:
    """Takes the whole list through the stages of a run, as if no record of it were known."""
    import numpy as np

    from contracts.store import Known
    from pipeline.stages import build_stages

    nothing = np.empty(0, dtype=np.int64)
    stages = build_stages(read.plan, Known(nothing, nothing))
    await stages.prepare(read.reading, size=read.plan.chunk_size)
    judged = Judged()
    async for chunk in read.reading.chunks(size=read.plan.chunk_size):
        batch = await asyncio.to_thread(stages.process, chunk)
        batch.account.new += len(batch.items)
        if batch.repeated:
            # Each takes the place of an item of an earlier chunk, which then counts as the duplicate.
            batch.account.ignored["duplicate"] += len(batch.repeated)
        judged.account.add(batch.account)
        judged.first += batch.items[: SHOWN - len(judged.first)]
        for reject in batch.rejects:
            judged.rejects.setdefault(reject.code, reject)
        if plan is not None and lookup is not None:
            await plan.add([*batch.items, *batch.repeated], lookup)
    judged.seen, judged.named = stages.seen(), stages.named()
    return judged


def _document(judged: Judged, plan: Plan) -> dict[str, Any]:
    account = judged.account
    return {
        "account": account.document(),
        "plan": plan.document() | {"rejected": account.rejected.total(), "ignored": account.ignored.total()},
        "rejected": [
            {"code": code, "count": count, "first": judged.rejects[code]._asdict()}
            for code, count in account.rejected.most_common()
        ],
        "items": [item._asdict() for item in judged.first],
    }


def _lines(screen: Screen, name: str, understanding: dict[str, Any], judged: Judged, plan: Plan) -> Iterator[str]:
    account = judged.account
    yield f"Source    {line(name)}"
    yield from understanding_lines(understanding)
    rows, applied = plural(account.read, "row"), account.new - plan.kinds["held"] - plan.kinds["stale"]
    if plan.question is None:
        yield f"Check     {rows}: {plural(applied, 'item')} would be loaded, nothing was written"
    else:
        held = screen.paint("nothing would be loaded before a person has answered", "bold", "yellow")
        yield f"Check     {rows}: {held}"
        yield f"          As it is read now it has {plural(account.new, 'item')}; nothing was written"
    if account.ignored:
        yield f"          Ignored: {ignored(account)}"
    for code, count in account.rejected.most_common():
        first = judged.rejects[code]
        told = f"{line(first.message)} (row {first.row_number})"
        yield f"          {screen.paint(f'Rejected {count:,}', 'yellow')}: {told}"
        if code in REASONS:
            yield f"            Remedy: {line(REASONS[code].fix)}"
    yield from plan_lines(screen, plan)
    if judged.first:
        yield ""
        yield from render(_ITEM, judged.first)
    if plan.question is not None:
        yield ""
        yield from question_lines(plan.question)


def _price(item: Any) -> str:
    from decimal import Decimal

    return money(Decimal(item.price), item.currency)


_ITEM = [
    Column("SKU", lambda item: line(item.sku), least=10),
    Column("NAME", lambda item: line(item.name), least=16),
    Column("PRICE", _price, right=True),
    Column("PER", lambda item: f"{item.price_basis} {line(item.unit or '')}".rstrip(), right=True),
    Column("CATEGORY", lambda item: line(" > ".join(item.category)) or "-", least=8),
]
