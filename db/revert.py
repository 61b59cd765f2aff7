"""Takes back what one task loaded: prices as they were before, new items withdrawn, nothing deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg
import orjson

from contracts.errors import StateConflict
from contracts.failpoints import failpoint
from db import loader_sql
from db.connection import limit_transactions
from db.exclusive import exclusive
from db.pooled import Pooled

SECONDS = 600.0
_REVERT: Final = loader_sql.with_parts("revert")

_TASK = """
SELECT t.id, t.supplier_name, t.status::text AS status, t.as_of, t.reverted_at, t.reverted::text AS reverted,
       s.id::text AS supplier_id, now() AS now
  FROM tasks t LEFT JOIN suppliers s ON s.name = t.supplier_name WHERE t.task_id = $1 FOR UPDATE OF t
"""

_CLOSE_HELD = """
UPDATE held_rows SET status = 'superseded', closed_at = now(), closed_by = $3, close_reason = 'the list was taken back'
 WHERE supplier_id = $1 AND task_key = $2 AND status = 'open'
"""

# The newest list that still counts; only lists of which a row was stored.
_APPLIED = """
UPDATE suppliers SET applied_as_of = (
  SELECT max(t.as_of) FROM tasks t
   WHERE t.supplier_name = suppliers.name AND t.id <> $2 AND t.reverted_at IS NULL
     AND EXISTS (SELECT FROM checkpoints c, jsonb_to_record(c.document -> 'account')
                                              AS a(new bigint, changed bigint, unchanged bigint)
                  WHERE c.task_key = t.id AND a.new + a.changed + a.unchanged > 0)),
  updated_at = now()
 WHERE id = $1
"""

_MARK = "UPDATE tasks SET reverted_at = $2, reverted = $3::jsonb WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Reverted:
    """What became of the items that the task wrote."""

    supplier: str
    at: datetime
    by: str
    reason: str
    restored: int
    """Have the price from before again."""
    withdrawn: int
    """Were new with this list; a later list brings them back."""
    left_alone: int
    """A later list has priced them since."""
    described: int
    """Are called what they were called before."""


class Reverts(Pooled):
    """Undo, one task at a time."""

    name = "pricemill-revert"

    async def revert(self, task_id: str, *, actor: str, reason: str = "", keep: bool = True) -> Reverted:
        """One transaction; done again, it changes nothing and answers as the first time. The task never runs again,
        and none of its items is matched unread, so that the same file can be loaded by a new task. Raises StateConflict
        for a task that has not ended, and while a task of the supplier runs. Not to `keep` it only tells what would
        become of the items."""

        async def act(connection: asyncpg.Connection) -> Reverted:
            await limit_transactions(connection, SECONDS)
            async with _transaction(connection, keep=keep):
                told = await self._act(connection, task_id, actor, reason)
            failpoint("revert.ended")
            return told

        return await self._statements.run(act)

    async def _act(self, connection: asyncpg.Connection, task_id: str, actor: str, reason: str) -> Reverted:
        task = await connection.fetchrow(_TASK, task_id)
        if task is None:
            raise StateConflict(f"there is no task {task_id}")
        if task["reverted_at"] is not None:
            return Reverted(task["supplier_name"], task["reverted_at"], **orjson.loads(task["reverted"]))
        async with exclusive(connection, task["id"], task["supplier_name"]):
            return await _revert(connection, task, actor, reason)


class _OnlyTried(Exception):
    """ends a transaction that is not to be kept"""


@asynccontextmanager
async def _transaction(connection: asyncpg.Connection, *, keep: bool) -> AsyncIterator[None]:
    with suppress(_OnlyTried):
        async with connection.transaction():
            yield
            failpoint("revert.before_commit")
            if not keep:
                raise _OnlyTried


async def _revert(connection: asyncpg.Connection, task: asyncpg.Record, actor: str, reason: str) -> Reverted:
    counts = {"restored": 0, "withdrawn": 0, "left_alone": 0, "described": 0}
    if task["supplier_id"] is not None:
        mine = (task["supplier_id"], task["id"])
        await connection.execute(loader_sql.EVERY_PLAN)
        counts |= dict(await connection.fetchrow(_REVERT, *mine, task["now"], timeout=SECONDS))
        said = await connection.execute(loader_sql.REDESCRIBE, *mine, timeout=SECONDS)
        counts["described"] = int(said.rsplit(" ", 1)[1])
        await connection.execute(_CLOSE_HELD, *mine, actor)
        await connection.execute(loader_sql.REOPEN_HELD, *mine)
        await connection.execute(_APPLIED, *mine)
    told = {"by": actor, "reason": reason, **counts}
    await connection.execute(_MARK, task["id"], task["now"], orjson.dumps(told).decode())
    return Reverted(task["supplier_name"], task["now"], actor, reason, **counts)
