"""How a list is understood: header, mapping, price column, currency, basis, characteristics."""

from decimal import Decimal

import pytest

from config.profiles import SupplierProfile
from contracts.errors import HeaderNotFound, MappingIncomplete, PriceFormatAmbiguous
from contracts.rows import Description
from contracts.task import CsvSource, GoogleSheetsSource, TaskOptions
from pipeline.understanding.describe import describe_layout, describe_mapping
from pipeline.understanding.headings import take_basis
from pipeline.understanding.understand import understand
from pipeline.understanding.words import says_total

CSV = Description("csv", encoding="utf-8", delimiter=";")
SHEET = Description("xlsx", sheet="Preise")


def cells(line):
    return [cell.strip() for cell in line.split(";")]


def numbered(lines):
    return [(number, cells(line) if isinstance(line, str) else line) for number, line in enumerate(lines, 1)]


def of(*lines, description=CSV, config=None, profile=None, options=None, more=None, default_currency=""):
    rows = numbered(lines)
    return understand(
        rows,
        description,
        source_config=config or {},
        options=options or TaskOptions(),
        profile=profile,
        default_currency=default_currency,
        more=more,
    )


def mapped(found):
    return {
        field: [column.header or column.index for column in found.columns_of(field)]
        for field in ("sku", "name", "price", "currency", "category", "gtin", "unit", "price_basis")
        if found.columns_of(field)
    }


def items(*prices, start=1):
    return [f"A-{number};Thing {number};{price}" for number, price in enumerate(prices, start)]


# ------------------------------------------------------------------------------------------------ header


def test_a_header_in_the_first_row_is_found():
    found = of("SKU;Name;Price", *items("1.50", "2.50"))
    assert (found.header_row, found.header_rows) == (1, 1)
    assert mapped(found) == {"sku": ["SKU"], "name": ["Name"], "price": ["Price"]}


def test_a_header_below_title_lines_is_found():
    found = of(
        "Nordwind GmbH", "Preisliste 2026;;gültig ab 1.1.", "", "Art.-Nr.;Bezeichnung;Preis", *items("1,50", "2,50")
    )
    assert found.header_row == 4


def test_a_header_of_two_lines_is_read_together():
    found = of(";Waren-;Preis", "Artikelnr.;gruppe;in Euro;Bezeichnung", *[f"A{n};X;1,{n}0;Ding {n}" for n in range(5)])
    assert (found.header_row, found.header_rows) == (2, 2)
    assert mapped(found)["price"] == ["Preis in Euro"]
    assert found.currency == "EUR"


def test_a_first_data_row_of_texts_is_no_second_header_line():
    found = of("SKU;Name;Price", "A-1;Thing;on request", *items("2.50", start=2))
    assert (found.header_row, found.header_rows) == (1, 1)


def test_a_list_without_header_is_refused_with_what_was_seen():
    with pytest.raises(HeaderNotFound, match="A-1"):
        of(*items("1.50", "2.50"))


def test_a_list_without_header_is_read_by_a_mapping_of_letters_or_numbers():
    found = of(
        *items("1.50", "2.50"), config={"column_mapping": {"sku": "A", "name": 1, "price": "C"}, "has_header": False}
    )
    assert found.header_row is None
    assert [column.index for column in found.columns if column.field] == [0, 1, 2]


def test_the_first_item_of_a_list_without_header_is_not_taken_for_one():
    found = of(*items("1.50", "2.50", "3.50"), config={"column_mapping": {"sku": 0, "name": 1, "price": 2}})
    assert found.header_row is None


def test_a_stated_header_row_wins():
    lines = ["SKU;Name;Price", "Code;Title;Cost", *items("1.50")]
    found = of(*lines, config={"header_row": 2})
    assert (found.header_row, mapped(found)["price"]) == (2, ["Cost"])


def test_a_stated_header_row_that_is_blank_is_refused():
    with pytest.raises(HeaderNotFound, match="row 2"):
        of("SKU;Name;Price", ";;", *items("1.50"), config={"header_row": 2})


def test_an_empty_list_is_refused():
    with pytest.raises(HeaderNotFound, match="empty"):
        of("", ";;")


