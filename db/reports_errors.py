"""Read models of what went wrong: dead letters and rejected rows, one by one and in groups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.reasons import REASONS
from db.reports_reader import Page, ReadModels, json, page, source_name, uuid_range


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadFilter:
    """Open dead letters; several members narrow each other."""

    cause: str | None = None
    supplier: str | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class RejectedRow:
    task_id: str
    supplier: str | None
    source: str
    sheet: str | None
    row: int | None
    field: str | None
    value: str | None
    code: str
    reason: str
    fix: str
    cells: list[str | None] | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RejectedGroup:
    code: str
    count: int
    field: str | None
    reason: str
    """Of the first row."""
    row: int | None
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedFilter:
    """Rows of one task in file order, or else of one supplier or of all, newest first."""

    task_id: str | None = None
    supplier: str | None = None
    code: str | None = None
    after: str | None = None
    limit: int = 50


_LOCATION = """coalesce({0} #>> '{{source_config,file_path}}', {0} #>> '{{source_config,url}}',
                {0} #>> '{{source_config,sheet_url}}') AS location"""

_DEAD = """
SELECT d.id::text AS id, d.task_id, d.supplier_name AS supplier, d.code, d.category, d.reason, d.attempts, d.status,
       d.error ->> 'next' AS next_step, d.created_at,
       """ + _LOCATION.format("d.message")

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
       min(created_at) AS oldest, max(created_at) AS newest
FROM dead_letters WHERE status = 'open' GROUP BY code ORDER BY count(*) DESC, code LIMIT 200
"""

_REJECTED = (
    """
SELECT l.id, l.task_id, l.error_type, l.error_message, l.row_number, l.field, l.value, l.row_data::text AS cells,
       l.created_at, t.supplier_name, t.result #>> '{understanding,description,sheet}' AS sheet,
       """
    + _LOCATION.format("t.message")
    + """ FROM parsing_logs l LEFT JOIN tasks t ON t.task_id = l.task_id
"""
)

_REJECTED_OF_TASK = (
    _REJECTED
    + """WHERE l.task_id = $1 AND ($2::text IS NULL OR l.error_type = $2)
  AND ($3::int IS NULL OR (l.row_number, l.error_type) > ($3, $4) OR l.row_number IS NULL)
ORDER BY l.row_number, l.error_type LIMIT $5"""
)

_REJECTED_OF_SUPPLIER = (
    _REJECTED
    + """WHERE l.supplier_id = (SELECT id FROM suppliers WHERE name = $1) AND ($2::text IS NULL OR l.error_type = $2)
  AND ($3::bigint IS NULL OR l.id < $3) ORDER BY l.id DESC LIMIT $4"""
)

_REJECTED_NEWEST = (
    _REJECTED
    + """WHERE ($1::text IS NULL OR l.error_type = $1) AND ($2::bigint IS NULL OR l.id < $2)
ORDER BY l.id DESC LIMIT $3"""
)

_GROUPS = """
SELECT error_type, count(*) AS count, min(row_number) AS row, (array_agg(field ORDER BY row_number))[1] AS field,
       (array_agg(error_message ORDER BY row_number))[1] AS reason
FROM (SELECT error_type, row_number, field, error_message FROM parsing_logs WHERE {} LIMIT 1000000) l
GROUP BY error_type ORDER BY count(*) DESC, error_type LIMIT 200
"""

_GROUPS_OF_TASK = _GROUPS.format("task_id = $1")
_GROUPS_OF_SUPPLIER = _GROUPS.format("supplier_id = (SELECT id FROM suppliers WHERE name = $1)")
_GROUPS_NEWEST = _GROUPS.format("created_at > now() - interval '7 days' AND $1::text IS NULL")


class ErrorReports(ReadModels):
    """Dead letters and rejected rows."""

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

    async def dead_letter_groups(self) -> tuple[DeadGroup, ...]:
        """Open ones by cause, the most frequent first."""
        rows = await self._rows(_DEAD_GROUPS)
        return tuple(DeadGroup(**{**dict(row), "next_step": row["next_step"] or ""}) for row in rows)

    async def rejected(self, which: RejectedFilter) -> Page[RejectedRow]:
        size = which.limit + 1
        if which.task_id is not None:
            number, code = which.after.split("/", 1) if which.after else (None, None)
            start = int(number) if number else None
            rows = await self._rows(_REJECTED_OF_TASK, which.task_id, which.code, start, code, size)
            cursors = [f"{row['row_number'] or 2**31 - 1}/{row['error_type']}" for row in rows]
        else:
            before = int(which.after) if which.after else None
            if which.supplier is not None:
                rows = await self._rows(_REJECTED_OF_SUPPLIER, which.supplier, which.code, before, size)
            else:
                rows = await self._rows(_REJECTED_NEWEST, which.code, before, size)
            cursors = [str(row["id"]) for row in rows]
        return page([_rejected(row) for row in rows], which.limit, cursors)

    async def rejected_groups(
        self, *, task_id: str | None = None, supplier: str | None = None
    ) -> tuple[RejectedGroup, ...]:
        """Of one task or one supplier; of neither: of the last seven days. The most frequent first."""
        if task_id is not None:
            rows = await self._rows(_GROUPS_OF_TASK, task_id)
        elif supplier is not None:
            rows = await self._rows(_GROUPS_OF_SUPPLIER, supplier)
        else:
            rows = await self._rows(_GROUPS_NEWEST, None)
        return tuple(
            RejectedGroup(
                code=row["error_type"],
                count=row["count"],
                field=row["field"],
                reason=row["reason"],
                row=row["row"],
                fix=_fix(row["error_type"]),
            )
            for row in rows
        )


def _fix(code: str) -> str:
    return REASONS[code].fix if code in REASONS else ""


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


def _rejected(row: Any) -> RejectedRow:
    return RejectedRow(
        task_id=row["task_id"],
        supplier=row["supplier_name"],
        source=source_name(row["location"]),
        sheet=row["sheet"],
        row=row["row_number"],
        field=row["field"],
        value=row["value"],
        code=row["error_type"],
        reason=row["error_message"],
        fix=_fix(row["error_type"]),
        cells=json(row["cells"]),
        at=row["created_at"],
    )
