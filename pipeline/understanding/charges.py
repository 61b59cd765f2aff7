"""Tells lines of freight, packing, tax and the like from the items of a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from contracts.rows import BrokenRow, Row
from contracts.understanding import Charges, IgnoreRule, RowRules
from pipeline.understanding.mapped import Fields
from pipeline.understanding.table import Table, is_number
from pipeline.understanding.text import TextInvalid, cell_text, clean, filled, fold, is_blank, listed
from pipeline.understanding.words import members, says, without

FEWEST = 10
"""Items from which on it is a habit of a list that codes have digits, or that names are no charges."""
LAST = 12
"""Filled rows from the end of the table among which charges stand, and at most a third of all."""
LONGEST = 80
"""Characters of the caption of a charge."""

_DIGIT = re.compile(r"\d")
_FIGURE = re.compile(r"[€$£¥₽₴]?\d[\d.,]*[%€$£¥₽₴]?|[%€$£¥₽₴]+|eur|usd|gbp|chf|pln|rub|uah|cny|jpy|krw|inr")


def is_charge(rule: Charges, cells: Row) -> bool:
    """True for a row that such a rule takes for no item: where all codes have digits, one that has none and says a
    charge; where names are the keys, a name that says nothing else."""
    cell, price = cells[rule.column], cells[rule.price]
    text = cell if isinstance(cell, str) else ""
    if not text or len(text) > LONGEST or not is_number(price):
        return False
    if rule.coded:
        return _DIGIT.search(text) is None and _as_code(fold(text))
    return says_charge(text) > 0.99


def says_charge(text: str) -> float:
    """Which share of the words of a text is said of charges in one language: 1.0 for "Freight per delivery" and
    "VAT 20 %", 0.5 for "Delivery van" ("van" is Dutch), 0.0 for a text that does not name a charge. Figures are no
    words."""
    folded = fold(text)
    if not folded or not says(folded, "charges"):
        return 0.0
    return max(_share(folded, language) for language in members("charges") if says(folded, f"charges.{language}"))


def _share(folded: str, language: str) -> float:
    rest = without(without(folded, f"charges.{language}"), f"charges_company.{language}")
    words, others = ([word for word in text.split() if not _FIGURE.fullmatch(word)] for text in (folded, rest))
    return 1 - len(others) / max(len(words), len(others), 1)


def passing_over_charges(rules: RowRules, table: Table, fields: Fields, warnings: list[str]) -> RowRules:
    """The rules, and what of them keeps charges out. A list that names one above its last rows is left alone: it may
    sell deliveries. Elsewhere what stands in the last rows of the sample is a note, and so is each row like it further
    down; `warnings` tells which were seen."""
    sku, name, price = fields["sku"], fields["name"][0].index, fields["price"][0].index
    index = sku[0].index
    rows = [row for row in table.rows() if len(row) > max(index, price) and not is_blank(row[index])]
    items = [row for row in rows if is_number(row[price])]
    if len(rows) < FEWEST:
        return rules
    last = rows[-min(LAST, len(rows) // 3) :]
    if len(sku) == 1 and index != name:
        rule, found = _below_codes(rows, last, Charges(index, price, coded=True), name)
    else:
        rule, found = _below_names(items, last, Charges(index, price, coded=False))
    if rule is None and index != name and len(sku) == 1:
        found = [row for row in last if _is_surely(row, index, name, price)]
    found += [row for row in _behind_a_break(table, index, price) if row not in found]
    texts = {shown for row in found if (shown := _clean(row, index))}
    if texts:
        warnings.append(f"{listed(sorted(texts))} at the end of the list: no items, counted as notes")
    seen = [row for row in found if rule is None or not is_charge(rule, row)]
    equal = sorted({_clean(row, index).casefold() for row in seen} - {""})
    return replace(rules, charges=rule, ignore=(*rules.ignore, *(IgnoreRule(index, "equals", text) for text in equal)))


def _below_codes(
    rows: Sequence[Row], last: Sequence[Row], rule: Charges, name: int
) -> tuple[Charges | None, list[Row]]:
    """Where all codes have digits but those of charges in the last rows."""
    found = [row for row in last if is_charge(rule, row)]
    items = [
        row for row in rows if is_number(row[rule.price]) and name < len(row) and not is_blank(row[name])
    ]  # other footers have no name: "Minimum order;;50.00"
    words = sum(_DIGIT.search(cell_text(row[rule.column])) is None for row in items)
    coded = words <= len(found) and len(items) - words >= FEWEST
    return (rule, found) if coded else (None, [])


def _below_names(items: Sequence[Row], last: Sequence[Row], rule: Charges) -> tuple[Charges | None, list[Row]]:
    found = [row for row in last if is_charge(rule, row)]
    alone = sum(is_charge(rule, row) for row in items) == len(found)
    return (rule, found) if alone else (None, [])


def _is_surely(row: Row, index: int, name: int, price: int) -> bool:
    """Where codes may be words: code and name say nothing but a charge."""
    if not is_number(row[price]) or says_charge(cell_text(row[index])) < 1:
        return False
    told = "" if name >= len(row) or is_blank(row[name]) else cell_text(row[name])
    return says_charge(f"{cell_text(row[index])} {told}") == 1


def _behind_a_break(table: Table, index: int, price: int) -> list[Row]:
    """Charges below the last blank row of the table, if nothing else with a price stands there: what is mostly said of
    charges is enough."""
    blank = max((place for place, (_, row) in enumerate(table.body) if not filled(row)), default=None)
    if blank is None:
        return []
    below = [
        row
        for _, row in table.body[blank + 1 :]
        if type(row) is not BrokenRow and len(row) > max(index, price) and is_number(row[price])
    ]
    below = [row for row in below if not is_blank(row[index])]
    if len(below) > LAST or not all(says_charge(cell_text(row[index])) > 0.5 for row in below):
        return []
    return below


def _as_code(folded: str) -> bool:
    return bool(says(folded, "charges") or says(folded, "charges_as_codes"))


def _clean(row: Row, index: int) -> str:
    try:
        return clean(cell_text(row[index]))
    except TextInvalid:
        return ""