def test_rows_between_header_and_first_data_row_belong_to_the_header():
    config = GoogleSheetsSource(sheet_url="https://docs.google.com/spreadsheets/d/1AbC", header_row=1, data_start_row=4)
    found = of("SKU;Name;Price", "x;y;z", "", *items("1.50"), config=config)
    assert (found.header_row, found.header_rows) == (3, 3)


def test_column_names_of_the_format_serve_as_header():
    found = of(*items("1.50"), description=Description("json_lines", columns=("sku", "name", "price")))
    assert (found.header_row, found.header_rows) == (None, 0)
    assert mapped(found) == {"sku": ["sku"], "name": ["name"], "price": ["price"]}


def test_headers_named_in_a_mapping_tell_where_the_header_is():
    lines = ["Lista;x", "Clave;Texto;Tarifa A", *items("1.50", "2.50")]
    found = of(*lines, config={"column_mapping": {"sku": "Clave", "name": "Texto", "price": "Tarifa A"}})
    assert found.header_row == 2


# ------------------------------------------------------------------------------------------------ mapping


@pytest.mark.parametrize(
    "header",
    [
        "Item No;Product Name;Unit Price",
        "Product Code;Description;Price",
        "Art.-Nr.;Bezeichnung;EK netto",
        "Artikel-Nr.;Artikelbezeichnung;Nettopreis",
        "Référence;Désignation;Prix HT",
        "Código;Descripción;Precio",
        "Código do produto;Descrição;Preço",
        "Codice articolo;Descrizione;Prezzo",
        "Kod towaru;Nazwa;Cena netto",
        "Код товара;Наименование;Цена, руб.",
        "Артикул;Назва товару;Ціна",
        "Artikelcode;Omschrijving;Prijs",
        "货号;品名;单价",
        "商品コード;商品名;販売価格",
        "product_sku;productName;PRICE (USD)",
    ],
)
def test_headers_of_many_languages_are_known(header):
    found = of(header, *items("1.50", "2.50"))
    assert [column.index for column in found.columns if column.field] == [0, 1, 2]


def test_a_manual_mapping_wins_over_what_would_be_found():
    lines = ["SKU;Name;Price;Our price", *[f"A-{n};Thing {n};1.50;9.{n}0" for n in range(4)]]
    found = of(*lines, config=CsvSource(file_path="a.csv", column_mapping={"price": "Our price"}))
    assert mapped(found)["price"] == ["Our price"]
    assert found.columns_of("price")[0].certainty == 1.0


def test_a_header_that_equals_a_letter_wins_over_the_letter():
    lines = ["C;Name;A", *[f"{n}.50;Thing {n};K{n}" for n in range(1, 5)]]
    found = of(*lines, config={"column_mapping": {"sku": "A", "name": "Name", "price": "C"}})
    assert [found.columns_of(field)[0].index for field in ("sku", "name", "price")] == [2, 1, 0]


def test_a_missing_manual_header_names_those_there_are():
    with pytest.raises(MappingIncomplete) as caught:
        of("SKU;Name;Price", *items("1.50"), config={"column_mapping": {"price": "Preis netto"}})
    assert caught.value.context["headers"] == ["SKU", "Name", "Price"]
    assert "Preis netto" in caught.value.message


def test_a_header_that_stands_twice_must_be_named_by_letter():
    with pytest.raises(MappingIncomplete, match="more than once"):
        of(
            "SKU;Name;Price;Price",
            *[f"A-{n};T{n};1.5;2.5" for n in range(3)],
            config={"column_mapping": {"price": "Price"}},
        )


def test_a_composite_key_keeps_its_order():
    lines = ["Colour;Model;Name;Price", *[f"red;M{n};Thing;1.50" for n in range(4)]]
    found = of(*lines, config={"column_mapping": {"sku": ["Model", "Colour"]}})
    assert [column.header for column in found.columns_of("sku")] == ["Model", "Colour"]


def test_a_column_serves_one_field():
    found = of(
        "Item;Item description;Price",
        *[f"A{n};Thing {n};1.5" for n in range(4)],
        config={"column_mapping": {"sku": "Item"}},
    )
    assert mapped(found)["name"] == ["Item description"]


