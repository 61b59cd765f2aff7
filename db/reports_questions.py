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


class QuestionReports(ReadModels):
    async def open_questions(
        self, *, supplier: str | None = None, task_id: str | None = None, limit: int = 100
    ) -> list[HeldList]:
        """Newest first."""
        rows: list[Any] = list(await self._rows(_OPEN, supplier, task_id, limit))
        return [
            HeldList(
                row["task_id"],
                row["supplier_name"],
                source_name(row["location"]),
                Question.from_document(json(row["question"])),
                row["created_at"],
                row["location"] or "",
            )
            for row in rows
        ]
