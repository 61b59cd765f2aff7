"""Read models of dead letters, one by one and in groups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.reports_reader import LOCATION, Page, ReadModels, json, page, source_name, uuid_range


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    id: str
    task_id: str | None
    supplier: str | None
    source: str
    code: str
    category: str
    reason: str
    next_step: str
    attempts: int
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetterDetail:
    letter: DeadLetterRow
    message: Any
    error: dict[str, Any]
    last_checkpoint: dict[str, Any] | None
    closed_at: datetime | None
    closed_by: str | None
    close_reason: str | None


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """Open dead letters of one cause."""

    code: str
    count: int
    reason: str
    """Of the newest."""
    next_step: str
    suppliers: int
    supplier: str | None
    """One of them."""
    oldest: datetime
    newest: datetime
    category: str
    disposition: str | None
    asks: bool
    """Lists that wait for an answer are among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadFilter:
    """Open dead letters; several members narrow each other."""

    cause: str | None = None
    supplier: str | None = None
    before: str | None = None
    limit: int = 50


_DEAD = """
SELECT d.id::text AS id, d.task_id, d.supplier_name AS supplier, d.code, d.category, d.reason, d.attempts, d.status,
       d.error ->> 'next' AS next_step, d.created_at,
       """ + LOCATION.format("d.message")

_DEAD_LIST = (
    _DEAD
    + """ FROM dead_letters d
WHERE d.status = 'open' AND ($1::text IS NULL OR d.code = $1) AND ($2::text IS NULL OR d.supplier_name = $2)
  AND ($3::timestamptz IS NULL OR (d.created_at, d.id) < ($3, $4::uuid))
ORDER BY d.created_at DESC, d.id DESC LIMIT $5"""
)

_DEAD_ONE = (
    _DEAD
    + """, d.message::text AS message, d.error::text AS error,
       d.last_checkpoint::text AS last_checkpoint, d.closed_at, d.closed_by, d.close_reason
FROM dead_letters d WHERE d.id = $1::uuid LIMIT 1"""
)

_DEAD_BY_RANGE = "SELECT id::text AS id FROM dead_letters WHERE id BETWEEN $1::uuid AND $2::uuid ORDER BY id LIMIT $3"

_DEAD_OF_TASKS = """
SELECT d.id::text AS id FROM dead_letters d JOIN tasks t ON t.id = d.task_key
WHERE d.status = 'open' AND t.task_id = ANY ($1::text[]) LIMIT 10000
"""

_DEAD_GROUPS = """
SELECT code, count(*) AS count, (array_agg(reason ORDER BY created_at DESC))[1] AS reason,
       (array_agg(error ->> 'next' ORDER BY created_at DESC))[1] AS next_step,
       count(DISTINCT supplier_name) AS suppliers, min(supplier_name) AS supplier,
       min(created_at) AS oldest, max(created_at) AS newest,
       (array_agg(category ORDER BY created_at DESC))[1] AS category,
       (array_agg(error ->> 'disposition' ORDER BY created_at DESC))[1] AS disposition,
       bool_or(error #> '{context,question}' IS NOT NULL) AS asks
FROM dead_letters WHERE status = 'open' AND ($1::text IS NULL OR supplier_name = $1)
GROUP BY code ORDER BY count(*) DESC, code LIMIT 200
"""


class ErrorReports(ReadModels):
    """Dead letters."""

    async def dead_letters(self, which: DeadFilter | None = None) -> Page[DeadLetterRow]:
        """Open ones, newest first."""
        which = which or DeadFilter()
        at, last = which.before.split("/", 1) if which.before else (None, None)
        before = datetime.fromisoformat(at) if at else None
        rows = await self._rows(_DEAD_LIST, which.cause, which.supplier, before, last, which.limit + 1)
        cursors = [f"{row['created_at'].isoformat()}/{row['id']}" for row in rows]
        return page([_letter(row) for row in rows], which.limit, cursors)

    async def dead_letter(self, dead_letter_id: str) -> DeadLetterDetail | None:
        """In any status. The id must be a whole UUID; `find_dead_letters` makes one of a prefix."""
        row = await self._row(_DEAD_ONE, dead_letter_id)
        if row is None:
            return None
        return DeadLetterDetail(
            letter=_letter(row),
            message=json(row["message"]),
            error=json(row["error"]),
            last_checkpoint=json(row["last_checkpoint"]),
            closed_at=row["closed_at"],
            closed_by=row["closed_by"],
            close_reason=row["close_reason"],
        )

    async def find_dead_letters(self, prefix: str, *, limit: int = 2) -> list[str]:
        """Ids of dead letters, in any status, that start with this text."""
        bounds = uuid_range(prefix)
        if bounds is None:
            return []
        return [row["id"] for row in await self._rows(_DEAD_BY_RANGE, *bounds, limit)]

    async def dead_letters_of(self, task_ids: list[str]) -> list[str]:
        """Ids of the open dead letters of these tasks."""
        return [row["id"] for row in await self._rows(_DEAD_OF_TASKS, task_ids)]

    async def dead_letter_groups(self, *, supplier: str | None = None) -> tuple[DeadGroup, ...]:
        """Open ones by cause, the most frequent first."""
        rows = await self._rows(_DEAD_GROUPS, supplier)
        return tuple(DeadGroup(**{**dict(row), "next_step": row["next_step"] or ""}) for row in rows)


def _letter(row: Any) -> DeadLetterRow:
    return DeadLetterRow(
        id=row["id"],
        task_id=row["task_id"],
        supplier=row["supplier"],
        source=source_name(row["location"]),
        code=row["code"],
        category=row["category"],
        reason=row["reason"],
        next_step=row["next_step"] or "",
        attempts=row["attempts"],
        status=row["status"],
        created_at=row["created_at"],
    )
