"""Reads rows that had to be converted and are kept in the spool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from contracts.errors import SourceUnreadable
from contracts.questions import Question
from contracts.rows import Description
from parsers.cutting import MAX_RECORD
from parsers.quoting import Dialect
from parsers.reading import RecordReading
from parsers.row_lines import decode_rows

LINES = Dialect(b",", None)
"""JSON escapes line feeds, so each line is one row."""


def open_row_file(path: Path) -> RecordReading:
    """Raises SourceUnreadable if this is no row file."""
    with path.open("rb") as file:
        head = file.readline(MAX_RECORD)
    try:
        facts: dict[str, Any] = orjson.loads(head)
        description = Description(
            format=facts["format"],
            sheet=facts["sheet"],
            columns=tuple(facts["columns"]) if "columns" in facts else None,
            fields=tuple((field, name) for field, name in facts.get("fields", ())),
            notes=tuple(facts["notes"]),
            warnings=tuple(facts.get("warnings", ())),
            duplicates=facts.get("duplicates"),
            question=Question.from_document(facts["question"]) if "question" in facts else None,
            currencies=tuple((column, sign) for column, sign in facts.get("currencies", ())),
            merged=tuple((top, left, bottom, right) for top, left, bottom, right in facts.get("merged", ())),
            others=tuple(facts.get("others", ())),
            frozen_rows=facts.get("frozen_rows", 0),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise SourceUnreadable("the converted rows are damaged; run the task again", path=path.name) from error
    return RecordReading(path, start=len(head), dialect=LINES, decode=decode_rows, description=description)
