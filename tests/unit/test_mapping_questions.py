"""What is asked where the columns of a list are not clear, and that each ready answer makes the list readable."""

import json

import pytest

from config.profiles import SupplierProfile, amend
from contracts.errors import HeaderNotFound, MappingIncomplete, NeedsAnswer
from contracts.questions import Question
from contracts.rows import BrokenRow, Description
from contracts.task import TaskOptions
from pipeline.understanding.keys import try_key
from pipeline.understanding.layout import Stated, find_table
from pipeline.understanding.understand import understand

CSV = Description("csv", encoding="utf-8", delimiter=";")
COUNT = 30


def rows_of(*lines):
    return [(number, line.split(";") if isinstance(line, str) else line) for number, line in enumerate(lines, 1)]


def read(*lines, profile=None, more=None):
    return understand(rows_of(*lines), CSV, source_config={}, options=TaskOptions(), profile=profile, more=more)


def asked(*lines, profile=None, more=None):
    with pytest.raises(NeedsAnswer) as caught:
        read(*lines, profile=profile, more=more)
    assert caught.value.question is not None
    assert json.loads(json.dumps(caught.value.context["question"])) == caught.value.question.document()
    return caught.value.question


def answered(question, number, *lines, profile=None):
    return read(*lines, profile=amend(profile, question.options[number - 1].patch))


def mapped(found):
    return {
        field: [column.header or column.index for column in found.columns_of(field)]
        for field in ("sku", "name", "price")
    }


TWO_PRICES = ["SKU;Name;Net price;Gross price", *[f"A-{n};Thing {n};{n}.00;{n}.19" for n in range(1, COUNT)]]
NO_CODE = ["Bezeichnung;Farbe;Preis", *[f"Ding {n // 2};{'rot' if n % 2 else 'blau'};{n},50" for n in range(COUNT)]]
NO_HEADER = [f"K{n:03d};Ding Nummer {n};{n},50" for n in range(1, COUNT)]


# ------------------------------------------------------------------------------------------------ price


def test_several_prices_are_asked_about_with_what_each_holds():
    question = asked(*TWO_PRICES)
    assert question.code == "price_column"
    assert [option.patch for option in question.options] == [
        {"mapping": {"price": "Net price"}},
        {"mapping": {"price": "Gross price"}},
    ]
    assert "29 prices from 1 to 29, e.g. 1.00" in question.options[0].consequence
    assert mapped(answered(question, 2, *TWO_PRICES))["price"] == ["Gross price"]


def test_a_header_that_stands_twice_is_answered_by_its_place():
    lines = ["SKU;Name;Price;Price", *[f"A-{n};Thing {n};{n}.00;{n}.19" for n in range(1, COUNT)]]
    question = asked(*lines)
    assert [option.patch["mapping"]["price"] for option in question.options] == [2, 3]
    assert [option.label for option in question.options] == [
        f"the price is in “Price” (column {place})" for place in "CD"
    ]
    assert [column.index for column in answered(question, 2, *lines).columns_of("price")] == [3]


def test_quantities_dates_and_row_numbers_are_no_answers():
    lines = [
        "No;SKU;Name;Stock;Delivery date;Partner A",
        *[f"{n};A-{n * 7};Thing {n};{n % 4};2026-01-{n:02d};{n}.25" for n in range(1, COUNT)],
    ]
    question = asked(*lines)
    assert [option.patch for option in question.options] == [{"mapping": {"price": "Partner A"}}]


def test_a_list_without_any_prices_has_no_ready_answer():
    question = asked("SKU;Name;Stock", *[f"A-{n};Thing {n};{n % 5}" for n in range(COUNT)])
    assert (question.code, question.options) == ("price_column", ())


def test_prices_under_several_hints_are_a_question_even_if_only_one_has_decimals():
    lines = ["SKU;Name;Retail list 1;Retail list 2", *[f"A-{n};Thing {n};{n}0;{n}.50" for n in range(1, COUNT)]]
    assert len(asked(*lines).options) == 2


