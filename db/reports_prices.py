"""Read models of prices: suppliers, their items, and where a number comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from db.reports_reader import Page, ReadModels, json, page, source_name

MANY = 1_000_000
"""Items are counted up to here."""


@dataclass(frozen=True, slots=True)
class SupplierRow:
    name: str
    source_type: str
    items: int
    """At most 1,000,000."""
    profile: int | None
    """Version of the newest profile."""
    applied_as_of: datetime | None
    """The newest list of which a row was committed."""
    last_task: str | None
    last_state: str | None
    updated_at: datetime
    last_list_at: datetime | None
    """When a list was last loaded to its end; lists that were taken back do not count."""
    expected_seconds: float | None
    """Between two lists."""
    expected_tolerance: Decimal | None
    freshness: Literal["fresh", "late", "never", "paused"] | None
    """None: lists came, and nobody has said how often they should."""


@dataclass(frozen=True, slots=True)
class Change:
    """One price of one item, and the list it came from."""

    price: Decimal
    currency: str
    price_basis: Decimal
    as_of: datetime
    recorded_at: datetime
    task_id: str | None
    source: str
    row: int
    event: str = "loaded"
    """loaded; taken_back = loaded, and the list was taken back since; restored = it held again when `task_id` was."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The run that wrote the current price."""

    task_id: str
    source: str
    location: str | None
    source_sha256: str | None
    sheet: str | None
    row: int
    column: str | None
    """Header of the price column."""
    numbers: dict[str, Any] | None
    """How that column writes numbers."""
    currency_reason: str | None
    enqueued_at: datetime
    finished_at: datetime | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class ItemRow:
    supplier: str
    sku: str
    name: str
    price: Decimal
    currency: str
    price_basis: Decimal
    unit: str | None
    gtin: str | None
    product: str | None
    """Internal SKU of the product it was matched with."""
    characteristics: dict[str, Any]
    as_of: datetime
    last_ingested_at: datetime
    withdrawn_at: datetime | None = None
    """Since when the only lists that named it are taken back; such items are left out of all lists."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A price and everything that is known about it."""

    item: ItemRow
    origin: Origin | None
    """None if the task that wrote it is gone."""
    history: tuple[Change, ...]
    """Newest first; the first is the current price, unless the item is withdrawn."""


@dataclass(frozen=True, slots=True)
class PriceChange:
    sku: str
    name: str
    old: Decimal
    new: Decimal
    currency: str
    row: int


_SUPPLIER = """
SELECT s.name, s.source_type, s.applied_as_of, s.updated_at,
       (SELECT max(version) FROM supplier_profiles p WHERE p.supplier_id = s.id) AS profile,
       (SELECT count(*) FROM (SELECT 1 FROM supplier_items i
                               WHERE i.supplier_id = s.id AND i.withdrawn_at IS NULL LIMIT $1) n) AS items,
       t.task_id AS last_task, t.status::text AS last_state, d.finished_at AS last_list_at,
       extract(epoch FROM s.expected_every)::float AS expected_seconds, s.expected_tolerance,
       CASE WHEN EXISTS (SELECT FROM pauses p WHERE p.kind = 'supplier' AND p.name = s.name
                            AND (p.until IS NULL OR p.until > now())) THEN 'paused'
            WHEN d.finished_at IS NULL THEN 'never' WHEN s.expected_every IS NULL THEN NULL
            WHEN now() > d.finished_at + s.expected_every * coalesce(s.expected_tolerance, 1.5)::float THEN 'late'
            ELSE 'fresh' END AS freshness
FROM suppliers s
LEFT JOIN LATERAL (SELECT finished_at FROM tasks c
                    WHERE c.supplier_name = s.name AND c.status = 'completed' AND c.reverted_at IS NULL
                      AND c.message #> '{options,replay_of}' IS NULL
                    ORDER BY c.finished_at DESC LIMIT 1) d ON true
LEFT JOIN LATERAL (SELECT task_id, status FROM (SELECT task_id, status, supplier_name FROM tasks
                                                ORDER BY id DESC LIMIT 10000) recent
                   WHERE supplier_name = s.name LIMIT 1) t ON true
"""

ITEM = """
SELECT i.id, s.name AS supplier, i.supplier_sku AS sku, i.name, i.current_price AS price, i.currency, i.price_basis,
       i.unit, i.gtin, p.internal_sku AS product, i.characteristics::text AS characteristics, i.as_of,
       i.last_ingested_at, i.withdrawn_at
FROM supplier_items i JOIN suppliers s ON s.id = i.supplier_id LEFT JOIN products p ON p.id = i.product_id
"""

_HISTORY = """
SELECT h.price, h.currency, h.price_basis, h.as_of, h.recorded_at, h.source_row AS row, h.task_key, t.task_id,
       CASE WHEN h.task_key < 0 THEN 'restored' WHEN t.reverted_at IS NULL THEN 'loaded' ELSE 'taken_back' END AS event,
       coalesce(t.message #>> '{source_config,file_path}', t.message #>> '{source_config,url}',
                t.message #>> '{source_config,sheet_url}') AS location
FROM price_history h LEFT JOIN tasks t ON t.id = abs(h.task_key)
WHERE h.supplier_item_id = $1 ORDER BY h.id DESC LIMIT $2
"""

