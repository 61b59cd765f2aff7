"""What the last lists of a supplier looked like, and the prices that its items have now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from contracts.store import Claim, Current
from db.loader_known import read_prices
from db.pooled import Pooled
from db.storable import json_text

KEPT = 10
"""Shapes of one supplier and list name."""

NEWEST = """
SELECT l.document::text FROM list_shapes l JOIN suppliers s ON s.id = l.supplier_id
 WHERE s.name = $1 AND l.list_name = $2
   AND NOT EXISTS (SELECT FROM tasks t WHERE t.id = l.task_key AND t.reverted_at IS NOT NULL)
 ORDER BY l.as_of DESC, l.task_key DESC LIMIT 1
"""
ADD = """
INSERT INTO list_shapes (supplier_id, list_name, task_key, as_of, document)
SELECT id, $2, $3, $4, $5::jsonb FROM suppliers WHERE name = $1
ON CONFLICT (supplier_id, list_name, task_key) DO UPDATE SET document = excluded.document, as_of = excluded.as_of
"""
PRUNE = """
DELETE FROM list_shapes l USING suppliers s
 WHERE s.id = l.supplier_id AND s.name = $1 AND l.list_name = $2 AND l.task_key IN (
   SELECT o.task_key FROM list_shapes o WHERE o.supplier_id = s.id AND o.list_name = $2
    ORDER BY o.as_of DESC, o.task_key DESC OFFSET $3)
"""
SUPPLIER = "SELECT id FROM suppliers WHERE name = $1"


class PostgresShapes(Pooled):
    """Implements contracts.catalog.Shapes."""

    name = "pricemill-shapes"

    async def newest(self, supplier_name: str, list_name: str) -> dict[str, Any] | None:
        rows = await self._statements.rows(NEWEST, supplier_name, list_name)
        return orjson.loads(rows[0][0]) if rows else None

    async def add(self, claim: Claim, document: dict[str, Any]) -> None:
        supplier, name = claim.task.supplier_name, claim.task.options.list_name or ""
        text = json_text(document)

        async def act(connection: asyncpg.Connection) -> None:
            async with connection.transaction():
                await connection.execute(ADD, supplier, name, claim.task_key, claim.as_of, text)
                await connection.execute(PRUNE, supplier, name, KEPT)

        await self._statements.run(act)

    async def prices(self, supplier_name: str, skus: Sequence[str]) -> dict[str, Current]:
        async def act(connection: asyncpg.Connection) -> dict[str, Current]:
            supplier = await connection.fetchval(SUPPLIER, supplier_name)
            return {} if supplier is None else await read_prices(connection, supplier, skus)

        return await self._statements.run(act)


class MemoryShapes:
    """The twin; prices are those that a test puts in."""

    def __init__(self) -> None:
        self.shapes: dict[tuple[str, str], dict[int, tuple[datetime, str]]] = {}
        self.current: dict[str, dict[str, Current]] = {}

    async def newest(self, supplier_name: str, list_name: str) -> dict[str, Any] | None:
        kept = self.shapes.get((supplier_name, list_name))
        if not kept:
            return None
        _, (_, text) = max(kept.items(), key=lambda entry: (entry[1][0], entry[0]))
        document: dict[str, Any] = orjson.loads(text)
        return document

    async def add(self, claim: Claim, document: dict[str, Any]) -> None:
        kept = self.shapes.setdefault((claim.task.supplier_name, claim.task.options.list_name or ""), {})
        kept[claim.task_key] = (claim.as_of, json_text(document))
        for key in sorted(kept, key=lambda key: (kept[key][0], key), reverse=True)[KEPT:]:
            del kept[key]

    async def prices(self, supplier_name: str, skus: Sequence[str]) -> dict[str, Current]:
        known = self.current.get(supplier_name, {})
        return {sku: known[sku] for sku in skus if sku in known}
