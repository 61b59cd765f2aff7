"""Reads an e-invoice or e-catalogue: once to learn what its lines have in common, once more for the rows."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from contracts.questions import Option, Question
from parsers import cii, ubl
from parsers.extract import DocumentUnreadable, Extract, Record, counted, rows_of, shown
from parsers.trade import SLACK, Facts, Line, number, record, refusal
from parsers.xml_safe import Element, Opener, pieces

COLUMNS = ("sku", "name", "price", "currency", "price_basis", "unit", "gtin", "line_id", "quantity", "amount")
"""Always there, but for a code that is none; more follow where any line has them."""
FIELDS = COLUMNS[:7]
UNREAD = frozenset(("EmbeddedDocumentBinaryObject", "AttachmentBinaryObject"))
_KEYS = {"standard_id": "the standard item number (GTIN)", "buyer_id": "the buyer's item number"}


@dataclass(slots=True)
class _Census:
    facts: Facts
    syntax: ModuleType
    lines: int = 0
    priced: int = 0
    have: Counter[str] = field(default_factory=Counter)
    """Priced lines that have a number of each kind."""
    filled: dict[str, None] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    currencies: set[str] = field(default_factory=set)
    total: Decimal = Decimal(0)
    sublines: int = 0
    tiered: int = 0
    first_wrong: str = ""


def read_invoice(path: Path, kind: str, options: Mapping[str, Any]) -> Extract:
    """Raises DocumentUnreadable for what is no such document or has no lines."""
    inside, opener = _document(path, kind)
    census = _count(opener)
    facts = census.facts
    if not census.lines:
        raise DocumentUnreadable(
            f"the {facts.syntax} {facts.kind} {facts.number or '(without a number)'} has no lines, totals at most; "
            "ask the supplier for one with lines"
        )
    key, warnings = _key(census)
    credited = facts.kind == "credit note" and options.get("credit_notes") != "load"
    columns = tuple(dict.fromkeys((*(COLUMNS if key else COLUMNS[1:]), *census.filled)))
    return Extract(
        format=f"{facts.syntax} {facts.kind}".lower().replace(" ", "_"),
        columns=columns,
        rows=rows_of(_records(opener, census, key), columns),
        fields=tuple((name, name) for name in FIELDS if name in columns),
        notes=[_headline(census, inside)],
        warnings=[*warnings, *_doubts(census), *_sums(census)],
        duplicates="reject_conflicting",
        question=_question(facts) if credited else None,
    )


def _document(path: Path, kind: str) -> tuple[str, Opener]:
    """(the name of the XML inside a PDF, what opens it)"""
    if kind != "pdf":
        return "", lambda: path.open("rb")
    from parsers.facturx import embedded_xml  # noqa: PLC0415  (slow to import, and XML needs none of it)

    inside, content = embedded_xml(path)
    return inside, lambda: io.BytesIO(content)


def _begin(root: Element) -> tuple[Facts, ModuleType]:
    for syntax in (ubl, cii):
        facts: Facts | None = syntax.begin(root)
        if facts is not None:
            return facts, syntax
    raise DocumentUnreadable(
        f"it is XML with the root element {root.name[:100]}, not a UBL invoice, credit note or catalogue and not a "
        "Cross Industry Invoice (Factur-X, ZUGFeRD)"
    )


def _count(opener: Opener) -> _Census:
    stream = pieces(opener, containers=cii.CONTAINERS, unread=UNREAD)
    root = next(stream, None)
    if root is None:
        raise DocumentUnreadable("it is empty")
    census = _Census(*_begin(root))
    syntax, facts = census.syntax, census.facts
    for piece in stream:
        if piece.name in syntax.LINES:
            _count_line(census, syntax.line(piece))
        else:
            syntax.note(facts, piece)
    return census


def _count_line(census: _Census, line: Line) -> None:
    census.lines += 1
    census.sublines += line.sublines
    census.tiered += bool(line.tiers)
    if line.price:
        census.priced += 1
        census.have.update(name for name in ("seller_id", *_KEYS) if getattr(line, name))
        if line.currency and len(census.currencies) < 10:
            census.currencies.add(line.currency)
    if code := refusal(line, census.facts.kind):
        census.refused[code] += 1
        if code == "line_contradicts" and not census.first_wrong:
            per = f" / {line.base}" if line.base else ""
            census.first_wrong = f"line {line.line}: {line.quantity} × {line.price}{per} is not {line.amount}"
    if line.summed:
        census.total += number(line.amount) or 0
    cells = record(line, census.facts, "").cells
    census.filled |= dict.fromkeys(name for name, cell in cells.items() if cell is not None)


def _records(opener: Opener, census: _Census, key: str) -> Iterator[Record]:
    stream = pieces(opener, containers=cii.CONTAINERS, unread=UNREAD)
    next(stream)
    for piece in stream:
        if piece.name in census.syntax.LINES:
            yield record(census.syntax.line(piece), census.facts, key)


def _key(census: _Census) -> tuple[str, list[str]]:
    """One kind of number is the code of all lines of a document, since kinds that are mixed could meet in one code."""
    have, priced = census.have, census.priced
    if have["seller_id"]:
        missing = priced - have["seller_id"]
        without = f"{missing} of {counted(priced, 'line')} with a price without a seller's item number: rejected"
        return "seller_id", [without] if missing else []
    for name, shown_as in _KEYS.items():
        if priced and have[name] == priced:
            return name, [f"no line has a seller's item number; {shown_as}, which all have, is taken as the code"]
    return "", ["no kind of item number stands in all lines, so none is taken as the code"]


def _headline(census: _Census, inside: str) -> str:
    facts = census.facts
    parts = [f"{facts.syntax} {facts.kind} {facts.number}".rstrip()]
    if facts.date:
        parts.append(f"of {facts.date}")
    if inside:
        parts.append(f"from {inside} inside a PDF")
    currencies = ", ".join(sorted(census.currencies or {facts.currency} - {""})) or "no currency"
    return f"{' '.join(parts)}: {counted(census.lines, 'line')}, {currencies}"


def _doubts(census: _Census) -> list[str]:
    notes = []
    facts, refused = census.facts, census.refused
    if facts.kind == "credit note":
        notes.append("a credit note: the unit prices of its lines are those of what is given back")
    for count, one, many in (
        (refused["line_contradicts"], "contradicts itself", "contradict themselves"),
        (refused["line_taken_back"], "takes goods back", "take goods back"),
        (refused["line_withdrawn"], "withdraws its item, which keeps its last price", "withdraw their items"),
        (census.tiered, "states several prices", "state several prices (by quantity, place or time)"),
    ):
        if count:
            notes.append(f"rejected: {counted(count, 'line', one, many)}")
    if census.first_wrong:
        notes.append(f"the first contradiction: {census.first_wrong}")
    if census.sublines:
        notes.append(f"{counted(census.sublines, 'sub-line')} not read as prices: they detail what their line sums up")
    if facts.currency and census.currencies - {facts.currency}:
        notes.append(f"the document is in {facts.currency}, but lines state {', '.join(sorted(census.currencies))}")
    return notes


def _sums(census: _Census) -> list[str]:
    """Where totals of the document contradict its lines or each other."""
    totals = {name: value for name, text in census.facts.totals.items() if (value := number(text)) is not None}
    notes = []
    stated = totals.get("lines")
    if stated is not None and abs(stated - census.total) > SLACK:
        notes.append(
            f"the lines sum up to {shown(census.total)}, but the document says {shown(stated)}: a line may be missing"
        )
    for name, given, more in (
        ("the net total", "net", ("lines", "charges", "-allowances")),
        ("the gross total", "gross", ("net", "tax")),
    ):
        if given not in totals or more[0] not in totals:
            continue
        added = sum(
            (-totals.get(part[1:], Decimal(0)) if part[0] == "-" else totals.get(part, Decimal(0)) for part in more),
            Decimal(0),
        )
        if abs(totals[given] - added) > SLACK:
            notes.append(f"{name} is stated as {shown(totals[given])}, but its parts make {shown(added)}")
    return notes


def _question(facts: Facts) -> Question:
    return Question(
        "document",
        f"this is a credit note ({facts.number or 'without a number'}): its lines say what was given back, which may "
        "be a part of a price; load its unit prices as prices all the same?",
        (
            Option(
                "load the unit prices of credit notes",
                "the unit prices of this and of later credit notes of this supplier become prices",
                {"read": {"credit_notes": "load"}},
            ),
        ),
    )
