"""Lists that are read without a person's help because their values leave no choice, and near misses that are not."""

from __future__ import annotations

from typing import Any

import pytest

from config.profiles import profile_from_understanding
from contracts.errors import MappingIncomplete, NeedsAnswer
from contracts.rows import Description
from contracts.task import TaskOptions
from contracts.understanding import Understanding
from pipeline.understanding.understand import understand

CSV = Description("csv", delimiter=";")


def read(*lines: str, options: TaskOptions | None = None) -> Understanding:
    rows = [(number, tuple(line.split(";"))) for number, line in enumerate(lines, 1)]
    return understand(rows, CSV, source_config={}, options=options or TaskOptions(), profile=None, more=lambda: rows)


def named(*more: str, count: int = 40, first: str = "Name;Price", line: str = "Thing number {n};{n}.50") -> list[str]:
    return [first, *(line.format(n=n, half=n // 2, third=n % 3) for n in range(1, count + 1)), *more]


def keys(found: Understanding) -> list[Any]:
    return [column.header or column.index for column in found.columns_of("sku")]


def test_names_are_keys_where_nothing_else_could_be_and_each_has_one_price():
    found = read(*named())
    assert keys(found) == ["Name"]
    assert any("no codes" in warning for warning in found.warnings)


def test_two_prices_of_one_name_are_rejected_unless_a_person_says_which():
    lines = named("Thing number 7;99.50")
    assert read(*lines).duplicates == "reject_conflicting"
    assert read(*lines, options=TaskOptions(duplicates="last")).duplicates == "last"


def test_what_two_prices_of_one_name_mean_is_remembered():
    found = read(*named())
    assert profile_from_understanding(found).rules.duplicates == "reject_conflicting"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (named(count=12), "proves nothing"),
        (named(first="Name;Price;Lot", line="Thing number {half};{half}.50;{n}a b"), "names differ"),
        (
            named(
                *(f"Thing number {n};99.10;new" for n in range(1, 9)),
                first="Name;Price;Lot",
                line="Thing number {n};{n}.50;",
            ),
            "beside two prices",
        ),
        (named(first="Name;Price;Zusatz", line="Thing number {n};{n}.50;X{n}"), "could be the code"),
        (named(first="Name;Price;Description", line="Thing number {n};{n}.50;words about {n}"), "could be the name"),
        (named(first="No;Name;Price", line="{n};Thing number {n};{n}.50"), "running number"),
        (named(first="MPN;Their ref;Name;Price", line="M{n};A-{n};Thing number {n};{n}.50"), "maker"),
    ],
)
def test_a_key_that_could_be_another_one_is_a_question(lines: list[str], why: str):
    with pytest.raises(MappingIncomplete, match=why):
        read(*lines)


def test_a_name_under_a_header_that_was_merged_over_two_columns_is_read_from_both():
    lines = [
        "Code;;Name;Price",
        *(f"A-{n};;Thing {n};1.50" for n in range(20)),
        *(f"B-{n};Other {n};;2.50" for n in range(6)),
    ]
    assert [column.index for column in read(*lines).columns_of("name")] == [2, 1]


def test_a_list_without_header_is_read_if_its_values_leave_no_choice():
    found = read(*(f"A{n};Steel bolt M{n};€{n}.50;{n % 5}" for n in range(10, 50)))
    assert [found.columns_of(field)[0].index for field in ("sku", "name", "price")] == [0, 1, 2]
    assert keys(read(*(f"€{n}.50;Steel bolt M{n}" for n in range(10, 50)))) == [1]


@pytest.mark.parametrize(
    "line",
    [
        "A{n};Steel bolt M{n};{n}.50;{third}",
        "A{n};Steel bolt M{n};€{n}.50;€{n}.75",
        "A{n};B-{n};Steel bolt M{n};€{n}.50",
        "Steel bolt M{n};€{n}.50;{third}",
        "{n};Steel bolt M{n};€{n}.50",
    ],
    ids=["no currency", "two prices", "two codes", "no code", "row numbers"],
)
def test_a_list_without_header_that_leaves_a_choice_is_a_question(line: str):
    with pytest.raises(NeedsAnswer):
        read(*named(line=line)[1:])


def test_a_column_of_units_is_no_column_of_price_bases():
    lines = ["SKU;Name;je;Preis", *(f"A-{n};Ding {n};{('kg', 'Bund', '100g')[n % 3]};1,50" for n in range(30))]
    assert not read(*lines).columns_of("price_basis")


def test_damaged_gtins_are_no_reason_to_take_names_as_keys():
    lines = named(first="EAN;Name;Price", line="400620000{n:04d};Thing number {n};{n}.50")
    with pytest.raises(MappingIncomplete, match="could be the code"):
        read(*(line.replace("4006200000001", "4,00626E+12").replace("4006200000002", "4,00626E+12") for line in lines))


@pytest.mark.parametrize(
    ("headers", "second"), [("Cost;Price", "#REF!"), ("Опт, грн;Роздріб, грн", "9.75")], ids=["spoilt", "two kinds"]
)
def test_no_other_column_takes_the_place_of_one_that_is_in_doubt(headers: str, second: str):
    with pytest.raises(MappingIncomplete):
        read(f"SKU;Name;{headers}", *(f"A-{n};Thing {n};{n}.50;{second}" for n in range(1, 30)))


def test_a_name_that_repeats_is_the_key_together_with_what_tells_its_variants_apart():
    body = [f"Shirt {n // 3};{'SML'[n % 3]};{n + 1}.50" for n in range(60)]
    found = read("Name;Size;Price", *body)
    assert [column.header for column in found.columns_of("sku")] == ["Name", "Size"]
    assert [column.header for column in found.columns_of("name")] == ["Name"]
    assert found.duplicates == "reject_conflicting"
    assert any("together are the key" in warning for warning in found.warnings)


def test_a_code_that_repeats_is_the_key_together_with_its_variant_and_the_name_where_there_is_none():
    body = [f"D{n // 3:03d};{('create', 'renew', 'transfer')[n % 3]};{n + 1}.50" for n in range(90)]
    found = read("product_sku;product_variant;price", *body)
    assert [column.header for column in found.columns_of("sku")] == ["product_sku", "product_variant"]
    assert [column.header for column in found.columns_of("name")] == ["product_sku", "product_variant"]


def test_variants_that_do_not_tell_rows_apart_are_a_question():
    body = [f"Shirt {n // 6};{'SML'[n % 3]};{n + 1}.50" for n in range(60)]
    with pytest.raises(MappingIncomplete, match="variants"):
        read("Name;Size;Price", *body)


def test_items_without_names_are_called_by_their_codes_if_nothing_else_could_be_the_name():
    found = read("SKU;Brand;Price", *[f"A-{n};ACME;1.{n}" for n in range(10, 60)])
    assert [column.header for column in found.columns_of("name")] == ["SKU"]
    assert any("no names" in warning for warning in found.warnings)
    with pytest.raises(MappingIncomplete, match="name_from_sku"):
        read(
            "SKU;Zusatz;Price",
            *[
                f"A-{n};{('nut', 'bolt', 'screw')[n % 3]} type {chr(97 + n % 26)}{chr(97 + n // 26)};1.{n}"
                for n in range(10, 60)
            ],
        )


@pytest.mark.parametrize(("header", "values"), [("Unit", ("m", "roll")), ("Valid from", ("2026-01-01", "2026-07-01"))])
def test_codes_that_each_stand_beside_two_prices_are_not_loaded_by_the_order_of_their_rows(header, values):
    body = [f"C{n // 2:03d};Cable number {n // 2};{values[n % 2]};{n + 1}.50" for n in range(60)]
    with pytest.raises(MappingIncomplete, match="stand beside one price") as raised:
        read(f"Code;Name;{header};Price", *body)
    assert raised.value.question is not None


def test_a_few_codes_with_two_prices_are_a_suppliers_slips():
    body = [f"C{n:03d};Cable number {n};{n + 1}.50" for n in range(60)]
    found = read("Code;Name;Price", *body, "C003;Cable number 3;99.50", "C004;Cable number 4;99.50")
    assert [column.header for column in found.columns_of("sku")] == ["Code"]
