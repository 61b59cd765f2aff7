"""A table of price columns, each with the one right answer or "ambiguous" (number_columns.json)."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.profiles import amend, load_profile
from contracts.errors import PriceFormatAmbiguous
from contracts.reasons import REASONS
from contracts.rows import Cell, Description, RowError
from contracts.task import TaskOptions
from contracts.understanding import Understanding
from pipeline.stages.normalization import Normalised, RowNormaliser
from pipeline.stages.validation import FEW, Validation
from pipeline.understanding.numbers import Ambiguity, collect, decide
from pipeline.understanding.prices import PriceReader
from pipeline.understanding.understand import understand

COLUMNS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("number_columns.json").read_text(encoding="utf-8"))
"""Each: `cells` (text, or {"number": …} for a real number of the source), perhaps `header`, `options`, `profile`, and
`ordinary` cells above them; then `read` (a price, "price/basis unit", "price [footnote]", or a reason) with `currency`,
`decimal` and `thousands`, or `ambiguous` (what the value shown would be under each reading)."""
CERTAIN = [case for case in COLUMNS if "read" in case]
AMBIGUOUS = [case for case in COLUMNS if "ambiguous" in case]


def named(case: dict[str, Any]) -> str:
    return str(case["name"])


def rows_of(case: dict[str, Any]) -> list[list[Cell]]:
    ordinary = case.get("ordinary", {"times": 0, "cell": ""})
    cells = [ordinary["cell"]] * ordinary["times"] + case["cells"]
    body = [
        [f"A-{number}", f"Item {number}", Decimal(cell["number"]) if isinstance(cell, dict) else cell]
        for number, cell in enumerate(cells)
    ]
    return [["SKU", "Name", case.get("header", "Price")], *body]


def understood(case: dict[str, Any], patch: dict[str, Any] | None = None) -> Understanding:
    document = case.get("profile")
    profile = None if document is None else load_profile(document)
    rows = rows_of(case)
    return understand(
        list(enumerate(rows, 1)),
        Description("csv", encoding="utf-8", delimiter=";"),
        source_config={"column_mapping": {"sku": 0, "name": 1, "price": 2}, "header_row": 1},
        options=TaskOptions(**case.get("options", {})),
        profile=profile if patch is None else amend(profile, patch),
        more=lambda: enumerate(rows, 1),
    )


def shown(row: object) -> str:
    if isinstance(row, RowError):
        assert row.code in REASONS
        return row.code
    assert isinstance(row, Normalised), row
    text = row.price
    if (row.price_basis, row.unit) != ("1", None):
        text += f"/{row.price_basis}" + (f" {row.unit}" if row.unit else "")
    note = row.characteristics.get("price_note")
    return f"{text} [{note}]" if note else text


def test_the_table_is_large_and_every_column_has_a_name() -> None:
    assert len({named(case) for case in COLUMNS}) == len(COLUMNS) >= 200


@pytest.mark.parametrize("case", CERTAIN, ids=named)
def test_a_column_has_one_right_answer(case: dict[str, Any]) -> None:
    how = understood(case)
    reader = RowNormaliser(how)
    found = [reader.read(number, row) for number, row in enumerate(rows_of(case)[1:], 2)]
    ordinary = case.get("ordinary", {"times": 0, "read": ""})
    assert [shown(row) for row in found] == [ordinary["read"]] * ordinary["times"] + case["read"]
    for name in ("decimal", "thousands"):
        if name in case:
            assert (getattr(how.numbers, name) or ("none" if name == "decimal" else "")) == case[name]
    stated = case["currency"]
    expected = stated if isinstance(stated, list) else [stated] * len(found)
    for row, currency in zip(found, expected, strict=True):
        assert not isinstance(row, Normalised) or row.currency == currency


@pytest.mark.parametrize("case", [case for case in CERTAIN if len(rows_of(case)) > 2], ids=named)
def test_the_fast_way_reads_a_column_alike(case: dict[str, Any]) -> None:
    how = understood(case)
    reader = RowNormaliser(how)
    body = rows_of(case)[1:]
    body = body * (FEW // len(body) + 1)
    numbers = range(2, 2 + len(body))
    verdicts = Validation(how).read(numbers, [list(row) for row in body], [None] * len(body))
    slow = [
        row
        for number, cells in zip(numbers, body, strict=True)
        if isinstance(row := reader.read(number, cells), Normalised)
    ]
    assert [(item.row_number, item.price, item.currency, item.price_basis, item.unit) for item in verdicts.items] == [
        (row.row_number, row.price, row.currency, row.price_basis, row.unit) for row in slow
    ]


@pytest.mark.parametrize("case", AMBIGUOUS, ids=named)
def test_a_column_that_can_be_read_in_two_ways_is_a_question(case: dict[str, Any]) -> None:
    with pytest.raises(PriceFormatAmbiguous) as caught:
        understood(case)
    question = caught.value.question
    assert question is not None
    assert question.code == "price_format"
    readings = caught.value.context["readings"]
    assert sorted(readings.values()) == sorted(result.split(" or ")[0] for result in case["ambiguous"])
    for option in question.options:
        assert understood(case, dict(option.patch))


STYLES = [(".", ","), (",", "."), (",", " "), (".", "'"), (",", "\u00a0"), (".", ""), (",", "")]
AROUND = ["{}", "{} €", "€{}", "EUR {}", " {}\u00a0€ ", "{}€/Stk", "{} € / 100 Stk", "{} *", "'{}"]


def written(price: Decimal, decimal: str, thousands: str, places: int) -> str:
    whole, _, fraction = f"{price:.{places}f}".partition(".")
    return f"{int(whole):,}".replace(",", thousands) + (f"{decimal}{fraction}" if fraction else "")


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 3), st.sampled_from(AROUND)), min_size=1, max_size=25),
    st.sampled_from(STYLES),
)
def test_a_column_written_in_one_way_is_read_right_or_asked_about(
    values: list[tuple[int, int, str]], style: tuple[str, str]
) -> None:
    prices = [round(Decimal(thousandths) / 1000, places) for thousandths, places, _ in values]
    cells = [
        around.format(written(price, *style, places)) for price, (_, places, around) in zip(prices, values, strict=True)
    ]
    numbers = decide(collect(cells))
    if isinstance(numbers, Ambiguity):
        return
    reader = PriceReader(numbers, accept_zero=True)
    for price, cell in zip(prices, cells, strict=True):
        found = reader.read(cell)
        assert found.error == "price_format" or Decimal(found.price or "-1") == price, (cell, numbers)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(1, 10**8), min_size=20, max_size=60),
    st.integers(1000, 10**6 - 1),
    st.sampled_from(STYLES),
    st.sampled_from(STYLES),
)
def test_a_thousand_written_in_another_way_is_never_read_as_one(
    cents: list[int], stranger: int, style: tuple[str, str], other: tuple[str, str]
) -> None:
    cells = [written(Decimal(amount) / 100, *style, 2) for amount in cents]
    strange = written(Decimal(stranger), *other, 0)
    numbers = decide(collect([*cells, strange]))
    if not isinstance(numbers, Ambiguity):
        found = PriceReader(numbers, accept_zero=True).read(strange)
        assert found.price in (None, str(stranger)), (strange, numbers)
