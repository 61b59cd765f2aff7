"""`pricemill map` for people: the columns, what else was considered, and the question where a list would be held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cli.question_view import question_lines
from cli.summary import ignored, layout
from cli.table import Column, render
from cli.text import line, plural
from contracts.account import Account
from contracts.questions import Question

DOUBT = 0.8
"""Below this certainty a person should look."""
OTHERS = 12
"""Alternatives that are shown."""


def understood_lines(document: dict[str, Any], account: Account) -> Iterator[str]:
    """A list that would be loaded."""
    yield f"{line(document['source'])}  {layout(document['description'], document)}."
    rows = [f"{plural(account.read, 'row')}: {plural(account.new, 'item')}"]
    if account.ignored:
        rows.append(ignored(account))
    if account.rejected:
        rows.append(f"{account.rejected.total():,} rejected (import --check shows why)")
    yield f"{', '.join(rows)}."
    if document["profile_version"]:
        yield f"Read with profile v{document['profile_version']}."
    yield ""
    yield from render(_COLUMN, sorted(document["columns"], key=lambda column: column["index"]))
    yield from _others(document["alternatives"])
    yield ""
    numbers = document["numbers"]
    sign = {".": "decimal point", ",": "decimal comma", None: "no decimals"}[numbers["decimal"]]
    grouped = {"": "", " ": ", grouped by spaces"}.get(numbers["thousands"], f", grouped by {numbers['thousands']}")
    reason = line(numbers["reason"])
    yield f"Prices    {reason if reason.startswith(sign) else f'{sign}{grouped}: {reason}'}"
    currency = {None: "by column or cell", "XXX": "not stated"}.get(document["currency"], document["currency"])
    reason = document["currency_reason"]
    yield f"Currency  {line(currency)}" + (f": {line(reason)}" if reason and reason != currency else "")
    if document["price_basis"] != "1":
        yield f"Per       {document['price_basis']} {line(document['unit'] or '')}".rstrip()


def held_lines(source: str, seen: dict[str, Any], question: Question | None) -> Iterator[str]:
    """A list that would be held: what is known of it, and the answers to choose from."""
    where = f"header in row {seen['header_row']}" if seen.get("header_row") else "no header row"
    yield (
        f"{line(source)}  {where}; it would be held, because a person must decide."
        if seen
        else (f"{line(source)}  It would be held, because a person must decide.")
    )
    if seen:
        yield ""
        yield from render(_COLUMN, seen["columns"])
        yield from _others(seen["alternatives"])
    if question is not None:
        yield ""
        yield from question_lines(question)


def _others(alternatives: list[dict[str, Any]]) -> Iterator[str]:
    if alternatives:
        yield ""
        yield "Not taken"
        yield from (f"  {text}" for text in render(_OTHER, alternatives[:OTHERS])[1:])
    if len(alternatives) > OTHERS:
        yield f"  and {len(alternatives) - OTHERS} more (--json)"


def _sure(column: dict[str, Any]) -> str:
    return f"{round(100 * column['certainty'])} %" if column["field"] else ""


def _why(column: dict[str, Any]) -> str:
    if column["field"]:
        doubt = "? " if column["certainty"] < DOUBT else ""
        return doubt + line(column["reason"])
    if column["key"]:
        return f"kept as characteristic {line(column['key'])}"
    return line(column["reason"]) or "left out"


def _sample(column: dict[str, Any]) -> str:
    reading = column.get("reading")
    return line(column["sample"]) + (f" → {line(reading)}" if reading else "")


def _letter(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


_COLUMN = [
    Column("", lambda column: _letter(column["index"])),
    Column("COLUMN", lambda column: line(column["header"]) or "-", least=8),
    Column("FIELD", lambda column: column["field"] or "-"),
    Column("SURE", _sure, right=True),
    Column("WHY", _why, least=12),
    Column("SAMPLE", _sample, least=8),
]
_OTHER = [
    Column("", lambda other: _letter(other["index"])),
    Column("COLUMN", lambda other: line(other["header"]) or "-", least=8),
    Column("FIELD", lambda other: f"as {other['field']}"),
    Column("WHY", lambda other: line(other["reason"]), least=12),
]