@pytest.mark.parametrize(("value", "taken"), [("{n}.50", False), ("{n}.50 €", True)])
def test_net_alone_may_be_a_weight_unless_a_currency_stands_beside_the_values(value, taken):
    lines = ["SKU;Name;Netto", *[f"A-{n};Thing {n};{value.format(n=n)}" for n in range(1, COUNT)]]
    if taken:
        assert mapped(read(*lines))["price"] == ["Netto"]
    else:
        assert [option.patch for option in asked(*lines).options] == [{"mapping": {"price": "Netto"}}]


@pytest.mark.parametrize(
    ("order", "header"),
    [
        (["net"], "Net price"),
        (["gross"], "Gross price"),
        (["cost", "gross", "net"], "Gross price"),
        (["cost"], None),
        ([], None),
    ],
)
def test_a_rule_of_the_profile_decides_between_kinds_of_prices(order, header):
    profile = SupplierProfile.model_validate({"rules": {"price_choice": order}})
    if header is None:
        assert asked(*TWO_PRICES, profile=profile).code == "price_column"
    else:
        found = read(*TWO_PRICES, profile=profile)
        [price] = found.columns_of("price")
        assert (price.header, price.certainty < 0.9, "profile" in price.reason) == (header, True, True)


def test_a_rule_goes_on_with_the_next_kind_where_the_first_leaves_several():
    lines = [
        "SKU;Name;EK netto;Listenpreis netto;VK brutto",
        *[f"A-{n};T {n};{n}.1;{n}.2;{n}.3" for n in range(1, COUNT)],
    ]
    profile = SupplierProfile.model_validate({"rules": {"price_choice": ["net", "cost"]}})
    assert mapped(read(*lines, profile=profile))["price"] == ["EK netto"]


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ("sale_price;market_price", "sale_price"),
        ("Price;Old price", "Price"),
        ("EK netto;UVP Preis", "EK netto"),
        ("Цена;Старая цена", "Цена"),
        ("Стоимость, руб;Стоимость опт, руб", "Стоимость, руб"),
        ("販売価格;定価", "販売価格"),
        ("Price;Price valid until", "Price"),
        ("Price;Retail price", None),
        ("Price;Net price", None),
        ("List price;Wholesale price", None),
        ("Inpatient price;Outpatient price", None),
        ("Retail price;Discounted price", None),
        ("Discounted price;Old price", None),
        ("Recommended price;Old price", None),
    ],
)
def test_one_of_two_is_taken_only_if_the_other_says_that_it_is_not_meant(headers, taken):
    second = "2026-12-31" if "until" in headers else "{n}.75"
    lines = [f"SKU;Name;{headers}", *[f"A-{n};T {n};{n}.25;{second.format(n=n)}" for n in range(1, COUNT)]]
    if taken is None:
        assert len(asked(*lines).options) == 2
    else:
        assert mapped(read(*lines))["price"] == [taken]


# ------------------------------------------------------------------------------------------------ key and name


def test_a_list_whose_names_repeat_is_offered_the_smallest_key_that_tells_its_rows_apart():
    question = asked(*NO_CODE)
    assert question.code == "key"
    assert question.options[0].patch == {"mapping": {"sku": ["Bezeichnung", "Farbe"]}}
    assert f"all {COUNT} differ" in question.options[0].consequence
    assert mapped(answered(question, 1, *NO_CODE))["sku"] == ["Bezeichnung", "Farbe"]


def test_names_that_all_differ_are_offered_as_key_with_their_number():
    lines = ["Bezeichnung;Preis", *[f"Ding {n};1,{n}0" for n in range(4)]]
    [option] = asked(*lines).options
    assert (option.patch, "all 4 differ" in option.consequence) == ({"mapping": {"sku": "Bezeichnung"}}, True)


def test_a_column_that_looks_like_codes_comes_before_the_name():
    lines = ["Kennung XY;Bezeichnung;Preis", *[f"QX-{n * 3};Ding {n};1,{n}0" for n in range(4)]]
    assert asked(*lines).options[0].patch == {"mapping": {"sku": "Kennung XY"}}