def test_several_plausible_price_columns_are_a_question():
    with pytest.raises(MappingIncomplete) as caught:
        of("SKU;Name;Dealer price;Shop price", *[f"A-{n};T{n};1.5;2.5" for n in range(4)])
    assert "“Dealer price”" in caught.value.message
    assert "“Shop price”" in caught.value.message
    assert caught.value.context["missing"] == ["price"]


def test_a_plain_price_wins_over_prices_that_say_they_are_others():
    found = of("SKU;Name;Old price;Price;Cost price", *[f"A-{n};T{n};1.5;2.5;1.0" for n in range(4)])
    assert mapped(found)["price"] == ["Price"]


def test_a_qualified_price_beside_a_discounted_one_is_a_question():
    with pytest.raises(MappingIncomplete):
        of("SKU;Name;Retail price;Discounted price", *[f"A-{n};T{n};1.5;2.5" for n in range(4)])


def test_a_recommended_price_alone_is_not_taken():
    with pytest.raises(MappingIncomplete, match="uvp"):
        of("SKU;Name;UVP Preis", *items("1.50", "2.50"))


def test_dates_under_a_header_with_price_are_no_prices():
    found = of("SKU;Name;Price valid until;Price", *[f"A-{n};T{n};2026-12-31;2.5" for n in range(4)])
    assert mapped(found)["price"] == ["Price"]


def test_a_price_column_without_prices_is_not_taken():
    with pytest.raises(MappingIncomplete, match="holds no number"):
        of("SKU;Name;Price", *[f"A-{n};T{n};see catalogue" for n in range(4)])


def test_an_amount_without_decimals_may_be_a_quantity_and_is_not_taken():
    with pytest.raises(MappingIncomplete, match="quantity"):
        of("SKU;Name;Amount", *items("5", "6"))
    assert mapped(of("SKU;Name;Amount", *items("5.50", "6")))["price"] == ["Amount"]


def test_a_list_without_price_says_so():
    with pytest.raises(MappingIncomplete, match="no header says price"):
        of("SKU;Name;Stock", *items("5", "6"))


def test_a_code_that_repeats_is_not_the_key():
    lines = ["Product SKU;Variant;Name;Price", *[f"A;{n};Thing {n};1.{n}" for n in range(6)]]
    with pytest.raises(MappingIncomplete, match="repeats"):
        of(*lines)


def test_a_running_number_is_no_code():
    lines = ["No;Name;Price", *[f"{n};Thing {n};1.{n}" for n in range(1, 9)]]
    with pytest.raises(MappingIncomplete, match="running number"):
        of(*lines)


def test_a_list_without_codes_proposes_the_name_as_key():
    with pytest.raises(MappingIncomplete, match=r"column_mapping\.sku = “Bezeichnung”"):
        of("Bezeichnung;Preis", *[f"Ding {n};1,{n}0" for n in range(4)])


def test_the_code_is_the_name_where_the_profile_says_so_or_nothing_else_could_be():
    plain = ["SKU;Brand;Price", *[f"A{n};ACME;1.5{n}" for n in range(8)]]
    assert mapped(of(*plain))["name"] == ["SKU"]
    lines = ["SKU;Extra;Price", *[f"A{n};made by {'abcdefgh'[n] * 3};1.5{n}" for n in range(8)]]
    with pytest.raises(MappingIncomplete, match="name_from_sku"):
        of(*lines)
    found = of(*lines, profile=SupplierProfile(name_from_sku=True))
    assert mapped(found)["name"] == ["SKU"]


def test_the_profile_maps_by_header_and_is_found_where_the_columns_moved():
    profile = SupplierProfile(mapping={"sku": "Ref", "name": "Text", "price": "Tarif B"})
    found = of("Tarif A;Tarif B;Ref;Text", *[f"9.50;{n}.50;A{n};Ding {n}" for n in range(1, 5)], profile=profile)
    assert [found.columns_of(field)[0].index for field in ("sku", "name", "price")] == [2, 3, 1]
    assert found.columns_of("price")[0].reason == "as the profile says"


def test_the_task_wins_over_the_profile():
    profile = SupplierProfile(mapping={"price": "Tarif B"})
    lines = ["SKU;Name;Tarif A;Tarif B", *[f"A-{n};T{n};1.5;2.5" for n in range(4)]]
    found = of(*lines, profile=profile, config={"column_mapping": {"price": "Tarif A"}})
    assert mapped(found)["price"] == ["Tarif A"]


