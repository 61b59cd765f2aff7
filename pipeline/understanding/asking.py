"""Asks a person which column is what: ready answers with what each would do to the rows of the sample."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from contracts.questions import Option, Question
from pipeline.understanding.agree import (
    LOOKED_AT,
    MAYBE_QUANTITY,
    MAYBE_WEIGHT,
    foreign_form,
    looks_like_codes,
    no_price,
    whole,
)
from pipeline.understanding.keys import WIDEST, Key, propose_keys
from pipeline.understanding.mapped import Fields
from pipeline.understanding.numbers import Ambiguity, collect, decide
from pipeline.understanding.prices import PriceReader
from pipeline.understanding.pricing import SCALED, Choice
from pipeline.understanding.scales import readings, scale_of
from pipeline.understanding.table import Table, is_number
from pipeline.understanding.text import cell_text, is_blank, letter, listed, one_line, plain, short
from pipeline.understanding.words import says

MOST = 8
"""Options of a question."""
NAMES_DIFFER = 0.3
"""Share of the values that must differ in a column without a header for names: makers and colours repeat more."""


def shown(table: Table, index: int) -> str:
    """The header, shortened; "column C" where there is none."""
    return short(table.header(index)) or f"column {letter(index)}"


def reference(table: Table, index: int) -> str | int:
    """How a mapping names a column: its header, or its index where the header is blank or stands twice."""
    header = table.header(index)
    return header if header and len(header) <= 500 and table.find(header) == [index] else index


def ask(
    table: Table, fields: Fields, missing: Sequence[str], choice: Choice | None, *, headerless: bool, sentence: str
) -> Question:
    """About the first field that is missing: price, then key, then name. Its options settle the others too where a
    proposal is at hand."""
    taken = {part.index for parts in fields.values() for part in parts}
    options: list[Option] = []
    if "price" in missing:
        for index in _price_columns(table, taken, choice):
            told = _prices(table, index)
            if told is None or len(options) == MOST:
                continue
            rest = _complete(table, fields, [field for field in missing if field != "price"], index, taken | {index})
            label = f"the price is in {_quoted(table, index)}"
            if scale_of(table.headings[index]):
                for worth in readings(table, index):
                    answer = [*rest, (worth.told, "", {}, worth.members)]
                    options.append(_joined(label, worth.range, {"price": index}, answer, table))
                continue
            options.append(_joined(label, told, {"price": index}, rest, table))
        code = "price_column"
    elif "sku" in missing:
        price = fields["price"][0].index
        options = _keys(table, fields, price, taken, name_missing="name" in missing)
        code = "key"
    else:
        options = _names(table, fields, taken)
        code = "name"
    if headerless:
        code = "header"
        options = [
            Option(option.label, option.consequence, {**option.patch, "read": {"has_header": False}})
            for option in options
        ]
    return Question(code, sentence, tuple(options[:MOST]))


def _quoted(table: Table, index: int) -> str:
    header = table.header(index)
    if not header:
        return f"column {letter(index)}"
    twice = len(table.find(header)) > 1
    return f"“{short(header)}” (column {letter(index)})" if twice else f"“{short(header)}”"


_Answer = tuple[str, str, dict[str, Any], dict[str, Any]]
"""Label, consequence, mapping by column index, other members of the profile."""


def _joined(label: str, told: str, mapping: dict[str, Any], rest: Sequence[_Answer], table: Table) -> Option:
    labels, consequences, members = [label], [told], {}
    for part in rest:
        labels.append(part[0])
        consequences.append(part[1])
        mapping = {**mapping, **part[2]}
        members.update(part[3])
    named = {
        field: [reference(table, index) for index in columns]
        if isinstance(columns, list)
        else reference(table, columns)
        for field, columns in mapping.items()
    }
    patch = {**({"mapping": named} if named else {}), **members}
    return Option("; ".join(labels), "; ".join(filter(None, consequences)), patch)


def _complete(table: Table, fields: Fields, missing: Sequence[str], price: int, taken: set[int]) -> list[_Answer]:
    """The likeliest answers for what is missing beside the price."""
    answers: list[_Answer] = []
    names = [part.index for part in fields.get("name", ())] or _texts(table, taken, price)[:1]
    key: Key | None = None
    if "sku" in missing:
        key = next(iter(propose_keys(table, price, names, taken)), None)
        if key is not None:
            answers.append(_key_answer(table, key, fields))
    if "name" in missing:
        coded = None if key is None or len(key.columns) > 1 else key.columns[0]
        name = next(iter(names), coded)
        if name is not None:
            answers.append((f"the name is {_quoted(table, name)}", "", {"name": name}, {}))
    return answers


def _key_answer(table: Table, key: Key, fields: Fields) -> _Answer:
    """A column that is the name and becomes a key stays the name, where another column could be taken for it then."""
    names = [part.index for part in fields.get("name", ())]
    others = any(table.headings[index].hit("name") for index in range(table.width) if index not in names)
    stays: dict[str, Any] = {}
    if others and set(names) & set(key.columns):
        stays["name"] = names if len(names) > 1 else names[0]
    named = " + ".join(_quoted(table, index) for index in key.columns)
    columns: Any = list(key.columns) if len(key.columns) > 1 else key.columns[0]
    return f"the code is {named}", key.told, {"sku": columns, **stays}, {}


def _keys(table: Table, fields: Fields, price: int, taken: set[int], *, name_missing: bool) -> list[Option]:
    names = [part.index for part in fields.get("name", ())] or _texts(table, taken, price)[:1]
    options = []
    for key in propose_keys(table, price, names, taken):
        label, told, mapping, members = _key_answer(table, key, fields)
        rest: list[_Answer] = []
        if name_missing:
            name = next(iter(names), key.columns[0])
            rest.append((f"the name is {_quoted(table, name)}", "", {"name": name}, {}))
        options.append(_joined(label, told, {**mapping, **members}, rest, table))
    return options


def _names(table: Table, fields: Fields, taken: set[int]) -> list[Option]:
    options = []
    for index in _texts(table, taken, fields["price"][0].index):
        figures = table.figures(index)
        told = f"{figures.distinct} different in {figures.filled} rows, e.g. {short(one_line(figures.sample))}"
        options.append(_joined(f"the name is {_quoted(table, index)}", told, {"name": index}, (), table))
    code = listed([shown(table, part.index) for part in fields["sku"]])
    options.insert(
        0 if not options else min(1, len(options)),
        Option(f"the code {code} is the name, too", "each item is called by its code", {"name_from_sku": True}),
    )
    return options


def _texts(table: Table, taken: Collection[int], price: int) -> list[int]:
    """Columns that could be names: words in most rows with a price; the best first."""
    priced = [row for row in table.rows() if price < len(row) and is_number(row[price])]
    found = []
    for index in range(min(table.width, WIDEST)):
        figures = table.figures(index)
        fill = sum(index < len(row) and not is_blank(row[index]) for row in priced) / max(len(priced), 1)
        if index in taken or fill < 0.5 or figures.share(figures.numbers) > 0.2 or figures.distinct < 2:
            continue
        heading = table.headings[index]
        if looks_like_codes(table, index) or foreign_form(table, index) is not None or heading.hit("price") is not None:
            continue
        named, other = heading.hit("name") is not None, any(hit.level >= 3 for hit in heading.hits)
        if named or (not other and figures.share(figures.distinct) >= NAMES_DIFFER):
            found.append((not named, -round(figures.share(figures.distinct), 1), index))
    return [index for _, _, index in sorted(found)][:4]


def _price_columns(table: Table, taken: Collection[int], choice: Choice | None) -> list[int]:
    """Columns that a person may name as price: those whose header says so, then those whose values do."""
    rivals = [] if choice is None else [candidate.index for candidate in choice.rivals]
    for candidate in () if choice is None else choice.candidates:
        maybe = candidate.objection in {MAYBE_QUANTITY, MAYBE_WEIGHT} or (
            (candidate.objection or "").startswith(SCALED) and no_price(table, candidate.index, candidate.level) is None
        )
        if maybe and candidate.index not in rivals:
            rivals.append(candidate.index)
    found = []
    for index in range(min(table.width, WIDEST)):
        if (
            index in taken
            or index in rivals
            or no_price(table, index, 4) is not None
            or not table.figures(index).filled
        ):
            continue
        heading, figures = table.headings[index], table.figures(index)
        tier = bool(says(heading.folded, "price_kinds.tier")) and any(map(str.isdigit, heading.text))
        if any(hit.level >= 3 for hit in heading.hits) or (says(heading.folded, "not_price") and not tier):
            continue
        if figures.money > 0.3 * figures.filled:
            found.append((0, index))
        elif not heading.folded and _large(table, index):
            found.append((1, index))
    return [*sorted(rivals, key=lambda index: _mostly_zero(table, index)), *(index for _, index in sorted(found))]


def _mostly_zero(table: Table, index: int) -> bool:
    values = table.values(index)[:LOOKED_AT]
    return sum(not cell_text(value).strip(" 0.,") for value in values) * 2 > len(values)


def _large(table: Table, index: int) -> bool:
    """Whole numbers that vary and are rarely small: prices in small currencies, not quantities; and not all of them
    different or of one length in a long list, which codes are."""
    numbers = sorted(number for value in table.values(index)[:LOOKED_AT] if (number := whole(value)) is not None)
    if len(numbers) > 100 and (len(set(numbers)) == len(numbers) or len(str(numbers[0])) == len(str(numbers[-1])) > 5):
        return False
    return bool(numbers) and numbers[len(numbers) // 2] >= 20 and len(set(numbers)) > 0.1 * len(numbers)


def _prices(table: Table, index: int) -> str | None:
    """What would be read; None if nothing could be."""
    cells = table.values(index)
    figures = table.figures(index)
    blank = f"; blank in {figures.rows - figures.filled} rows" if figures.rows > figures.filled else ""
    found = decide(collect(cell for cell in cells if isinstance(cell, str)))
    sample = short(one_line(figures.sample), 20)
    if isinstance(found, Ambiguity):
        return f"{figures.filled} values, e.g. {sample}; how they are written is asked next{blank}"
    reader = PriceReader(found, accept_zero=True)
    prices = [Decimal(read.price) for read in map(reader.read, cells) if read.price is not None]
    if not prices:
        return None
    other = len(cells) - len(prices)
    unread = f"; {other} of {len(cells)} cells are no prices" if other else ""
    return f"{len(prices)} prices from {plain(min(prices))} to {plain(max(prices))}, e.g. {sample}{unread}{blank}"
