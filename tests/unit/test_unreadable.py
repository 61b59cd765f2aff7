"""A list of which no row can be read is held, with what is wrong."""

import asyncio

import pytest

from config.profiles import SupplierProfile, amend
from contracts.errors import ListDoubtful
from contracts.rows import Description
from contracts.task import TaskOptions
from pipeline.understanding.understand import understand
from pipeline.unreadable import FEWEST, stop_if_unreadable

DIGEST = "a" * 64
ITEMS = 12


def rows(line, count=ITEMS):
    lines = ["Code,Description,Price", *(line.format(number=number) for number in range(101, 101 + count))]
    return [(number, text.split(",")) for number, text in enumerate(lines, 1)]


def judged(sample, profile=None):
    profile = profile or SupplierProfile(currency="EUR")
    found = understand(
        sample,
        Description("csv", encoding="utf-8", delimiter=","),
        source_config={"column_mapping": {"sku": "Code", "name": "Description", "price": "Price"}},
        options=TaskOptions(),
        profile=profile,
    )
    asyncio.run(stop_if_unreadable(sample, found, profile=profile, sha256=DIGEST))
    return found


def question(sample, profile=None):
    with pytest.raises(ListDoubtful) as caught:
        judged(sample, profile)
    assert caught.value.question is not None
    return caught.value.question


def test_prices_that_a_comma_has_split_are_said_to_be_split():
    asked = question(rows("A{number},Pipe,12,50"))
    assert f"{ITEMS} of {ITEMS} rejected rows have 4 cells where the header has 3" in asked.sentence
    assert "“12” and “50”" in asked.sentence


def test_another_cause_is_told_with_examples():
    asked = question(rows("A{number},Pipe,ask Bob"))
    assert "row 2: Price “ask Bob” is not a price" in asked.sentence


def test_a_list_that_was_let_through_is_not_asked_about_again():
    sample = rows("A{number},Pipe,ask Bob")
    profile = SupplierProfile(currency="EUR")
    keep = question(sample, profile).options[-2]
    judged(sample, amend(profile, keep.patch))


def test_one_item_is_enough_to_go_on():
    judged([*rows("A{number},Pipe,12,50"), (ITEMS + 2, ["B1", "Bend", "3.10"])])


def test_few_rejected_rows_are_no_reason_to_stop():
    judged(rows("A{number},Pipe,ask Bob", count=FEWEST - 1))
