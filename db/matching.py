"""Joins the items of a task with products: by GTIN, by code where that is configured, or with new drafts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

from contracts.errors import LeaseLost
from contracts.store import Claim
from db.connection import close_pool, open_pool
from db.statements import Statements

HELD = "SELECT FROM tasks WHERE id = $1 AND epoch = $2 AND status = 'running' FOR NO KEY UPDATE"

PROLONG = "UPDATE tasks SET lease_until = greatest(lease_until, clock_timestamp() + $2::interval) WHERE id = $1"

_MINE = "i.supplier_id = (SELECT id FROM suppliers WHERE name = $1::text) AND i.task_key = $2 AND i.product_id IS NULL"

_JOIN = f"""
UPDATE supplier_items i SET product_id = p.id, updated_at = now()
  FROM products p WHERE {_MINE} AND p.status <> 'archived' AND """

BY_GTIN = _JOIN + "i.gtin IS NOT NULL AND p.gtin = i.gtin"
BY_CODE = _JOIN + "p.internal_sku = i.supplier_sku"

_DRAFT_SKU = """
CASE WHEN length($1::text || '/' || i.supplier_sku) <= 100 THEN $1::text || '/' || i.supplier_sku
     ELSE left($1::text || '/' || i.supplier_sku, 67) || '-' || md5($1::text || '/' || i.supplier_sku) END
"""

DRAFTS = f"""
INSERT INTO products (internal_sku, name, gtin, category_id)
SELECT DISTINCT ON (coalesce(i.gtin, sku)) sku, i.name, i.gtin, i.category_id
  FROM supplier_items i, LATERAL (SELECT {_DRAFT_SKU} AS sku) AS draft
 WHERE {_MINE}
 ORDER BY coalesce(i.gtin, sku), sku
ON CONFLICT DO NOTHING
"""
"""One for each GTIN, else for each item. A GTIN that an archived product holds gets none."""

BY_DRAFT = _JOIN + f"p.internal_sku = {_DRAFT_SKU} AND p.gtin IS NOT DISTINCT FROM i.gtin"


class PostgresMatcher:
    """Implements contracts.catalog.Matcher. Archived products are never matched. GTINs are compared as text."""

    def __init__(self, pool: asyncpg.Pool, *, by_code: bool = False, create_drafts: bool = False) -> None:
        self._statements = Statements(pool)
        self._by_code = by_code
        self._create_drafts = create_drafts

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, by_code: bool = False, create_drafts: bool = False, size: int = 2
    ) -> AsyncIterator[PostgresMatcher]:
        """`by_code`: a supplier's SKU that equals a product's internal SKU is that product."""
        pool = await open_pool(url, size=size, application_name="pricemill-matcher")
        try:
            yield cls(pool, by_code=by_code, create_drafts=create_drafts)
        finally:
            await close_pool(pool)

    async def match(self, claim: Claim) -> int:
        """Holds the task's row while it works, so that no other worker can take the task over meanwhile.
        LeaseLost if one has."""
        mine = (claim.task.supplier_name, claim.task_key)

        async def act(connection: asyncpg.Connection) -> int:
            async with connection.transaction():
                if await connection.fetchrow(HELD, claim.task_key, claim.epoch) is None:
                    raise LeaseLost(task_id=claim.task.task_id, epoch=claim.epoch)
                if not self._create_drafts and not await connection.fetchval("SELECT EXISTS (SELECT FROM products)"):
                    return 0
                steps = [BY_GTIN]
                steps += [BY_CODE] if self._by_code else []
                steps += [DRAFTS, BY_GTIN, BY_DRAFT] if self._create_drafts else []
                matched = 0
                for statement in steps:
                    status = await connection.execute(statement, *mine)
                    matched += int(status.rsplit(" ", 1)[1]) if status.startswith("UPDATE") else 0
                await connection.execute(PROLONG, claim.task_key, timedelta(seconds=10))
                return matched

        return await self._statements.run(act)
