"""Read models of rejected rows that are still to be dealt with: by cause and value, and whole for an export."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from contracts.reasons import REASONS
from db.reports_reader import ReadModels, json, source_name


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


_CAUSES = """
SELECT l.task_id, t.supplier_name, l.error_type, l.field, l.value, l.count, l.row, l.reason,
       coalesce(t.message #>> '{source_config,file_path}', t.message #>> '{source_config,url}',
                t.message #>> '{source_config,sheet_url}') AS location
  FROM (SELECT task_id, error_type, field, left(value, 200) AS value, count(*) AS count, min(row_number) AS row,
               (array_agg(error_message ORDER BY row_number))[1] AS reason
          FROM (SELECT * FROM parsing_logs p WHERE p.taken_up_by IS NULL AND {} LIMIT 1000000) p
         GROUP BY task_id, error_type, field, left(value, 200)) l
  JOIN tasks t ON t.task_id = l.task_id
 ORDER BY l.count DESC, l.error_type, l.value, l.task_id LIMIT $2
"""
_OF_TASK = _CAUSES.replace("{}", "p.task_id = $1")
_OF_SUPPLIER = _CAUSES.replace("{}", "p.supplier_id = (SELECT id FROM suppliers WHERE name = $1)")
_NEWEST = _CAUSES.replace("{}", "p.created_at > now() - interval '7 days' AND $1::text IS NULL")

_OPEN_ROWS = """
SELECT row_number, (array_agg(row_data::text))[1] AS cells,
       array_agg(ARRAY[error_type, field, error_message] ORDER BY error_type) AS reasons
  FROM parsing_logs WHERE task_id = $1 AND taken_up_by IS NULL AND row_number > $2
 GROUP BY row_number ORDER BY row_number LIMIT 1000
"""


class RejectedReports(ReadModels):
    """Rejected rows that nobody has dealt with."""

    async def rejected_causes(
        self, *, task_id: str | None = None, supplier: str | None = None, limit: int = 100
    ) -> tuple[RejectedCause, ...]:
        """Of one task or one supplier; of neither: of the last seven days. The most frequent first."""
        if task_id is not None:
            rows = await self._rows(_OF_TASK, task_id, limit)
        elif supplier is not None:
            rows = await self._rows(_OF_SUPPLIER, supplier, limit)
        else:
            rows = await self._rows(_NEWEST, None, limit)
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
                fix=REASONS[row["error_type"]].fix if row["error_type"] in REASONS else "",
            )
            for row in rows
        )

    async def open_rejects(self, task_id: str) -> AsyncIterator[OpenReject]:
        """In the order of the list, read page by page."""
        after = 0
        while rows := await self._rows(_OPEN_ROWS, task_id, after):
            for row in rows:
                yield OpenReject(row["row_number"], json(row["cells"]) or [], [tuple(why) for why in row["reasons"]])
            after = rows[-1]["row_number"]
