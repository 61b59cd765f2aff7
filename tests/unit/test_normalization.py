"""What becomes of each physical row: an item, one error with its reason, or the reason why it is no item."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.account import IGNORED
from contracts.reasons import REASONS
from contracts.rows import BrokenRow, Description, RowError
from contracts.task import TaskOptions
from contracts.understanding import Column, NumberFormat, Understanding
from pipeline.stages.normalization import Ignored, Normalised, RowNormaliser
from pipeline.understanding.gtin import is_gtin
from pipeline.understanding.understand import understand

HEADERS = ("SKU", "Name", "Price", "Colour", "Weight")
PLAIN = Understanding(
    header_row=2,
    header_rows=1,
    columns=(
        Column(0, "SKU", "sku", None),
        Column(1, "Name", "name", None),
        Column(2, "Price", "price", None),
        Column(3, "Colour", None, "colour"),
        Column(4, "Weight", None, "weight", "number"),
    ),
    numbers=NumberFormat(".", ","),
    currency="EUR",
    currency_reason="",
    price_basis="1",
    unit=None,
    duplicates="last",
    zero_price="reject",
    sections=False,
    width=5,
    short_rows=True,
)
GOOD = ("A-1", "Cable", "12.50", "red", "0.5")


def read(cells, understanding=PLAIN, row=3):
    return RowNormaliser(understanding).read(row, cells)


def item(cells, understanding=PLAIN):
    found = read(cells, understanding)
    assert isinstance(found, Normalised), found
    return found


def code(cells, understanding=PLAIN):
    found = read(cells, understanding)
    assert isinstance(found, RowError), found
    assert found.code in REASONS
    return found.code


def ignored(cells, understanding=PLAIN, row=3):
    found = read(cells, understanding, row)
    assert isinstance(found, Ignored), found
    assert found.reason in IGNORED
    return found.reason


def with_columns(*columns, **changes):
    return replace(PLAIN, columns=(*PLAIN.columns[:3], *columns), width=3 + len(columns), **changes)


def field(name):
    return with_columns(Column(3, name.title(), name, None))


# ------------------------------------------------------------------------------------------------ items


def test_a_good_row_is_an_item():
    assert item(GOOD) == Normalised(
        3, "A-1", "Cable", "12.50", "EUR", "1", None, None, (), {"colour": "red", "weight": Decimal("0.5")}
    )


def test_text_is_trimmed_and_line_breaks_become_spaces():
    found = item((" A-1 ", "Cable\n red\u00a0\u00a05 m ", "12.50", "\tred\r\n", ""))
    assert (found.sku, found.name, found.characteristics) == ("A-1", "Cable red 5 m", {"colour": "red"})


def test_runs_of_plain_spaces_stay_because_they_may_tell_two_codes_apart():
    found = item(("A  1", "Cable  red", "1.00", "", ""))
    assert (found.sku, found.name) == ("A  1", "Cable  red")


def test_text_is_composed():
    assert item(("A-1", "Cafe\u0301", "1.00", "", "")).name == "Café"


def test_a_code_keeps_leading_zeros_and_its_apostrophe():
    assert item(("00123", "Cable", "1.00", "", "")).sku == "00123"
    assert item(("'101", "Cable", "1.00", "", "")).sku == "'101"


def test_a_numeric_code_has_no_decimal_point():
    assert item((Decimal("113290017.0"), "Cable", "1.00", "", "")).sku == "113290017"


def test_a_real_number_is_the_price_as_it_is():
    assert item(("A-1", "Cable", Decimal("1.234"), None, None)).price == "1.234"


def test_a_composite_key_is_joined_and_a_composite_name_skips_blanks():
    both = replace(
        PLAIN,
        columns=(
            Column(3, "Colour", "sku", None),
            Column(0, "SKU", "sku", None),
            Column(1, "Name", "name", None),
            Column(3, "Colour", "name", None),
            Column(2, "Price", "price", None),
        ),
    )
    assert item(GOOD, both).sku == "red|A-1"
    assert item(GOOD, both).name == "Cable / red"
    assert item(("A-1", "Cable", "1", "", ""), both)[1:3] == ("|A-1", "Cable")


def test_only_canonical_numbers_of_numeric_columns_are_numbers():
    values = ["5", "-3", "0.50", "007", "1e5", "1.", "", "1234567890123456", "abc", "-0"]
    read_as = [item(("A-1", "Cable", "1", "", value)).characteristics.get("weight") for value in values]
    assert read_as == [5, -3, Decimal("0.50"), "007", "1e5", "1.", None, "1234567890123456", "abc", Decimal("-0")]


def test_every_number_formats_back_to_its_text():
    for text in ["5", "-3", "0.50", "-0", "-0.0", "123456789012345", "0.00000001"]:
        value = item(("A-1", "Cable", "1", "", text)).characteristics["weight"]
        assert not isinstance(value, str)
        assert (str(value) if isinstance(value, int) else format(value, "f")) == text


def test_text_columns_keep_numbers_as_text():
    assert item(("A-1", "Cable", "1", Decimal("5.50"), "")).characteristics == {"colour": "5.5"}
    assert item(("A-1", "Cable", "1", True, "")).characteristics == {"colour": "true"}


def test_a_gtin_with_its_check_digit_is_kept_as_gtin():
    found = item(("A-1", "Cable", "1", "4006381333931"), field("gtin"))
    assert (found.gtin, found.characteristics) == ("4006381333931", {})


def test_a_gtin_with_a_wrong_check_digit_is_a_characteristic_and_no_reason_to_reject():
    found = item(("A-1", "Cable", "1", "4006381333932"), field("gtin"))
    assert (found.gtin, found.characteristics) == (None, {"gtin": "4006381333932"})


@pytest.mark.parametrize("text", ["4006381333931", "96385074", "036000291452", "10614141000415"])
def test_check_digits_of_all_lengths(text):
    assert is_gtin(text)
    assert not is_gtin(text[:-1] + str((int(text[-1]) + 1) % 10))


def test_a_category_is_a_path():
    assert item(("A-1", "Cable", "1", "Home > Garden >  Pots"), field("category")).category == (
        "Home",
        "Garden",
        "Pots",
    )
    assert item(("A-1", "Cable", "1", ""), field("category")).category == ()


@pytest.mark.parametrize(
    ("cell", "unit", "basis"),
    [
        ("pcs", "pcs", "1"),
        ("per 100 pcs", "pcs", "100"),
        ("/1000", None, "1000"),
        ("100 St.", "100 St.", "1"),
        ("", None, "1"),
    ],
)
def test_a_unit_may_say_how_many_the_price_is_for(cell, unit, basis):
    found = item(("A-1", "Cable", "1", cell), field("unit"))
    assert (found.unit, found.price_basis) == (unit, basis)


@pytest.mark.parametrize(
    ("cell", "basis"),
    [
        ("100", "100"),
        (Decimal(100), "100"),
        ("per 100", "100"),
        ("100 Stk", "100"),
        ("", "1"),
        ("1.0", "1"),
        ("Stk", "1"),
    ],
)
def test_a_column_of_price_bases(cell, basis):
    assert item(("A-1", "Cable", "1", cell), field("price_basis")).price_basis == basis


# ------------------------------------------------------------------------------------------------ rejected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("", "Cable", "1.00", "red", "5"), "sku_missing"),
        (("x" * 256, "Cable", "1.00", "", ""), "sku_too_long"),
        (("1,23457E+12", "Cable", "1.00", "", ""), "sku_damaged"),
        (("1.5E15", "Cable", "1.00", "", ""), "sku_damaged"),
        (("1E+12", "Cable", "1.00", "", ""), "sku_damaged"),
        ((Decimal(1234567890123450000), "Cable", "1.00", "", ""), "sku_damaged"),
        (("#N/A", "Cable", "1.00", "", ""), "error_cell"),
        (("A-1", "", "1.00", "red", "5"), "name_missing"),
        (("A-1", "x" * 501, "1.00", "", ""), "name_too_long"),
        (("A-1", "#REF!", "1.00", "", ""), "error_cell"),
        (("A-1", "Cable", "", "red", "5"), "price_missing"),
        (("A-1", "Cable", "12,5O", "", ""), "price_not_a_number"),
        (("A-1", "Cable", "POA", "", ""), "price_on_request"),
        (("A-1", "Cable", "-1", "", ""), "price_negative"),
        (("A-1", "Cable", "0.00", "", ""), "price_zero"),
        (("A-1", "Cable", "1234567890123", "", ""), "price_too_large"),
        (("A-1", "Cable", "0.1234567", "", ""), "price_too_precise"),
        (("A-1", "Cable", "12,5", "", ""), "price_format"),
        (("A-1", "Cable", "$12.50", "", ""), "currency_conflict"),
        (("A\x01", "Cable", "1.00", "", ""), "text_invalid"),
        (("A-1", "Ca\x00ble", "1.00", "", ""), "text_invalid"),
        (("A-1", "Ca\udcffble", "1.00", "", ""), "row_unreadable"),
        (("A-1", "Cable", "1.00", "x" * 10_001, ""), "text_invalid"),
        (("A-1", "Cable", "1.00", "red", "5", "more"), "row_ragged"),
        (("A-1", "Cable", Decimal("NaN"), "", ""), "price_not_a_number"),
        (("A-1", "Cable", True, "", ""), "price_not_a_number"),
    ],
)
def test_every_bad_row_has_its_reason(cells, expected):
    assert code(cells) == expected


def test_a_price_cell_may_say_what_it_is_for_but_not_against_its_columns():
    listed = field("price_basis")
    assert item(("A-1", "Cable", "12.50/100", "100"), listed).price_basis == "100"
    assert item(("A-1", "Cable", "12.50/100", ""), listed).price_basis == "100"
    assert code(("A-1", "Cable", "12.50/100", "10"), listed) == "basis_conflict"
    assert code(("A-1", "Cable", "12.50/St", ""), replace(listed, price_basis="100")) == "basis_conflict"


def test_a_unit_beside_the_price_wins_and_the_other_one_is_kept():
    found = item(("A-1", "Cable", "12.50/kg", "Bag"), field("unit"))
    assert (found.unit, found.price_basis, found.characteristics) == ("kg", "1", {"unit": "Bag"})
    found = item(("A-1", "Cable", "12.50 / 100 M", "m"), field("unit"))
    assert (found.unit, found.price_basis, found.characteristics) == ("M", "100", {})
    assert code(("A-1", "Cable", "12.50/kg", "per 10 kg"), field("unit")) == "basis_conflict"


def test_a_footnote_mark_is_kept_beside_the_price():
    found = item(("A-1", "Cable", "12.50 *", "", ""))
    assert (found.price, found.characteristics) == ("12.50", {"price_note": "*"})


def test_a_code_that_only_looks_like_an_exponent_is_a_code():
    assert item(("1E12", "Cable", "1.00", "", "")).sku == "1E12"
    assert item(("12E5", "Cable", "1.00", "", "")).sku == "12E5"


def test_the_first_cause_in_the_order_key_name_price_counts():
    assert code(("", "", "-1", "red", "5")) == "sku_missing"
    assert code(("A-1", "", "-1", "red", "5")) == "name_missing"


def test_an_error_names_field_value_and_raw_cells():
    found = read(("A-1", "Cable", "12,5O", None, Decimal("1.50")))
    assert found.field == "price"
    assert found.value == "12,5O"
    assert found.message == "Price “12,5O” is not a price"
    assert found.cells == ("A-1", "Cable", "12,5O", None, "1.5")


def test_an_error_record_can_always_be_stored():
    found = read(("A\x00\udcff", "Cable", "1.00", "x\x00", ""))
    for text in (*found.cells, found.value, found.message):
        assert "\x00" not in (text or "")
        (text or "").encode()


def test_surplus_blank_cells_are_no_matter():
    assert item((*GOOD, "", None, "  ")).sku == "A-1"


def test_a_short_row_is_an_item_in_a_sheet_and_ragged_in_uniform_text():
    short = GOOD[:4]
    assert item(short).sku == "A-1"
    assert code(short, replace(PLAIN, short_rows=False)) == "row_ragged"


def test_a_row_that_could_not_be_cut_is_rejected_wherever_it_stands():
    for reason in ("row_unreadable", "row_ragged", "row_too_large"):
        broken = BrokenRow(("Summe \udcff;1",), reason)
        for row in (1, 3):
            found = RowNormaliser(replace(PLAIN, sections=True)).read(row, broken)
            assert isinstance(found, RowError)
            assert found.code == reason


def test_zero_is_accepted_where_the_rules_say_so():
    assert item(("A-1", "Cable", "0.00", "", ""), replace(PLAIN, zero_price="accept")).price == "0.00"


def test_a_currency_column_decides_row_by_row():
    listed = replace(field("currency"), currency=None)
    assert item(("A-1", "Cable", "1", "USD"), listed).currency == "USD"
    assert item(("A-1", "Cable", "1", "€"), listed).currency == "EUR"
    assert item(("A-1", "Cable", "5 zł", ""), listed).currency == "PLN"
    assert code(("A-1", "Cable", "1", "Taler"), listed) == "currency_unknown"
    assert code(("A-1", "Cable", "1", ""), listed) == "currency_unknown"
    assert code(("A-1", "Cable", "5 zł", "USD"), listed) == "currency_conflict"
    assert code(("A-1", "Cable", "1", "USD"), replace(listed, currency="EUR")) == "currency_conflict"


def test_a_sign_that_fits_the_currency_of_the_list_is_no_conflict():
    assert item(("A-1", "Cable", "$5", "", ""), replace(PLAIN, currency="CAD")).currency == "CAD"
    assert item(("A-1", "Cable", "¥5", "", ""), replace(PLAIN, currency="CNY")).currency == "CNY"
    assert item(("A-1", "Cable", "¥5", "", ""), replace(PLAIN, currency="XXX")).currency == "XXX"


@pytest.mark.parametrize("cell", ["0", "abc", "1.000", "-5", Decimal("0.5")])
def test_a_price_basis_that_is_no_quantity_is_rejected(cell):
    assert code(("A-1", "Cable", "1", cell), field("price_basis")) == "basis_invalid"


# ------------------------------------------------------------------------------------------------ ignored


def test_rows_above_the_header_are_titles_and_the_header_is_the_header():
    assert ignored(("Price list 2026",), row=1) == "title"
    assert ignored(("", " ", None), row=1) == "blank"
    assert ignored(HEADERS, row=2) == "header"


def test_both_lines_of_a_header_are_header():
    two = replace(PLAIN, header_rows=2, header_row=3)
    assert [ignored(("x", "y"), two, row=row) for row in (1, 2, 3)] == ["title", "header", "header"]


def test_a_repeated_header_is_a_header():
    assert ignored(HEADERS) == "header"
    assert ignored(("sku ", "NAME", "Price", "", "")) == "header"


@pytest.mark.parametrize("cells", [(), ("", ""), (" ", "\t", " ", None, "\u00a0"), ("  ", "  ", "  ", "", "")])
def test_blank_rows_are_blank(cells):
    assert ignored(cells) == "blank"


@pytest.mark.parametrize(
    "cells",
    [
        ("Summe", "", "1234.50", "", ""),
        ("", "Total", "1,234.50", "", ""),
        ("", "Summe netto EUR:", Decimal("99.5"), None, None),
        ("Итого", "", "5", "", "12"),
        ("Total", "", "", "", ""),
        ("", "", "10.00", "Gesamt", ""),
    ],
)
def test_total_lines_are_totals(cells):
    assert ignored(cells) == "total"


def test_an_item_called_like_a_total_is_an_item():
    assert item(("TQ-5", "Total", "5.00", "", "")).name == "Total"
    assert item(("Total", "Motor oil", "5.00", "", "")).sku == "Total"
    assert code(("", "Total Quartz 5W40", "5.00", "", "")) == "sku_missing"


def test_a_total_in_a_list_whose_key_is_the_name():
    named = replace(
        PLAIN,
        columns=(Column(1, "Name", "sku", None), Column(1, "Name", "name", None), Column(2, "Price", "price", None)),
    )
    assert ignored(("", "Summe", "99.00", "", ""), named) == "total"
    assert item(("", "Total Quartz 5W40", "99.00", "", ""), named).sku == "Total Quartz 5W40"


@pytest.mark.parametrize(
    "cells",
    [
        ("All prices without tax.", "", "", "", ""),
        ("", "Prices hold until March", "", "", ""),
        ("", "", "", "see page 4", "5"),
        ("", "", "ask us in March", "", ""),
        ("", "Note:", None, None, None),
    ],
)
def test_texts_without_key_and_price_are_notes(cells):
    assert ignored(cells) == "note"


def test_a_lone_code_is_a_bad_item_not_a_note():
    assert code(("A-17", "", "", "", "")) == "name_missing"
    sectioned = replace(PLAIN, sections=True, key_shapes=("A-99",))
    assert code(("A-17", "", "", "", ""), sectioned) == "name_missing"


def test_a_price_without_a_key_is_data():
    assert code(("", "Cable", "5.00", "", "")) == "sku_missing"
    assert code(("", "", "5.00", "", "")) == "sku_missing"


def test_a_row_that_lacks_key_and_price_but_little_else_is_data():
    assert code(("", "Cable", "", "red", "0.5")) == "sku_missing"


def test_sections_name_the_category_of_the_rows_below():
    reader = RowNormaliser(replace(PLAIN, sections=True))
    assert reader.read(3, ("Cables", "", "", "", "")) == Ignored("section", ("Cables",))
    assert reader.read(4, GOOD).category == ("Cables",)
    assert reader.read(5, ("  USB cables", None, None, None, None)) == Ignored("section", ("Cables", "USB cables"))
    assert reader.read(6, GOOD).category == ("Cables", "USB cables")
    assert reader.read(7, ("Tools", "", "", "", "")).category == ("Tools",)


def test_the_section_can_be_carried_over_to_another_reader():
    sectioned = replace(PLAIN, sections=True)
    first, second = RowNormaliser(sectioned), RowNormaliser(sectioned)
    first.read(3, ("Cables", "", "", "", ""))
    first.read(4, ("  USB", "", "", "", ""))
    second.restore(first.state())
    assert second.read(5, GOOD) == first.read(5, GOOD)
    assert second.state() == first.state()


def test_where_rows_have_names_of_their_own_every_row_is_data():
    lines = replace(PLAIN, header_row=None, header_rows=0)
    assert code(("All prices without tax.", None, None, None, None), lines) == "name_missing"
    assert code((None, "Summe", "5", None, None), lines) == "sku_missing"


# ------------------------------------------------------------------------------------------------ always


cell = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=12),
    st.sampled_from(
        ["A-1", "Cable", "12.50", "1,234.50", "Summe", "SKU", "Price", "", "#N/A", "€ 5", "-", "0", "5E+3"]
    ),
    st.decimals(allow_nan=True, allow_infinity=True),
)


@settings(max_examples=400)
@given(st.lists(cell, max_size=7), st.booleans(), st.booleans(), st.integers(1, 5))
def test_every_row_has_one_answer_that_can_be_stored(cells, sections, short_rows, row):
    found = read(tuple(cells), replace(PLAIN, sections=sections, short_rows=short_rows), row)
    if isinstance(found, Ignored):
        assert found.reason in IGNORED
        return
    texts = [text for text in (found.cells if isinstance(found, RowError) else (found.sku, found.name)) if text]
    if isinstance(found, RowError):
        assert found.code in REASONS
        texts += [found.message, found.value or ""]
    else:
        assert 0 < len(found.sku) <= 255
        assert 0 < len(found.name) <= 500
        assert Decimal(found.price) > 0
        texts += [value for value in found.characteristics.values() if isinstance(value, str)]
    for text in texts:
        assert "\x00" not in text
        text.encode()


@given(st.lists(st.sampled_from([GOOD, ("Cables", "", "", "", ""), ("", "", "", "", "")]), max_size=20), st.data())
def test_reading_again_from_a_saved_state_gives_the_same_rest(rows, data):
    sectioned = replace(PLAIN, sections=True)
    cut = data.draw(st.integers(0, len(rows)))
    whole, head, tail = (RowNormaliser(sectioned) for _ in range(3))
    all_at_once = [whole.read(3 + number, row) for number, row in enumerate(rows)]
    parts = [head.read(3 + number, row) for number, row in enumerate(rows[:cut])]
    tail.restore(head.state())
    parts += [tail.read(3 + cut + number, row) for number, row in enumerate(rows[cut:])]
    assert parts == all_at_once


@pytest.mark.parametrize(
    "text", ["9" * 5_000, "1," * 5_000, "€" * 10_000, "1e9999999", " " * 10_000 + "x", "(" * 5_000 + "5", "5 " * 5_000]
)
def test_texts_made_to_keep_a_reader_busy_are_rejected(text):
    assert code(("A-1", "Cable", text, "", "")) in {"price_not_a_number", "price_too_large"}


def test_the_understanding_of_a_list_reads_the_list():
    lines = [
        ["Nordwind GmbH", "", ""],
        ["", "", ""],
        ["Art.-Nr.", "Bezeichnung", "Preis (EUR)"],
        ["NW-1", "Kabelbinder", "1.234,50"],
        ["NW-2", "Dose", "auf Anfrage"],
        ["NW-3", "", "7,00"],
        ["", "Summe", "1.241,50"],
        ["Alle Preise zzgl. MwSt.", "", ""],
    ]
    rows = list(enumerate(lines, 1))
    found = understand(rows, Description("csv", delimiter=";"), source_config={}, options=TaskOptions(), profile=None)
    reader = RowNormaliser(found)
    answers = [reader.read(number, row) for number, row in rows]
    assert [
        "item" if isinstance(answer, Normalised) else answer.code if isinstance(answer, RowError) else answer.reason
        for answer in answers
    ] == ["title", "blank", "header", "item", "price_on_request", "name_missing", "total", "note"]
    assert (answers[3].price, answers[3].currency) == ("1234.50", "EUR")