def test_prices_stock_and_dates_are_never_part_of_a_key():
    lines = [
        "Bezeichnung;Bestand;Preis;Datum;Ort",
        *[f"Ding {n // 3};{n};{n},50;2026-01-{n + 1:02d};Halle {n % 3}" for n in range(COUNT)],
    ]
    parts = {part for option in asked(*lines).options for part in [*option.patch["mapping"]["sku"]] if len(part) > 1}
    assert parts == {"Bezeichnung", "Ort"}


def test_gtins_are_the_key_where_nothing_else_is_and_no_two_are_alike():
    body = [("4006381333931", "a"), ("5901234123457", "b"), ("9780201379624", "c"), ("4012345678901", "d")]
    lines = ["EAN;Name;Price", *[f"{gtin};Thing {name};1.50" for gtin, name in body]]
    found = read(*lines)
    assert mapped(found)["sku"] == ["EAN"]
    assert [column.header for column in found.columns_of("gtin")] == ["EAN"]
    assert asked(*lines, f"{body[0][0]};Thing e;2.50").code == "key"


def test_a_list_without_names_is_offered_texts_and_its_codes_as_names():
    lines = ["SKU;Extra;Price", *[f"A-{n};made by {n} friends of ACME;1.{n}" for n in range(10, COUNT)]]
    question = asked(*lines)
    assert question.code == "name"
    assert [option.patch for option in question.options] == [{"mapping": {"name": "Extra"}}, {"name_from_sku": True}]
    assert mapped(answered(question, 2, *lines))["name"] == ["SKU"]


def test_figures_of_a_key_count_what_would_be_lost():
    lines = ["SKU;Name;Price", "A;x;1", "A;y;1", "B;z;1", "B;z;2", ";w;3"]
    table = find_table(rows_of(*lines), CSV, Stated(), extra={})
    key = try_key(table, [0], 2)
    assert (key.rows, key.keyed, key.distinct, key.twofold) == (5, 4, 2, 1)


# ------------------------------------------------------------------------------------------------ no header


def test_a_list_without_header_is_offered_whole_layouts():
    question = asked(*NO_HEADER)
    assert question.code == "header"
    assert question.options[0].patch == {
        "mapping": {"price": 2, "sku": 0, "name": 1},
        "read": {"has_header": False},
    }
    with pytest.raises(HeaderNotFound):
        read(*NO_HEADER)


def test_a_first_row_that_is_too_large_is_named():
    with pytest.raises(HeaderNotFound, match="row 1 has a cell of 900,000 characters"):
        read("x" * 900_000, "a;b;c")
    with pytest.raises(HeaderNotFound, match="row 1 is larger than 1 MB") as caught:
        read(BrokenRow(("xxx",), "row_too_large"), "a;b;c")
    assert len(caught.value.message) < 1_000


# ------------------------------------------------------------------------------------------------ every question


@pytest.mark.parametrize("lines", [TWO_PRICES, NO_CODE], ids=["price", "key"])
def test_every_ready_answer_is_enough_and_stays_so_for_the_next_list(lines):
    question = asked(*lines)
    assert Question.from_document(question.document()) == question
    for number in range(1, len(question.options) + 1):
        wanted = question.options[number - 1].patch["mapping"]
        found = mapped(answered(question, number, *lines))
        for field, reference in wanted.items():
            assert found[field] == (reference if isinstance(reference, list) else [reference])


def test_what_was_not_taken_is_kept_with_its_reason():
    lines = ["SKU;Old price;Price;Product code;Name", *[f"A-{n};{n}.5;{n}.6;B-{n};T {n}" for n in range(1, COUNT)]]
    found = read(*lines)
    kept = {(other.field, other.header) for other in found.alternatives}
    assert kept == {("price", "Old price"), ("sku", "Product code")}
    assert found.document()["alternatives"][0]["reason"]


