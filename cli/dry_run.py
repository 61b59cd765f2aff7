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
from cli.exits import Exit
from cli.plan import Plan
from cli.plan_view import plan_lines
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
    from pipeline.drift.absorb import LastList
    from pipeline.open import Opened

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
    """Sorted hashes of the codes of all items."""


def check_list(screen: Screen, settings: Settings, source: str, wishes: Wishes) -> int:
    """Prints what would be loaded. Exit 6 if rows would be rejected or held, or the whole list would wait. Reads what
    is known of the supplier, writes nothing."""

    async def check(opened: Any) -> int:
        stored = await opened.profiles.newest(wishes.supplier)
        context.quiet_logs()
        question: NeedsAnswer | None = None
        last = await _last_list(opened, wishes.supplier, stored)
        async with AsyncExitStack() as stack:
            try:
                handed, read = await stack.enter_async_context(opened_list(settings, source, wishes, stored, last=last))
            except ListDoubtful as doubt:
                # What it would do is worth seeing all the same.
                question = doubt
                handed, read = await stack.enter_async_context(opened_list(settings, source, wishes, stored))
            try:
                await _readable(read, stored)
            except ListDoubtful as doubt:
                question = question or doubt
            plan = await _plan(opened, settings, wishes, read, stored)
            plan.question = None if question is None else question.message
            judged = await judge(read, plan, partial(opened.shapes.prices, wishes.supplier))
            await _conclude(opened, wishes.supplier, plan, judged, stored)
            understanding = {
                "description": read.reading.description.document(),
                **read.plan.understanding.document(),
            }
        return _present(screen, source, understanding, judged, plan, name=handed.name)

    return context.run(check, settings=settings)


async def _readable(read: Opened, stored: StoredProfile | None) -> None:
    from config.profiles import SupplierProfile
    from pipeline.unreadable import stop_if_unreadable

    profile = None if stored is None else SupplierProfile.model_validate(stored.document)
    await stop_if_unreadable(read.sample, read.plan.understanding, profile=profile, sha256=read.source.sha256)


async def _last_list(opened: Any, supplier: str, stored: StoredProfile | None) -> LastList | None:
    from pipeline.drift.absorb import LastList
    from pipeline.understanding.shape import Shape

    if stored is None:
        return None
    shape = Shape.read(await opened.shapes.newest(supplier, ""))
    return LastList(shape, partial(opened.shapes.prices, supplier))


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
    missing = plan.finish(judged.seen, await opened.reports.last_list(supplier), list_cut_of(profile))
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
    judged.seen = stages.seen()
    return judged


def _present(
    screen: Screen, source: str, understanding: dict[str, Any], judged: Judged, plan: Plan, *, name: str
) -> int:
    account = judged.account
    document = {
        "source": name,
        "understanding": understanding,
        "account": account.document(),
        "plan": plan.document() | {"rejected": account.rejected.total(), "ignored": account.ignored.total()},
        "rejected": [
            {"code": code, "count": count, "first": judged.rejects[code]._asdict()}
            for code, count in account.rejected.most_common()
        ],
        "items": [item._asdict() for item in judged.first],
    }
    screen.answer(document, lambda: _lines(screen, name, understanding, judged, plan))
    if account.rejected:
        screen.next(f"pricemill map {line(source)!r}")
    else:
        screen.next(f"pricemill import {line(source)!r} with the same options, without --check")
    found = account.rejected or plan.kinds["held"] or plan.question or plan.shapes
    return Exit.FINDINGS if found else Exit.DONE


def _lines(screen: Screen, name: str, understanding: dict[str, Any], judged: Judged, plan: Plan) -> Iterator[str]:
    account = judged.account
    yield f"Source    {line(name)}"
    yield from understanding_lines(understanding)
    yield f"Check     {plural(account.read, 'row')}: {plural(account.new, 'item')} would be loaded, nothing was written"
    yield from plan_lines(screen, plan)
    if account.ignored:
        yield f"          Ignored: {ignored(account)}"
    for code, count in account.rejected.most_common():
        first = judged.rejects[code]
        told = f"{line(first.message)} (row {first.row_number})"
        yield f"          {screen.paint(f'Rejected {count:,}', 'yellow')}: {told}"
        if code in REASONS:
            yield f"            Remedy: {line(REASONS[code].fix)}"
    if judged.first:
        yield ""
        yield from render(_ITEM, judged.first)


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
