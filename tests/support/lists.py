"""Small lists with everything a run needs around them: understanding, plan, reading, loader of either kind."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

import orjson

from config.plan import Plan
from contracts.band import Band
from contracts.checkpoint import Checkpoint
from contracts.outcome import Completed
from contracts.queue import Delivery
from contracts.rows import Cursor, Description, Row
from contracts.store import Claim, Loader, Refusal
from contracts.task import ParseTask
from contracts.understanding import Column, NumberFormat, Understanding
from db.loader import PostgresLoader
from db.memory_catalog import Catalog
from db.memory_loader import MemoryLoader
from pipeline.chunks import replay_state, run_chunks
from pipeline.stages import build_stages
from resilience.checkpoint.seal import seal, unseal
from tests.support.ledgers import LEASE, MemoryBench, PostgresBench, claimed, result

HEADER = "SKU,Name,Price,Colour"


def column(index: int, field: str | None, *, key: str | None = None, kind: Any = "text") -> Column:
    return Column(index=index, header=(field or key or "").title(), field=field, key=key, kind=kind)


def understanding(**changes: Any) -> Understanding:
    """Of a list with the columns of HEADER."""
    members: dict[str, Any] = {
        "header_row": 1,
        "header_rows": 1,
        "columns": (column(0, "sku"), column(1, "name"), column(2, "price"), column(3, None, key="colour")),
        "numbers": NumberFormat(".", ""),
        "currency": "EUR",
        "currency_reason": "",
        "price_basis": "1",
        "unit": None,
        "duplicates": "last",
        "zero_price": "reject",
        "sections": False,
        "width": 4,
        "short_rows": False,
    }
    return Understanding(**members | changes)


def plan_of(how: Understanding, *, chunk_size: int = 4) -> Plan:
    return Plan(
        parser_type="csv",
        description={"format": "csv"},
        understanding=how,
        chunk_size=chunk_size,
        lease=LEASE,
        time_limit=timedelta(seconds=60),
    )


class ListChunk:
    def __init__(self, number: int, first: int, lines: Sequence[str], *, raw: bool) -> None:
        self.number = number
        self.first_row = first
        self.cursor = Cursor(row=first + len(lines) - 1)
        self.records = [line.encode() for line in lines] if raw else None
        self.asked: list[int] = []
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def row_numbers(self) -> Sequence[int]:
        return range(self.first_row, self.first_row + len(self._lines))

    def rows(self, which: Sequence[int] | None = None) -> list[Row]:
        places = range(len(self._lines)) if which is None else which
        self.asked += places
        return [self._lines[place].split(",") for place in places]


class ListReading:
    """Lines of text as a source; `raw` hands out their bytes, so that they can be recognised unread."""

    description = Description(format="csv")

    def __init__(self, lines: Sequence[str], *, raw: bool = True) -> None:
        self.lines = lines
        self.raw = raw
        self.chunks_read: list[ListChunk] = []

    async def chunks(self, *, after: Cursor | None = None, size: int = 20_000) -> AsyncGenerator[ListChunk, None]:
        at = 0 if after is None else after.row
        while at < len(self.lines):
            chunk = ListChunk(at // size + 1, at + 1, self.lines[at : at + size], raw=self.raw)
            self.chunks_read.append(chunk)
            yield chunk
            at += len(chunk)

    async def close(self) -> None:
        pass


class ItemRow(NamedTuple):
    """What is stored of one item, comparable between loaders and between histories of a task."""

    name: str
    price: Decimal
    currency: str
    category: tuple[str, ...]
    characteristics: dict[str, Any]
    fingerprint: int | None
    as_of: datetime
    task_id: str
    source_row: int


class PriceRow(NamedTuple):
    price: Decimal
    as_of: datetime
    task_id: str
    source_row: int


class HeldRow(NamedTuple):
    """A price that was not applied."""

    task_id: str
    source_row: int
    old: tuple[Decimal, str, Decimal]
    new: tuple[Decimal, str, Decimal]
    reason: str
    status: str


class Desk(Protocol):
    """A ledger and a loader over the same tables."""

    bench: MemoryBench | PostgresBench

    async def open(self, claim: Claim, *, restarted: bool = False) -> Loader: ...

    async def items(self) -> dict[str, ItemRow]: ...

    async def history(self) -> dict[str, list[PriceRow]]: ...

    async def logs(self) -> list[tuple[str, int, str]]: ...

    async def holds(self) -> dict[str, list[HeldRow]]:
        """By code, in the order of the tasks."""
        ...

    async def take_away(self, claim: Claim) -> None:
        """Another worker claims the task."""
        ...


class MemoryDesk:
    def __init__(self) -> None:
        self.bench = MemoryBench()
        self.catalog = Catalog()

    async def open(self, claim: Claim, *, restarted: bool = False) -> Loader:
        return await MemoryLoader.open(
            claim, tables=self.bench.tables, catalog=self.catalog, source_type="csv", restarted=restarted
        )

    def _task_id(self, key: int) -> str:
        return self.bench.tables.tasks[key].task_id

    async def items(self) -> dict[str, ItemRow]:
        return {
            sku: ItemRow(
                stored.item.name,
                stored.price.price,
                stored.price.currency,
                stored.item.category,
                orjson.loads(stored.item.characteristics),
                stored.item.fingerprint,
                stored.as_of,
                self._task_id(stored.task_key),
                stored.item.row_number,
            )
            for (_, sku), stored in sorted(self.catalog.items.items(), key=lambda pair: pair[0][1])
        }

    async def history(self) -> dict[str, list[PriceRow]]:
        return {
            sku: [
                PriceRow(row.price.price, row.as_of, self._task_id(task), row.source_row)
                for task, row in sorted(rows.items(), key=lambda pair: (pair[1].as_of, pair[1].order))
            ]
            for (_, sku), rows in sorted(self.catalog.history.items(), key=lambda pair: pair[0][1])
        }

    async def logs(self) -> list[tuple[str, int, str]]:
        return sorted((task, row, code) for task, rows in self.catalog.logs.items() for row, code in rows)

    async def holds(self) -> dict[str, list[HeldRow]]:
        return {
            sku: [
                HeldRow(self._task_id(task), held.source_row, held.old, held.new, held.reason, held.status)
                for task, held in sorted(rows.items())
            ]
            for (_, sku), rows in sorted(self.catalog.holds.rows.items(), key=lambda pair: pair[0][1])
            if rows
        }

    async def take_away(self, claim: Claim) -> None:
        self.bench.tables.tasks[claim.task_key].epoch += 1


class PostgresDesk:
    def __init__(self, url: str, bench: PostgresBench) -> None:
        self.url = url
        self.bench = bench

    async def open(self, claim: Claim, *, restarted: bool = False) -> Loader:
        return await PostgresLoader.open(self.url, claim, lease=LEASE, source_type="csv", restarted=restarted)

    async def items(self) -> dict[str, ItemRow]:
        rows = await self.bench.connection.fetch(
            """WITH RECURSIVE paths AS (
                 SELECT id, ARRAY[name::text] AS names FROM categories WHERE parent_id IS NULL
                  UNION ALL
                 SELECT c.id, p.names || c.name::text FROM categories c JOIN paths p ON c.parent_id = p.id)
               SELECT i.*, t.task_id, p.names FROM supplier_items i JOIN tasks t ON t.id = i.task_key
                 LEFT JOIN paths p ON p.id = i.category_id ORDER BY supplier_sku COLLATE "C" """
        )
        return {
            row["supplier_sku"]: ItemRow(
                row["name"],
                row["current_price"].normalize(),
                row["currency"],
                tuple(row["names"] or ()),
                orjson.loads(row["characteristics"]),
                row["fingerprint"],
                row["as_of"].astimezone(UTC),
                row["task_id"],
                row["source_row"],
            )
            for row in rows
        }

    async def history(self) -> dict[str, list[PriceRow]]:
        found: dict[str, list[PriceRow]] = {}
        for row in await self.bench.connection.fetch(
            """SELECT i.supplier_sku, h.*, t.task_id FROM price_history h
                 JOIN supplier_items i ON i.id = h.supplier_item_id JOIN tasks t ON t.id = h.task_key
                ORDER BY supplier_sku COLLATE "C", h.as_of, h.id"""
        ):
            found.setdefault(row["supplier_sku"], []).append(
                PriceRow(row["price"].normalize(), row["as_of"].astimezone(UTC), row["task_id"], row["source_row"])
            )
        return found

    async def logs(self) -> list[tuple[str, int, str]]:
        rows = await self.bench.connection.fetch("SELECT task_id, row_number, error_type FROM parsing_logs")
        return sorted((row["task_id"], row["row_number"], row["error_type"]) for row in rows)

    async def holds(self) -> dict[str, list[HeldRow]]:
        found: dict[str, list[HeldRow]] = {}
        for row in await self.bench.connection.fetch(
            """SELECT i.supplier_sku, h.*, t.task_id FROM held_rows h
                 JOIN supplier_items i ON i.id = h.supplier_item_id JOIN tasks t ON t.id = h.task_key
                ORDER BY supplier_sku COLLATE "C", t.id"""
        ):
            found.setdefault(row["supplier_sku"], []).append(
                HeldRow(
                    row["task_id"],
                    row["source_row"],
                    (row["old_price"], row["old_currency"], row["old_basis"]),
                    (row["price"], row["currency"], row["price_basis"]),
                    row["reason"],
                    row["status"],
                )
            )
        return found

    async def take_away(self, claim: Claim) -> None:
        await self.bench.connection.execute("UPDATE tasks SET epoch = epoch + 1 WHERE id = $1", claim.task_key)


def counts(checkpoint: Checkpoint | None) -> dict[str, Any]:
    """What the account of a whole load says, without zeros."""
    assert checkpoint is not None
    assert checkpoint.account.balanced
    return {name: value for name, value in checkpoint.account.document().items() if value}


async def contents(desk: Desk) -> tuple[Any, ...]:
    """Everything a list left behind."""
    return await desk.items(), await desk.history(), await desk.logs(), await desk.holds()


Between = Callable[[Checkpoint], Awaitable[None] | None]


class Stop(Exception):
    """What a test's guard raises to end an attempt behind a chunk."""