def test_a_refused_list_tells_what_was_understood_of_it():
    with pytest.raises(MappingIncomplete) as caught:
        read(*TWO_PRICES)
    seen = caught.value.context["table"]
    assert [(column["header"], column["field"]) for column in seen["columns"]] == [
        ("SKU", "sku"),
        ("Name", "name"),
        ("Net price", None),
        ("Gross price", None),
    ]
    assert {other["header"] for other in seen["alternatives"]} == {"Net price", "Gross price"}


@pytest.mark.parametrize("error", [HeaderNotFound, MappingIncomplete])
def test_the_remedy_names_what_a_person_can_do_at_the_command_line(error):
    assert "--map price=COLUMN" in error.next_step
    assert "pricemill held answer TASK NUMBER" in error.next_step


# -------------------------------------------------------------------------------- answers that must be there


def labels(question):
    return [option.label for option in question.options]


def test_the_supplier_s_own_code_is_offered_beside_a_blank_column_for_ours():
    lines = ["Your code;Our code;Description;Price", *[f";0{n}7;Thing {n};{n}.50" for n in range(100, 140)]]
    assert labels(asked(*lines, more=lambda: rows_of(*lines)))[0] == "the code is “Our code”"


@pytest.mark.parametrize(
    ("header", "values"),
    [("Min qty", ["1", "10", "100"]), ("Unit", ["pc", "box", "m"]), ("Currency", ["EUR", "USD", "GBP"])],
)
def test_what_tells_the_rows_of_one_code_apart_is_offered_as_part_of_the_key(header, values):
    rows = [f"K{n // 3};Cable {n // 3};{values[n % 3]};{n}.50" for n in range(36)]
    question = asked(f"Code;Description;{header};Price", *rows)
    assert labels(question)[0] == f"the code is “Code” + “{header}”"
    found = answered(question, 1, f"Code;Description;{header};Price", *rows)
    assert mapped(found)["sku"] == ["Code", header]


def test_a_second_header_line_tells_columns_of_one_name_apart():
    rows = [f"A-{n};Thing {n};{n}.00;{n}.19" for n in range(1, COUNT)]
    lines = ["Article;Description;Price;Price", "no.;;EUR excl. VAT;EUR incl. VAT", *rows]
    question = asked(*lines)
    assert labels(question) == [
        "the price is in “Price EUR excl. VAT”",
        "the price is in “Price EUR incl. VAT”",
    ]
    found = answered(question, 1, *lines)
    assert (found.header_row, found.header_rows) == (2, 2)
    assert mapped(found) == {"sku": ["Article no."], "name": ["Description"], "price": ["Price EUR excl. VAT"]}


def test_a_first_row_of_texts_is_no_second_header_line():
    rows = [f"A-{n};Thing {n};{n}.00;{n}.19" for n in range(1, COUNT)]
    question = asked("Article no.;Description;Price;Price", "A-0;Thing 0;call;POA", *rows)
    assert labels(question) == ["the price is in “Price” (column C)", "the price is in “Price” (column D)"]


def test_prices_from_a_quantity_on_are_offered():
    rows = [f"A-{n};Ding {n};{n},50;{n},40;{n},30" for n in range(1, COUNT)]
    question = asked("Artikelnummer;Bezeichnung;ab 1 Stk;ab 10 Stk;ab 100 Stk", *rows)
    assert labels(question) == [f"the price is in “ab {n} Stk”" for n in (1, 10, 100)]


def test_a_list_without_a_price_may_be_another_sheet():
    rows = rows_of("Code;Description;Qty", *[f"A-{n};Thing {n};5" for n in range(1, COUNT)])
    described = Description("xlsx", sheet="Stock", others=("Price list",))
    with pytest.raises(NeedsAnswer) as caught:
        understand(rows, described, source_config={}, options=TaskOptions(), profile=None)
    assert caught.value.question is not None
    (option,) = caught.value.question.options
    assert (option.label, option.patch) == ("the list is sheet “Price list”", {"read": {"sheet": "Price list"}})
