"""The ledger in PostgreSQL: what was accepted, who works on it, how it ended."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Literal

import asyncpg
import orjson

from contracts.clock import Clock, SystemClock
from contracts.errors import AccountMismatch, LeaseLost
from contracts.outcome import Completed, DeadLetter, Discard, Failure, Retry, Settlement, Snooze
from contracts.queue import Delivery
from contracts.store import Claim, ClaimKey, Registration
from contracts.task import ParseTask
from db import ledger_documents as documents
from db import ledger_sql as sql
from db.connection import close_pool, open_pool
from db.ledger_claims import ClaimsInPostgres
from db.ledger_controls import ControlsInPostgres
from db.ledger_documents import LedgerDepth
from db.ledger_register import register_on
from db.ledger_rescue import DUE_WITHIN_LIMITS
from db.ledger_sweep import deliveries_of, sweep_once
from db.ledger_workers import WorkersInPostgres
from db.statements import Statements

FREED = 2
"""Tasks that are sent when one of a limited class ends: at least one of them can take its place."""
FREED_AFTER = timedelta(seconds=10)


class PostgresLedger(ClaimsInPostgres, ControlsInPostgres, WorkersInPostgres):
    """Implements contracts.store.Ledger, contracts.controls.Controls and contracts.fleet.Registry. Each method is one
    transaction, as a rule one statement."""

    def __init__(self, pool: asyncpg.Pool, *, clock: Clock | None = None, supersede: bool = False) -> None:
        """`supersede`: of several queued versions of a list the newest runs."""
        self._statements = Statements(pool)
        self._supersede = supersede
        self._clock = clock or SystemClock()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, size: int = 10, clock: Clock | None = None, supersede: bool = False
    ) -> AsyncIterator[PostgresLedger]:
        """A ledger on a pool of its own, which belongs to the running event loop. Connects when first used."""
        pool = await open_pool(url, size=size, application_name="pricemill-ledger")
        try:
            yield cls(pool, clock=clock, supersede=supersede)
        finally:
            await close_pool(pool)

    def pool_use(self) -> tuple[int, int]:
        """(connections in use, most there may be)."""
        return self._statements.use()

    async def register(self, tasks: Sequence[ParseTask], *, sending: bool = False) -> list[Registration]:
        """ContractViolation if a message holds what JSON in PostgreSQL cannot (NUL, lone surrogates, numbers beyond
        64 bits); nothing is registered then."""
        if not tasks:
            return []

        async def act(connection: asyncpg.Connection) -> list[Registration]:
            return await register_on(connection, tasks, sending=sending)

        return await self._statements.run(act)

    async def renew(self, claims: Sequence[ClaimKey], *, worker: str, lease: timedelta) -> set[ClaimKey]:
        if not claims:
            await self._statements.rows(sql.HEARTBEAT, worker)
            return set()
        keys, epochs = [claim.task_key for claim in claims], [claim.epoch for claim in claims]
        kept = {ClaimKey(*row) for row in await self._statements.rows(sql.RENEW, keys, epochs, worker, lease)}
        if len(kept) < len(claims):
            kept |= {ClaimKey(row["id"], row["epoch"]) for row in await self._statements.rows(sql.HELD, keys, epochs)}
        return kept

    async def cancel_requested(self, claims: Sequence[ClaimKey]) -> set[ClaimKey]:
        if not claims:
            return set()
        rows = await self._statements.rows(
            sql.HELD, [claim.task_key for claim in claims], [claim.epoch for claim in claims]
        )
        return {ClaimKey(row["id"], row["epoch"]) for row in rows if row["cancel_requested"]}

    async def settle(self, claim: Claim, settlement: Settlement) -> list[Delivery]:
        """A settlement repeated because its answer was lost changes nothing and answers as the first did. The time
        of a Retry or Snooze is kept as a distance from now, so that a wrong clock of the worker does not count.
        A task that should be cancelled is, instead of waiting for another attempt."""
        match settlement:
            case Completed():
                await self._complete(claim, settlement)
            case Retry() | Snooze():
                await self._put_back(claim, settlement)
            case DeadLetter(failure=failure):
                await self._end((claim.task_key, claim.epoch, claim.attempt), failure, claim.task.document())
            case Discard(cancelled=True):
                await self._cancelled(claim, settlement)
            case Discard():
                try:
                    await self._put_back(claim, settlement)
                except LeaseLost:
                    return []  # nothing to give back: it is someone else's
        itself = claim.task_key if isinstance(settlement, (Retry, Snooze, Discard)) else None
        following = await self._following(claim.task.supplier_name, itself)
        if claim.within_limits:
            rows = await self._statements.rows(DUE_WITHIN_LIMITS, FREED, FREED_AFTER)
            following += [one for one in deliveries_of(rows) if one not in following]
        return following

    async def _following(self, supplier_name: str, itself: int | None) -> list[Delivery]:
        return deliveries_of(await self._statements.rows(sql.FOLLOWING, supplier_name, itself))

    async def _complete(self, claim: Claim, settlement: Completed) -> None:
        result = settlement.result
        expected, message = documents.expected_account(result)
        if expected is None:
            raise AccountMismatch(message, task_id=claim.task.task_id)
        row = await self._statements.row(
            sql.COMPLETE,
            claim.task_key,
            claim.epoch,
            documents.dumps(result.document()),
            documents.dumps(expected),
            documents.dumps(documents.NOTHING_READ),
            result.source_sha256,
            result.config_version,
        )
        if row["done"]:
            return
        if row["held"]:
            raise AccountMismatch(
                "the result and the last checkpoint count rows differently",
                task_id=claim.task.task_id,
                result=expected,
                checkpoint=orjson.loads(row["account"]),
            )
        _same_or_lost(claim, row["outcome"], "completed")

    async def _put_back(self, claim: Claim, settlement: Retry | Snooze | Discard) -> None:
        status, outcome, error, give_back = documents.put_back(settlement)
        delay = timedelta(0)
        if not isinstance(settlement, Discard):
            delay = max(settlement.at - self._clock.now(), delay)
        row = await self._statements.row(
            sql.PUT_BACK, claim.task_key, claim.epoch, status, outcome, documents.dumps(error), delay, give_back
        )
        if not row["done"]:
            _same_or_lost(claim, row["outcome"], outcome, "cancelled")

    async def _cancelled(self, claim: Claim, settlement: Discard) -> None:
        error = documents.dumps({"reason": settlement.reason})
        row = await self._statements.row(sql.END, claim.task_key, claim.epoch, "cancelled", "cancelled", error, None)
        if not row["done"]:
            _same_or_lost(claim, row["outcome"], "cancelled")

    async def _end(self, claimed: tuple[int, int, int], failure: Failure, message: dict[str, Any]) -> None:
        """Dead, with its letter, in one transaction."""
        task_key, epoch, attempt = claimed
        error = documents.dumps(failure.document())
        result = documents.dumps(documents.failed_result(message, failure, attempt=attempt, now=self._clock.now()))

        async def act(connection: asyncpg.Connection) -> Any:
            async with connection.transaction():
                row = await connection.fetchrow(sql.END, task_key, epoch, "dead", "dead", error, result)
                if row["done"]:
                    letter = documents.letter(message, failure, attempts=row["attempt"])
                    await connection.execute(sql.DEAD_LETTER, task_key, *letter)
                return row

        row = await self._statements.run(act)
        if not row["done"] and row["outcome"] != "dead":
            raise LeaseLost(task_key=task_key, epoch=epoch)

    async def bury(self, raw: str, failure: Failure) -> bool:
        return bool(await self._statements.rows(sql.BURY, *documents.buried(raw, failure)))

    async def sweep(
        self, *, limit: int = 100, redeliver_after: timedelta = timedelta(seconds=10), poison_after: int = 3
    ) -> list[Delivery]:
        async def act(connection: asyncpg.Connection) -> list[Delivery]:
            return await sweep_once(
                connection,
                limit=limit,
                redeliver_after=redeliver_after,
                poison_after=poison_after,
                now=self._clock.now(),
            )

        return await self._statements.run(act)

    async def dispatched(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries:
            keys = [delivery.task_key for delivery in deliveries]
            await self._statements.rows(sql.DISPATCHED, keys, [delivery.epoch for delivery in deliveries])

    async def replay(self, task_ids: Sequence[str], *, actor: str, reason: str = "") -> list[Delivery]:
        """A task whose expires_at has passed loses it: who replays it wants it done."""
        if not task_ids:
            return []
        return deliveries_of(await self._statements.rows(sql.REPLAY, list(task_ids), actor, reason))

    async def discard(self, dead_letter_ids: Sequence[str], *, actor: str, reason: str = "") -> int:
        """Ids that are no UUID are unknown."""
        ids = [known for known in map(_uuid, dead_letter_ids) if known is not None]

        async def act(connection: asyncpg.Connection) -> str:
            return str(await connection.execute(sql.DISCARD, ids, actor, reason))

        return int((await self._statements.run(act)).rsplit(" ", 1)[1]) if ids else 0

    async def cancel(
        self, task_id: str, *, actor: str, reason: str = ""
    ) -> Literal["cancelled", "requested", "ended", "unknown"]:
        rows = await self._statements.rows(sql.CANCEL, task_id)
        if rows and rows[0]["status"] == "running":
            return "requested"
        if rows:
            await self._statements.rows(sql.SUPPLIERS_NEXT, [rows[0]["supplier_name"]])
            return "cancelled"
        known = await self._statements.rows("SELECT FROM tasks WHERE task_id = $1", task_id)
        return "ended" if known else "unknown"

    async def depth(self) -> LedgerDepth:
        return LedgerDepth(**await self._statements.row(sql.DEPTH))

    async def newest_checkpoints(self, task_key: int, *, limit: int = 10) -> tuple[dict[str, Any], ...]:
        """Sealed documents, newest first."""
        rows = await self._statements.rows(
            "SELECT document::text FROM checkpoints WHERE task_key = $1 ORDER BY sequence DESC LIMIT $2",
            task_key,
            limit,
        )
        return tuple(orjson.loads(row[0]) for row in rows)


def _same_or_lost(claim: Claim, outcome: str | None, *same: str) -> None:
    if outcome not in same:
        raise LeaseLost(task_id=claim.task.task_id, epoch=claim.epoch)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
