"""Held prices as rows: what holds, what the list says, and why it waits."""

from __future__ import annotations

from decimal import Decimal

from cli.table import Column
from cli.text import line, money


def told(price: Decimal, currency: str, basis: Decimal) -> str:
    """1.20 EUR, 12.00 EUR per 100."""
    return money(price, currency) + ("" if basis == 1 else f" per {basis.normalize():f}")


PRICES = [
    Column("SUPPLIER", lambda row: line(row.supplier), least=8),
    Column("SKU", lambda row: line(row.sku), least=8),
    Column("NAME", lambda row: line(row.name), least=12),
    Column("HOLDS", lambda row: told(row.old_price, row.old_currency, row.old_basis), right=True),
    Column("LIST SAYS", lambda row: told(row.price, row.currency, row.price_basis), right=True),
    Column("REASON", lambda row: row.reason),
    Column("ROW", lambda row: f"{row.row:,}", right=True),
    Column("TASK", lambda row: line(row.task_id)[:13]),
]
