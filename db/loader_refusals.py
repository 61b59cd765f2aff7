"""Finds the rows that the database refuses, so that their neighbours can be loaded."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from contracts.errors import DatabaseUnavailable
from contracts.rows import Item, RowError
from db.errors import DataRefused, translated
from db.loader_rows import Categories, copy_text
from db.loader_staged import Staged


async def weed(
    staged: Staged, categories: Categories, *, merge: Callable[[asyncpg.Connection], Awaitable[object]]
) -> set[str]:
    """Turns the rows that the database refuses into rejected ones; answers their codes. `merge` must merge `staged`."""
    rows = list(zip(staged.items, staged.kinds, strict=True))
    refused = await refusals(await staged.lane.connection(), rows, categories=categories, merge=merge)
    if not refused:
        raise DatabaseUnavailable("the database refused a chunk and then accepted each of its rows")
    for item, reason in refused.items():
        staged.rejects.append(refusal(item, reason))
        staged.counted.rejected["refused_by_database"] += 1
    kept = [(item, kind) for item, kind in rows if item not in refused]
    staged.items = [item for item, _ in kept]
    staged.kinds = [kind for _, kind in kept]
    staged.repeated = staged.kinds.count(2)
    staged.suspect = False
    staged.lane.holds = None
    return {item.sku for item in refused}


async def refusals(
    connection: asyncpg.Connection,
    rows: Sequence[tuple[Item, int]],
    *,
    categories: Categories,
    merge: Callable[[asyncpg.Connection], Awaitable[object]],
) -> dict[Item, str]:
    """What PostgreSQL said, by item. Stages and merges halves of the rows (items with their kinds) until the bad ones
    stand alone; each trial is a transaction that is rolled back. Raises DatabaseUnavailable."""
    data = copy_text([item for item, _ in rows], [kind for _, kind in rows], categories)
    try:
        with translated():
            transaction = connection.transaction()
            await transaction.start()
            try:
                await connection.execute("TRUNCATE loader_stage")
                await connection.copy_to_table("loader_stage", source=io.BytesIO(data), format="text")
                await merge(connection)
            finally:
                await transaction.rollback()
    except DataRefused as error:
        if len(rows) == 1:
            return {rows[0][0]: error.message}
        half = len(rows) // 2
        left = await refusals(connection, rows[:half], categories=categories, merge=merge)
        return left | await refusals(connection, rows[half:], categories=categories, merge=merge)
    return {}


def refusal(item: Item, reason: str) -> RowError:
    """The record of an item that the gate let through and PostgreSQL did not."""
    return RowError(
        row_number=item.row_number,
        code="refused_by_database",
        message=f"the database refused the row: {reason}",
        field=None,
        value=reason,
        cells=(item.sku, item.name, item.price, item.currency, item.unit, item.gtin, item.characteristics),
    )
