"""Read models of rejected rows: one by one, in groups by cause and value, and whole for an export."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.reasons import REASONS
from db.reports_reader import LOCATION, Page, ReadModels, json, page, source_name


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


@dataclass(frozen=True, slots=True)
class RejectedCause:
    """Rows of one task that were rejected for one reason, in one column, for one value."""

    task_id: str
    supplier: str
    source: str
    code: str
    field: str | None
    value: str | None
    """At most 200 characters of it."""
    count: int
    row: int | None
    """The first of them."""
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class OpenReject:
    row: int
    cells: list[str | None]
    reasons: list[tuple[str, str | None, str]]
    """(code, field, sentence)."""


_REJECTED = (
    """
SELECT l.id, l.task_id, l.error_type, l.error_message, l.row_number, l.field, l.value, l.row_data::text AS cells,
       l.created_at, t.supplier_name, t.result #>> '{understanding,description,sheet}' AS sheet,
       """
    + LOCATION.format("t.message")
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

_CAUSES = (
    """
SELECT l.task_id, t.supplier_name, l.error_type, l.field, l.value, l.count, l.row, l.reason,
       """
    + LOCATION.format("t.message")
    + """
  FROM (SELECT task_id, error_type, field, left(value, 200) AS value, count(*) AS count, min(row_number) AS row,
               (array_agg(error_message ORDER BY row_number))[1] AS reason
          FROM (SELECT * FROM parsing_logs p WHERE p.taken_up_by IS NULL AND {} LIMIT 1000000) p
         GROUP BY task_id, error_type, field, left(value, 200)) l
  JOIN tasks t ON t.task_id = l.task_id
 ORDER BY l.count DESC, l.error_type, l.value, l.task_id LIMIT $2
"""
)

_OPEN_ROWS = """
SELECT row_number, (array_agg(row_data::text))[1] AS cells,
       array_agg(ARRAY[error_type, field, error_message] ORDER BY error_type) AS reasons
  FROM parsing_logs WHERE task_id = $1 AND taken_up_by IS NULL AND row_number > $2
 GROUP BY row_number ORDER BY row_number LIMIT 1000
"""


class RejectedReports(ReadModels):
    """Rejected rows."""

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
        rows = await self._rows(*_of(_GROUPS, task_id, supplier))
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

    async def rejected_causes(
        self, *, task_id: str | None = None, supplier: str | None = None, limit: int = 100
    ) -> tuple[RejectedCause, ...]:
        """Those that nobody has dealt with, chosen as by `rejected_groups`."""
        rows = await self._rows(*_of(_CAUSES, task_id, supplier), limit)
        return tuple(
            RejectedCause(
                task_id=row["task_id"],
                supplier=row["supplier_name"],
                source=source_name(row["location"]),
                code=row["error_type"],
                field=row["field"],
                value=row["value"],
                count=row["count"],
                row=row["row"],
                reason=row["reason"],
                fix=_fix(row["error_type"]),
            )
            for row in rows
        )

    async def open_rejects(self, task_id: str) -> AsyncIterator[OpenReject]:
        """Those of a task that nobody has dealt with, in the order of the list, read page by page."""
        after = 0
        while rows := await self._rows(_OPEN_ROWS, task_id, after):
            for row in rows:
                yield OpenReject(row["row_number"], json(row["cells"]) or [], [tuple(why) for why in row["reasons"]])
            after = rows[-1]["row_number"]


def _of(statement: str, task_id: str | None, supplier: str | None) -> tuple[str, str | None]:
    """The statement with its condition in place, and what $1 is in it."""
    if task_id is not None:
        return statement.replace("{}", "task_id = $1"), task_id
    if supplier is not None:
        return statement.replace("{}", "supplier_id = (SELECT id FROM suppliers WHERE name = $1)"), supplier
    return statement.replace("{}", "created_at > now() - interval '7 days' AND $1::text IS NULL"), None


def _fix(code: str) -> str:
    return REASONS[code].fix if code in REASONS else ""


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