class StopAfter:
    """Ends the attempt behind its nth chunk."""

    def __init__(self, chunks: int) -> None:
        self.left = chunks

    def check(self, progress: Any) -> None:
        self.left -= 1
        if not self.left:
            raise Stop


async def load(
    desk: Desk,
    claim: Claim,
    lines: Sequence[str],
    how: Understanding,
    *,
    size: int = 4,
    guards: Sequence[Any] = (),
    restarted: bool = False,
    checkpoint: Checkpoint | None = None,
    raw: bool = True,
    band: Band | None = None,
) -> Checkpoint | None:
    """One attempt at a list of HEADER's columns; `lines` without the header."""
    reading = ListReading([HEADER, *lines], raw=raw)
    plan = plan_of(how, chunk_size=size)
    loader = await desk.open(claim, restarted=restarted)
    loader.band = band
    try:
        stages = build_stages(plan, await loader.known())
        if checkpoint is not None:
            await replay_state(reading, stages, upto=checkpoint.cursor)
        return await run_chunks(
            task_id=claim.task.task_id,
            source_sha256="0" * 64,
            reading=reading,
            plan=plan,
            stages=stages,
            loader=loader,
            checkpoint=checkpoint,
            next_sequence=1 if checkpoint is None else checkpoint.sequence + 1,
            guards=guards,
            seal=seal,
        )
    finally:
        await loader.close()


