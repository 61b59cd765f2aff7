"""Finds where the table of a list begins: title lines, a header of one or two lines, the body."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from contracts.errors import HeaderNotFound
from contracts.rows import BrokenRow, Description, Row
from pipeline.understanding.headings import read_heading
from pipeline.understanding.merged import Areas, reaches, spread
from pipeline.understanding.table import Table, could_be_price, is_number
from pipeline.understanding.text import cell_text, filled, fold, is_blank, one_line, short

SEARCHED = 30
"""Rows in which a header may begin."""

Numbered = Sequence[tuple[int, Row]]
Lines = tuple[tuple[str, ...], ...]


class Stated(NamedTuple):
    """What a person said about the layout; None = find out."""

    has_header: bool | None = None
    header_row: int | None = None
    data_start_row: int | None = None
    names: tuple[str, ...] = ()
    """Headers named in a column mapping."""


@dataclass(frozen=True, slots=True)
class _Found:
    position: int
    """Of the last header line in the sample; -1 = none."""
    count: int
    lines: Lines
    certainty: float
    reason: str


class _Candidate(NamedTuple):
    position: int
    """Of the last header line in the sample."""
    lines: int
    score: float
    fields: frozenset[str]
    named: int


def find_table(
    sample: Numbered, description: Description, stated: Stated, *, extra: Mapping[str, Sequence[str]]
) -> Table:
    """The table of a sample. Without a header in the rows, headers are blank (or the format's own column names).
    Raises HeaderNotFound if there is nothing to read, or a stated header row is not there."""
    if not any(filled(row) for _, row in sample):
        raise HeaderNotFound(
            "the list is empty: no row holds anything", rows=len(sample), next="ask the supplier for a new copy"
        )
    if description.columns is not None:
        names: Lines = tuple((one_line(name),) if name.strip() else () for name in description.columns)
        return _table(sample, _Found(-1, 0, names, 1.0, "column names of the format"), extra, row=None)
    if stated.has_header is False:
        start = stated.data_start_row
        found = _Found(-1, 0, _blank(sample), 1.0, "stated: no header")
        return _table(sample, found, extra, row=None if start is None or start < 2 else start - 1)
    if stated.header_row is not None:
        return _stated(sample, stated, extra)
    best = _best(sample, stated, extra, frozen=description.frozen_rows)
    if best is None and stated.has_header:
        best = _Candidate(next(place for place, (_, row) in enumerate(sample) if filled(row)), 1, 0, frozenset(), 0)
    if best is None:
        return _table(sample, _Found(-1, 0, _blank(sample), 0.5, "no header row"), extra, row=None)
    best = _whole(sample, best, description.merged)
    lines = _lines(sample, best.position, best.lines, description.merged)
    certainty = min(0.99, 0.6 + 0.08 * len(best.fields) + 0.1 * min(best.named, 3))
    words = f"{len(best.fields)} column names are known words" if best.fields else "text above a table of numbers"
    found = _Found(best.position, best.lines, lines, certainty, words)
    return _table(sample, found, extra, start=stated.data_start_row)


def _stated(sample: Numbered, stated: Stated, extra: Mapping[str, Sequence[str]]) -> Table:
    position = next((place for place, (number, _) in enumerate(sample) if number == stated.header_row), None)
    if position is None or not filled(sample[position][1]):
        raise HeaderNotFound(
            f"row {stated.header_row}, which should hold the header, "
            + ("is blank" if position is not None else f"is not among the first {len(sample)} rows"),
            header_row=stated.header_row,
        )
    found = _Found(position, 1, _lines(sample, position, 1), 1.0, "stated header row")
    return _table(sample, found, extra, start=stated.data_start_row)


def _blank(sample: Numbered) -> Lines:
    return ((),) * max(max(filled(row), default=-1) + 1 for _, row in sample)


def _whole(sample: Numbered, best: _Candidate, merged: Areas) -> _Candidate:
    """With the rows below that its merged cells reach into."""
    last = reaches(sample[best.position][0], best.lines, merged)
    added = last - sample[best.position][0]
    if not added or best.position + added >= len(sample):
        return best
    return best._replace(position=best.position + added, lines=best.lines + added)


def _lines(sample: Numbered, position: int, count: int, merged: Areas = ()) -> Lines:
    rows = spread([sample[place] for place in range(position - count + 1, position + 1)], merged)
    width = max(len(row) for row in rows)
    texts = [[one_line(row[i]) if i < len(row) and not is_blank(row[i]) else "" for row in rows] for i in range(width)]
    return tuple(tuple(text for text in column if text) for column in texts)


def _table(
    sample: Numbered,
    found: _Found,
    extra: Mapping[str, Sequence[str]],
    *,
    start: int | None = None,
    row: int | None = -1,
) -> Table:
    """`start` (the stated first data row) makes the rows between header and data part of the header."""
    count = found.count
    if row == -1:
        row = sample[found.position][0]
        if start is not None:
            row, count = start - 1, count + start - 1 - row
    first = 0 if row is None else row + 1
    above = sample[: max(0, found.position - found.count + 1)]
    return Table(
        header_row=row,
        header_rows=count,
        lines=found.lines,
        headings=tuple(read_heading(" ".join(column), extra) for column in found.lines),
        titles=tuple(one_line(cell) for _, cells in above for cell in cells if not is_blank(cell)),
        body=[item for item in sample if item[0] >= first],
        certainty=found.certainty,
        reason=found.reason,
    )


def _best(
    sample: Numbered, stated: Stated, extra: Mapping[str, Sequence[str]], *, frozen: int = 0
) -> _Candidate | None:
    """A row that its author has frozen counts as one more known word, and before other rows of unknown words."""
    found: list[_Candidate] = []

    def is_frozen(candidate: _Candidate) -> bool:
        return sample[candidate.position][0] == frozen

    for position in range(min(SEARCHED, len(sample))):
        row = sample[position][1]
        if len(filled(row)) < 2 or type(row) is BrokenRow:
            continue
        single = _judge(sample, position, 1, stated, extra)
        found.append(single)
        if position + 1 < len(sample) and _may_continue(row, sample[position + 1][1]):
            double = _judge(sample, position + 1, 2, stated, extra)
            below = _judge(sample, position + 1, 1, stated, extra)
            most = max(len(single.fields) + single.named, len(below.fields) + below.named)
            known = len(double.fields) + double.named
            if known > most:
                found.append(double)
            elif known == most and _tells_apart(row, sample[position + 1][1]):
                found.append(double._replace(score=max(double.score, single.score) + 1))
    strong = [candidate for candidate in found if _is_strong(candidate)]
    if strong:
        best = max(strong, key=lambda one: (one.named, one.score + 3.0 * is_frozen(one), -one.position))
        # a header that stands again on every page is the header where it stands first
        texts = _lines(sample, best.position, best.lines)
        return next(
            candidate
            for candidate in strong
            if candidate.lines == best.lines and _lines(sample, candidate.position, candidate.lines) == texts
        )
    found.sort(key=lambda candidate: not is_frozen(candidate))
    return next((candidate for candidate in found if _is_plain_header(sample, candidate)), None)


def _may_continue(upper: Row, lower: Row) -> bool:
    """A second header line: text below text, at most one number-like cell ("0,00 €" of an order form)."""
    cells = [lower[index] for index in filled(lower)]
    return bool(cells) and sum(map(is_number, cells)) <= 1 and not any(is_number(cell) for cell in upper)


def _tells_apart(upper: Row, lower: Row) -> bool:
    """A second header line that says what columns of one name differ by: "Price" over "excl. VAT" and "incl. VAT"."""
    if any(could_be_price(lower[index]) for index in filled(lower)):
        return False
    names = Counter(fold(cell_text(upper[index])) for index in filled(upper))
    twice = [index for index in filled(upper) if names[fold(cell_text(upper[index]))] > 1]
    below = [fold(cell_text(lower[index])) if index < len(lower) else "" for index in twice]
    return len(twice) > 1 and all(below) and len(set(below)) == len(below)


def _judge(
    sample: Numbered, position: int, count: int, stated: Stated, extra: Mapping[str, Sequence[str]]
) -> _Candidate:
    lines = _lines(sample, position, count)
    headings = [read_heading(" ".join(column), extra) for column in lines]
    exact = {hit.field for heading in headings for hit in heading.hits[:1] if hit.level == 4}
    loose = {hit.field for heading in headings for hit in heading.hits[:1] if hit.level == 3} - exact
    texts = [heading.text for heading in headings if heading.text]
    names = {fold(text) for column in lines for text in (*column, " ".join(column))}
    named = sum(fold(name) in names for name in stated.names)
    score = 3.0 * len(exact) + 1.5 * len(loose) + 0.2 * min(len(texts), 10) + 5.0 * named
    score -= 2.0 * sum(is_number(text) for text in texts) + sum(len(text) > 80 for text in texts)
    prices = [index for index, heading in enumerate(headings) if heading.hit("price")]
    if prices:
        body = [row for _, row in sample[position + 1 : position + 40] if len(filled(row)) >= 2][:25]
        score += 3.0 * max(_price_share(body, index) for index in prices)
    return _Candidate(position, count, score - 0.5 * (count - 1), frozenset(exact | loose), named)


def _price_share(body: Sequence[Row], index: int) -> float:
    values = [row[index] for row in body if index < len(row) and not is_blank(row[index])]
    return sum(map(could_be_price, values)) / len(values) if values else 0.0


def _is_strong(candidate: _Candidate) -> bool:
    fields = candidate.fields
    return (
        bool(candidate.named)
        or ("price" in fields and len(fields) >= 2)
        or len(fields) >= 3
        or ({"sku", "name"} <= fields)
    )


def _is_plain_header(sample: Numbered, candidate: _Candidate) -> bool:
    """Unknown words can still be a header: distinct short texts over a column of numbers, nothing like it above."""
    row = sample[candidate.position][1]
    cells = [row[index] for index in filled(row)]
    texts = [fold(cell_text(cell)) for cell in cells]
    if candidate.lines != 1 or any(could_be_price(cell) for cell in cells) or len(set(texts)) < len(texts):
        return False
    if any(len(text) > 80 for text in texts):
        return False
    body = [below for _, below in sample[candidate.position + 1 : candidate.position + 40] if len(filled(below)) >= 2]
    numeric = [index for index in filled(row) if body and _price_share(body, index) >= 0.6]
    typical = sorted(len(filled(below)) for below in body)[len(body) // 2] if body else 0
    if not numeric or len(texts) * 2 < typical:
        return False
    return not any(
        index < len(above) and is_number(above[index])
        for _, above in sample[: candidate.position]
        if len(filled(above)) >= 2
        for index in numeric
    )


def seen(sample: Numbered, count: int = 3) -> str:
    """The first rows that hold something, for a message."""
    rows = [(number, row) for number, row in sample if filled(row)][:count]
    return "; ".join(
        f"row {number}: {' | '.join(short(one_line(row[i]), 30) for i in filled(row)[:6])}" for number, row in rows
    )