_ORIGIN = """
SELECT t.task_id, t.source_sha256, t.enqueued_at, t.finished_at,
       coalesce(t.message #>> '{source_config,file_path}', t.message #>> '{source_config,url}',
                t.message #>> '{source_config,sheet_url}') AS location,
       coalesce(t.result #>> '{understanding,description,sheet}', t.message #>> '{source_config,sheet_name}') AS sheet,
       (t.result -> 'understanding')::text AS understanding, t.result ->> 'source_sha256' AS result_sha256,
       (SELECT worker FROM task_attempts a WHERE a.task_key = t.id ORDER BY epoch DESC LIMIT 1) AS worker
FROM tasks t WHERE t.id = $1 LIMIT 1
"""

_CHANGES = """
SELECT i.supplier_sku AS sku, i.name, h.price AS new, h.currency, h.source_row AS row, o.price AS old
FROM tasks t
JOIN suppliers s ON s.name = t.supplier_name
JOIN supplier_items i ON i.supplier_id = s.id AND i.task_key = t.id
JOIN price_history h ON h.supplier_item_id = i.id AND h.task_key = t.id
JOIN LATERAL (SELECT price FROM price_history o WHERE o.supplier_item_id = i.id AND o.id < h.id
              ORDER BY o.id DESC LIMIT 1) o ON true
WHERE t.task_id = $1 ORDER BY i.supplier_sku LIMIT $2
"""


class PriceReports(ReadModels):
    """Suppliers, items, prices."""

    async def suppliers(self, *, after: str | None = None, limit: int = 50) -> Page[SupplierRow]:
        """By name."""
        query = _SUPPLIER + "WHERE ($2::text IS NULL OR s.name > $2) ORDER BY s.name LIMIT $3"
        rows = await self._rows(query, MANY, after, limit + 1)
        return page([SupplierRow(**dict(row)) for row in rows], limit, [row["name"] for row in rows])

    async def supplier(self, name: str) -> SupplierRow | None:
        row = await self._row(_SUPPLIER + "WHERE s.name = $2 LIMIT 1", MANY, name)
        return None if row is None else SupplierRow(**dict(row))

    async def supplier_names(self, *, limit: int = 1000) -> list[str]:
        """For near misses."""
        return [row["name"] for row in await self._rows("SELECT name FROM suppliers ORDER BY name LIMIT $1", limit)]

    async def items_of(self, supplier: str, *, after: str | None = None, limit: int = 50) -> Page[ItemRow]:
        """Items of one supplier by SKU."""
        query = ITEM + (
            "WHERE i.supplier_id = (SELECT id FROM suppliers WHERE name = $1) "
            "AND i.withdrawn_at IS NULL AND ($2::text IS NULL OR i.supplier_sku > $2) ORDER BY i.supplier_sku LIMIT $3"
        )
        rows = await self._rows(query, supplier, after, limit + 1)
        return page([item_row(row) for row in rows], limit, [row["sku"] for row in rows])

    async def explain_price(self, supplier: str, sku: str, *, limit: int = 20) -> Explanation | None:
        """The item, the run its current price came from, and its prices before."""
        query = ITEM + (
            "WHERE i.supplier_id = (SELECT id FROM suppliers WHERE name = $1) AND i.supplier_sku = $2 LIMIT 1"
        )
        row = await self._row(query, supplier, sku)
        if row is None:
            return None
        history = await self._rows(_HISTORY, row["id"], limit)
        loaded = next((one for one in history if one["event"] == "loaded"), None)
        origin = None if loaded is None else await self._origin(loaded["task_key"], loaded["row"])
        return Explanation(item=item_row(row), origin=origin, history=tuple(_change(one) for one in history))

    async def price_timeline(self, supplier: str, sku: str, *, limit: int = 1000) -> tuple[Change, ...]:
        """Newest first; empty for an unknown item."""
        explained = await self.explain_price(supplier, sku, limit=limit)
        return () if explained is None else explained.history

    async def price_changes(self, task_id: str, *, limit: int = 5) -> tuple[PriceChange, ...]:
        """Items whose price this task changed, by SKU; only those no later task has written since."""
        return tuple(PriceChange(**dict(row)) for row in await self._rows(_CHANGES, task_id, limit))

    async def _origin(self, task_key: int, row_number: int) -> Origin | None:
        row = await self._row(_ORIGIN, task_key)
        if row is None:
            return None
        understanding = json(row["understanding"]) or {}
        headers = [column["header"] for column in understanding.get("columns", ()) if column["field"] == "price"]
        return Origin(
            task_id=row["task_id"],
            source=source_name(row["location"]),
            location=row["location"],
            source_sha256=row["source_sha256"] or row["result_sha256"],
            sheet=row["sheet"],
            row=row_number,
            column=headers[0] if headers else None,
            numbers=understanding.get("numbers"),
            currency_reason=understanding.get("currency_reason"),
            enqueued_at=row["enqueued_at"],
            finished_at=row["finished_at"],
            worker=row["worker"],
        )


def item_row(row: Any) -> ItemRow:
    """Of a row that ITEM selected."""
    members = {key: value for key, value in dict(row).items() if key != "id"}
    return ItemRow(**{**members, "characteristics": json(row["characteristics"])})


def _change(row: Any) -> Change:
    return Change(
        price=row["price"],
        currency=row["currency"],
        price_basis=row["price_basis"],
        as_of=row["as_of"],
        recorded_at=row["recorded_at"],
        task_id=row["task_id"],
        source=source_name(row["location"]),
        row=row["row"],
        event=row["event"],
    )
