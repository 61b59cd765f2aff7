"""Suppliers, the category tree and products, as many workers may make and look them up at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Literal

import asyncpg

from contracts.errors import StateConflict
from db.errors import DataRefused, translated
from db.matching import PostgresMatcher

__all__ = [
    "PostgresMatcher",
    "category_ids",
    "create_product",
    "delete_product",
    "set_product_status",
    "supplier_id",
]

SUPPLIER = """
INSERT INTO suppliers (name, source_type) VALUES ($1, $2)
ON CONFLICT (name) DO NOTHING
RETURNING id::text
"""

CATEGORIES = """
SELECT w.position, c.id::text
  FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS w(name, parent_id, position)
  JOIN categories c ON c.name = w.name AND c.parent_id {same} w.parent_id
"""

NEW_CATEGORIES = """
INSERT INTO categories (name, parent_id)
SELECT name, parent_id FROM unnest($1::text[], $2::uuid[]) AS w(name, parent_id) ORDER BY parent_id, name
ON CONFLICT DO NOTHING
"""

Path = tuple[str, ...]
Status = Literal["draft", "active", "archived"]


async def supplier_id(connection: asyncpg.Connection, name: str, *, source_type: str = "unknown") -> str:
    """Id of the supplier of that name, created if there is none; one per name however many ask at once."""
    with translated():
        found = await connection.fetchval("SELECT id::text FROM suppliers WHERE name = $1", name)
        found = found or await connection.fetchval(SUPPLIER, name, source_type)
        # Neither found nor inserted: someone else did in between, and has committed.
        return str(found or await connection.fetchval("SELECT id::text FROM suppliers WHERE name = $1", name))


async def category_ids(connection: asyncpg.Connection, paths: Collection[Path]) -> dict[Path, str]:
    """Ids of these paths and of all their ancestors; what is missing is created. Level by level, each a statement
    and transaction of its own with its rows in one order, so that no two callers can wait for each other.
    Not inside a transaction: shared rows would stay locked as long as it lasts."""
    known: dict[Path, str] = {(): ""}
    for depth in range(1, max(map(len, paths), default=0) + 1):
        level = sorted({path[:depth] for path in paths if len(path) >= depth})
        with translated():
            await _look_up(connection, level, known)
            missing = [path for path in level if path not in known]
            if missing:
                await connection.execute(NEW_CATEGORIES, *_columns(missing, known))
                await _look_up(connection, missing, known)
    del known[()]
    return known


async def _look_up(connection: asyncpg.Connection, level: list[Path], known: dict[Path, str]) -> None:
    # IS NOT DISTINCT FROM would do for both, but cannot use an index.
    same = "=" if len(level[0]) > 1 else "IS NOT DISTINCT FROM"
    for position, found in await connection.fetch(CATEGORIES.format(same=same), *_columns(level, known)):
        known[level[position - 1]] = found


def _columns(level: Iterable[Path], known: dict[Path, str]) -> tuple[list[str], list[str | None]]:
    level = list(level)
    return [path[-1] for path in level], [known[path[:-1]] or None for path in level]


async def create_product(
    connection: asyncpg.Connection,
    *,
    internal_sku: str,
    name: str,
    gtin: str | None = None,
    category_id: str | None = None,
    status: Status = "draft",
) -> str:
    """Id of the new product. StateConflict if it would start as archived; DataRefused for a known SKU or GTIN."""
    return str(
        await _guarded(
            connection,
            "INSERT INTO products (internal_sku, name, gtin, category_id, status)"
            " VALUES ($1, $2, $3, $4, $5) RETURNING id::text",
            internal_sku,
            name,
            gtin,
            category_id,
            status,
        )
    )


async def set_product_status(connection: asyncpg.Connection, product_id: str, status: Status) -> None:
    """active publishes a draft, draft takes an active one back, archived ends an active one for good.
    StateConflict for any other step and for an unknown product."""
    found = await _guarded(
        connection,
        "UPDATE products SET status = $2, updated_at = CASE WHEN status = $2 THEN updated_at ELSE now() END"
        " WHERE id = $1::uuid RETURNING id",
        product_id,
        status,
    )
    if found is None:
        raise StateConflict("there is no such product", product_id=product_id)


async def delete_product(connection: asyncpg.Connection, product_id: str) -> None:
    """Drafts only; their items stay without a product. StateConflict otherwise."""
    if await _guarded(connection, "DELETE FROM products WHERE id = $1::uuid RETURNING id", product_id) is None:
        raise StateConflict("there is no such product", product_id=product_id)


async def _guarded(connection: asyncpg.Connection, statement: str, *arguments: Any) -> Any:
    try:
        with translated():
            return await connection.fetchval(statement, *arguments)
    except DataRefused as error:
        if error.constraint == "products_lifecycle":
            raise StateConflict(error.message) from error
        raise
