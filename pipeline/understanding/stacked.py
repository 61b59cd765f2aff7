"""Notices a second table in the rows of a list: another header, whose columns stand in another order."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.errors import ListDoubtful
from contracts.questions import Option, Question
from contracts.rows import BrokenRow, Row
from pipeline.understanding.headings import Heading, read_heading
from pipeline.understanding.mapped import Fields
from pipeline.understanding.scales import scale_of
from pipeline.understanding.table import Table, is_number
from pipeline.understanding.text import cell_text, filled, fold
from pipeline.understanding.words import kinds_of

FEWEST_NAMES = 3
"""Known column names that make a row a header."""
FEWEST_ROWS = 3
"""Rows with numbers between two headers that make a table of the upper one."""
_MAPPED = ("sku", "name", "price")


def refuse_second_table(
    sample: Sequence[tuple[int, Row]], table: Table, fields: Fields, *, header_stated: bool = False
) -> None:
    """Raises ListDoubtful where the first rows hold a header whose columns are not those of the table: what stands
    below it would be read from the wrong columns, or what stands above the table would be taken for its title (which
    is what a person wants who stated the row of the header)."""
    if table.header_row is None or not any(table.lines):
        return
    places = {part.index: field for field in _MAPPED for part in fields.get(field, ())}
    price = fields["price"][0].index
    own = {fold(table.header(index)): index for index in range(table.width) if table.lines[index]}
    upper: int | None = None
    numbers = 0
    for number, row in sample:
        if type(row) is BrokenRow:
            continue
        if table.header_row - table.header_rows < number <= table.header_row:
            if upper is not None and numbers >= FEWEST_ROWS and not header_stated:
                raise _doubt(upper, table.header_row, sample)
            continue
        # A number is no name of a column, and where the prices stand most rows have one.
        known = None if price < len(row) and is_number(row[price]) else _names(row, own)
        above = number < table.header_row
        if known is None:
            numbers += above and upper is not None and len(filled(row)) > 1 and any(map(is_number, row))
        elif above:
            upper, numbers = number, 0
        elif _differs(known, own, places, table.headings[price]):
            raise _doubt(table.header_row, number, sample)


def answered(question: Question, header_row: object) -> bool:
    """True if a person already chose the table with this header."""
    return question.code == "layout" and any(
        header_row is not None and option.patch.get("read") == {"header_row": header_row} for option in question.options
    )


def _names(row: Row, own: dict[str, int]) -> dict[int, str] | None:
    """The texts of a row by column if it is a header: no numbers, and enough names of columns."""
    here = filled(row)
    if len(here) < FEWEST_NAMES or not all(
        isinstance(row[index], str) and len(str(row[index])) <= 80 for index in here
    ):
        return None
    if any(is_number(row[index]) for index in here):
        return None
    texts = {index: cell_text(row[index]) for index in here}
    known = [
        index
        for index, text in texts.items()
        if fold(text) in own or _field(text) is not None or read_heading(text).hit("price") is not None
    ]
    return texts if len(known) >= max(FEWEST_NAMES, len(here) * 0.6) and len(set(texts.values())) > 2 else None


def _differs(texts: dict[int, str], own: dict[str, int], places: dict[int, str], price: Heading) -> bool:
    """True if the name of a column that counts stands elsewhere, or another name stands over one that counts; `price`:
    what the table calls its price."""
    for index, text in texts.items():
        column = own.get(fold(text))
        if column is not None:
            if column != index and (column in places or index in places):
                return True
        elif places.get(index) == "price" and _another_price(text, price):
            return True
        elif (field := _field(text)) is not None:
            here = places.get(index)
            if (field in places.values() and here != field) or (here is not None and here != field):
                return True
    return False


def _another_price(text: str, price: Heading) -> bool:
    """True for "Cost" over the column called "Price" above: another kind, currency, quantity or scale."""
    below = read_heading(text)
    if below.hit("price") is None:
        return False
    codes = [set(heading.sign.codes) if heading.sign else set() for heading in (price, below)]
    return (
        kinds_of(below.folded) != kinds_of(price.folded)
        or (below.basis or 1) != (price.basis or 1)
        or scale_of(below) != scale_of(price)
        or (all(codes) and codes[0].isdisjoint(codes[1]))
    )


def _field(text: str) -> str | None:
    """The field of which this is the very name."""
    hits = read_heading(text).hits[:1]
    return hits[0].field if hits and hits[0].level == 4 else None


def _doubt(upper: int, lower: int, sample: Sequence[tuple[int, Row]]) -> ListDoubtful:
    rows = dict(sample)
    shown = {
        number: " | ".join(cell_text(rows[number][index]) for index in filled(rows[number])[:6])
        for number in (upper, lower)
    }
    sentence = (
        f"the list holds two tables: one has its header in row {upper} ({shown[upper]}), another in row {lower} "
        f"({shown[lower]}). Their columns differ, so one would be read wrong; hand them in as two lists"
    )
    option = Option(
        f"only the table below row {lower}",
        f"the rows above row {lower} are passed over as a title",
        {"read": {"header_row": lower}},
    )
    return ListDoubtful(question=Question("layout", sentence, (option,) if lower <= 1000 else ()), rows=[upper, lower])
