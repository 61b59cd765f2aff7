"""The listed queries over items and products: by product, characteristics, price, time and status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from db.reports_prices import ITEM, ItemRow, item_row
from db.reports_reader import Page, ReadModels, page


@dataclass(frozen=True, slots=True)
class ProductRow:
    internal_sku: str
    name: str
    gtin: str | None
    category: str | None
    status: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """What one active product costs in one currency, per single unit (price / price basis, 6 decimals)."""

    internal_sku: str
    name: str
    currency: str
    suppliers: int
    lowest: Decimal
    highest: Decimal


@dataclass(frozen=True, slots=True)
class RecentError:
    task_id: str
    code: str
    reason: str
    row: int | None
    at: datetime


BY_PRODUCT = (
    ITEM
    + """WHERE i.withdrawn_at IS NULL AND i.product_id = (SELECT id FROM products WHERE internal_sku = $1)
  AND ($2::bigint IS NULL OR i.id > $2) ORDER BY i.id LIMIT $3"""
)

BY_CHARACTERISTICS = (
    ITEM
    + """WHERE i.withdrawn_at IS NULL AND i.characteristics @> $1::jsonb
  AND ($2::bigint IS NULL OR i.id > $2) ORDER BY i.id LIMIT $3"""
)

BY_PRICE = (
    ITEM
    + """WHERE i.withdrawn_at IS NULL AND i.current_price BETWEEN $1 AND $2 AND ($3::char(3) IS NULL OR i.currency = $3)
  AND ($4::numeric IS NULL OR (i.current_price, i.id) > ($4, $5::bigint)) ORDER BY i.current_price, i.id LIMIT $6"""
)

RECENT_INGESTS = (
    ITEM
    + """WHERE i.withdrawn_at IS NULL AND i.last_ingested_at >= $1
  AND ($2::timestamptz IS NULL OR (i.last_ingested_at, i.id) < ($2, $3::bigint))
ORDER BY i.last_ingested_at DESC, i.id DESC LIMIT $4"""
)

RECENT_ERRORS = """
SELECT id, task_id, error_type AS code, error_message AS reason, row_number AS row, created_at AS at
FROM parsing_logs WHERE created_at >= $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY created_at DESC, id DESC LIMIT $3
"""

BY_STATUS = """
SELECT p.id, p.internal_sku, p.name, p.gtin, c.name AS category, p.status::text AS status, p.updated_at
FROM products p LEFT JOIN categories c ON c.id = p.category_id
WHERE p.status = $1::product_status AND ($2::text IS NULL OR p.internal_sku > $2) ORDER BY p.internal_sku LIMIT $3
"""

OFFERS = """
SELECT p.internal_sku, p.name, i.currency, count(DISTINCT i.supplier_id) AS suppliers,
       trim_scale(round(min(i.current_price / i.price_basis), 6)) AS lowest,
       trim_scale(round(max(i.current_price / i.price_basis), 6)) AS highest
FROM (SELECT id, internal_sku, name FROM products
      WHERE status = 'active' AND ($1::text IS NULL OR internal_sku > $1) ORDER BY internal_sku LIMIT $2) p
JOIN supplier_items i ON i.product_id = p.id AND i.withdrawn_at IS NULL
GROUP BY p.internal_sku, p.name, i.currency ORDER BY p.internal_sku, i.currency LIMIT 10000
"""

LISTED = {
    "by_product": BY_PRODUCT,
    "by_characteristics": BY_CHARACTERISTICS,
    "by_price": BY_PRICE,
    "recent_ingests": RECENT_INGESTS,
    "recent_errors": RECENT_ERRORS,
    "by_status": BY_STATUS,
    "offers": OFFERS,
}
"""For the tests that ask the planner."""


class CatalogReports(ReadModels):
    """Items and products by what people ask for."""

    async def items_of_product(self, internal_sku: str, *, after: str | None = None, limit: int = 50) -> Page[ItemRow]:
        rows = await self._rows(BY_PRODUCT, internal_sku, int(after) if after else None, limit + 1)
        return _items(rows, limit, [str(row["id"]) for row in rows])

    async def items_with(
        self, characteristics: dict[str, Any], *, after: str | None = None, limit: int = 50
    ) -> Page[ItemRow]:
        """Items whose characteristics contain all of these."""
        wanted = orjson.dumps(characteristics).decode()
        rows = await self._rows(BY_CHARACTERISTICS, wanted, int(after) if after else None, limit + 1)
        return _items(rows, limit, [str(row["id"]) for row in rows])

    async def items_priced(
        self,
        lowest: Decimal,
        highest: Decimal,
        *,
        currency: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[ItemRow]:
        """Both bounds included; cheapest first. Without a currency, numbers of all currencies are compared."""
        price, key = after.split("/") if after else (None, None)
        rows = await self._rows(
            BY_PRICE,
            lowest,
            highest,
            currency,
            Decimal(price) if price else None,
            int(key) if key else None,
            limit + 1,
        )
        return _items(rows, limit, [f"{row['price']}/{row['id']}" for row in rows])

    async def recent_ingests(self, since: datetime, *, after: str | None = None, limit: int = 50) -> Page[ItemRow]:
        """Items written since then, newest first."""
        at, key = after.split("/") if after else (None, None)
        rows = await self._rows(
            RECENT_INGESTS, since, datetime.fromisoformat(at) if at else None, int(key) if key else None, limit + 1
        )
        return _items(rows, limit, [f"{row['last_ingested_at'].isoformat()}/{row['id']}" for row in rows])

    async def recent_errors(self, since: datetime, *, limit: int = 50) -> tuple[RecentError, ...]:
        """Rejected rows since then, newest first."""
        rows = await self._rows(RECENT_ERRORS, since, None, limit)
        return tuple(RecentError(row["task_id"], row["code"], row["reason"], row["row"], row["at"]) for row in rows)

    async def products(self, status: str, *, after: str | None = None, limit: int = 50) -> Page[ProductRow]:
        """Products in one status, by internal SKU."""
        rows = await self._rows(BY_STATUS, status, after, limit + 1)
        found = [ProductRow(**{key: value for key, value in dict(row).items() if key != "id"}) for row in rows]
        return page(found, limit, [row.internal_sku for row in found])

    async def offers(self, *, after: str | None = None, limit: int = 50) -> tuple[Offer, ...]:
        """Of the next `limit` active products behind `after` (an internal SKU): one line per currency."""
        return tuple(Offer(**dict(row)) for row in await self._rows(OFFERS, after, limit))


def _items(rows: Any, limit: int, cursors: list[str]) -> Page[ItemRow]:
    return page([item_row(row) for row in rows], limit, cursors)
