"""How prices are written: the grammar of a cell, the inference for a column, the reader of both."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.understanding import NumberFormat
from pipeline.understanding.numbers import Ambiguity, apply, collect, decide, fixed, take_apart
from pipeline.understanding.prices import PriceReader

POINT = NumberFormat(".", ",")
COMMA = NumberFormat(",", ".")
BARE = NumberFormat(None, "")


def read(cell, numbers=POINT, *, accept_zero=False):
    return PriceReader(numbers, accept_zero=accept_zero).read(cell)


def price(cell, numbers=POINT):
    return read(cell, numbers).price


def error(cell, numbers=POINT):
    return read(cell, numbers).error


@pytest.mark.parametrize(
    ("text", "body", "currency"),
    [
        ("48 €", "48", "EUR"),
        (" 48 € ", "48", "EUR"),
        ("$7,249", "7,249", "USD"),
        ("EUR 12,50", "12,50", "EUR"),
        ("12.50EUR", "12.50", "EUR"),
        ("1 234,50 zł", "1 234,50", "PLN"),
        ("1\u00a0234,50", "1 234,50", None),
        ("1\u202f234", "1 234", None),
        ("1'234.50", "1'234.50", None),
        ("1’234.50", "1'234.50", None),
        ("руб. 7", "7", "RUB"),
        ("100 р.", "100", "RUB"),
        ("12 грн.", "12", "UAH"),
        ("￥８９．１０", "89.10", None),
        ("48,-", "48", None),
        ("48,-- €", "48", "EUR"),
        (".50", "0.50", None),
        ("$.50", "0.50", "USD"),
        ("US$ 5", "5", "USD"),
        ("٣", "3", None),
        ("۱۲٫۵۰", "12.50", None),
        ("12.50/St", "12.50", None),
        ("Rs.1,23,456.00/-", "1,23,456.00", "INR"),
        ("Rs. 500 /-", "500", "INR"),
        ("₹500/=", "500", "INR"),
        ("Rs 500", "500", None),
    ],
)
def test_a_number_is_taken_out_of_its_currency(text, body, currency):
    written = take_apart(text)
    assert written is not None
    assert written.body == body
    assert (written.sign.settled if written.sign else None) == currency
    assert not written.negative


@pytest.mark.parametrize("text", ["-5", "5-", "(5.00)", "- 5 €", "€ -5", "−5", "5 €-"])
def test_a_minus_is_seen_wherever_it_stands(text):
    written = take_apart(text)
    assert written is not None
    assert written.negative


@pytest.mark.parametrize(
    "text",
    [
        "", "abc", "12,5O", "1e5", "1E+5", "1_000", "٣1", "1..2", "1,,2", "5 %", "12/10", "from 5", "5 EUR USD",
        "2024-01-31", "10-20", "5 x 10", "EUR.50", "EUR,50", "руб .50", "12. 50", "500/-", "€ 500/-", "Rs 500/--",
        "1  234", "½", "5²", "NaN", "inf",
        "0x10", "12,50,-", "€", "-", "5 EUR 6", "1" * 80,
    ],
)  # fmt: skip
def test_what_is_not_one_number_is_no_number(text):
    assert take_apart(text) is None


@pytest.mark.parametrize(
    ("values", "decimal", "thousands"),
    [
        (["12,5"], ",", ""),
        (["12.50", "3"], ".", ""),
        (["1.234,56"], ",", "."),
        (["1,234.56"], ".", ","),
        (["1 234,50", "5"], ",", " "),
        (["1'234.50"], ".", "'"),
        (["1.234", "12,5"], ",", "."),
        (["1,234", "12.5"], ".", ","),
        (["0.123"], ".", ""),
        (["0,123", "1,234"], ",", ""),
        (["1234.567"], ".", ""),
        (["1.234.567"], ",", "."),
        (["1,234,567"], ".", ","),
        (["1,234,56", "30,52"], ",", ","),
        (["100", "2500"], None, ""),
        (["1 234", "99"], None, " "),
        (["12.50"] * 99 + ["7,5"], ".", ""),
        (["1,234.50", "1,234"] * 300 + ["12,50"], ".", ","),
    ],
)
def test_all_values_of_a_column_decide_its_separators(values, decimal, thousands):
    found = decide(collect(values))
    assert isinstance(found, NumberFormat)
    assert (found.decimal, found.thousands) == (decimal, thousands)


@pytest.mark.parametrize(
    "values",
    [
        ["1.234"],
        ["1,234", "500"],
        ["1.234", "2,345"],
        ["12.5", "12,5"],
        ["12.50", "1.234.567"],
        ["12,50", "1,234", "7.25", "1.000"],
    ],
)
def test_two_surviving_readings_are_a_question_with_both_results(values):
    found = decide(collect(values))
    assert isinstance(found, Ambiguity)
    assert found.value in values
    assert [(form.decimal, apply(found.value, form) or "no number") for form in found.formats] == list(found.readings)
    assert len(dict(found.readings)) == len({result for _, result in found.readings}) == 2


@pytest.mark.parametrize(
    ("text", "numbers", "expected"),
    [
        ("1.234,50", COMMA, "1234.50"),
        ("1,234.50", POINT, "1234.50"),
        ("1.234", COMMA, "1234"),
        ("1.234", POINT, "1.234"),
        ("007,50", COMMA, "7.50"),
        ("0,50", COMMA, "0.50"),
        ("1 234,50", NumberFormat(",", " "), "1234.50"),
        ("1,234,56", NumberFormat(",", ","), "1234.56"),
        ("12,5", NumberFormat(",", ","), "12.5"),
        ("1234", BARE, "1234"),
        ("1,234.50", NumberFormat(".", ""), "1234.50"),
        ("1.50", NumberFormat(",", ""), "1.50"),
        ("1 234", NumberFormat(None, " "), "1234"),
    ],
)
def test_a_price_is_read_as_its_column_is_written(text, numbers, expected):
    assert price(text, numbers) == expected


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("12,5", BARE),
        ("1.234", BARE),
        ("1 234", BARE),
        ("1,234", NumberFormat(".", "")),
        ("1.50", COMMA),
        ("12,34", POINT),
        ("1.23.456", COMMA),
        ("1,234", NumberFormat(",", ",")),
        ("1 234", NumberFormat(",", "")),
        ("0.123", COMMA),
    ],
)
def test_a_value_that_does_not_fit_its_column_is_rejected_not_guessed(text, numbers):
    assert error(text, numbers) == "price_format"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (None, "price_missing"),
        ("  ", "price_missing"),
        ("\u00a0", "price_missing"),
        ("abc", "price_not_a_number"),
        ("12.5O", "price_not_a_number"),
        ("1e5", "price_not_a_number"),
        (True, "price_not_a_number"),
        (Decimal("NaN"), "price_not_a_number"),
        (Decimal("Infinity"), "price_not_a_number"),
        ("POA", "price_on_request"),
        ("Call", "price_on_request"),
        ("on request", "price_on_request"),
        ("auf Anfrage", "price_on_request"),
        ("по запросу", "price_on_request"),
        ("н/д", "price_on_request"),
        ("-", "price_on_request"),
        ("n/a", "price_on_request"),
        ("-5.00", "price_negative"),
        ("(5.00)", "price_negative"),
        (Decimal(-1), "price_negative"),
        ("0", "price_zero"),
        ("0.00", "price_zero"),
        ("-0", "price_zero"),
        (Decimal(0), "price_zero"),
        (Decimal("0.0000001"), "price_zero"),
        ("1234567890123", "price_too_large"),
        (Decimal("1E+12"), "price_too_large"),
        (Decimal("1E+300000"), "price_too_large"),
        ("0.1234567", "price_too_precise"),
        ("#N/A", "error_cell"),
        ("#WERT!", "error_cell"),
        ("31.12.2024", "price_is_date"),
        ("10-12", "price_is_range"),
        ("from 5", "price_is_approximate"),
        ("12,00 9,90", "price_twofold"),
        ("5 %", "price_is_percent"),
        ("500/-", "price_not_a_number"),
    ],
)
def test_every_unusable_price_has_its_reason(cell, code):
    assert error(cell) == code


def test_zero_is_a_price_where_the_rules_accept_it():
    assert read("0.00", accept_zero=True).price == "0.00"
    assert read(Decimal(0), accept_zero=True).price == "0"


def test_a_real_number_is_never_ambiguous():
    assert price(Decimal("1.234"), COMMA) == "1.234"
    assert price(Decimal("12.50"), COMMA) == "12.5"
    assert price(Decimal("546.86236956832"), BARE) == "546.86237"


def test_half_of_the_last_digit_goes_to_the_even_one():
    assert [price(Decimal(f"1.{digits}5")) for digits in ("000000", "000001")] == ["1", "1.000002"]


def test_a_stated_decimal_sign_takes_the_other_one_for_thousands():
    found = fixed(",", None, collect(["1.234"]), "as told")
    assert (found.decimal, found.thousands) == (",", ".")


amounts = st.integers(min_value=0, max_value=10**11 - 1)


@given(
    st.lists(st.tuples(amounts, st.integers(0, 99)), min_size=1, max_size=30),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'"), (".", ""), (",", "")]),
)
def test_what_was_written_in_one_way_is_read_back_or_asked_about(prices, marks):
    decimal, thousands = marks
    written = [f"{whole:,}".replace(",", thousands) + f"{decimal}{cents:02d}" for whole, cents in prices]
    numbers = decide(collect(written))
    assert isinstance(numbers, NumberFormat)
    reader = PriceReader(numbers, accept_zero=True)
    assert [reader.read(text).price for text in written] == [f"{whole}.{cents:02d}" for whole, cents in prices]


@given(st.lists(amounts, min_size=1, max_size=30), st.sampled_from([",", "."]))
def test_whole_numbers_with_grouping_are_read_right_or_not_at_all(numbers, mark):
    written = [f"{number:,}".replace(",", mark) for number in numbers]
    found = decide(collect(written))
    if isinstance(found, NumberFormat):
        reader = PriceReader(found, accept_zero=True)
        assert [reader.read(text).price for text in written] == [str(number) for number in numbers]
    else:
        assert all(number < 1_000_000 for number in numbers)


@given(st.text(alphabet="0123456789.,' -+€$()eE_\u00a0１２٣abckr", max_size=14), st.sampled_from([POINT, COMMA, BARE]))
def test_no_text_breaks_the_reader_and_every_price_is_canonical(text, numbers):
    found = read(text, numbers, accept_zero=True)
    assert (found.price is None) != (found.error is None)
    if found.price is not None:
        whole, mark, fraction = found.price.partition(".")
        assert whole.isascii()
        assert whole.isdigit()
        assert len(whole) <= 12
        assert whole == "0" or whole[0] != "0"
        assert not mark or (fraction.isascii() and fraction.isdigit() and len(fraction) <= 6)
        assert Decimal(found.price) >= 0