def test_a_column_of_the_profile_that_is_gone_is_searched_anew_with_a_warning():
    found = of("SKU;Name;Price", *items("1.50", "2.50"), profile=SupplierProfile(mapping={"price": "Tarif B"}))
    assert mapped(found)["price"] == ["Price"]
    assert any("by the profile" in warning for warning in found.warnings)


def test_the_suppliers_own_words_are_known():
    profile = SupplierProfile(synonyms={"price": ["Tarifa 2026"]})
    found = of("SKU;Name;Tarifa 2026", *items("1.50", "2.50"), profile=profile)
    assert mapped(found)["price"] == ["Tarifa 2026"]


def test_gtin_unit_category_and_basis_are_found_where_values_agree():
    lines = [
        "SKU;Name;EAN;Unit;Category;Price unit;Price",
        *[f"A-{n};T{n};4006381333931;pcs;Tools;100;1.{n}" for n in range(4)],
    ]
    assert set(mapped(of(*lines))) == {"sku", "name", "price", "gtin", "unit", "category", "price_basis"}
    lines = ["SKU;Name;EAN;Price", *[f"A-{n};T{n};yes;1.{n}" for n in range(4)]]
    assert "gtin" not in mapped(of(*lines))


# ------------------------------------------------------------------------------------------------ numbers


def test_an_ambiguous_column_is_a_question_with_both_readings():
    with pytest.raises(PriceFormatAmbiguous) as caught:
        of("SKU;Name;Price", *items("1.234", "2.500"))
    assert caught.value.context["value"] == "1.234"
    assert caught.value.context["readings"] == {".": "1.234", ",": "1234"}


def test_values_beyond_the_sample_are_asked_before_a_person_is():
    every = numbered(["SKU;Name;Price", *items("1.234", "2.500", "12,5")])
    found = of("SKU;Name;Price", *items("1.234", "2.500"), more=lambda: every)
    assert (found.numbers.decimal, found.numbers.thousands) == (",", ".")


def test_a_decided_sample_does_not_read_the_list_again():
    def never():
        raise AssertionError("read again")

    assert of("SKU;Name;Price", *items("1.50"), more=never).numbers.decimal == "."


def test_the_option_decides_an_ambiguous_column():
    for decimal in (".", ","):
        assert of("SKU;Name;Price", *items("1.234"), options=TaskOptions(decimal=decimal)).numbers.decimal == decimal


def test_the_profile_decides_an_ambiguous_column():
    profile = SupplierProfile(numbers={"decimal": ","})
    assert of("SKU;Name;Price", *items("1.234"), profile=profile).numbers.decimal == ","


def test_a_list_that_contradicts_the_profile_is_a_question():
    with pytest.raises(PriceFormatAmbiguous, match="profile"):
        of("SKU;Name;Price", *items("12.50", "1.234"), profile=SupplierProfile(numbers={"decimal": ","}))


def test_a_remembered_decimal_sign_changes_nothing_in_the_same_list():
    lines = ["SKU;Name;Price", *items("12.50", "3.75")]
    assert of(*lines).numbers == of(*lines, profile=SupplierProfile(numbers={"decimal": "."})).numbers


def test_real_numbers_need_no_separators():
    rows = [["SKU", "Name", "Price"], *[[f"A-{n}", f"T{n}", Decimal("1.234")] for n in range(4)]]
    assert of(*rows, description=SHEET).numbers.decimal is None


# ------------------------------------------------------------------------------------------------ currency


@pytest.mark.parametrize(
    ("header", "price", "expected"),
    [
        ("Price", "€ 1.50", "EUR"),
        ("Price", "1.50 zł", "PLN"),
        ("Price", "$1.50", "USD"),
        ("Price (USD)", "1.50", "USD"),
        ("Preis in Euro", "1,50", "EUR"),
        ("Цена, грн", "1.50", "UAH"),
        ("Цена, руб.", "1.50", "RUB"),
        ("Price", "¥100", "XXX"),
        ("Price", "100 kr", "XXX"),
        ("Price", "1.50", "XXX"),
    ],
)
def test_the_currency_is_taken_from_cells_or_header_and_never_guessed(header, price, expected):
    assert of(f"SKU;Name;{header}", *items(price, price)).currency == expected


