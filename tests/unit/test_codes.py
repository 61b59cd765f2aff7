"""Codes that a spreadsheet may have damaged are told of, with counts, and never mended."""

import pytest

from contracts.rows import Description
from contracts.task import TaskOptions
from pipeline.understanding.codes import has_exponent
from pipeline.understanding.gtin import is_gtin
from pipeline.understanding.understand import understand

CSV = Description("csv", encoding="utf-8", delimiter=";")


def warnings(*codes, header="SKU"):
    extra = [] if header == "SKU" else [header]
    rows = [["SKU", "Name", "Price", *extra]]
    for number, code in enumerate(codes):
        rows.append(
            [code, f"Item {number}", "12.50"] if not extra else [f"A-{number}", f"Item {number}", "12.50", code]
        )
    found = understand(
        list(enumerate(rows, 1)), CSV, source_config={}, options=TaskOptions(currency="EUR"), profile=None
    )
    return [warning for warning in found.warnings if warning.startswith(f"“{header}”")]


def gtins(count, length=13, start=40_063_813_339):
    found = []
    for number in range(start, start + count * 7, 7):
        stem = str(number).zfill(length - 1)[: length - 1]
        found.append(next(stem + str(digit) for digit in range(10) if is_gtin(stem + str(digit))))
    return found


def test_good_codes_need_no_warning():
    assert warnings(*(f"{number:06d}" for number in range(120_000, 120_040))) == []
    assert warnings(*gtins(30), header="EAN") == []


def test_numbers_of_one_width_with_some_shorter_may_have_lost_zeros():
    codes = [str(number) for number in range(250_000, 250_045)] + ["12345", "9876"]
    (warning,) = warnings(*codes)
    assert "2 of 47 codes have fewer than 6 digits (“12345”)" in warning


def test_codes_that_still_have_their_zeros_have_lost_none():
    assert warnings(*(str(number) for number in range(250_000, 250_045)), "01234", "00987") == []


def test_codes_of_many_widths_have_lost_no_zeros():
    assert warnings(*map(str, range(1, 1200, 3))) == []


def test_gtins_that_are_right_with_a_zero_in_front_may_have_lost_it():
    upc = "036000291452"
    assert is_gtin(upc)
    (warning,) = warnings(*gtins(30), upc, header="EAN")
    assert "1 of 31 codes have fewer than 13 digits and are right with zeros in front (“036000291452”)" in warning


def test_wrong_check_digits_are_counted():
    wrong = "4006381333932"
    assert not is_gtin(wrong)
    (warning,) = warnings(*gtins(30), wrong, header="EAN")
    assert "1 of 31 codes have a wrong check digit (“4006381333932”)" in warning


def test_gtins_as_exponents_are_counted():
    (warning,) = warnings(*gtins(30), "4,00638E+12", header="EAN")
    assert "1 of 31 codes have lost digits" in warning


def test_apostrophes_and_letters_that_look_alike_are_told_of_and_kept():
    found = warnings("'101", "A-2", "AJEГЛВ", "Ａ-4")
    assert [warning.split("codes ")[1].split(",")[0].split(";")[0] for warning in found] == [
        "begin with an apostrophe",
        "mix Latin and Cyrillic letters",
        "hold full-width characters",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1,23457E+12", True), ("4.00638E12", True), ("1E+12", True), ("1E12", False), ("12E5", False), ("E12", False)],
)
def test_what_a_spreadsheet_makes_of_a_long_code(text, expected):
    assert has_exponent(text) is expected
