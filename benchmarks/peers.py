"""What others would write: SQLAlchemy's bulk upsert with everything ours does, and dlt's merge."""

from __future__ import annotations

import asyncio
import csv
import importlib.util
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from xxhash import xxh3_64_intdigest

from db.engine import make_engine
from db.models.catalog import Category, PriceHistory, Supplier, SupplierItem
from db.models.operations import ParsingLog

BATCH = 1_000
_NOW = datetime.now(UTC)
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class Line(BaseModel):
    sku: Text
    name: Text
    price: Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]


def _batches(file: Path) -> Iterator[list[tuple[int, dict[str, str]]]]:
    with file.open(encoding="utf-8", newline="") as handle:
        rows = enumerate(csv.DictReader(handle), start=2)
        while batch := list(islice(rows, BATCH)):
            yield batch


async def sqlalchemy_upsert(url: str, file: Path) -> float:
    """Seconds for the list: a pydantic model a row, executemany upserts, history by comparison, a commit a batch."""
    engine = make_engine(url)
    started = perf_counter()
    try:
        async with engine.connect() as connection:
            supplier = (
                await connection.execute(
                    insert(Supplier).values(name="sqlalchemy", source_type="csv").returning(Supplier.id)
                )
            ).scalar_one()
            categories: dict[str, UUID] = {}
            for batch in _batches(file):
                await _upsert(connection, supplier, categories, batch)
                await connection.commit()
    finally:
        await engine.dispose()
    return perf_counter() - started


async def _upsert(
    connection: AsyncConnection, supplier: UUID, categories: dict[str, UUID], batch: list[tuple[int, dict[str, str]]]
) -> None:
    items: dict[str, dict[str, Any]] = {}
    faults = []
    for number, row in batch:
        try:
            line = Line.model_validate(
                {"sku": row["SKU"], "name": row["Name"], "price": row["Price"], "currency": row["Currency"]}
            )
        except ValidationError as error:
            fault = error.errors()[0]
            faults.append(
                {
                    "task_id": "sqlalchemy",
                    "supplier_id": supplier,
                    "error_type": fault["type"],
                    "error_message": fault["msg"],
                    "row_number": number,
                    "row_data": list(row.values()),
                }
            )
            continue
        if row["Category"] not in categories:
            categories[row["Category"]] = (
                await connection.execute(insert(Category).values(name=row["Category"]).returning(Category.id))
            ).scalar_one()
        items[line.sku] = {
            "supplier_id": supplier,
            "supplier_sku": line.sku,
            "name": line.name,
            "current_price": line.price,
            "currency": line.currency,
            "category_id": categories[row["Category"]],
            "as_of": _NOW,
            "task_key": 1,
            "source_row": number,
            "key_hash": xxh3_64_intdigest(line.sku.encode()) >> 1,
            "characteristics": {
                key: row[key] for key in ("Stock", "Brand", "Colour", "Weight", "Material") if row[key]
            },
        }
    if faults:
        await connection.execute(insert(ParsingLog), faults)
    known = dict(
        (
            await connection.execute(
                select(SupplierItem.supplier_sku, SupplierItem.current_price).where(
                    SupplierItem.supplier_id == supplier, SupplierItem.supplier_sku.in_(items)
                )
            )
        ).all()
    )
    upsert = insert(SupplierItem)
    await connection.execute(
        upsert.on_conflict_do_update(
            index_elements=["supplier_id", "supplier_sku"],
            set_={
                column: upsert.excluded[column]
                for column in ("name", "current_price", "currency", "category_id", "characteristics", "source_row")
            },
        ),
        list(items.values()),
    )
    ids = dict(
        (
            await connection.execute(
                select(SupplierItem.supplier_sku, SupplierItem.id).where(
                    SupplierItem.supplier_id == supplier, SupplierItem.supplier_sku.in_(items)
                )
            )
        ).all()
    )
    history = [
        {
            "supplier_item_id": ids[sku],
            "task_key": 1,
            "source_row": item["source_row"],
            "price": item["current_price"],
            "currency": item["currency"],
            "as_of": _NOW,
        }
        for sku, item in items.items()
        if known.get(sku) != item["current_price"]
    ]
    if history:
        await connection.execute(insert(PriceHistory), history)


def dlt_merge(url: str, file: Path) -> float | None:
    """Seconds for a merge by key into a table of dlt's own: no history, no validation, no row account. None if dlt is
    not installed."""
    if importlib.util.find_spec("dlt") is None:
        return None
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt  # noqa: PLC0415  (may not be installed)

    @dlt.resource(name="items", primary_key="SKU", write_disposition="merge")
    def items() -> Iterator[list[dict[str, str]]]:
        for batch in _batches(file):
            yield [row for _, row in batch if row["SKU"]]

    with tempfile.TemporaryDirectory() as home:
        pipeline = dlt.pipeline(
            pipeline_name="bench", pipelines_dir=home, dataset_name="dlt_bench",
            destination=dlt.destinations.postgres(_dlt_credentials(url)),
        )  # fmt: skip
        started = perf_counter()
        pipeline.run(items())
        return perf_counter() - started


def _dlt_credentials(url: str) -> dict[str, object]:
    """dlt insists on a host and a password; a socket's directory is a host to libpq when its slashes are escaped."""
    parts = urlsplit(url)
    host = parse_qs(parts.query)["host"][0]
    return {
        "host": quote(host, safe=""),
        "port": 5432,
        "username": parts.username or "postgres",
        "password": "none",
        "database": parts.path.strip("/"),
    }


def run_sqlalchemy(url: str, file: Path) -> float:
    return asyncio.run(sqlalchemy_upsert(url, file))