def test_a_sign_of_many_currencies_is_taken_with_a_warning():
    found = of("SKU;Name;Price", *items("$1.50", "$2.50"))
    assert any("USD" in warning for warning in found.warnings)
    assert "50%" in found.currency_reason


def test_a_list_that_states_none_says_so():
    assert any("XXX" in warning for warning in of("SKU;Name;Price", *items("1.50")).warnings)


def test_the_language_of_the_list_settles_the_yen_or_yuan_sign():
    japanese = ["品番;商品名;価格", *[f"A{n};ケーブル{n};¥{n}00" for n in range(1, 9)]]
    chinese = ["货号;品名;价格", *[f"A{n};电缆线材套装;¥{n}00" for n in range(1, 9)]]
    assert of(*japanese).currency == "JPY"
    assert of(*chinese).currency == "CNY"


def test_title_lines_state_a_currency_only_in_so_many_words():
    table = ["SKU;Name;Price", *items("1.50")]
    assert of("Price list", "Currency: GBP", *table).currency == "GBP"
    assert of("Alle Preise in EUR zzgl. MwSt.", "", *table).currency == "EUR"
    assert of("Free delivery from 100 EUR", "", *table).currency == "XXX"


def test_more_specific_statements_of_a_currency_win():
    table = ["SKU;Name;Price (USD)", *items("1.50")]
    assert of(*table, default_currency="CHF").currency == "USD"
    assert of(*table, profile=SupplierProfile(currency="GBP")).currency == "USD"
    assert of(*table, profile=SupplierProfile(currency="GBP"), options=TaskOptions(currency="CAD")).currency == "CAD"
    assert of("SKU;Name;Price", *items("1.50"), default_currency="CHF").currency == "CHF"


def test_a_currency_column_leaves_it_to_each_row():
    found = of("SKU;Name;Price;Currency", *[f"A-{n};T{n};1.5;{code}" for n, code in enumerate(["EUR", "USD", "EUR"])])
    assert found.currency is None
    assert mapped(found)["currency"] == ["Currency"]


# ------------------------------------------------------------------------------------------------ basis and units


@pytest.mark.parametrize(
    ("header", "basis", "unit"),
    [
        ("Price per 100", 100, None),
        ("Preis je 100 Stk", 100, "Stk"),
        ("Preis/1000", 1000, None),
        ("Preis pro 1.000 Stück", 1000, "Stück"),
        ("Цена за 10 шт", 10, "шт"),
        ("Preis je kg", None, "kg"),
        ("Price per piece", None, "piece"),
        ("Price", None, None),
        ("Preis 2023/2024", None, None),
        ("Price 2024", None, None),
        ("Price / 2025", None, None),
        ("Publico 800 Lista 1", None, None),
    ],
)
def test_a_header_says_how_many_units_a_price_is_for(header, basis, unit):
    count, of_unit, _ = take_basis(header)
    assert (count, of_unit) == (basis, unit)


def test_the_basis_of_the_header_holds_for_the_list():
    found = of("SKU;Name;Preis je 100 Stk (EUR)", *items("1,50", "2,50"))
    assert (found.price_basis, found.unit, found.currency) == ("100", "Stk", "EUR")


@pytest.mark.parametrize(
    ("title", "basis"),
    [("All prices per 100 pieces", "100"), ("Alle Preise je 1.000 Stück", "1000"), ("Delivery per 100 km", "1")],
)
def test_a_title_line_may_say_what_prices_are_for(title, basis):
    assert of(title, "", "SKU;Name;Price", *items("1.50", "2.50")).price_basis == basis


def test_a_stated_header_of_unknown_words_is_the_header():
    lines = ["aa;bb;cc", *[f"A-{n};Thing;1.5{n}" for n in range(3)]]
    found = of(*lines, config={"has_header": True, "column_mapping": {"sku": 0, "name": 1, "price": 2}})
    assert found.header_row == 1


# ------------------------------------------------------------------------------------------------ characteristics


def keys(found):
    return {column.key: column.kind for column in found.columns if column.key}


