"""The tabs of a Google Sheet as they stand in the spool: a line of JSON about them, then the rows of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from contracts.errors import SourceMissing, SourceUnreadable
from contracts.questions import Question
from contracts.rows import Cell
from parsers.cutting import MAX_RECORD
from parsers.row_lines import decode_rows, encode_row, head_line
from parsers.sheets_cells import grid
from parsers.sheets_client import SheetValues
from parsers.sheets_tabs import chosen_tab, names_of
from parsers.spool import Intake
from parsers.workbook_marks import Area
from parsers.workbook_merged import MergedCells
from parsers.workbook_tabs import ALL, choose_all, tab_notes

TABS = "google_sheets_tabs"
MERGES_SEARCHED = 100


@dataclass(frozen=True, slots=True)
class _Part:
    """One tab of a snapshot."""

    facts: dict[str, Any]
    begin: int
    """Byte offset of its first row."""

    @property
    def end(self) -> int:
        return self.begin + int(self.facts["bytes"])


def write_tabs(taken: Intake, values: SheetValues) -> None:
    """Raises SourceTooLarge."""
    told, bodies = [], []
    for tab in values.tabs:
        found = grid(tab.shown, tab.stored)
        areas = [_area(area) for area in tab.merges]
        bodies.append(b"".join(map(encode_row, MergedCells(areas).fill(map(list, found.rows)))))
        told.append({
            **tab.facts.document(),
            "rows": len(found.rows),
            "bytes": len(bodies[-1]),
            "currencies": found.currencies,
            "merged": [list(area) for area in areas if area.top <= MERGES_SEARCHED],
        })  # fmt: skip
    others = [facts.document() for facts in values.others]
    taken.write(orjson.dumps({"format": TABS, "title": values.title, "tabs": told, "others": others}) + b"\n")
    for body in bodies:
        taken.write(body)


def _area(merge: Mapping[str, int]) -> Area:
    """Google counts rows and columns from 0 and leaves the end out."""
    return Area(
        merge["startRowIndex"] + 1, merge["startColumnIndex"], merge["endRowIndex"], merge["endColumnIndex"] - 1
    )


def choose_rows(path: Path, target: Path, *, wanted: str | None, gid: int | None) -> None:
    """Writes the row file `target` of the tab that is meant, or of all that are alike, with the question which of them
    if nobody said. Raises SourceMissing, SourceUnreadable."""
    parts, told = _parts(path)
    by_name = {part.facts["title"]: part for part in parts}
    known = sorted([*told["tabs"], *told["others"]], key=lambda facts: int(facts["place"]))
    everything = [(facts["title"], not facts["hidden"]) for facts in known]
    question: Question | None = None
    if wanted not in {None, ALL} or gid is not None:
        name = chosen_tab(known, wanted, gid, told["title"])
        if name not in by_name:
            raise SourceMissing(
                f"the worksheet “{name}” was not fetched: it is hidden, or the task names another one",
                next=f"import the sheet anew with --sheet “{name}”",
            )
        names = [name]
    else:
        visible = [(name, True) for name in by_name]
        names, question = choose_all(
            visible,
            wanted,
            lambda name: _rows(path, by_name[name]),
            lambda name: int(by_name[name].facts["rows"]),
        )
    _write(target, path, [by_name[name] for name in names], tab_notes(everything, names), question)


def _parts(path: Path) -> tuple[list[_Part], dict[str, Any]]:
    with path.open("rb") as file:
        head = file.readline(16 * MAX_RECORD)
    try:
        told = orjson.loads(head)
        begin, parts = len(head), []
        for facts in told["tabs"]:
            parts.append(_Part(facts, begin))
            begin = parts[-1].end
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise SourceUnreadable("the snapshot of the sheet is damaged; run the task again", path=path.name) from error
    return parts, told


def _rows(path: Path, part: _Part) -> Iterator[list[Cell]]:
    with path.open("rb") as file:
        file.seek(part.begin)
        for _ in range(part.facts["rows"]):
            yield list(decode_rows([file.readline()])[0])


def _write(target: Path, path: Path, parts: list[_Part], notes: list[str], question: Question | None) -> None:
    first = parts[0].facts
    common = set.intersection(*({(column, sign) for column, sign in part.facts["currencies"]} for part in parts))
    temporary = target.with_name(target.name + ".part")
    with path.open("rb") as file, temporary.open("wb") as out:
        out.write(
            head_line(
                format="google_sheets",
                sheet=" + ".join(part.facts["title"] for part in parts),
                notes=notes,
                question=question,
                currencies=sorted(common),
                merged=[tuple(area) for area in first["merged"]],
                frozen_rows=first["frozen"],
            )
        )
        for part in parts:
            file.seek(part.begin)
            left = part.end - part.begin
            while left and (block := file.read(min(left, MAX_RECORD))):
                out.write(block)
                left -= len(block)
    temporary.replace(target)


def shown_name(values: SheetValues) -> str:
    return f"{values.title} / {names_of(values.tabs)}" if len(values.tabs) == 1 else values.title
