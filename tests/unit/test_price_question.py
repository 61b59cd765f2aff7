"""A list whose prices can be read in two ways asks, with what each answer would store."""

from decimal import Decimal

import pytest

from config.profiles import SupplierProfile, amend
from contracts.errors import PriceFormatAmbiguous
from contracts.questions import Question
from contracts.rows import Description
from contracts.task import TaskOptions
from pipeline.stages.normalization import Normalised, RowNormaliser
from pipeline.understanding.understand import understand

CSV = Description("csv", encoding="utf-8", delimiter=";")


def rows_of(*prices):
    return [["SKU", "Name", "Price"], *([f"A-{n}", f"Item {n}", price] for n, price in enumerate(prices))]


def understood(*prices, profile=None, options=None):
    rows = list(enumerate(rows_of(*prices), 1))
    return understand(rows, CSV, source_config={}, options=options or TaskOptions(), profile=profile)


def question(*prices, profile=None):
    with pytest.raises(PriceFormatAmbiguous) as caught:
        understood(*prices, profile=profile)
    assert caught.value.question is not None
    return caught.value.question


def stored(*prices, profile=None):
    how = understood(*prices, profile=profile)
    read = RowNormaliser(how).read
    found = [read(number, row) for number, row in enumerate(rows_of(*prices), 1) if number > 1]
    return [row.price if isinstance(row, Normalised) else row.code for row in found]


def test_each_option_says_what_would_be_stored():
    asked = question("1,234", "98,000", "500")
    assert asked.code == "price_format"
    assert [(option.label, option.consequence) for option in asked.options] == [
        ("“1,234” means 1234", "3 prices from 500 to 98000"),
        ("“1,234” means 1.234", "3 prices from 1.234 to 500"),
    ]


def test_an_option_keeps_what_it_says():
    prices = ("1,234", "98,000", "500")
    for option in question(*prices).options:
        kept = [Decimal(price) for price in stored(*prices, profile=amend(None, option.patch))]
        assert f"{len(kept)} prices from {min(kept)} to {max(kept)}" == option.consequence.replace("98.000", "98")


def test_an_answer_is_remembered_for_the_next_list():
    profile = amend(SupplierProfile(), question("1,234", "500").options[0].patch)
    assert stored("2,345", "700", profile=profile) == ["2345", "700"]


def test_the_reading_that_leaves_fewer_prices_unread_comes_first():
    asked = question(*["12.50"] * 6, *["7,25"] * 4, "1,234", "9.500")
    rejected = [int(option.consequence.split("; ")[1].split(" ")[0]) for option in asked.options]
    assert rejected == sorted(rejected)


def test_both_signs_before_two_digits_can_be_answered_as_decimals():
    prices = ("12.50", "7,25", "3.10")
    best = question(*prices).options[0]
    assert best.consequence == "3 prices from 3.1 to 12.5"
    assert stored(*prices, profile=amend(None, best.patch)) == ["12.50", "7.25", "3.10"]


def test_two_prices_in_a_cell_or_thousands_is_a_question():
    prices = ("249 199", "120 100")
    thousands, two = question(*prices).options
    assert stored(*prices, profile=amend(None, thousands.patch)) == ["249199", "120100"]
    assert stored(*prices, profile=amend(None, two.patch)) == ["price_format", "price_format"]
    assert two.consequence == "no price could be read; 2 of 2 cells are rejected"


def test_thousands_that_could_be_no_two_prices_are_thousands():
    assert stored("249 199", "15 900") == ["249199", "15900"]
    assert stored("249 000") == ["249000"]


def test_a_profile_that_no_longer_fits_is_offered_what_the_list_writes():
    profile = SupplierProfile(numbers={"decimal": ",", "thousands": "."}, currency="EUR")
    asked = question("12.50", "1,234.00", profile=profile)
    (only,) = asked.options
    assert only.consequence == "2 prices from 12.5 to 1234"
    assert stored("12.50", "1,234.00", profile=amend(profile, only.patch)) == ["12.50", "1234.00"]
    assert amend(profile, only.patch).currency == "EUR"


def test_the_question_survives_the_failure_it_is_kept_in():
    asked = question("1,234")
    assert Question.from_document(asked.document()) == asked
