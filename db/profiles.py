"""Versioned supplier profiles: added, never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import orjson

from contracts.catalog import StoredProfile
from db.catalog import supplier_id
from db.pooled import Pooled
from db.storable import json_text

_OF = "FROM supplier_profiles p JOIN suppliers s ON s.id = p.supplier_id WHERE s.name = $1"

NEWEST = f"SELECT p.version, p.document::text {_OF} ORDER BY p.version DESC LIMIT 1"
ONE = f"SELECT p.version, p.document::text {_OF} AND p.version = $2"
HISTORY = f"SELECT p.version, p.created_by, p.created_at {_OF} ORDER BY p.version DESC LIMIT $2"

ADD = """
INSERT INTO supplier_profiles (supplier_id, version, document, created_by)
SELECT $1::uuid, coalesce(max(version), 0) + 1, $2::jsonb, $3 FROM supplier_profiles WHERE supplier_id = $1::uuid
RETURNING version
"""

SAME = """
SELECT version FROM (
  SELECT version, document FROM supplier_profiles WHERE supplier_id = $1::uuid ORDER BY version DESC LIMIT 1) newest
 WHERE document = $2::jsonb
"""


class ProfileVersion(NamedTuple):
    version: int
    created_by: str
    created_at: datetime


class PostgresProfiles(Pooled):
    """Implements contracts.catalog.Profiles. The document is checked by the caller."""

    name = "pricemill-profiles"

    async def newest(self, supplier_name: str) -> StoredProfile | None:
        return _stored(await self._statements.rows(NEWEST, supplier_name))

    async def version(self, supplier_name: str, version: int) -> StoredProfile | None:
        return _stored(await self._statements.rows(ONE, supplier_name, version))

    async def history(self, supplier_name: str, *, limit: int = 100) -> list[ProfileVersion]:
        """Newest first."""
        return [ProfileVersion(*row) for row in await self._statements.rows(HISTORY, supplier_name, limit)]

    async def add(self, supplier_name: str, document: dict[str, Any], *, created_by: str) -> int:
        """A document that equals the newest one adds nothing and answers its number, so that a run that is
        repeated does not count versions up."""
        text = json_text(document)

        async def act(connection: asyncpg.Connection) -> int:
            supplier = await supplier_id(connection, supplier_name)
            async with connection.transaction():
                # Two who add at once take turns, so that neither takes the other's number.
                await connection.execute("SELECT FROM suppliers WHERE id = $1::uuid FOR NO KEY UPDATE", supplier)
                version = await connection.fetchval(SAME, supplier, text)
                return int(version or await connection.fetchval(ADD, supplier, text, created_by))

        return await self._statements.run(act)


def _stored(rows: list[Any]) -> StoredProfile | None:
    return StoredProfile(rows[0]["version"], orjson.loads(rows[0]["document"])) if rows else None
