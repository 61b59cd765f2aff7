"""Headers that count hundredths or thousands of a currency: such figures are never stored as prices unasked."""

from dataclasses import replace
from decimal import Decimal

import pytest

from config.profiles import amend, load_profile
from contracts.errors import NeedsAnswer, PriceFormatAmbiguous
from contracts.rows import Description
from contracts.task import TaskOptions
from contracts.understanding import NumberFormat
from pipeline.stages.gate import compile_gate
from pipeline.stages.normalization import Normalised, RowNormaliser
from pipeline.understanding.prices import PriceReader
from pipeline.understanding.understand import understand
from tests.support.lists import understanding

CSV = Description("csv", encoding="utf-8", delimiter=";")
SCALED = """
Price (cents)|Price pence|Price in USD cents|Price (thousand RUB)|Price '000|Preis in Cent|Preis (Tsd. EUR)|Preis TEUR
Prix (k€)|Prix en centimes|Precio (miles)|Preço (mil R$)|Цена, тыс. руб.|Цена за тыс. шт|Цена, коп.|Ціна, тис. грн
价格(万元)|価格（千円）|단가(천원)|price_minor|Price (paise)|Price (kobo)
"""
PLAIN = """
Price|Price EUR|Price/m|Price per 1000|Preis je 1.000 Stück|Цена, руб.|Цена (руб. коп.)|单价(元)|単価（円）|단가(원)
Precio €|Preço R$
"""


def headers(table):
    return [header for line in table.split("\n") for header in line.split("|") if header]


def read(*names, profile=None, config=None):
    rows = [(1, ["SKU", "Name", *names])]
    rows += [(n, [f"A-{n * 7}", f"Thing {n}", *[f"{n * 3}.{n % 90 + 10}"] * len(names)]) for n in range(2, 42)]
    return understand(rows, CSV, source_config=config or {}, options=TaskOptions(), profile=profile, more=lambda: rows)


@pytest.mark.parametrize("header", headers(SCALED))
def test_a_price_in_hundredths_or_thousands_is_asked_about(header):
    with pytest.raises(NeedsAnswer, match="counts in"):
        read(header)


@pytest.mark.parametrize("header", headers(PLAIN))
def test_a_price_of_the_currency_itself_is_taken(header):
    assert [column.header for column in read(header).columns_of("price")] == [header]


@pytest.mark.parametrize("other", ["Cost", "Trade", "Wholesale"])
def test_no_weaker_column_takes_the_place_of_such_a_price(other):
    with pytest.raises(NeedsAnswer):
        read("Price (cents)", other)


def test_beside_a_plain_price_it_is_a_characteristic():
    assert [column.header for column in read("Price", "Price (cents)").columns_of("price")] == ["Price"]


FACTORS = {
    "cents": 0.01,
    "pence": 0.01,
    "minor": 0.01,
    "paise": 0.01,
    "kobo": 0.01,
    "Cent": 0.01,
    "centimes": 0.01,
    "коп": 0.01,
    "万": 10_000,
}


@pytest.mark.parametrize("header", headers(SCALED))
@pytest.mark.parametrize("answer", [0, -1])
def test_a_person_says_what_a_figure_is_worth_and_is_not_asked_again(header, answer):
    with pytest.raises(NeedsAnswer) as caught:
        read(header)
    assert caught.value.question is not None
    profile = amend(None, caught.value.question.options[answer].patch)
    found = read(header, profile=profile)
    assert [column.header for column in found.columns_of("price")] == [header]
    factor = next((value for word, value in FACTORS.items() if word in header), 1_000) if answer == 0 else 1
    row = RowNormaliser(found).read(2, ["A-14", "Thing 2", "6.12"])
    assert isinstance(row, Normalised)
    assert Decimal(row.price) == Decimal("6.12") * Decimal(str(factor))
    spread = caught.value.question.options[answer].consequence
    assert f"from {Decimal('6.12') * Decimal(str(factor)):f}".rstrip("0").rstrip(".") in spread


def test_thousands_may_be_units_instead():
    with pytest.raises(NeedsAnswer) as caught:
        read("Цена за тыс. шт")
    assert caught.value.question is not None
    found = read("Цена за тыс. шт", profile=amend(None, caught.value.question.options[1].patch))
    assert (found.numbers.scale, found.price_basis) == ("1", "1000")


@pytest.mark.parametrize("config", [{"column_mapping": {"price": "Price (cents)"}}, {}])
def test_a_person_who_names_the_column_has_not_said_what_its_figures_are_worth(config):
    profile = load_profile({} if config else {"mapping": {"price": "Price (cents)"}})
    with pytest.raises(PriceFormatAmbiguous, match="What is a figure of it worth") as caught:
        read("Price (cents)", profile=profile, config=config)
    assert caught.value.question is not None
    assert [option.label for option in caught.value.question.options] == ["“6.12” means 0.0612", "“6.12” means 6.12"]
    found = read("Price (cents)", profile=amend(profile, caught.value.question.options[0].patch), config=config)
    assert found.numbers.scale == "0.01"


def test_a_header_that_counts_otherwise_than_last_time_is_asked_about():
    profile = load_profile({"mapping": {"price": "C"}, "numbers": {"scale": "0.01"}})
    with pytest.raises(PriceFormatAmbiguous, match="while the profile says"):
        read("Price (thousand EUR)", profile=profile)


@pytest.mark.parametrize(
    ("cell", "scale", "price"),
    [
        ("1011", "0.01", "10.11"), ("1,000", "0.01", "10"), ("1011.5 *", "0.01", "10.115"), ("7", "0.01", "0.07"),
        (Decimal(1011), "0.01", "10.11"), ("12.5", "1000", "12500"), (Decimal("12.5"), "1000", "12500"),
        ("0.0125", "10000", "125"),
    ],
)  # fmt: skip
def test_a_figure_is_read_by_what_it_is_worth(cell, scale, price):
    reader = PriceReader(NumberFormat(".", ",", scale=scale), accept_zero=False)
    assert reader.read(cell).price == price


def test_what_grows_too_large_or_too_small_is_rejected():
    def error(cell, scale):
        return PriceReader(NumberFormat(".", ",", scale=scale), accept_zero=False).read(cell).error

    assert error("123456789012", "1000") == "price_too_large"
    assert error(Decimal(123456789012), "1000") == "price_too_large"
    assert error("0.00001", "0.01") == "price_too_precise"
    assert error("0", "0.01") == "price_zero"


def test_the_gate_leaves_such_figures_to_the_normaliser():
    assert compile_gate(replace(understanding(), numbers=NumberFormat(".", "", scale="0.01"))) is None
    assert compile_gate(understanding()) is not None
