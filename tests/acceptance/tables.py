"""The tables as a person would compare them: without ids, clock times and counts of attempts."""

from __future__ import annotations

from typing import Any

import asyncpg

from tests.support.invariants import broken_invariants

__all__ = ["QUERIES", "Tables", "assert_equal", "broken_invariants", "logical_tables"]

Tables = dict[str, list[tuple[Any, ...]]]

_CATEGORY_PATH = """
WITH RECURSIVE path(id, names) AS (
  SELECT id, ARRAY[name::text] FROM categories WHERE parent_id IS NULL
  UNION ALL
  SELECT c.id, p.names || c.name::text FROM categories c JOIN path p ON c.parent_id = p.id
)
"""

QUERIES = {
    "suppliers": "SELECT name, source_type, applied_as_of FROM suppliers ORDER BY name",
    "categories": _CATEGORY_PATH + "SELECT names FROM path ORDER BY names",
    "products": "SELECT internal_sku, name, gtin, status FROM products ORDER BY internal_sku",
    "supplier_items": _CATEGORY_PATH
    + """
    SELECT s.name AS supplier, i.supplier_sku, i.name, i.current_price, i.currency, i.price_basis, i.unit, i.gtin,
           path.names AS category, i.characteristics, i.as_of, i.key_hash, i.fingerprint, i.source_row,
           t.task_id, p.internal_sku
      FROM supplier_items i JOIN suppliers s ON s.id = i.supplier_id JOIN tasks t ON t.id = i.task_key
      LEFT JOIN path ON path.id = i.category_id LEFT JOIN products p ON p.id = i.product_id
     ORDER BY s.name, i.supplier_sku
    """,
    "price_history": """
    SELECT s.name AS supplier, i.supplier_sku, h.price, h.currency, h.price_basis, h.as_of, h.source_row, t.task_id
      FROM price_history h JOIN supplier_items i ON i.id = h.supplier_item_id
      JOIN suppliers s ON s.id = i.supplier_id JOIN tasks t ON t.id = h.task_key
     ORDER BY s.name, i.supplier_sku, h.as_of, t.id
    """,
    "parsing_logs": """
    SELECT l.task_id, s.name AS supplier, l.error_type, l.error_message, l.row_number, l.field, l.value, l.row_data
      FROM parsing_logs l LEFT JOIN suppliers s ON s.id = l.supplier_id
     ORDER BY l.task_id, l.row_number, l.error_type
    """,
    "held_rows": """
    SELECT s.name AS supplier, i.supplier_sku, h.source_row, h.old_price, h.old_currency, h.old_basis, h.price,
           h.currency, h.price_basis, h.as_of, h.reason, h.status, t.task_id, b.task_id AS superseded_by
      FROM held_rows h JOIN supplier_items i ON i.id = h.supplier_item_id JOIN suppliers s ON s.id = h.supplier_id
      JOIN tasks t ON t.id = h.task_key LEFT JOIN tasks b ON b.id = h.superseded_by
     ORDER BY s.name, i.supplier_sku, t.id
    """,
    "item_descriptions": """
    SELECT s.name AS supplier, i.supplier_sku, d.name, d.unit, d.gtin, d.characteristics, t.task_id
      FROM item_descriptions d JOIN supplier_items i ON i.id = d.supplier_item_id
      JOIN suppliers s ON s.id = i.supplier_id JOIN tasks t ON t.id = d.task_key
     ORDER BY s.name, i.supplier_sku, t.id
    """,
    "list_keys": """
    SELECT s.name AS supplier, k.list_name, k.as_of, md5(k.keys) AS keys, t.task_id
      FROM list_keys k JOIN suppliers s ON s.id = k.supplier_id JOIN tasks t ON t.id = k.task_key
     ORDER BY s.name, k.list_name, t.id
    """,
    "tasks": """
    SELECT task_id, status, (result->'statistics') - 'processing_time_seconds' - 'items_per_second' AS statistics,
           result->>'status' AS result
      FROM tasks ORDER BY task_id
    """,
    "dead_letters": "SELECT task_id, supplier_name, code, status FROM dead_letters ORDER BY task_id, code",
}


async def logical_tables(url: str) -> Tables:
    """Every table's rows in a stable order, ready to be compared with those of another run."""
    connection = await asyncpg.connect(url)
    try:
        return {name: [tuple(row) for row in await connection.fetch(query)] for name, query in QUERIES.items()}
    finally:
        await connection.close()


async def assert_equal(url: str, undisturbed: Tables) -> None:
    """The tables are those of the undisturbed run, and no invariant is broken."""
    tables = await logical_tables(url)
    for name, rows in undisturbed.items():
        assert tables[name] == rows, name
    assert await broken_invariants(url, at_rest=True) == {}
