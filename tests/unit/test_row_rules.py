"""What a profile says about reading rows: values, letters, words, rows to ignore."""

from typing import Any

import pytest

from config.plan import Plan
from config.profiles import amend, load_profile
from contracts.errors import MappingIncomplete, ProfileInvalid
from contracts.rows import Description, RowError
from contracts.task import TaskOptions
from pipeline.stages.normalization import Ignored, RowNormaliser
from pipeline.stages.validation import FEW, Validation
from pipeline.understanding.understand import understand
from tests.support.lists import plan_of

CSV = Description("csv", encoding="utf-8", delimiter=";")
HEADER = ["SKU", "Name", "Price", "Unit", "Status"]
ORDINARY = [[f"A-{number}", f"Item {number}", f"{number + 1}.50", "pcs", "new"] for number in range(2 * FEW)]


def understood(*rows, rules: Any = None):
    profile = None if rules is None else load_profile({"rules": rules})
    return understand(
        list(enumerate([HEADER, *ORDINARY, *rows], 1)),
        CSV,
        source_config={},
        options=TaskOptions(currency="EUR"),
        profile=profile,
    )


def outcome(*rows, rules: Any = None):
    """Of the rows given, read by the gate and one by one, which must agree."""
    how = understood(*rows, rules=rules)
    batch = [*ORDINARY, *rows]
    numbers = range(2, 2 + len(batch))
    verdicts = Validation(how).read(numbers, [list(row) for row in batch], [None] * len(batch))
    read = RowNormaliser(how).read
    first = 2 + len(ORDINARY)
    found: dict[int, Any] = {item.row_number: (item.sku, item.price, item.unit) for item in verdicts.items}
    found |= {reject.row_number: reject.code for reject in verdicts.rejects}
    for number, row in zip(numbers, batch, strict=True):
        alone = read(number, row)
        if isinstance(alone, Ignored):
            assert number not in found
            found[number] = f"ignored: {alone.reason}"
        elif isinstance(alone, RowError):
            assert found[number] == alone.code
        else:
            assert found[number] == (alone.sku, alone.price, alone.unit)
    assert len(found) == len(batch)
    return [found[number] for number in numbers if number >= first]


def test_a_text_is_read_as_what_the_profile_says():
    rules = {"values": {"price": {"siehe Web": "9.90"}, "unit": {"pcs": "piece"}, "sku": {"old 1": "B-1"}}}
    assert outcome(["old 1", "Pipe", " siehe Web ", "pcs", ""], rules=rules) == [("B-1", "9.90", "piece")]


def test_only_whole_cells_are_read_otherwise():
    rules = {"values": {"sku": {"B": "C"}}}
    assert outcome(["B", "Pipe", "1.00", "", ""], ["B1", "Pipe", "1.00", "", ""], rules=rules) == [
        ("C", "1.00", None),
        ("B1", "1.00", None),
    ]


def test_a_value_may_be_emptied():
    assert outcome(["B", "Pipe", "1.00", "-", ""], rules={"values": {"unit": {"-": ""}}}) == [("B", "1.00", None)]


def test_a_rejected_row_keeps_its_cells_as_they_stand():
    how = understood(rules={"values": {"price": {"n": "none at all"}}})
    found = RowNormaliser(how).read(30, ["B", "Pipe", "n", "", ""])
    assert isinstance(found, RowError)
    assert found.cells[2] == "n"


def test_letters_are_digits_in_prices_only_where_the_profile_says_so():
    row = ["B-O", "Oil", "1O.5O", "", ""]
    assert outcome(row) == ["price_not_a_number"]
    assert outcome(row, rules={"letters_as_digits": True}) == [("B-O", "10.50", None)]


def test_a_suppliers_own_words_say_that_there_is_no_price():
    row = ["B-1", "Pipe", "Im Shop", "", ""]
    assert outcome(row) == ["price_not_a_number"]
    assert outcome(row, rules={"on_request": ["im SHOP"]}) == ["price_on_request"]


@pytest.mark.parametrize(
    ("rule", "ignored"),
    [
        ({"column": "Status", "equals": "GONE"}, [True, False, False]),
        ({"column": "Status", "contains": "gone"}, [True, True, False]),
        ({"column": "E", "matches": "^gone.*soon$"}, [False, True, False]),
        ({"column": 1, "contains": "sample"}, [False, False, True]),
        ({"contains": "sample"}, [False, False, True]),
        ({"column": "Name", "equals": "gone"}, [False, False, False]),
    ],
)
def test_rows_that_a_person_declared_no_items_are_notes(rule, ignored):
    rows = [
        ["B-1", "Pipe", "1.00", "", "gone"],
        ["B-2", "Pipe", "bad", "", "gone very soon"],
        ["B-3", "Sample", "1.00", "", ""],
    ]
    found = outcome(*rows, rules={"ignore_rows": [rule]})
    assert [answer == "ignored: note" for answer in found] == ignored


@pytest.mark.parametrize("rule", [{}, {"equals": "a", "contains": "b"}, {"matches": "(?=a)"}, {"matches": "("}])
def test_a_rule_says_one_thing_to_look_for(rule):
    with pytest.raises(ProfileInvalid):
        load_profile({"rules": {"ignore_rows": [rule]}})


def test_a_rule_on_a_column_that_is_gone_is_a_question():
    rules = {"ignore_rows": [{"column": "Availability", "equals": "gone"}, {"contains": "sample"}]}
    with pytest.raises(MappingIncomplete, match="Availability") as caught:
        understood(rules=rules)
    assert caught.value.question is not None
    (drop,) = caught.value.question.options
    amended = amend(load_profile({"rules": rules}), drop.patch)
    assert [rule.contains for rule in amended.rules.ignore_rows] == ["sample"]


def test_another_rule_is_another_plan():
    def fingerprint(rules: Any) -> str:
        plan: Plan = plan_of(understood(rules=rules))
        return plan.fingerprint

    assert len({fingerprint(rules) for rules in (None, {"letters_as_digits": True}, {"on_request": ["x"]})}) == 3
    assert fingerprint({"values": {"unit": {"a": "b"}}}) != fingerprint({"values": {"unit": {"a": "c"}}})
