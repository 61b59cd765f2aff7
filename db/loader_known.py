"""Reads what is known of a supplier's items: straight into arrays, or the prices of some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import numpy as np

from contracts.store import Current, Known

_HEADER = len(b"PGCOPY\n\xff\r\n\x00") + 8
_TRAILER = 2
_TUPLE = np.dtype([("fields", ">i2"), ("size1", ">i4"), ("print", ">i8"), ("size2", ">i4"), ("key", ">i8")])
_QUERY = "SELECT fingerprint, key_hash FROM supplier_items WHERE supplier_id = $1 AND fingerprint IS NOT NULL"

# LIMIT keeps the planner from joining any other way than by one probe of the unique index a code.
_PRICES = """
SELECT w.sku, i.name, i.current_price, i.currency, i.price_basis
  FROM unnest($2::text[]) AS w(sku)
 CROSS JOIN LATERAL (SELECT * FROM supplier_items o WHERE o.supplier_id = $1 AND o.supplier_sku = w.sku LIMIT 1) i
 WHERE i.withdrawn_at IS NULL
"""


async def read_prices(connection: asyncpg.Connection, supplier_id: str, skus: Sequence[str]) -> dict[str, Current]:
    """By code. Codes that PostgreSQL cannot hold (NUL, lone surrogates) have no item. Raises what asyncpg raises."""
    asked = [sku for sku in skus if "\x00" not in sku and not any("\ud800" <= sign <= "\udfff" for sign in sku)]
    return {row[0]: Current(*row[1:]) for row in await connection.fetch(_PRICES, supplier_id, asked)}


async def read_known(connection: asyncpg.Connection, supplier_id: str) -> Known:
    """One pass over the supplier's items through COPY in binary: 26 bytes an item on the wire, no Python object each.
    Raises what asyncpg raises."""
    prints: list[np.ndarray[Any, Any]] = []
    keys: list[np.ndarray[Any, Any]] = []
    rest = bytearray()
    started = False

    async def collect(data: bytes) -> None:
        nonlocal started
        rest.extend(data)
        if not started:
            if len(rest) < _HEADER:
                return
            del rest[:_HEADER]
            started = True
        # The trailer is shorter than a tuple, so it stays in `rest` for good.
        whole = len(rest) // _TUPLE.itemsize
        if whole > 4096:
            take(whole)

    def take(whole: int) -> None:
        rows = np.frombuffer(bytes(rest[: whole * _TUPLE.itemsize]), dtype=_TUPLE)
        prints.append(rows["print"].astype(np.int64))
        keys.append(rows["key"].astype(np.int64))
        del rest[: whole * _TUPLE.itemsize]

    async with connection.transaction():
        # The loader's sessions shun sequential scans (see loader.py); this one statement reads everything.
        await connection.execute("SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on")
        await connection.copy_from_query(_QUERY, supplier_id, output=collect, format="binary")
    take((len(rest) - _TRAILER) // _TUPLE.itemsize)
    together = _joined(prints)
    order = np.argsort(together, kind="stable")
    together = together[order]
    return Known(fingerprints=together, key_hashes=_joined(keys)[order])


def _joined(parts: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """Empties the list, so that nothing is held twice for longer than needed."""
    whole = np.concatenate(parts)
    parts.clear()
    return whole
