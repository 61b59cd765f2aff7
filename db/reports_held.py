"""Read models of held rows: prices that wait for a decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from db.reports_reader import Page, ReadModels, page


@dataclass(frozen=True, slots=True)
class HeldPrice:
    """One open hold."""

    id: int
    supplier: str
    sku: str
    name: str
    old_price: Decimal
    old_currency: str
    old_basis: Decimal
    price: Decimal
    currency: str
    price_basis: Decimal
    reason: str
    """A code of contracts/band.py."""
    task_id: str
    row: int
    held_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFilter:
    """Open holds; several members narrow each other."""

    skus: tuple[str, ...] = ()
    supplier: str | None = None
    task_id: str | None = None
    after: str | None = None
    limit: int = 50


_ROWS = """
SELECT h.id, s.name AS supplier, i.supplier_sku AS sku, i.name, h.old_price, h.old_currency, h.old_basis, h.price,
       h.currency, h.price_basis, h.reason, t.task_id, h.source_row AS row, h.held_at
  FROM held_rows h
  JOIN supplier_items i ON i.id = h.supplier_item_id
  JOIN suppliers s ON s.id = h.supplier_id
  JOIN tasks t ON t.id = h.task_key
 WHERE h.status = 'open' AND ($1::text[] IS NULL OR i.supplier_sku = ANY ($1)) AND ($2::text IS NULL OR s.name = $2)
   AND ($3::text IS NULL OR t.task_id = $3) AND ($4::bigint IS NULL OR h.id > $4)
 ORDER BY h.id LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of the newest price of a code that was held."""

    supplier: str
    sku: str
    status: str
    """approved, rejected or superseded."""
    by: str | None
    at: datetime


_DECIDED = """
SELECT DISTINCT ON (s.name, i.supplier_sku) s.name AS supplier, i.supplier_sku AS sku, h.status::text AS status,
       h.closed_by AS by, h.closed_at AS at
  FROM held_rows h JOIN supplier_items i ON i.id = h.supplier_item_id JOIN suppliers s ON s.id = h.supplier_id
 WHERE h.status <> 'open' AND i.supplier_sku = $1 AND ($2::text IS NULL OR s.name = $2)
 ORDER BY s.name, i.supplier_sku, h.id DESC LIMIT 10
"""


class HeldReports(ReadModels):
    async def decisions(self, sku: str, supplier: str | None) -> list[Decision]:
        """One for each supplier that had a price of this code held."""
        return [Decision(**dict(row)) for row in await self._rows(_DECIDED, sku, supplier)]

    async def held_prices(self, which: HeldFilter) -> Page[HeldPrice]:
        """In the order in which they were held."""
        after = int(which.after) if which.after else None
        rows = await self._rows(_ROWS, list(which.skus) or None, which.supplier, which.task_id, after, which.limit + 1)
        return page([HeldPrice(**dict(row)) for row in rows], which.limit, [str(row["id"]) for row in rows])
