"""What was last seen at each place of a watched folder: in PostgreSQL, and in memory for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from contracts.queue import Delivery
from contracts.task import ParseTask
from contracts.watch import Known
from db.ledger_register import register_on
from db.memory import MemoryLedger
from db.pooled import Pooled

KNOWN = "SELECT path, signature, version FROM watched_files WHERE path = ANY ($1::text[])"

# The version seen before the file was read is the guard: whoever read an older content comes too late.
SEEN = """
INSERT INTO watched_files AS w (path, signature, sha256, version) VALUES ($1, $2, $3, 1)
ON CONFLICT (path) DO UPDATE
   SET signature = excluded.signature, sha256 = excluded.sha256, problem = NULL, at = now(),
       version = w.version + CASE WHEN w.sha256 IS DISTINCT FROM excluded.sha256 THEN 1 ELSE 0 END
 WHERE w.version = $4
RETURNING version
"""

STARTED = "UPDATE watched_files SET task_id = $2 WHERE path = $1"

REFUSED = """
INSERT INTO watched_files AS w (path, signature, version, problem) VALUES ($1, $2, 1, $3)
ON CONFLICT (path) DO UPDATE
   SET signature = excluded.signature, sha256 = NULL, problem = excluded.problem, at = now(), version = w.version + 1
 WHERE w.version = $4 AND w.signature <> excluded.signature
RETURNING true
"""


class PostgresWatched(Pooled):
    """Implements contracts.watch.Watched."""

    name = "pricemill-watch"

    async def known(self, places: Sequence[str]) -> Mapping[str, Known]:
        rows = await self._statements.rows(KNOWN, list(places)) if places else []
        return {row["path"]: Known(row["signature"], row["version"]) for row in rows}

    async def handed_in(
        self, place: str, *, since: int, signature: str, sha256: str, task: Callable[[int], ParseTask]
    ) -> tuple[str, Delivery | None] | None:
        async def act(connection: asyncpg.Connection) -> tuple[str, Delivery | None] | None:
            async with connection.transaction():
                version = await connection.fetchval(SEEN, place, signature, sha256, since)
                if version is None or version == since:
                    return None
                (registered,) = await register_on(connection, [task(version)], sending=True)
                await connection.execute(STARTED, place, registered.task_id)
                return registered.task_id, None if registered.behind else registered.delivery

        return await self._statements.run(act)

    async def refused(self, place: str, *, since: int, signature: str, problem: str) -> bool:
        return bool(await self._statements.rows(REFUSED, place, signature, problem, since))


@dataclass(slots=True)
class _Place:
    signature: str
    sha256: str | None
    version: int


class MemoryWatched:
    """The twin, beside a ledger in memory."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger
        self._places: dict[str, _Place] = {}

    async def known(self, places: Sequence[str]) -> Mapping[str, Known]:
        found = {place: self._places[place] for place in places if place in self._places}
        return {place: Known(one.signature, one.version) for place, one in found.items()}

    async def handed_in(
        self, place: str, *, since: int, signature: str, sha256: str, task: Callable[[int], ParseTask]
    ) -> tuple[str, Delivery | None] | None:
        before = self._places.get(place)
        if before is not None and before.version != since:
            return None
        version = 1 if before is None else before.version + (before.sha256 != sha256)
        self._places[place] = _Place(signature, sha256, version)
        if version == since:
            return None
        (registered,) = await self._ledger.register([task(version)], sending=True)
        return registered.task_id, None if registered.behind else registered.delivery

    async def refused(self, place: str, *, since: int, signature: str, problem: str) -> bool:
        before = self._places.get(place)
        if before is not None and (before.version != since or before.signature == signature):
            return False
        self._places[place] = _Place(signature, None, since + 1)
        return True
