"""Read models of lists that are held: the questions that wait for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.questions import Question
from db.reports_reader import ReadModels, json, source_name


@dataclass(frozen=True, slots=True)
class HeldList:
    """One list that waits for an answer."""

    task_id: str
    supplier: str
    source: str
    question: Question
    since: datetime
    location: str
    """Path or address of the list, as its task names it."""


_OPEN = """
SELECT d.task_id, d.supplier_name, (d.error #> '{context,question}')::text AS question, d.created_at,
       coalesce(d.message #>> '{source_config,file_path}', d.message #>> '{source_config,url}',
                d.message #>> '{source_config,sheet_url}') AS location
  FROM dead_letters d
 WHERE d.status = 'open' AND d.task_id IS NOT NULL AND d.error #> '{context,question,options}' IS NOT NULL
   AND ($1::text IS NULL OR d.supplier_name = $1) AND ($2::text IS NULL OR d.task_id = $2)
 ORDER BY d.created_at DESC, d.id DESC LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class ClosedQuestion:
    """The newest question about a list, and what became of it."""

    held: HeldList
    status: str
    """replayed or discarded."""
    by: str
    at: datetime


_CLOSED = _OPEN.replace("d.status = 'open' AND", "d.status <> 'open' AND").replace(
    "d.created_at,", "d.created_at, d.status, d.closed_by, d.closed_at,"
)


class QuestionReports(ReadModels):
    async def open_questions(
        self, *, supplier: str | None = None, task_id: str | None = None, limit: int = 100
    ) -> list[HeldList]:
        """Newest first."""
        return [_held(row) for row in await self._rows(_OPEN, supplier, task_id, limit)]

    async def closed_question(self, task_id: str) -> ClosedQuestion | None:
        """What was asked last about a list that waits for no answer now."""
        row = await self._row(_CLOSED, None, task_id, 1)
        return None if row is None else ClosedQuestion(_held(row), row["status"], row["closed_by"], row["closed_at"])


def _held(row: Any) -> HeldList:
    return HeldList(
        row["task_id"],
        row["supplier_name"],
        source_name(row["location"]),
        Question.from_document(json(row["question"])),
        row["created_at"],
        row["location"] or "",
    )
