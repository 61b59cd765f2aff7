"""The gate and the normaliser give the same item for every row that both can read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.rows import BrokenRow, Item
from contracts.understanding import NumberFormat, Understanding
from pipeline.stages.encode import item_of, json_of
from pipeline.stages.gate import compile_gate
from pipeline.stages.normalization import Normalised, RowNormaliser
from pipeline.stages.validation import FEW, Validation
from tests.support.lists import column, understanding

COLUMNS = (
    column(0, "sku"),
    column(1, "name"),
    column(2, "price"),
    column(3, "currency"),
    column(4, "category"),
    column(5, "gtin"),
    column(6, "unit"),
    column(7, "price_basis"),
    column(8, None, key="colour"),
    column(9, None, key='he said "100 %"', kind="number"),
)


def wide(**changes: Any) -> Understanding:
    return understanding(**{"columns": COLUMNS, "width": 10, "currency": None} | changes)


FORMATS = [
    wide(),
    wide(currency="EUR"),
    wide(currency="XXX"),
    wide(zero_price="accept", unit="pcs", price_basis="100"),
    wide(numbers=NumberFormat(",", ".")),
    wide(numbers=NumberFormat(",", "")),
    wide(numbers=NumberFormat(".", ".")),
    wide(numbers=NumberFormat(None, "")),
    wide(numbers=NumberFormat(".", "'"), short_rows=True),
    wide(columns=(*COLUMNS[:5], column(5, "category"), *COLUMNS[6:])),
]

NASTY = (
    "aZ09 .,-+/\\\"'#%&()[]{}<>|=*eE:;_~^\t\n\r\x00\x7f\xa0\xad\u200b\u2028\u3000\ufeff\ud800"
    "äßéÅΩ\u2126\u212bЖ漢ぁ\u0301\u0345ﬁ½²€™…–“”𝒳😀"
)
WORDS = [
    "Total", "Summe", "SKU", "Name", "Price", "Currency", "EUR", "USD", "XXX", "eur", "€", "#N/A", "#REF!", "1E5",
    "1.5E+12", "1,5E12", "2e7", "2E+7", "12E4", "9E", "00123", "on request", "call", "-", "A > B", "A>B", "> B", "A >",
    "4006381333931", "4006381333932", "12345670", "00000000", "pcs", "100 pcs", "per 100", "m/s", "true", "1,234.50",
    "1.234,50", "1.234", "1,234", "12,5", "12.5", "0", "0.00", "0,00", "0,000001", "0.0000001", "1.0000001", "0.5",
    "999999999999.999999", "999999999999", "1234567890123", "1'234.5", "-5", "+5", "5-", "007", "1.50", "1.500",
    "1_000", "１２", "1e3", "NaN", "1.", ".5", "12.5 EUR", "$12", "x" * 255, "x" * 256, "x" * 500, "x" * 501,
    "x" * 2001, "ж" * 255, "ж" * 256, "123456789012345", "1234567890123456", "-0", "0123", "1000000000",
    "x" * 40, "x" * 41,
]  # fmt: skip

cells = st.one_of(
    st.text(alphabet=NASTY, max_size=12),
    st.sampled_from(WORDS),
    st.sampled_from(WORDS).map(lambda word: f" {word} "),
    st.from_regex(r"[0-9]{1,13}([.,][0-9]{0,8})?", fullmatch=True),
    st.just(""),
)
good = st.tuples(
    st.sampled_from(["A-1", "00123", "B 2", "Ж7", "4.5", "9E"]),
    st.sampled_from(["Drill", "Bohrer  6 mm", 'Pipe 5"', "Ключ", "a\\b"]),
    st.sampled_from(["12", "12.5", "12,5", "0.5", "0,05", "1234.567", "1234,567", "12.500000"]),
    st.sampled_from(["EUR", "USD", ""]),
    st.sampled_from(["Tools", "", "Tools / Saws"]),
    st.sampled_from(["", "4006381333931", "4006381333932"]),
    st.sampled_from(["", "pcs", "kg"]),
    st.sampled_from(["", "1", "100"]),
    st.sampled_from(["", "red", 'dark "red"', "50 %", "a\\b"]),
    st.sampled_from(["", "12", "12.50", "-0.5", "007", "n/a"]),
).map(list)


def nearly_good(row: list[str], places: list[int], others: list[str]) -> list[str]:
    changed = list(row)
    for place, other in zip(places, others, strict=False):
        changed[place] = other
    return changed


rows = st.builds(
    nearly_good, good, st.lists(st.integers(0, 9), max_size=3, unique=True), st.lists(cells, min_size=3, max_size=3)
)


def same(left: Item, right: Item) -> bool:
    exact = left._replace(characteristics="") == right._replace(characteristics="")
    return exact and _parsed(left) == _parsed(right)


def _parsed(item: Item) -> list[tuple[str, Any]]:
    """In order, numbers digit by digit."""
    return list(json.loads(item.characteristics, parse_float=Decimal).items())


@pytest.mark.parametrize("how", FORMATS)
def test_each_odd_cell_in_each_column_is_read_alike(how: Understanding) -> None:
    price = {".": "12.5", ",": "12,5", None: "12"}[how.numbers.decimal]
    base = ["A-1", "Drill", price, "EUR", "Tools", "", "pcs", "100", "red", "12.5"]
    odd = [*WORDS, *(text for mark in NASTY for text in (mark, f"{mark}a", f"a{mark}", f"a{mark}b", f"1{mark}2"))]
    agree(how, [[*base[:at], text, *base[at + 1 :]] for at in range(len(base)) for text in odd])


def agree(how: Understanding, batch: list[list[str]]) -> None:
    normaliser = RowNormaliser(how)
    numbers = range(2, 2 + len(batch))
    verdicts = Validation(how).read(numbers, [list(row) for row in batch], [None] * len(batch))
    expected = [normaliser.read(number, row) for number, row in zip(numbers, batch, strict=True)]
    accepted = {at: item_of(row, None) for at, row in enumerate(expected) if isinstance(row, Normalised)}
    assert [batch[at] for at in set(verdicts.positions) ^ set(accepted)] == []
    assert verdicts.positions == list(accepted)
    for position, item in zip(verdicts.positions, verdicts.items, strict=True):
        assert same(item, accepted[position]), batch[position]
    assert len(verdicts.rejects) + verdicts.ignored.total() + len(accepted) == len(batch)


@pytest.mark.parametrize("how", FORMATS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(rows, min_size=FEW, max_size=16))
def test_what_the_gate_accepts_the_normaliser_reads_alike(how: Understanding, batch: list[list[str]]) -> None:
    agree(how, batch)


@pytest.mark.parametrize("how", FORMATS)
def test_ordinary_rows_go_the_fast_way(how: Understanding) -> None:
    gate = compile_gate(how)
    assert gate is not None
    price = {".": "12.5", ",": "12,5", None: "12"}[how.numbers.decimal]
    ordinary = [
        ["A-1", "Drill 6 mm", price, "EUR", "Tools", "", "pcs", "100", "dark red", "12.5"],
        ["00123", 'Pipe 5"', price, "EUR", "", "", "", "", "", ""],
        ["Ж-7", "Ключ  накидной", price, "EUR", "Инструмент", "", "", "", "ä\\b", "-3"],
    ]
    assert [type(answer) for answer in gate.judge(ordinary)] == [tuple] * len(ordinary)


def test_the_gate_hands_back_what_it_was_given() -> None:
    gate = compile_gate(wide(currency="EUR"))
    assert gate is not None
    row = ["A-1", "Drill", "12.50", "EUR", "Tools", "", "", "", "red", "1.50"]
    bad = ["", *row[1:]]
    passed, refused = gate.judge([row, bad])
    assert list(passed) == row
    assert refused is bad


@pytest.mark.parametrize(
    "how",
    [
        wide(sections=True),
        wide(columns=(*COLUMNS[:3], *COLUMNS[4:])),
        wide(columns=(COLUMNS[0], column(0, "name"), *COLUMNS[2:])),
        wide(columns=(*COLUMNS, column(1, "sku"))),
    ],
)
def test_lists_that_need_every_row_read_have_no_gate(how: Understanding) -> None:
    assert compile_gate(how) is None


def test_rows_above_the_header_never_pass() -> None:
    how = wide(header_row=5, currency="EUR")
    batch: list[Any] = [["A-1", "Drill", "12.50", "EUR", "", "", "", "", "", ""]] * 12
    verdicts = Validation(how).read(range(1, 13), batch, [None] * 12)
    assert [item.row_number for item in verdicts.items] == list(range(6, 13))
    assert verdicts.ignored == {"title": 4, "header": 1}


def test_a_broken_row_is_rejected_though_its_cells_look_good() -> None:
    how = wide(currency="EUR")
    good_row = ["A-1", "Drill", "12.50", "EUR", "", "", "", "", "", ""]
    batch: list[Any] = [*([good_row] * FEW), BrokenRow(good_row, "row_unreadable")]
    verdicts = Validation(how).read(range(2, 2 + len(batch)), batch, list(range(len(batch))))
    assert [item.fingerprint for item in verdicts.items] == list(range(FEW))
    assert [(reject.row_number, reject.code) for reject in verdicts.rejects] == [(2 + FEW, "row_unreadable")]


@pytest.mark.parametrize("blank", [(), [], ("",) * 10, [None] * 10])
def test_blank_rows_are_counted_whether_they_have_cells_or_none(blank: Any) -> None:
    good_row = ["A-1", "Drill", "12.50", "EUR", "", "", "", "", "", ""]
    batch: list[Any] = [*([blank] * 3), *([good_row] * FEW), blank]
    verdicts = Validation(wide(currency="EUR")).read(range(2, 2 + len(batch)), batch, [None] * len(batch))
    assert (len(verdicts.items), verdicts.ignored, verdicts.rejects) == (FEW, {"blank": 4}, [])


def test_verdicts_keep_the_order_of_the_source() -> None:
    how = wide(currency="EUR")
    slow = [" A-2", "Drill", "12.50", "EUR", "", "", "", "", "", ""]
    fast = ["A-1", "Drill", "12.50", "EUR", "", "", "", "", "", ""]
    batch: list[Any] = [fast, slow] * FEW
    verdicts = Validation(how).read(range(2, 2 + len(batch)), batch, list(range(len(batch))))
    assert verdicts.positions == list(range(len(batch)))
    assert [item.fingerprint for item in verdicts.items] == list(range(len(batch)))
    assert [item.sku for item in verdicts.items] == ["A-1", "A-2"] * FEW


def test_decimals_are_written_digit_by_digit() -> None:
    written = json_of({"a": Decimal("0.10"), "b": 5, "c": 'x"y', "d": Decimal("1E+3")})
    assert written == '{"a":0.10,"b":5,"c":"x\\"y","d":1000}'
    assert orjson.loads(written)["d"] == 1000