def test_unmapped_columns_become_characteristics_with_unique_keys():
    found = of("SKU;Name;Price;Länge (mm);laenge-mm;Länge, mm;;Colour", *[f"A{n};T;1.5;1;2;3;x;red" for n in range(3)])
    assert list(keys(found)) == ["länge_mm", "laenge_mm", "länge_mm_2", "column_g", "colour"]


def test_a_blank_column_without_header_is_dropped():
    found = of("SKU;Name;Price;;Colour", *[f"A{n};T{n};1.5;;red" for n in range(3)])
    assert list(keys(found)) == ["colour"]


def test_numbers_are_numbers_only_where_all_of_them_read_back():
    lines = [
        "SKU;Name;Price;Weight;Bin;Model code;Mixed;Long",
        "A1;T1;1.5;1.50;007;12;3;1234567890123456",
        "A2;T2;1.5;20;12;13;x;1",
    ]
    assert keys(of(*lines)) == {
        "weight": "number",
        "bin": "text",
        "model_code": "text",
        "mixed": "text",
        "long": "text",
    }


def test_listed_characteristics_are_kept_and_others_dropped():
    lines = ["SKU;Name;Price;Brand;Colour", *[f"A{n};T{n};1.5;X;red" for n in range(3)]]
    found = of(*lines, config={"characteristic_columns": ["Colour", "Size"]})
    assert list(keys(found)) == ["colour"]
    assert any("Size" in warning for warning in found.warnings)


# ------------------------------------------------------------------------------------------------ structure


def test_lone_texts_above_items_are_sections():
    lines = ["SKU;Name;Price", "Cables;;", *items("1.5", "2.5"), "Tools;;", *items("3.5", start=3)]
    assert of(*lines).sections
    assert not of("SKU;Name;Price", *items("1.5", "2.5"), "Prices without tax;;").sections


def test_a_lone_code_is_no_section():
    assert not of("SKU;Name;Price", "A-9;;", *items("1.5", "2.5")).sections


def test_short_rows_are_normal_in_sheets_and_suspicious_in_delimited_text():
    lines = ["SKU;Name;Price;Brand", *[f"A{n};T{n};1.5;X" for n in range(4)]]
    assert of(*lines, description=SHEET).short_rows
    assert not of(*lines).short_rows
    assert of("SKU;Name;Price;Brand", *items("1.5", "2.5", "3.5")).short_rows


def test_the_same_list_is_understood_the_same_way_twice():
    lines = ["SKU;Name;Price (USD);Colour", *[f"A{n};T{n};1,{n}00.50;red" for n in range(1, 9)]]
    assert of(*lines) == of(*lines)


@pytest.mark.parametrize(
    "text", ["Total", "Summe:", "Gesamtsumme EUR", "Итого", "Razem", "Summe netto", "Total 12 items"]
)
def test_captions_of_total_lines_are_known(text):
    assert says_total(text)


@pytest.mark.parametrize("text", ["Total Quartz 5W40", "Sum", "Summer tyre", "Totalstation Leica", "", "Itogo"])
def test_items_that_only_begin_like_a_total_are_none(text):
    assert says_total(text) is (text == "Sum")


# ------------------------------------------------------------------------------------------------ for people


def test_a_mapping_is_described_column_by_column():
    found = of("Art.-Nr.;Bezeichnung;EK netto;Farbe", *[f"A{n};Ding {n};1{n},50 €;rot" for n in range(1, 5)])
    rows = {row.column: row for row in describe_mapping(found, CSV, "messy.csv")}
    assert rows["EK netto"].field == "price"
    assert rows["EK netto"].sample == "11,50 € → 11.50 EUR"
    assert rows["Farbe"].field == "-"
    assert "farbe" in rows["Farbe"].why
    assert describe_layout(found, CSV, "messy.csv", rows=5).startswith(
        "messy.csv  CSV, semicolon, utf-8, 5 rows. Header in row 1"
    )


# ------------------------------------------------------------------------- columns that hold more than they promise


@pytest.mark.parametrize("cells", [["EUR", "EUR A2", "?"], ["US Dollars", "US Dollars", "US Dollars"]])
def test_a_column_called_currency_is_believed_so_that_no_other_currency_is_taken_for_it(cells):
    lines = [f"A-{number};Thing;1.50;{cell}" for number, cell in enumerate(cells)]
    found = of("SKU;Name;Price;Currency", *lines, default_currency="CHF")
    assert mapped(found)["currency"] == ["Currency"]
    assert found.currency is None


