"""A table of price columns, each with the one right answer or "ambiguous" (number_columns.json)."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from config.profiles import amend, load_profile
from contracts.errors import PriceFormatAmbiguous
from contracts.reasons import REASONS
from contracts.rows import Cell, Description, RowError
from contracts.task import TaskOptions
from contracts.understanding import Understanding
from pipeline.stages.normalization import Normalised, RowNormaliser
from pipeline.stages.validation import FEW, Validation
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


def shown(row: object, how: Understanding) -> str:
    if isinstance(row, RowError):
        assert row.code in REASONS
        return row.code
    assert isinstance(row, Normalised), row
    text = row.price
    if (row.price_basis, row.unit) != ("1", None):
        text += f"/{row.price_basis}" + (f" {row.unit}" if row.unit else "")
    note = row.characteristics.get("price_note")
    return text + (f" [{note}]" if note else "") if how else text


def test_the_table_is_large_and_every_column_has_a_name() -> None:
    assert len({named(case) for case in COLUMNS}) == len(COLUMNS) >= 200


@pytest.mark.parametrize("case", CERTAIN, ids=named)
def test_a_column_has_one_right_answer(case: dict[str, Any]) -> None:
    how = understood(case)
    reader = RowNormaliser(how)
    found = [reader.read(number, row) for number, row in enumerate(rows_of(case)[1:], 2)]
    ordinary = case.get("ordinary", {"times": 0, "read": ""})
    assert [shown(row, how) for row in found] == [ordinary["read"]] * ordinary["times"] + case["read"]
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
