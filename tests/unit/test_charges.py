"""Lines of freight, tax and the like are notes, with codes and without; items that sound like them stay items."""

import pytest

from contracts.rows import Description
from contracts.task import TaskOptions
from pipeline.stages.normalization import Ignored, RowNormaliser
from pipeline.stages.validation import Validation
from pipeline.understanding.understand import understand
from pipeline.understanding.words import vocabulary

CSV = Description("csv", encoding="utf-8", delimiter=";")


def outcome(last, codes):
    lines = ["Code;Name;Price EUR", *(f"{code};Pipe {n};{n}.50" for n, code in enumerate(codes, 1)), last]
    sample = [(number, line.split(";")) for number, line in enumerate(lines, 1)]
    found = understand(sample, CSV, source_config={}, options=TaskOptions(), profile=None)
    return RowNormaliser(found).read(*sample[-1]), found.warnings


@pytest.mark.parametrize("word", sorted(vocabulary("charges")))
def test_a_charge_below_coded_items_is_a_note_and_said(word):
    code = word.capitalize()
    found, warnings = outcome(f"{code};per delivery;7.90", [f"01{n:03}" for n in range(36)])
    assert found == Ignored("note")
    assert any(code in warning for warning in warnings)


def test_other_footers_beside_a_charge_do_not_make_codes_of_words_usual():
    lines = ["Code;Name;Price EUR", *(f"01{n:03};Pipe {n};{n}.50" for n in range(1, 37)), ";;"]
    lines += ["Minimum order;;50.00", "Freight;per delivery;7.90", "Phone;;089 123456"]
    sample = [(number, line.split(";")) for number, line in enumerate(lines, 1)]
    found = understand(sample, CSV, source_config={}, options=TaskOptions(), profile=None)
    assert RowNormaliser(found).read(*sample[-2]) == Ignored("note")


def test_an_article_of_that_name_stays_where_other_codes_are_words_too():
    found, _ = outcome("Port;Fortified wine;7.90", [f"01{n:03}" for n in range(30)] + ["Sherry", "Madeira"])
    assert not isinstance(found, Ignored)


def test_a_code_with_digits_stays_an_item_whatever_it_says():
    found, _ = outcome("Freight-01;Model train;7.90", [f"01{n:03}" for n in range(36)])
    assert not isinstance(found, Ignored)


NAMES = [
    f"{what} in steel {size}x{length}"
    for what in ("Pipe", "Valve", "Lamp")
    for size in (10, 20, 40)
    for length in range(4)
]


def named(*last, names=NAMES, before=()):
    """What becomes of the last rows of a list without codes, and its warnings."""
    lines = ["Product;Price EUR", *before, *(f"{name};{n}.50" for n, name in enumerate(names, 1)), *last]
    sample = [(number, line.split(";")) for number, line in enumerate(lines, 1)]
    found = understand(sample, CSV, source_config={}, options=TaskOptions(), profile=None, more=lambda: iter(sample))
    normaliser = RowNormaliser(found)
    read = [normaliser.read(*row) for row in sample]
    return read[len(read) - len(last) :], found.warnings


@pytest.mark.parametrize(
    "text",
    [
        "Freight per delivery", "Shipping", "VAT 20%", "Minimum order", "Surcharge packing", "Porto Versand", "Page 1",
        "Carriage under £100", "Small order surcharge", "Delivery charge Mainland UK", "Exchange rate USD",
        "Mindermengenzuschlag unter 50 EUR", "MwSt. 19 %", "Versandkostenpauschale Inland", "Seite 3",
        "Frais de port et emballage", "TVA 20 %", "Gastos de envío península", "IVA 21%", "Portes de envio",
        "Encomenda mínima", "Spese di spedizione Italia", "Contributo imballo", "Koszt dostawy kurierem", "Strona 2",
        "Доставка по России", "НДС 20%", "Минимальный заказ", "Доставка по Україні", "Мінімальне замовлення",
        "Verzendkosten binnenland", "Kleine order toeslag", "运费", "增值税 13%",
        "送料 全国一律", "消費税", "배송비", "부가세 10%",
    ],
)  # fmt: skip
def test_a_charge_at_the_end_of_a_list_without_codes_is_a_note(text):
    found, warnings = named(f"{text};7.90")
    assert found == [Ignored("note")]
    assert any(text in warning for warning in warnings)


@pytest.mark.parametrize("text", ["Shipping box 30x40", "Packing tape 50 mm", "Delivery van model 1:43", "Port"])
@pytest.mark.parametrize("break_above", [(), (";",)])
def test_an_item_that_sounds_like_a_charge_stays_one(text, break_above):
    found, _ = named(*break_above, f"{text};7.90")
    assert not isinstance(found[-1], Ignored)


def test_below_a_break_more_words_may_stand_beside_a_charge():
    found, _ = named(";", "Delivery to Scotland;12.00", "Freight on Isle orders;15.00")
    assert found[1:] == [Ignored("note"), Ignored("note")]
    assert not isinstance(named("Delivery to Scotland;12.00")[0][0], Ignored)


def test_a_list_that_sells_deliveries_keeps_them_all():
    found, warnings = named("Delivery;12.00", "Insurance;3.00", before=("Delivery express;20.00",))
    assert not any(isinstance(row, Ignored) for row in found)
    assert not any("no items" in warning for warning in warnings)


def test_a_charge_below_all_rows_of_the_sample_is_a_note_for_gate_and_normaliser_alike():
    lines = ["Code;Name;Price EUR", *(f"A-{n};Pipe {n};{n}.50" for n in range(1, 40))]
    sample = [(number, line.split(";")) for number, line in enumerate(lines, 1)]
    found = understand(sample, CSV, source_config={}, options=TaskOptions(), profile=None)
    rows = [[f"A-{n}", "Pipe", "1.50"] for n in range(60, 80)]
    rows[7] = ["Freight", "per delivery", "7.90"]
    rows[9] = ["Lamp", "with a word for a code", "7.90"]
    verdicts = Validation(found).read(range(90, 110), rows, [None] * len(rows))
    assert verdicts.ignored == {"note": 1}
    assert [item.sku for item in verdicts.items if not item.sku.startswith("A-")] == ["Lamp"]
    assert RowNormaliser(found).read(97, rows[7]) == Ignored("note")
