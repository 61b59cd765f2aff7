"""Suppliers, their items and prices, and the products and categories that items are matched with."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.models.columns import Amount, BigKey, Currency, EmptyJson, Json, Moment, Now, UuidKey

PRODUCT_STATUS = Enum("draft", "active", "archived", name="product_status")


class Supplier(Base):
    __tablename__ = "suppliers"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("btrim(name) <> ''", name="name"),
        Index("ix_suppliers_source_type", "source_type"),
    )

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(255))
    source_type: Mapped[str] = mapped_column(String(50))
    """Parser of the latest task."""
    contact_email: Mapped[str | None] = mapped_column(String(255))
    attributes: Mapped[EmptyJson] = mapped_column("metadata")
    """Column `metadata`: that name belongs to SQLAlchemy on a mapped class."""
    applied_as_of: Mapped[Moment | None]
    """Newest as_of of which any row was committed; older lists are stale."""
    expected_every: Mapped[timedelta | None]
    """How often a list is expected; NULL = nobody has said."""
    expected_tolerance: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))
    """A list is late after so many times that; NULL = 1.5 times."""
    created_at: Mapped[Now]
    updated_at: Mapped[Now]


class SupplierProfile(Base):
    """Versions are never changed, only added."""

    __tablename__ = "supplier_profiles"
    __table_args__ = (UniqueConstraint("supplier_id", "version"), CheckConstraint("version > 0", name="version"))

    id: Mapped[BigKey]
    supplier_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("suppliers.id", ondelete="CASCADE"))
    version: Mapped[int]
    document: Mapped[Json]
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[Now]


class Category(Base):
    """A tree; a trigger refuses cycles."""

    __tablename__ = "categories"
    __table_args__ = (
        UniqueConstraint("name", "parent_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("btrim(name) <> ''", name="name"),
        CheckConstraint("parent_id <> id", name="parent"),
        Index("ix_categories_parent_id", "parent_id"),
    )

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(255))
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("categories.id", ondelete="CASCADE"))
    created_at: Mapped[Now]


class Product(Base):
    """A trigger keeps the life of its status: draft <-> active -> archived; only drafts can be deleted."""

    __tablename__ = "products"
    __table_args__ = (
        UniqueConstraint("internal_sku"),
        Index("ix_products_category_id", "category_id"),
        Index("ix_products_status", "status"),
        Index("ix_products_name", "name", postgresql_ops={"name": "varchar_pattern_ops"}),
        Index("ux_products_gtin", "gtin", unique=True, postgresql_where=text("gtin IS NOT NULL")),
    )

    id: Mapped[UuidKey]
    internal_sku: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(500))
    gtin: Mapped[str | None] = mapped_column(String(14))
    category_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("categories.id", ondelete="SET NULL"))
    status: Mapped[str] = mapped_column(PRODUCT_STATUS, server_default=text("'draft'::product_status"))
    created_at: Mapped[Now]
    updated_at: Mapped[Now]


class SupplierItem(Base):
    """Hot. No foreign key to suppliers and categories: checked per row they cost half of an insert."""

    __tablename__ = "supplier_items"
    __table_args__ = (
        UniqueConstraint("supplier_id", "supplier_sku"),
        CheckConstraint("supplier_sku <> ''", name="supplier_sku"),
        CheckConstraint("current_price >= 0 AND current_price < 'NaN'", name="current_price"),
        CheckConstraint("price_basis > 0", name="price_basis"),
        Index("ix_supplier_items_product_id", "product_id", postgresql_where=text("product_id IS NOT NULL")),
        Index("ix_supplier_items_gtin", "gtin", postgresql_where=text("gtin IS NOT NULL")),
        Index("ix_supplier_items_current_price", "current_price"),
        Index("ix_supplier_items_last_ingested_at", "last_ingested_at", postgresql_using="brin"),
        Index(
            "ix_supplier_items_characteristics",
            "characteristics",
            postgresql_using="gin",
            postgresql_ops={"characteristics": "jsonb_path_ops"},
        ),
    )

    id: Mapped[BigKey]
    supplier_id: Mapped[uuid.UUID]
    product_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("products.id", ondelete="SET NULL"))
    category_id: Mapped[uuid.UUID | None]
    key_hash: Mapped[int] = mapped_column(BigInteger)
    """xxh3_64 of supplier_sku, signed."""
    fingerprint: Mapped[int | None] = mapped_column(BigInteger)
    """xxh3_64 of the raw record seeded with the plan, signed; NULL never matches."""
    supplier_sku: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(500))
    current_price: Mapped[Amount]
    currency: Mapped[Currency]
    price_basis: Mapped[Amount] = mapped_column(server_default=text("1"))
    """current_price is for this many units."""
    unit: Mapped[str | None] = mapped_column(String(40))
    gtin: Mapped[str | None] = mapped_column(String(14))
    characteristics: Mapped[EmptyJson]
    as_of: Mapped[Moment]
    """Of the list that last wrote this row."""
    task_key: Mapped[int] = mapped_column(BigInteger)
    source_row: Mapped[int]
    last_ingested_at: Mapped[Now]
    created_at: Mapped[Now]
    updated_at: Mapped[Now]
    withdrawn_at: Mapped[Moment | None]
    """Since when the only lists that named it are taken back; readers leave it out, a later list brings it back."""


class PriceHistory(Base):
    """Hot. Rows of deleted items are removed by a trigger on supplier_items. A row with a negative task key records
    that the task of that number was taken back; what holds is the newest row (by id) of a task that was not."""

    __tablename__ = "price_history"
    __table_args__ = (
        CheckConstraint("price >= 0 AND price < 'NaN'", name="price"),
        Index("ix_price_history_recorded_at", "recorded_at", postgresql_using="brin"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    supplier_item_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    task_key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    source_row: Mapped[int]
    price: Mapped[Amount]
    currency: Mapped[Currency]
    price_basis: Mapped[Amount] = mapped_column(server_default=text("1"))
    as_of: Mapped[Moment]
    recorded_at: Mapped[Now]
