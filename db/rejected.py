"""Rejected rows that are taken up again."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from contracts.catalog import ToReplay
from db.pooled import Pooled

TO_REPLAY = """
SELECT t.result ->> 'source_sha256' AS sha256,
       ARRAY(SELECT DISTINCT l.row_number FROM parsing_logs l
              WHERE l.task_id = t.task_id AND l.row_number IS NOT NULL AND (l.taken_up_by IS NULL OR l.taken_up_by = $3)
                AND (cardinality($2::text[]) = 0 OR l.error_type = ANY ($2::text[]))) AS rows
  FROM tasks t WHERE t.task_id = $1
"""
TAKEN_UP = """
WITH closed AS (
  UPDATE parsing_logs SET taken_up_by = $3, taken_up_at = now()
   WHERE task_id = $1 AND row_number = ANY ($2::int[]) AND taken_up_by IS NULL RETURNING 1)
SELECT count(*) FROM closed
"""


class PostgresRejectedRows(Pooled):
    """Implements contracts.catalog.RejectedRows; each method is one transaction. Raises DatabaseUnavailable."""

    name = "pricemill-rejected"

    async def to_replay(self, task_id: str, codes: Sequence[str], *, by: str) -> ToReplay:
        found = await self._statements.rows(TO_REPLAY, task_id, list(codes), by)
        return ToReplay(found[0]["sha256"], frozenset(found[0]["rows"])) if found else ToReplay(None, frozenset())

    async def taken_up(self, task_id: str, rows: Collection[int], *, by: str) -> int:
        closed = await self._statements.rows(TAKEN_UP, task_id, sorted(rows), by)
        return int(closed[0][0])
