"""`pricemill import --check`: every row read and judged as a run would, nothing written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cli import context
from cli.exits import Exit
from cli.reading import opened_list
from cli.screen import Screen
from cli.summary import ignored, understanding_lines
from cli.table import Column, render
from cli.text import line, money, plural
from contracts.account import Account
from contracts.reasons import REASONS

if TYPE_CHECKING:
    from cli.order import Wishes
    from config.settings import Settings
    from contracts.rows import Item, RowError
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


def check_list(screen: Screen, settings: Settings, source: str, wishes: Wishes) -> int:
    """Prints what would be loaded. Exit 6 if rows would be rejected. Only the supplier's profile is read."""

    async def check(opened: Any) -> int:
        stored = await opened.profiles.newest(wishes.supplier)
        context.quiet_logs()
        async with opened_list(settings, source, wishes, stored) as (handed, read):
            judged = await judge(read)
            understanding = {
                "description": read.reading.description.document(),
                **read.plan.understanding.document(),
            }
        return _present(screen, source, handed.name, understanding, judged)

    return context.run(check, settings=settings)


async def judge(read: Opened) -> Judged:
    """Takes the whole list through the stages of a run, as if nothing of this supplier were known."""
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
    return judged


def _present(screen: Screen, source: str, name: str, understanding: dict[str, Any], judged: Judged) -> int:
    account = judged.account
    document = {
        "source": name,
        "understanding": understanding,
        "account": account.document(),
        "rejected": [
            {"code": code, "count": count, "first": judged.rejects[code]._asdict()}
            for code, count in account.rejected.most_common()
        ],
        "items": [item._asdict() for item in judged.first],
    }
    screen.answer(document, lambda: _lines(screen, name, understanding, judged))
    if account.rejected:
        screen.next(f"pricemill map {line(source)!r}")
    else:
        screen.next(f"pricemill import {line(source)!r} with the same options, without --check")
    return Exit.FINDINGS if account.rejected else Exit.DONE


def _lines(screen: Screen, name: str, understanding: dict[str, Any], judged: Judged) -> Iterator[str]:
    account = judged.account
    yield f"Source    {line(name)}"
    yield from understanding_lines(understanding)
    yield f"Check     {plural(account.read, 'row')}: {plural(account.new, 'item')} would be loaded, nothing was written"
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