async def whole(
    desk: Desk, lines: Sequence[str], how: Understanding | None = None, *, task_id: str, as_of: datetime, **more: Any
) -> Checkpoint | None:
    """Registers, claims, loads and settles a task of one list."""
    claim = await claimed(desk.bench, list_task(task_id, as_of))
    checkpoint = await load(desk, claim, lines, how or understanding(), **more)
    await settle(desk, claim, checkpoint)
    return checkpoint


def list_task(task_id: str, as_of: datetime) -> ParseTask:
    return ParseTask(
        task_id=task_id,
        parser_type="csv",
        supplier_name="ACME",
        source_config={"file_path": "a.csv"},
        as_of=as_of,
    )


async def settle(desk: Desk, claim: Claim, checkpoint: Checkpoint | None) -> None:
    assert checkpoint is not None
    await desk.bench.ledger.settle(claim, Completed(result(claim.task.task_id, checkpoint.account)))


async def next_attempt(desk: Desk, claim: Claim) -> Claim:
    """The worker died: the lease runs out, the sweep gives the task back, another worker claims it."""
    await desk.bench.advance(LEASE.total_seconds() + 1)
    deliveries: list[Delivery] = await desk.bench.ledger.sweep(poison_after=1000)
    (delivery,) = [delivery for delivery in deliveries if delivery.task_key == claim.task_key]
    again = await desk.bench.ledger.claim(delivery, worker="w2", lease=LEASE)
    assert not isinstance(again, Refusal), again
    return again


def newest(claim: Claim) -> Checkpoint | None:
    return unseal(claim.checkpoints[0]) if claim.checkpoints else None
