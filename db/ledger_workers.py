"""The registry of workers in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from contracts.clock import Clock
from contracts.fleet import Wish, WorkerState
from contracts.queue import Delivery
from db import ledger_documents as documents
from db.ledger_rescue import GIVE_BACK
from db.ledger_sweep import deliveries_of, settle_lost
from db.statements import Statements

REGISTER = """
INSERT INTO workers (name, host, pid, version, slots) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO UPDATE SET host = $2, pid = $3, version = $4, slots = $5, started_at = now(),
  heartbeat_at = now(), state = 'working', asked = NULL, busy = 0, snapshot = NULL
"""

BEAT = """
INSERT INTO workers (name, host, pid, version, slots, state, busy, snapshot) VALUES ($1, '', 0, '', 0, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET heartbeat_at = now(), state = $2, busy = $3, snapshot = $4
RETURNING asked
"""

ASK = """
UPDATE workers SET asked = $2 WHERE ($1::text[] IS NULL OR name = ANY ($1::text[])) AND state <> 'lost'
RETURNING name
"""

BURIED = "UPDATE workers SET state = 'lost', busy = 0 WHERE host = $1 AND pid = $2"


class WorkersInPostgres:
    """Implements contracts.fleet.Registry for the ledger."""

    _statements: Statements
    _clock: Clock

    async def register_worker(self, name: str, *, host: str, pid: int, version: str, slots: int) -> None:
        await self._statements.rows(REGISTER, name, host, pid, version, slots)

    async def forget_worker(self, name: str) -> None:
        await self._statements.rows("DELETE FROM workers WHERE name = $1", name)

    async def beat(
        self, name: str, *, state: WorkerState, busy: int, snapshot: Mapping[str, Any] | None = None
    ) -> Wish | None:
        document = None if snapshot is None else documents.dumps(dict(snapshot))
        row = await self._statements.row(BEAT, name, state, busy, document)
        asked: Wish | None = row["asked"]
        return asked

    async def ask_workers(self, names: Sequence[str] | None, wish: Wish | None) -> list[str]:
        rows = await self._statements.rows(ASK, None if names is None else list(names), wish)
        return sorted(row["name"] for row in rows)

    async def give_back(self, *, host: str, pid: int, poison_after: int = 3) -> list[Delivery]:
        async def act(connection: asyncpg.Connection) -> list[Delivery]:
            async with connection.transaction():
                lost = await connection.fetch(GIVE_BACK, 1_000, poison_after, host, pid)
                await settle_lost(connection, lost, self._clock.now())
                await connection.execute(BURIED, host, pid)
                return deliveries_of([row for row in lost if row["status"] == "queued"])

        return await self._statements.run(act)