def test_a_person_can_say_what_a_currency_column_means():
    lines = ["SKU;Name;Price;Currency", *items("1.50;US Dollars", "2.50;US Dollars")]
    found = of(*lines, options=TaskOptions(currency="USD"))
    assert (found.currency, "currency" in mapped(found)) == ("USD", False)
    assert "currency" in mapped(of(lines[0], *items("1.50;EUR", "2.50;?"), options=TaskOptions(currency="USD")))


def test_a_list_that_names_its_currency_is_believed_before_the_profile_and_a_person_is_warned():
    dollars = ["SKU;Name;Price USD", *items("1.50", "2.50")]
    found = of(*dollars, profile=SupplierProfile(currency="EUR"))
    assert (found.currency, any("profile says EUR" in warning for warning in found.warnings)) == ("USD", True)
    told = of(*dollars, options=TaskOptions(currency="EUR"))
    assert (told.currency, any("EUR was asked for" in warning for warning in told.warnings)) == ("EUR", True)
    pounds = of("All prices in GBP", "SKU;Name;Price", *items("1.50", "2.50"), profile=SupplierProfile(currency="EUR"))
    assert pounds.currency == "GBP"
    assert of("SKU;Name;Price $", *items("1.50"), profile=SupplierProfile(currency="CAD")).currency == "CAD"


def test_a_header_that_states_another_basis_than_the_profile_is_believed():
    lines = ["SKU;Name;Price per 1000 pcs", *items("1.50", "2.50")]
    found = of(*lines, profile=SupplierProfile(price_basis="100"))
    assert (found.price_basis, any("per 100," in warning for warning in found.warnings)) == ("1000", True)
    assert of("SKU;Name;Price", *items("1.50"), profile=SupplierProfile(price_basis="100")).price_basis == "100"


def test_a_column_that_only_contains_the_word_currency_must_hold_some():
    found = of("SKU;Name;Price;Currency factor", *items("1.50;1.07", "2.50;1.08"), default_currency="CHF")
    assert "currency" not in mapped(found)
    assert found.currency == "CHF"
    assert any("Currency factor" in warning for warning in found.warnings)


def test_a_currency_column_may_not_contradict_the_header_of_the_prices():
    found = of("SKU;Name;Price EUR;Currency", *items("1.50;USD", "2.50;EUR"))
    assert (found.currency, mapped(found)["currency"]) == ("EUR", ["Currency"])


@pytest.mark.parametrize("cells", [["100 St", "1000 St", "100 St"], ["100 Stk", "Stk", "Stk"], ["100", "10", "VE"]])
def test_a_column_of_price_bases_may_name_units(cells):
    lines = [f"A-{number};Ding;1,50;{cell}" for number, cell in enumerate(cells)]
    assert mapped(of("Artikelnummer;Bezeichnung;Preis EUR;Preiseinheit", *lines))["price_basis"] == ["Preiseinheit"]


def test_a_column_of_mere_units_is_no_price_basis():
    lines = ["A-1;Ding;1,50;Stk", "A-2;Ding;2,50;kg"]
    assert "price_basis" not in mapped(of("Artikelnummer;Bezeichnung;Preis EUR;Preiseinheit", *lines))


def test_what_goods_are_made_of_is_not_their_code():
    rows = ("a-80;Print;Paper;50", "a-160;Print;Paper;150", "photo;Photo;Photo paper;500", "mug;Mug;Ceramic;2500")
    with pytest.raises(MappingIncomplete, match="“Material” holds words without a digit, some of them more than once"):
        of("id;Name;Material;Price", *rows)
    found = of("Material;Name;Price", "STEEL;Thing;1.50", "BRASS;Other;2.50")
    assert mapped(found)["sku"] == ["Material"]


@pytest.mark.parametrize("word", ["Artículo", "Articolo", "Product", "Товар"])
def test_a_word_for_codes_and_names_above_names_alone_makes_them_the_key(word):
    lines = [f"{word};Price", *(f"Thing in {number} parts;{number}.50" for number in range(2, 42))]
    found = of(*lines, more=lambda: numbered(lines))
    assert (mapped(found)["sku"], mapped(found)["name"]) == ([word], [word])
