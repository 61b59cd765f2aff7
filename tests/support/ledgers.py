"""Both ledgers behind one face, with what a test must see and do besides the port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import asyncpg
import orjson

from contracts.account import Account
from contracts.checkpoint import Checkpoint
from contracts.rows import Cursor
from contracts.store import Claim, Refusal
from contracts.task import ParseTask, Statistics, TaskResult
from db.connection import connect
from db.ledger import PostgresLedger
from db.memory import MemoryLedger
from db.memory_tables import Tables

LEASE = timedelta(seconds=10)


class Bench(Protocol):
    ledger: PostgresLedger | MemoryLedger

    def now(self) -> datetime: ...

    async def advance(self, seconds: float) -> None:
        """Lets time pass for everything the ledger has stored."""
        ...

    async def row(self, task_id: str) -> dict[str, Any]: ...

    async def attempts(self, task_id: str) -> list[dict[str, Any]]: ...

    async def letters(self) -> list[dict[str, Any]]: ...

    async def checkpoint(self, claim: Claim, sequence: int, account: Account) -> None: ...


class PostgresBench:
    def __init__(self, ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
        self.ledger = ledger
        self.connection = connection

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def advance(self, seconds: float) -> None:
        columns = {
            "tasks": ("run_at", "lease_until", "dispatched_at", "expires_at", "enqueued_at"),
            "workers": ("started_at", "heartbeat_at"),
            "task_attempts": ("started_at", "finished_at"),
            "pauses": ("until",),
            "limits": ("full_at",),
        }
        for table, names in columns.items():
            changes = ", ".join(f"{name} = {name} - $1::interval" for name in names)
            await self.connection.execute(f"UPDATE {table} SET {changes}", timedelta(seconds=seconds))

    async def row(self, task_id: str) -> dict[str, Any]:
        row = dict(await self.connection.fetchrow("SELECT * FROM tasks WHERE task_id = $1", task_id))
        row["result"] = row["result"] and orjson.loads(row["result"])
        return row

    async def attempts(self, task_id: str) -> list[dict[str, Any]]:
        rows = await self.connection.fetch(
            "SELECT a.* FROM task_attempts a JOIN tasks t ON t.id = a.task_key WHERE t.task_id = $1 ORDER BY a.epoch",
            task_id,
        )
        return [dict(row) | {"error": row["error"] and orjson.loads(row["error"])} for row in rows]

    async def letters(self) -> list[dict[str, Any]]:
        rows = await self.connection.fetch("SELECT * FROM dead_letters ORDER BY created_at, id")
        return [
            dict(row)
            | {"id": str(row["id"])}
            | {name: row[name] and orjson.loads(row[name]) for name in ("message", "error", "last_checkpoint")}
            for row in rows
        ]

    async def checkpoint(self, claim: Claim, sequence: int, account: Account) -> None:
        await self.connection.execute(
            "INSERT INTO checkpoints (task_key, sequence, epoch, document) VALUES ($1, $2, $3, $4)",
            claim.task_key,
            sequence,
            claim.epoch,
            orjson.dumps(_checkpoint(claim, sequence, account)).decode(),
        )


class MovedClock:
    def __init__(self) -> None:
        self.time = datetime(2030, 5, 17, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(microseconds=1)
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class MemoryBench:
    def __init__(self) -> None:
        self.clock = MovedClock()
        self.tables = Tables()
        self.ledger = MemoryLedger(clock=self.clock, tables=self.tables)

    def now(self) -> datetime:
        return self.clock.now()

    async def advance(self, seconds: float) -> None:
        self.clock.time += timedelta(seconds=seconds)

    async def row(self, task_id: str) -> dict[str, Any]:
        return _members(next(row for row in self.tables.tasks.values() if row.task_id == task_id))

    async def attempts(self, task_id: str) -> list[dict[str, Any]]:
        key = (await self.row(task_id))["id"]
        return [_members(attempt) for attempt in self.tables.attempts.get(key, [])]

    async def letters(self) -> list[dict[str, Any]]:
        return [_members(letter) for letter in self.tables.letters]

    async def checkpoint(self, claim: Claim, sequence: int, account: Account) -> None:
        self.tables.checkpoints.setdefault(claim.task_key, {})[sequence] = _checkpoint(claim, sequence, account)


@asynccontextmanager
async def postgres_bench(url: str) -> AsyncIterator[PostgresBench]:
    connection = await connect(url)
    try:
        async with PostgresLedger.open(url, size=4) as ledger:
            yield PostgresBench(ledger, connection)
    finally:
        await connection.close()


def _members(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def _checkpoint(claim: Claim, sequence: int, account: Account) -> dict[str, Any]:
    cursor = Cursor(row=account.read)
    return Checkpoint(claim.task.task_id, sequence, cursor, account, "0" * 64, "1" * 64).document()


def task(supplier: str = "ACME", **more: Any) -> ParseTask:
    members = {"parser_type": "csv", "supplier_name": supplier, "source_config": {"file_path": "a.csv"}} | more
    return ParseTask.model_validate(members)


def result(task_id: str, account: Account) -> TaskResult:
    """The result of a run whose rows are those of the account."""
    good = account.new + account.changed + account.unchanged
    return TaskResult(
        task_id=task_id,
        status="success",
        processed_at=datetime.now(UTC),
        statistics=Statistics(
            total_rows=account.read,
            successful_rows=good,
            failed_rows=account.rejected.total(),
            new=account.new,
            changed=account.changed,
            unchanged=account.unchanged,
            held=account.held.total(),
            ignored=dict(account.ignored),
        ),
    )


async def claimed(bench: Bench, of: ParseTask, *, worker: str = "w1") -> Claim:
    """Registers the task and claims it."""
    (registration,) = await bench.ledger.register([of])
    assert registration.delivery is not None
    claim = await bench.ledger.claim(registration.delivery, worker=worker, lease=LEASE)
    assert not isinstance(claim, Refusal), claim
    return claim
