"""What a person decides about held prices: applied, or closed without being applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from contracts.failpoints import failpoint
from db.exclusive import exclusive
from db.pooled import Pooled

AT_ONCE = 10_000
"""Holds decided in one transaction."""

_TASKS = """
SELECT h.task_key, t.supplier_name, array_agg(h.id ORDER BY h.id) AS ids
  FROM held_rows h JOIN tasks t ON t.id = h.task_key
 WHERE h.id = ANY ($1::bigint[]) AND h.status = 'open'
 GROUP BY h.task_key, t.supplier_name ORDER BY h.task_key
"""

# Whatever was written to the item since, its price is still the one that the held price was compared with.
_APPROVE = """
WITH chosen AS MATERIALIZED (
  SELECT h.*, (i.withdrawn_at IS NULL AND (i.current_price, i.currency, i.price_basis)
                 = (h.old_price, h.old_currency, h.old_basis)) AS fits
    FROM held_rows h JOIN supplier_items i ON i.id = h.supplier_item_id
   WHERE h.id = ANY ($1::bigint[]) AND h.status = 'open'
), items AS (
  UPDATE supplier_items i
     SET current_price = c.price, currency = c.currency, price_basis = c.price_basis, as_of = c.as_of,
         task_key = c.task_key, source_row = c.source_row, updated_at = now()
    FROM chosen c WHERE i.id = c.supplier_item_id AND c.fits
), history AS (
  INSERT INTO price_history (supplier_item_id, task_key, source_row, price, currency, price_basis, as_of)
  SELECT supplier_item_id, task_key, source_row, price, currency, price_basis, as_of FROM chosen WHERE fits
), closed AS (
  UPDATE held_rows h SET status = 'approved', closed_at = now(), closed_by = $2, close_reason = $3
    FROM chosen c WHERE h.id = c.id AND c.fits
)
SELECT count(*) FILTER (WHERE fits) AS decided, count(*) FILTER (WHERE NOT fits) AS outdated FROM chosen
"""

_REJECT = """
UPDATE held_rows SET status = 'rejected', closed_at = now(), closed_by = $2, close_reason = $3
 WHERE id = ANY ($1::bigint[]) AND status = 'open'
"""


@dataclass(frozen=True, slots=True)
class Decided:
    """How many holds were closed, and how many could not be."""

    decided: int = 0
    outdated: int = 0
    """Left open: the price of the item was changed since otherwise than by a list."""


class PostgresHolds(Pooled):
    """One transaction for each task whose rows are meant. A hold that is not open any more is left out."""

    name = "pricemill-holds"

    async def approve(self, ids: Sequence[int], *, actor: str, reason: str = "") -> Decided:
        """Items get the held price, with a history row that names the task and row it was held from. Raises
        StateConflict while a task of the supplier runs."""
        decided = outdated = 0
        for row in await self._statements.rows(_TASKS, list(ids)):
            for start in range(0, len(row["ids"]), AT_ONCE):
                part = await self._approve(row, row["ids"][start : start + AT_ONCE], actor, reason)
                decided += part["decided"]
                outdated += part["outdated"]
        return Decided(decided, outdated)

    async def _approve(self, task: asyncpg.Record, ids: list[int], actor: str, reason: str) -> asyncpg.Record:
        async def act(connection: asyncpg.Connection) -> asyncpg.Record:
            async with connection.transaction(), exclusive(connection, task["task_key"], task["supplier_name"]):
                done = await connection.fetchrow(_APPROVE, ids, actor, reason)
                failpoint("hold.before_commit")
            failpoint("hold.committed")
            return done

        return await self._statements.run(act)

    async def reject(self, ids: Sequence[int], *, actor: str, reason: str = "") -> Decided:
        """The price that holds stays. A later list with the same price is held again."""

        async def act(connection: asyncpg.Connection) -> str:
            async with connection.transaction():
                done = str(await connection.execute(_REJECT, list(ids), actor, reason))
                failpoint("hold.before_commit")
            failpoint("hold.committed")
            return done

        return Decided(int((await self._statements.run(act)).rsplit(" ", 1)[1]))
