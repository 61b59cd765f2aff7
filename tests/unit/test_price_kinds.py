"""Two columns that each could be the price: one is loaded unasked only if it is just a price and the other is none."""

import itertools
import json
from importlib.resources import files

import pytest

from config.profiles import SupplierProfile
from contracts.errors import NeedsAnswer
from contracts.rows import Description
from contracts.task import TaskOptions
from pipeline.understanding.understand import understand

CSV = Description("csv", encoding="utf-8", delimiter=";")
WORDS = json.loads(files("pipeline.understanding").joinpath("synonyms.json").read_text(encoding="utf-8"))
LANGUAGES = tuple(WORDS["price_kinds"]["net"])
KINDS = ("net", "gross", "cost", "list", "retail", "wholesale")
PAIRS = [(one, other) for one, other in itertools.permutations(KINDS, 2)]
OTHERS = {
    word
    for field, lists in WORDS["fields"].items()
    if field != "price"
    for words in lists["exact"].values()
    for word in words
}


def words_of(kind, language):
    """Without those that are headers of other fields: "detalle" is a name."""
    return [word for word in WORDS["price_kinds"][kind][language] if word not in OTHERS]


def read(*names, profile=None):
    rows = [(1, ["SKU", "Name", *names])]
    for n in range(2, 42):
        price = n * 3 + n % 7 / 10
        rows.append((n, [f"A-{n * 7}", f"Thing {n}", *[f"{price * (place + 2):.2f}" for place in range(len(names))]]))
    return understand(rows, CSV, source_config={}, options=TaskOptions(), profile=profile, more=lambda: rows)


def price_of(*names, profile=None):
    """Header of the column that is loaded, or None for a question."""
    try:
        return [column.header for column in read(*names, profile=profile).columns_of("price")]
    except NeedsAnswer:
        return None


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_kind_of_price_is_taken_before_another(language):
    taken = {
        (one, other): found
        for kind, rival in PAIRS
        for one in words_of(kind, language)
        for other in words_of(rival, language)
        if one != other and (found := price_of(one, other)) is not None
    }
    assert taken == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_price_beside_a_price_before_or_after_tax_is_a_question(language):
    price = WORDS["fields"]["price"]["exact"][language][0]
    taken = {
        other: found
        for kind in ("net", "gross", "list", "retail")
        for other in words_of(kind, language)
        if (found := price_of(price, other)) is not None
    }
    assert taken == {}


@pytest.mark.parametrize("headers", list(itertools.permutations(("EUR", "USD", "GBP"))))
def test_one_price_in_several_currencies_is_a_question_unless_the_currency_is_stated(headers):
    assert price_of(*headers) is None
    profile = SupplierProfile.model_validate({"currency": "USD"})
    assert price_of(*headers, profile=profile) == ["USD"]


@pytest.mark.parametrize("first", ["Retail", "Net price", "Cost", "Carton price"])
def test_a_header_nobody_knows_may_be_the_price_beside_one_of_a_kind(first):
    assert price_of(first, "Partner C") is None


def test_the_regular_price_is_the_price_unless_another_stands_beside_it():
    assert price_of("Regular price") == ["Regular price"]
    assert price_of("Regular price", "Sale price") is None


def test_weights_beside_a_price_are_no_prices():
    rows = [(1, ["SKU", "Name", "Price", "Netto", "Brutto"])]
    for n in range(2, 42):
        weight = n * n % 37 + 0.25
        rows.append((n, [f"A-{n}", f"Thing {n}", f"{n}.50", f"{weight}", f"{weight + 1}"]))
    found = understand(rows, CSV, source_config={}, options=TaskOptions(), profile=None, more=lambda: rows)
    assert [column.header for column in found.columns_of("price")] == ["Price"]


@pytest.mark.parametrize("headers", ["Preis ab 1 Stk|Preis ab 10 Stk", "Preis ab 01.01.2026|Preis ab 01.07.2026"])
def test_prices_from_a_quantity_or_day_on_are_the_answers_of_a_question(headers):
    with pytest.raises(NeedsAnswer) as caught:
        read(*headers.split("|"))
    assert [option.patch["mapping"]["price"] for option in caught.value.question.options] == headers.split("|")


def test_weights_and_lengths_beside_a_kind_of_price_are_no_prices_however_few_rows_there_are():
    rows = [
        (1, ["Kod towaru", "Nazwa", "Cena netto katalogowa", "Waga brutto", "Waga netto", "Długość"]),
        (2, ["R167.10", "Długopis", "8,48 zł", "1.2", "1.1", "160.0"]),
        (3, ["R167.30", "Pióro", "10,98 zł", "1.25", "1.15", "160.0"]),
        (4, ["R172.10", "Notes", "31,50 zł", "0.56", "0.54", "340.0"]),
    ]
    found = understand(
        rows, Description("csv"), source_config={}, options=TaskOptions(), profile=None, default_currency="", more=None
    )
    assert [column.header for column in found.columns_of("price")] == ["Cena netto katalogowa"]
