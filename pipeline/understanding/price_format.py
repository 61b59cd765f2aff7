"""How the prices of a list are written: what the values say, what a person said, or a question with both readings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from config.profiles import SupplierProfile
from contracts.errors import PriceFormatAmbiguous
from contracts.questions import Option, Question
from contracts.rows import BrokenRow, Cell, Row
from contracts.task import TaskOptions
from contracts.understanding import NumberFormat
from pipeline.understanding.numbers import Ambiguity, Evidence, Mark, apply, collect, contradicts, decide, fixed
from pipeline.understanding.prices import PriceReader
from pipeline.understanding.row_rules import translated
from pipeline.understanding.table import Table
from pipeline.understanding.text import plain

_WHOLE = frozenset(("JPY", "KRW"))


def number_format(
    table: Table,
    price: int,
    *,
    options: TaskOptions,
    profile: SupplierProfile | None,
    more: Callable[[], Iterable[tuple[int, Row]]] | None,
) -> NumberFormat:
    """Of the column `price`. What the values themselves decide is taken even where a profile says the same, so that a
    remembered decimal sign does not make the second list another one than the first. Raises PriceFormatAmbiguous."""
    words = {} if profile is None else profile.rules.values.get("price", {})
    cells = [translated(cell, words) for cell in table.values(price)] if words else table.values(price)
    texts = [value for value in cells if isinstance(value, str)]
    evidence = collect(texts)
    stated = options.decimal or (profile.numbers.decimal if profile is not None else None)
    if texts and not evidence.decided and stated is None and more is not None:
        evidence = collect(_all_texts(more(), price, table.header_row or 0, words))
    sign = table.headings[price].sign
    currency = options.currency or (profile.currency if profile is not None else None)
    found = decide(evidence, whole=(currency or (sign.settled if sign is not None else None)) in _WHOLE)
    if stated is None:
        if isinstance(found, Ambiguity):
            raise _two_readings(table.header(price), found, evidence, cells)
        return found
    thousands = profile.numbers.thousands if profile is not None else None
    if isinstance(found, NumberFormat) and found.decimal == stated and thousands is None:
        return found
    answered = isinstance(found, Ambiguity) and thousands is not None
    if options.decimal is None and not answered and contradicts(evidence, stated):
        if isinstance(found, Ambiguity):
            raise _two_readings(table.header(price), found, evidence, cells)
        raise _not_as_the_profile_says(table.header(price), stated, found, evidence, cells)
    return fixed(stated, thousands, evidence, "as told" if options.decimal else "as the profile says")


def _all_texts(rows: Iterable[tuple[int, Row]], price: int, header_row: int, words: Mapping[str, str]) -> Iterable[str]:
    for number, row in rows:
        if number > header_row and type(row) is not BrokenRow and price < len(row):
            cell = translated(row[price], words)
            if isinstance(cell, str):
                yield cell


def _two_readings(header: str, ambiguity: Ambiguity, evidence: Evidence, cells: Sequence[Cell]) -> PriceFormatAmbiguous:
    forms = list(ambiguity.formats)
    if evidence.decimal["."] and evidence.decimal[","] and not (evidence.thousands["."] or evidence.thousands[","]):
        main: Mark = "." if evidence.decimal["."] >= evidence.decimal[","] else ","
        forms.append(fixed(main, "", evidence, "as told"))  # both signs before one or two digits
    options = [_option(ambiguity.value, form, cells) for form in forms]
    options.sort(key=lambda found: found[0], reverse=True)
    sentence = f"the prices in “{header}” can be read in two ways: {ambiguity.sentence}"
    return PriceFormatAmbiguous(
        sentence,
        question=Question("price_format", sentence, tuple(option for _, option in options)),
        column=header,
        value=ambiguity.value,
        readings=dict(ambiguity.readings),
    )


def _not_as_the_profile_says(
    header: str, stated: str, found: NumberFormat, evidence: Evidence, cells: Sequence[Cell]
) -> PriceFormatAmbiguous:
    other = found.decimal or ""
    shown = evidence.example.get("decimal" + other) or evidence.example.get("thousands" + stated, "")
    sentence = (
        f"the prices in “{header}” are not written as before: the profile says “{stated}” for decimals, but this list "
        f"writes “{shown}”"
    )
    _, option = _option(shown, found, cells, patch={"decimal": found.decimal, "thousands": None})
    return PriceFormatAmbiguous(
        sentence,
        question=Question("price_format", sentence, (option,)),
        column=header,
        value=shown,
        readings={other: apply(shown, found) or "no number"},
    )


def _option(
    value: str, form: NumberFormat, cells: Sequence[Cell], patch: dict[str, Any] | None = None
) -> tuple[tuple[int, Decimal], Option]:
    """With its likelihood: the reading that leaves fewer prices unread, then the one of larger prices, because three
    decimals are rarer than thousands."""
    reader = PriceReader(form, accept_zero=True)
    prices = [Decimal(found.price) for found in map(reader.read, cells) if found.price is not None]
    result = apply(value, form)
    label = f"“{value}” means {result}" if result is not None else f"“{value}” is no price ({reader.expected})"
    if prices:
        consequence = f"{len(prices)} prices from {plain(min(prices))} to {plain(max(prices))}"
    else:
        consequence = "no price could be read"
    if len(prices) < len(cells):
        consequence += f"; {len(cells) - len(prices)} of {len(cells)} cells are rejected"
    numbers = patch or {"decimal": form.decimal, "thousands": form.thousands}
    return (len(prices), max(prices, default=Decimal(0))), Option(label, consequence, {"numbers": numbers})
