"""Refuses a list whose columns are not clear, with all that was understood of it and a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contracts.errors import HeaderNotFound, MappingIncomplete, NeedsAnswer
from contracts.questions import Option
from contracts.rows import BrokenRow, Row
from contracts.understanding import FIELDS, Alternative
from pipeline.understanding.asking import MOST, ask, shown
from pipeline.understanding.layout import seen
from pipeline.understanding.mapped import Fields
from pipeline.understanding.pricing import Choice
from pipeline.understanding.table import Table
from pipeline.understanding.text import letter, listed, one_line, short

SHOWN_COLUMNS = 60
"""Columns that are kept with a failure."""
HUGE = 100_000
"""Characters that no header and no cell of a price list has."""


def first_rows(sample: Sequence[tuple[int, Row]]) -> str:
    """What a person sees of a list without header; a row that cannot be part of a table is named."""
    for number, row in sample[:3]:
        size = max((len(cell) for cell in row if isinstance(cell, str)), default=0)
        if type(row) is BrokenRow and row.code == "row_too_large":
            return f"row {number} is larger than 1 MB: check its quotes, or take it out; {seen(sample)}"
        if size > HUGE:
            return f"row {number} has a cell of {size:,} characters: check its quotes, or take it out; {seen(sample)}"
    return seen(sample)


def refusal(
    table: Table,
    fields: Fields,
    missing: Sequence[str],
    problems: Mapping[str, str],
    *,
    choice: Choice | None,
    considered: Sequence[Alternative],
    first_rows: str,
    other_sheets: Sequence[str] = (),
) -> NeedsAnswer:
    """HeaderNotFound for a table without header, of which `first_rows` were seen, if that is not blank; else
    MappingIncomplete."""
    sentence = _sentence(table, fields, missing, problems)
    asked = f"there is no header row ({short(first_rows, 200)}); {sentence}" if first_rows else sentence
    question = ask(table, fields, missing, choice, headerless=bool(first_rows), sentence=asked)
    if "price" in missing and other_sheets:
        question = replace(question, options=(*question.options[: MOST - len(other_sheets)], *_instead(other_sheets)))
    context: dict[str, Any] = {
        "missing": list(missing),
        "headers": [short(name, 120) for name in table.named()[:SHOWN_COLUMNS]],
        "problems": {field: problems[field] for field in missing if field in problems},
        "found": {
            field: [shown(table, mapped.index) for mapped in fields[field]] for field in FIELDS if field in fields
        },
        "table": seen_table(table, fields, considered),
    }
    told = f"{sentence}; the list has {available(table)}"
    if first_rows:
        told = (
            f"no header was found in the first rows ({first_rows}), and without one the columns are not known: {told}"
        )
        return HeaderNotFound(told, question=question, **context)
    return MappingIncomplete(told, question=question, **context)


def _instead(sheets: Sequence[str]) -> Iterator[Option]:
    for name in sheets:
        told = "this sheet is not read; what the other one holds is asked next, if need be"
        yield Option(f"the list is sheet “{short(name)}”", told, {"read": {"sheet": name}})


def available(table: Table) -> str:
    named = table.named()
    return listed(named[:40]) if named else f"no header and the columns A to {letter(max(table.width - 1, 0))}"


def seen_table(table: Table, fields: Fields, considered: Sequence[Alternative]) -> dict[str, Any]:
    """What was understood so far, for `pricemill map`."""
    by_index = {part.index: (name, part) for name, parts in fields.items() for part in parts}
    columns = []
    for index in range(min(table.width, SHOWN_COLUMNS)):
        name, part = by_index.get(index, (None, None))
        columns.append(
            {
                "index": index,
                "header": short(table.header(index), 120),
                "field": name,
                "key": None,
                "certainty": 0.0 if part is None else round(part.certainty, 2),
                "reason": "not decided" if part is None else part.reason,
                "sample": short(one_line(table.figures(index).sample)),
            }
        )
    return {
        "header_row": table.header_row,
        "header_rows": table.header_rows,
        "columns": columns,
        "alternatives": [other.document() for other in considered[:SHOWN_COLUMNS]],
    }


def _sentence(table: Table, fields: Fields, missing: Sequence[str], problems: Mapping[str, str]) -> str:
    sentences = []
    for field in missing:
        if field in problems:
            sentences.append(f"no {field} column: {problems[field]}")
        elif field == "sku":
            sentences.append("no column of codes (sku) was recognised")
        else:
            sentences.append(f"no {field} column was recognised")
    proposal = _proposal(table, fields, missing)
    return "; ".join([*sentences, *([proposal] if proposal else [])])


def _proposal(table: Table, fields: Fields, missing: Sequence[str]) -> str:
    if "sku" in missing and "name" in fields:
        name = fields["name"][0].index
        column = table.header(name) or letter(name)
        return f"the name could serve as the key: column_mapping.sku = “{short(column)}”"
    if "name" in missing and "sku" in fields:
        sku = fields["sku"][0].index
        column = table.header(sku) or letter(sku)
        return (
            f"the code could serve as the name: column_mapping.name = “{short(column)}” "
            "(or name_from_sku in the profile)"
        )
    return ""
