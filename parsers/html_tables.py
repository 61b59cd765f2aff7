"""The tables of a page as rows of cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.extract import DocumentUnreadable
from parsers.html_tree import select, text_of

MAX_COLUMNS = 1_000
MAX_CELLS = 3_000_000
MAX_TABLES = 1_000
_SIGN = r"(?:[€$£¥₽₴₹₺₩₪฿]|[A-Z]{3}|[Kk]č|zł|kr\.?|руб\.?|грн\.?|Fr\.?|Ft)"
MONEY = re.compile(
    rf"{_SIGN}\s*[0-9][0-9\s.,'’]*|[0-9][0-9\s.,'’]*\s*{_SIGN}|[0-9][0-9\s.'’]*,[0-9]{{2}}|[0-9][0-9,]*\.[0-9]{{2}}"
)
"""A cell that is nothing but an amount: with a currency, or with two decimals."""
_NUMBER = re.compile(r"\D{0,4}[0-9][0-9\s.,'’]*\D{0,4}")


@dataclass(frozen=True, slots=True)
class HtmlTable:
    number: int
    """Place on the page, from 1; how a profile names it."""
    node: LexborNode
    rows: list[list[str | None]]
    priced: int
    """Rows with an amount in a cell; with any number, if no table of the page has amounts."""

    @property
    def head(self) -> tuple[str | None, ...]:
        return tuple(self.rows[0]) if self.rows else ()

    @property
    def shown(self) -> str:
        name = self.node.attributes.get("id")
        return f"table {self.number}" + (f" (#{name})" if name else "")


def tables(tree: LexborHTMLParser) -> list[HtmlTable]:
    """Those that hold amounts and are more than one row and column; tables that only lay out other tables are none."""
    found = []
    every = tree.css("table")
    if len(every) > MAX_TABLES:
        raise DocumentUnreadable(f"the page has {len(every):,} tables; name the one to read with table")
    for number, node in enumerate(every, start=1):
        if all(inner.mem_id == node.mem_id for inner in node.css("table")):
            found.append((number, node, rows_of_table(node)))
    for pattern in (MONEY, _NUMBER):
        judged = [HtmlTable(number, node, rows, _priced(rows, pattern)) for number, node, rows in found]
        listed = [table for table in judged if table.priced and len(table.rows) > 1 and len(table.head) > 1]
        if listed:
            return listed
    return []


def _priced(rows: Sequence[Sequence[str | None]], pattern: re.Pattern[str]) -> int:
    return sum(len(row) > 1 and any(cell and pattern.fullmatch(cell) for cell in row) for row in rows)


def chosen(tree: LexborHTMLParser, wanted: str) -> list[HtmlTable]:
    """By number or by selector; a selector may find several, which are read one below the other."""
    every = tree.css("table")
    if wanted.isascii() and wanted.isdigit():
        nodes = every[int(wanted) - 1 : int(wanted)] if int(wanted) else []
    else:
        nodes = [node for node in select(tree, wanted) if node.tag == "table"]
    if not nodes:
        raise DocumentUnreadable(f"the page has no table “{wanted}”; it has {len(every)}")
    places = {node.mem_id: number for number, node in enumerate(every, start=1)}
    return [HtmlTable(places.get(node.mem_id, 0), node, rows_of_table(node), 0) for node in nodes]


def rows_of_table(table: LexborNode) -> list[list[str | None]]:
    """A cell that spans rows stands in each of them; one that spans columns stands in its first only, so that a
    heading over the whole width is a heading."""
    rows: list[list[str | None]] = []
    hanging: dict[int, tuple[int, str | None]] = {}
    cells = 0
    for line in table.css("tr"):
        if _table_of(line) != table.mem_id:
            continue
        row: list[str | None] = []
        for cell in line.iter():
            if cell.tag not in {"td", "th"}:
                continue
            _hang(row, hanging)
            text = text_of(cell) or None
            width, height = _span(cell, "colspan"), _span(cell, "rowspan")
            for offset in range(min(width, MAX_COLUMNS - len(row))):
                if height > 1:
                    hanging[len(row)] = (height - 1, None if offset else text)
                row.append(None if offset else text)
        _hang(row, hanging)
        cells += len(row)
        if cells > MAX_CELLS:
            raise DocumentUnreadable(f"a table has more than {MAX_CELLS:,} cells")
        rows.append(row)
    return rows


def _hang(row: list[str | None], hanging: dict[int, tuple[int, str | None]]) -> None:
    while (above := hanging.get(len(row))) is not None:
        left, text = above
        if left > 1:
            hanging[len(row)] = (left - 1, text)
        else:
            del hanging[len(row)]
        row.append(text)


def _span(cell: LexborNode, name: str) -> int:
    text = (cell.attributes.get(name) or "1").strip()
    return min(max(int(text[:6]), 1), MAX_COLUMNS) if text.isascii() and text.isdigit() else 1


def _table_of(node: LexborNode) -> int | None:
    above = node.parent
    while above is not None and above.tag != "table":
        above = above.parent
    return None if above is None else above.mem_id
