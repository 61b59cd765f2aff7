"""The form of a table's rows: width, whether rows may end early, whether lone texts are headings of sections."""

from __future__ import annotations

from collections import Counter

from contracts.rows import BrokenRow, Description
from pipeline.understanding.mapped import Fields
from pipeline.understanding.table import Table, is_number
from pipeline.understanding.text import cell_text, filled, is_blank, shape
from pipeline.understanding.words import says_total

KEPT_SHAPES = 50


def table_width(table: Table, description: Description) -> int:
    """Cells a complete row has. In delimited text a surplus cell means that a separator stands inside a cell, so the
    header decides; in spreadsheets columns cannot shift, so columns without a header count too."""
    rows = [row for _, row in table.body if type(row) is not BrokenRow]
    if description.delimiter is None:
        return max([table.width, *(filled(row)[-1] + 1 for row in rows if filled(row))])
    if table.header_rows:
        return table.width
    lengths = Counter(len(row) for row in rows if len(filled(row)) > 1)
    return max(lengths, key=lambda length: (lengths[length], length)) if lengths else table.width


def uses_sections(table: Table, fields: Fields, description: Description) -> bool:
    """True if texts alone in their row stand above items and look like headings: not like the codes of the list, not
    a total, mostly different, and followed by items. A list with a column of categories needs none."""
    if description.columns is not None or table.width < 2:
        return False
    if any(table.figures(part.index).fill > 0.5 for part in fields.get("category", ())):
        return False
    price = fields["price"][0].index
    shapes = set(key_shapes(table, fields))
    headings: list[str] = []
    items = 0
    waiting: list[str] = []
    for _, row in table.body:
        if type(row) is BrokenRow:
            continue
        here = filled(row)
        if len(here) == 1 and here[0] != price:
            text = cell_text(row[here[0]]).strip()
            if shape(text) not in shapes and not says_total(text) and len(text) <= 120:
                waiting.append(text)
        elif len(here) > 1 and price < len(row) and is_number(row[price]):
            items += 1
            headings += waiting
            waiting = []
    if not headings or not items or len(headings) > items * 2:
        return False
    return len(set(headings)) > 2 or len(set(headings)) * 2 >= len(headings)


def key_shapes(table: Table, fields: Fields) -> tuple[str, ...]:
    """Shapes of the codes in rows that have a price, most frequent first; () if names serve as codes or codes have no
    common shape."""
    sku, name = fields["sku"], fields["name"]
    if len(sku) != 1 or sku[0].index == name[0].index:
        return ()
    index, price = sku[0].index, fields["price"][0].index
    found = Counter(
        shape(cell_text(row[index]).strip())
        for row in table.rows()
        if index < len(row) and price < len(row) and not is_blank(row[index]) and is_number(row[price])
    )
    return tuple(sorted(found, key=lambda item: (-found[item], item))) if len(found) <= KEPT_SHAPES else ()
