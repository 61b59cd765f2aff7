"""What the corpus command calls right, held and WRONG."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from benchmarks.corpus_facts import Facts, column, columns, profile
from benchmarks.corpus_judge import judge
from benchmarks.corpus_others import judge_invoice, judge_page, judge_torture
from benchmarks.corpus_outcome import Item, Outcome
from config.profiles import load_profile

DOCUMENT: dict[str, Any] = {
    "format": {"kind": "csv", "encoding": "cp1252", "delimiter": ";", "header_record": 1, "records": 6},
    "columns": {"key": ['1 "SKU"'], "name": '2 "Name"', "price": '3 "Price"', "category": None, "currency": "EUR (€)"},
    "rows_valid": 4,
    "rows_rejected": {"price_missing": 1},
    "non_data_records": {},
    "unique_keys_valid": 3,
    "duplicate_key_rows": 1,
    "sum_price_first_of_each_key": "6.5",
    "sum_price_last_of_each_key": "7.5",
    "spot_checks": [{"record": 2, "key": "A", "name": "Nut", "price": "1.5"}],
    "rejected_examples": {"price_missing": [{"record": 4, "key": "C"}]},
}
ITEMS = [
    Item("A", "Nut, small", Decimal("1.5"), "EUR", Decimal(1), 2),
    Item("B", "Bolt", Decimal(3), "EUR", Decimal(1), 6),
    Item("D", "Cap", Decimal(3), "EUR", Decimal(1), 5),
]
REJECTS = {4: "price_missing"}


def facts(**changes: Any) -> Facts:
    return Facts("a.csv", Path("a.csv"), DOCUMENT | changes)


def ended(*, stored: int = 3, rejected: dict[str, int] | None = None, **ignored: int) -> Outcome:
    groups = {"price_missing": 1} if rejected is None else rejected
    buckets = ignored or {"header": 1, "duplicate": 1}
    return Outcome(
        "completed",
        {
            "statistics": {
                "total_rows": stored + sum(groups.values()) + sum(buckets.values()),
                "new": stored,
                "ignored": buckets,
            },
            "errors": [{"error_type": code, "count": count} for code, count in groups.items()],
        },
    )


def dead(code: str = "mapping_incomplete", *, exception: str = "contracts.errors.X", **context: Any) -> Outcome:
    error = {"code": code, "message": "which?", "next_step": "", "context": context, "exception": exception}
    return Outcome("dead", error=error)


def word(known: Facts, outcome: Outcome, items: list[Item], **more: Any) -> str:
    return judge(known, outcome, items, REJECTS, duplicates=more.pop("duplicates", "last"), **more).word


def test_a_list_that_agrees_in_everything_is_right():
    assert word(facts(), ended(), ITEMS) == "right"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (ITEMS[:1] + ITEMS[2:], "unique keys 2 instead of 3"),
        ([ITEMS[0], ITEMS[1]._replace(price=Decimal("3.01")), ITEMS[2]], "sum 7.51 instead of 7.5"),
        ([ITEMS[0]._replace(sku="Nut"), *ITEMS[1:]], "row 2 has the key “Nut” instead of “A”"),
        ([ITEMS[0]._replace(name="Wood"), *ITEMS[1:]], "row 2 is called “Wood” instead of “Nut”"),
        ([*ITEMS[:2], ITEMS[2]._replace(currency="USD")], "currency USD instead of EUR"),
        ([*ITEMS[:2], ITEMS[2]._replace(row=4)], "row 4 was stored; it is price_missing"),
    ],
)
def test_any_difference_in_what_is_stored_is_wrong(changed: list[Item], told: str):
    verdict = judge(facts(), ended(), changed, REJECTS, duplicates="last")
    assert verdict.word == "WRONG"
    assert told in verdict.told


def test_a_currency_that_was_not_stated_claims_nothing():
    assert word(facts(), ended(), [item._replace(currency="XXX") for item in ITEMS]) == "right"


def test_which_of_two_rows_of_a_key_counts_can_be_chosen():
    assert word(facts(), ended(), ITEMS, duplicates="first") == "WRONG"
    first = [ITEMS[0], ITEMS[1]._replace(price=Decimal(2), row=3), ITEMS[2]]
    assert word(facts(), ended(), first, duplicates="first") == "right"


def test_a_bad_row_must_be_rejected_for_a_reason_of_that_meaning():
    assert word(facts(), ended(rejected={"price_on_request": 1}), ITEMS) == "right"
    assert word(facts(), ended(rejected={"name_missing": 1}), ITEMS) == "WRONG"
    assert word(facts(), ended(rejected={"price_missing": 2}), ITEMS) == "WRONG"


def test_a_row_that_the_facts_call_no_data_may_be_rejected_and_is_told():
    known = facts(non_data_records={"text line": 1})
    verdict = judge(known, ended(rejected={"price_missing": 1, "sku_missing": 1}), ITEMS, REJECTS, duplicates="last")
    assert verdict.word == "right"
    assert "rejected where the facts see no item: 1 sku_missing" in verdict.told


def test_rows_that_are_missing_from_the_account_are_wrong():
    known = facts(format=DOCUMENT["format"] | {"records": 9})
    assert word(known, ended(), ITEMS) == "WRONG"


def test_a_question_is_held_unless_something_was_stored():
    assert word(facts(), dead(), []) == "held"
    assert word(facts(), dead(), ITEMS[:1]) == "WRONG"


def test_a_readable_list_that_is_refused_without_a_question_is_wrong():
    assert word(facts(), dead("source_unreadable"), []) == "WRONG"


def test_a_list_without_prices_must_store_nothing():
    known = facts(columns=DOCUMENT["columns"] | {"price": None})
    assert word(known, dead(), []) == "right"
    assert word(known, dead("unexpected", exception="builtins.KeyError"), []) == "WRONG"
    assert word(known, ended(), ITEMS) == "WRONG"


def test_facts_that_leave_something_out_are_not_held_against_a_list():
    known = Facts("a.csv", Path("a.csv"), {"columns": {"price": "3"}})
    assert word(known, ended(), ITEMS) == "right"
    assert word(Facts("a.csv", Path("a.csv"), {}), ended(), ITEMS) == "right"


def test_the_question_is_shown_with_its_answers():
    question = {"sentence": "Which is the key?", "options": [{"label": "SKU"}, {"label": "EAN"}]}
    assert dead(question=question).question == "Which is the key? [1) SKU; 2) EAN]"


def test_columns_are_described_by_number_or_header():
    assert column('3 "Name"') == 2
    assert column(1) == 0
    assert column('"Name"') == "Name"
    assert columns(['1 "A"']) == 0
    assert columns(['1 "A"', "4"]) == [0, 3]


def test_a_profile_is_made_of_what_the_facts_say():
    document = profile(facts(), duplicates="first", sheet=None)
    made = load_profile(document)
    assert made.mapping.model_dump(exclude_none=True) == {"sku": 0, "name": 1, "price": 2}
    assert (made.read.encoding, made.read.delimiter, made.read.header_row) == ("cp1252", ";", 1)
    assert (made.currency, made.rules.duplicates) == ("EUR", "first")


def test_a_profile_knows_lists_without_header_key_or_stated_currency():
    given = {"key": None, "name": ["1", "2"], "price": "3", "category": "heading rows", "currency": "column Cur (USD)"}
    shape = {"kind": "csv", "delimiter": "TAB", "header_record": None}
    made = load_profile(profile(facts(columns=given, format=shape), duplicates="last", sheet="S"))
    assert made.mapping.model_dump(exclude_none=True) == {"sku": [0, 1], "name": [0, 1], "price": 2, "currency": "Cur"}
    assert (made.read.delimiter, made.read.has_header, made.read.sheet, made.currency) == ("\t", False, "S", None)


def test_a_nasty_file_ends_in_rows_or_in_an_error_that_was_foreseen():
    assert judge_torture(ended()).word == "right"
    assert judge_torture(dead("source_unreadable")).word == "right"
    assert judge_torture(dead("unexpected", exception="builtins.KeyError")).word == "WRONG"
    assert judge_torture(Outcome("running")).word == "WRONG"
    assert judge_torture(Outcome("completed", ended().result, seconds=31)).word == "WRONG"


def test_each_line_of_an_invoice_keeps_its_price():
    known = {"line_count": 3, "currency": "EUR", "lines": [{"seller_item_id": "A", "net_unit_price": "1.50"}]}
    outcome = ended(rejected={}, header=0)
    assert judge_invoice(known, outcome, ITEMS).word == "right"
    assert judge_invoice(known, outcome, [ITEMS[0]._replace(price=Decimal(15))]).word == "WRONG"
    assert judge_invoice(known | {"line_count": 4}, outcome, ITEMS).word == "WRONG"
    assert judge_invoice({"line_count": 0}, dead("source_unreadable"), []).word == "right"


def test_a_page_has_its_offers():
    known = {"items": 3, "sum_of_prices": "7.5", "currency": "EUR", "offers": [{"sku": "A", "price": "1.50"}]}
    assert judge_page(known, ended(), ITEMS).word == "right"
    assert judge_page(known | {"items": 4}, ended(), ITEMS).word == "WRONG"
    assert judge_page(known | {"offers": [{"sku": "A", "price": "2"}]}, ended(), ITEMS).word == "WRONG"


def test_points_that_the_facts_are_not_sure_of_are_told_and_set_aside():
    changed = [ITEMS[0], ITEMS[1]._replace(price=Decimal("3.01")), ITEMS[2]]
    known = facts(uncertain=["sum_price_last_of_each_key: the last row may be a note", "record 2: the name"])
    verdict = judge(known, ended(), changed, REJECTS, duplicates="last")
    assert verdict.word == "right"
    assert "uncertain: sum 7.51 instead of 7.5" in verdict.told
    assert word(known, ended(), [changed[0]._replace(name="Wood"), *changed[1:]]) == "right"
    assert word(known, ended(), changed[:2]) == "WRONG"


def test_a_composite_key_may_be_given_in_parts():
    known = facts(spot_checks=[{"record": 2, "key": ["A", "red"], "price": "1.5"}])
    assert word(known, ended(), [ITEMS[0]._replace(sku="A|red"), *ITEMS[1:]]) == "right"


def test_a_list_in_several_currencies_is_not_pinned_to_one():
    given = DOCUMENT["columns"] | {"currency": "USD / EUR"}
    assert "currency" not in profile(facts(columns=given), duplicates="last", sheet=None)


def test_a_reason_of_the_facts_may_be_worded_the_other_way_round():
    known = facts(rows_rejected={"ragged_row": 1}, rejected_examples={})
    assert word(known, ended(rejected={"row_ragged": 1}), ITEMS) == "right"
