"""Headers that count hundredths or thousands of a currency: such figures are never stored as prices unasked."""

import pytest

from config.profiles import amend
from contracts.errors import NeedsAnswer
from contracts.rows import Description
from contracts.task import TaskOptions
from pipeline.understanding.understand import understand

CSV = Description("csv", encoding="utf-8", delimiter=";")
SCALED = """
Price (cents)|Price pence|Price in USD cents|Price (thousand RUB)|Price '000|Preis in Cent|Preis (Tsd. EUR)|Preis TEUR
Prix (k€)|Prix en centimes|Precio (miles)|Preço (mil R$)|Цена, тыс. руб.|Цена за тыс. шт|Цена, коп.|Ціна, тис. грн
价格(万元)|価格（千円）|단가(천원)
"""
PLAIN = """
Price|Price EUR|Price/m|Price per 1000|Preis je 1.000 Stück|Цена, руб.|Цена (руб. коп.)|单价(元)|単価（円）|단가(원)
Precio €|Preço R$
"""


def headers(table):
    return [header for line in table.split("\n") for header in line.split("|") if header]


def read(*names, profile=None):
    rows = [(1, ["SKU", "Name", *names])]
    rows += [(n, [f"A-{n * 7}", f"Thing {n}", *[f"{n * 3}.{n % 90 + 10}"] * len(names)]) for n in range(2, 42)]
    return understand(rows, CSV, source_config={}, options=TaskOptions(), profile=profile, more=lambda: rows)


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


def test_a_person_may_say_that_the_figures_are_prices_as_they_stand():
    with pytest.raises(NeedsAnswer) as caught:
        read("Price (cents)")
    assert caught.value.question is not None
    (option,) = caught.value.question.options
    found = read("Price (cents)", profile=amend(None, option.patch))
    assert [column.header for column in found.columns_of("price")] == ["Price (cents)"]
