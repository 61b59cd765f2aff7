"""What a list is judged and taken back by: held rows, former descriptions, the codes of the last lists."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.models.columns import Amount, BigKey, Currency, Moment, Now


class HeldRow(Base):
    """A price that was not applied. An item has one open hold at most; a later list that names it closes that one."""

    __tablename__ = "held_rows"
    __table_args__ = (
        CheckConstraint("price >= 0 AND price < 'NaN'", name="price"),
        CheckConstraint("price_basis > 0", name="price_basis"),
        CheckConstraint("status IN ('open', 'approved', 'rejected', 'superseded')", name="status"),
        UniqueConstraint("supplier_item_id", "task_key"),
        Index("ux_held_rows_open", "supplier_item_id", unique=True, postgresql_where=text("status = 'open'")),
        Index("ix_held_rows_supplier_id", "supplier_id", "task_key"),
    )

    id: Mapped[BigKey]
    supplier_id: Mapped[uuid.UUID]
    supplier_item_id: Mapped[int] = mapped_column(BigInteger)
    task_key: Mapped[int] = mapped_column(BigInteger)
    source_row: Mapped[int]
    old_price: Mapped[Amount]
    old_currency: Mapped[Currency]
    old_basis: Mapped[Amount]
    price: Mapped[Amount]
    currency: Mapped[Currency]
    price_basis: Mapped[Amount]
    as_of: Mapped[Moment]
    reason: Mapped[str] = mapped_column(String(40))
    """One of HELD in contracts/band.py."""
    status: Mapped[str] = mapped_column(String(10), server_default=text("'open'"))
    held_at: Mapped[Now]
    closed_at: Mapped[Moment | None]
    closed_by: Mapped[str | None] = mapped_column(String(120))
    close_reason: Mapped[str | None] = mapped_column(Text)
    superseded_by: Mapped[int | None] = mapped_column(BigInteger)
    """Key of the task whose list named the item again."""


class ItemDescription(Base):
    """What was said of an item before the task changed it; written only where something differs."""

    __tablename__ = "item_descriptions"

    supplier_item_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    task_key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(500))
    category_id: Mapped[uuid.UUID | None]
    unit: Mapped[str | None] = mapped_column(String(40))
    gtin: Mapped[str | None] = mapped_column(String(14))
    characteristics: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ListKeys(Base):
    """Which codes the last lists of one name had, so that a missing one is noticed."""

    __tablename__ = "list_keys"
    __table_args__ = (Index("ix_list_keys_task_key", "task_key"),)

    supplier_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("suppliers.id", ondelete="CASCADE"), primary_key=True)
    list_name: Mapped[str] = mapped_column(String(255), primary_key=True, server_default=text("''"))
    task_key: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    as_of: Mapped[Moment]
    keys: Mapped[bytes] = mapped_column(LargeBinary)
    """Sorted hashes of the codes, eight bytes each, little-endian."""
    created_at: Mapped[Now]
