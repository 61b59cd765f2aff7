"""Headers as suppliers in thirteen countries write them: the field of each, and those that only look like one."""

import pytest

from contracts.errors import MappingIncomplete, NeedsAnswer
from contracts.rows import Description
from contracts.task import TaskOptions
from pipeline.understanding.headings import read_heading
from pipeline.understanding.text import fold
from pipeline.understanding.understand import understand
from pipeline.understanding.words import KINDS, hits, kinds_of, vocabulary

CSV = Description("csv", encoding="utf-8", delimiter=";")

HEADERS = {
    "English": {
        "sku": ["Item No.", "Product Code", "SKU", "Part Number", "Supplier item no", "Stock code", "Cat. No.", "MPN"],
        "name": ["Description", "Product Name", "Item description", "Title"],
        "price": ["Price", "Unit Price (USD)", "Net price", "Price excl. VAT", "Price/pc", "List price GBP"],
        "currency": ["Currency", "Curr.", "ISO currency"],
        "category": ["Category", "Product group", "Item Group"],
        "gtin": ["EAN", "Barcode", "UPC", "GTIN-13"],
        "unit": ["UOM", "Unit of measure", "Unit"],
        "price_basis": ["Price unit", "Price per"],
    },
    "German": {
        "sku": ["Art.-Nr.", "Artikelnummer", "Bestell-Nr.", "ArtNr", "Materialnummer", "Artikel-Nr", "Teile-Nr."],
        "name": ["Bezeichnung", "Artikelbezeichnung", "Kurztext", "Produktname", "Benennung"],
        "price": ["Preis", "EK netto", "VK-Preis €", "Nettopreis", "Einzelpreis", "Listenpreis EUR", "Stückpreis"],
        "currency": ["Währung", "Währungscode", "Whg."],
        "category": ["Warengruppe", "Kategorie", "Artikelgruppe"],
        "gtin": ["EAN-Code", "GTIN", "Strichcode"],
        "unit": ["Einheit", "ME", "Mengeneinheit"],
        "price_basis": ["Preiseinheit", "PE", "Preisbasis"],
    },
    "French": {
        "sku": ["Réf.", "Référence", "Code article", "Réf. fournisseur", "N° article", "Code produit"],
        "name": ["Désignation", "Libellé", "Nom du produit", "Intitulé"],
        "price": ["Prix", "Prix HT", "P.U. HT", "Prix unitaire", "Tarif HT", "Prix public TTC"],
        "currency": ["Devise", "Monnaie"],
        "category": ["Catégorie", "Famille", "Rayon"],
        "gtin": ["Code-barres", "Gencod", "EAN13"],
        "unit": ["Unité", "Unité de vente"],
        "price_basis": ["Unité de prix", "Base de prix"],
    },
    "Spanish": {
        "sku": ["Cód.", "Código", "Referencia", "Código de artículo", "Ref.", "Nº artículo"],
        "name": ["Descripción", "Nombre", "Denominación", "Nombre del producto"],
        "price": ["Precio", "P.V.P.", "Precio unitario", "Precio neto", "Precio sin IVA", "Tarifa"],
        "currency": ["Moneda", "Divisa"],
        "category": ["Categoría", "Familia", "Rubro"],
        "gtin": ["Código de barras", "Cód. barras"],
        "unit": ["Unidad", "Unidad de medida", "Ud."],
        "price_basis": ["Unidad de precio"],
    },
    "Portuguese": {
        "sku": ["Código do produto", "Cód. produto", "Referência", "Cód. artigo", "Código do artigo"],
        "name": ["Descrição", "Designação", "Nome do produto", "Nome"],
        "price": ["Preço", "Preço unitário", "Preço de venda", "Valor unitário", "Preço s/ IVA", "Preço líquido"],
        "currency": ["Moeda", "Código da moeda"],
        "category": ["Categoria", "Família", "Secção"],
        "gtin": ["Código de barras", "Cód. EAN"],
        "unit": ["Unidade", "Un.", "Unidade de medida"],
        "price_basis": ["Unidade de preço"],
    },
    "Italian": {
        "sku": ["Codice", "Cod. art.", "Codice articolo", "Rif.", "Codice prodotto", "Cod. prodotto"],
        "name": ["Descrizione", "Denominazione", "Nome prodotto", "Descrizione articolo"],
        "price": ["Prezzo", "Prezzo unitario", "Prezzo di listino", "Listino", "Prezzo netto €", "Prezzo ivato"],
        "currency": ["Valuta", "Divisa"],
        "category": ["Categoria merceologica", "Famiglia", "Gruppo merceologico"],
        "gtin": ["Codice a barre", "Codice EAN"],
        "unit": ["U.M.", "Unità di misura", "UM"],
        "price_basis": ["Unità di prezzo", "Base prezzo"],
    },
    "Polish": {
        "sku": ["Kod", "Kod towaru", "Nr kat.", "Indeks", "Symbol", "Numer katalogowy"],
        "name": ["Nazwa", "Nazwa towaru", "Opis", "Nazwa produktu"],
        "price": ["Cena", "Cena netto", "Cena brutto PLN", "Cena jedn.", "Cena katalogowa", "Cena netto/szt."],
        "currency": ["Waluta", "Kod waluty"],
        "category": ["Kategoria", "Grupa towarowa", "Grupa asortymentowa"],
        "gtin": ["Kod kreskowy", "Kod EAN"],
        "unit": ["J.m.", "Jednostka miary", "Jm"],
        "price_basis": ["Jednostka ceny", "Jednostka cenowa"],
    },
    "Russian": {
        "sku": ["Артикул", "Код товара", "Арт.", "Код", "Номенклатурный номер", "Кат. №", "Каталожный номер"],
        "name": ["Наименование", "Название товара", "Номенклатура", "Наименование продукции"],
        "price": ["Цена", "Цена, руб.", "Цена с НДС", "Стоимость", "Розничная цена", "Цена за ед."],
        "currency": ["Валюта", "Код валюты"],
        "category": ["Категория", "Группа товаров", "Раздел"],
        "gtin": ["Штрихкод", "Штрих-код"],
        "unit": ["Ед. изм.", "Единица измерения", "ЕИ"],
        "price_basis": ["Цена за количество"],
    },
    "Ukrainian": {
        "sku": ["Артикул", "Код товару", "Арт. №", "Номер товару", "Каталожний номер", "Номенклатурний номер"],
        "name": ["Назва", "Найменування", "Назва товару", "Найменування товару"],
        "price": ["Ціна", "Ціна, грн", "Ціна з ПДВ", "Вартість", "Ціна за шт.", "Роздрібна ціна"],
        "currency": ["Валюта", "Код валюти"],
        "category": ["Категорія", "Група товарів", "Розділ"],
        "gtin": ["Штрих-код", "Штрихкод"],
        "unit": ["Од. вим.", "Одиниця виміру"],
        "price_basis": ["Ціна за кількість"],
    },
    "Dutch": {
        "sku": ["Artikelnummer", "Art.nr.", "Bestelnummer", "Artikelcode", "Productcode", "Bestelcode"],
        "name": ["Omschrijving", "Artikelomschrijving", "Productnaam", "Benaming"],
        "price": ["Prijs", "Nettoprijs", "Prijs excl. BTW", "Brutoprijs", "Stuksprijs", "Prijs per stuk"],
        "currency": ["Valuta", "Munteenheid"],
        "category": ["Productgroep", "Artikelgroep", "Categorie"],
        "gtin": ["Streepjescode", "EAN-code"],
        "unit": ["Eenheid", "Verkoopeenheid"],
        "price_basis": ["Prijseenheid", "Prijs per"],
    },
    "Chinese": {
        "sku": ["货号", "商品编号", "产品编码", "物料编码", "型号", "料号"],
        "name": ["品名", "商品名称", "产品名称", "名称"],
        "price": ["单价", "价格", "含税单价", "零售价", "售价", "价格(元)"],
        "currency": ["币种", "货币"],
        "category": ["类别", "分类", "商品类别"],
        "gtin": ["条形码", "条码"],
        "unit": ["单位", "计量单位"],
        "price_basis": ["计价单位", "价格单位"],
    },
    "Japanese": {
        "sku": ["品番", "型番", "商品コード", "商品番号", "製品番号", "商品管理番号（商品URL）"],
        "name": ["商品名", "品名", "製品名", "品目名"],
        "price": ["価格", "単価", "販売価格", "税込価格", "価格（税抜）", "卸価格"],
        "currency": ["通貨", "通貨コード"],
        "category": ["カテゴリ", "商品分類", "分類"],
        "gtin": ["JANコード", "バーコード"],
        "unit": ["単位", "販売単位"],
        "price_basis": ["価格単位", "単価単位"],
    },
    "Korean": {
        "sku": ["품번", "상품코드", "제품코드", "모델번호", "품목코드", "상품번호"],
        "name": ["상품명", "품명", "제품명", "품목명"],
        "price": ["단가", "가격", "판매가", "공급가", "소비자가", "단가(원)"],
        "currency": ["통화", "화폐단위"],
        "category": ["카테고리", "상품분류", "대분류"],
        "gtin": ["바코드", "바코드번호"],
        "unit": ["단위", "판매단위"],
        "price_basis": ["가격단위", "단가단위"],
    },
}
CASES = [
    (language, field, header)
    for language, fields in HEADERS.items()
    for field, headers in fields.items()
    for header in headers
]


def test_each_language_is_tried_with_many_headers_for_every_field():
    for language, fields in HEADERS.items():
        assert len(fields) == 8, language
        assert sum(map(len, fields.values())) >= 15, language


@pytest.mark.parametrize(("language", "field", "header"), CASES)
def test_a_header_as_suppliers_write_it_is_known(language, field, header):
    best = read_heading(header).hits
    assert best, (language, header)
    assert best[0].field == field
    assert best[0].level >= 3


# ------------------------------------------------------------------------------------------------ traps

CODES = [f"AB-{number:04d}" for number in (17, 4, 93, 22, 58, 61, 35, 76, 80, 12, 49, 3)]
COUNT = len(CODES)
DATES = [f"2026-12-{number:02d}" for number in range(10, 10 + COUNT)]
PERCENT = [f"{number}%" for number in range(10, 10 + COUNT)]
QUANTITIES = [str(number) for number in (5, 10, 10, 25, 1, 1, 100, 5, 5, 10, 1, 2)]
MONEY = [f"{number}.50" for number in range(30, 30 + COUNT)]
TEXTS = [f"North {number} Ltd" for number in range(COUNT)]
PHONES = [f"+49 30 1234{number:03d}" for number in range(COUNT)]

TRAPS = [
    ("Price valid until", DATES),
    ("Price updated", DATES),
    ("Price date", DATES),
    ("Price change %", PERCENT),
    ("Price group", QUANTITIES),
    ("Old price", MONEY),
    ("Previous price", MONEY),
    ("RRP price", MONEY),
    ("Min. price", MONEY),
    ("Deposit price", MONEY),
    ("Discount", PERCENT),
    ("Margin", PERCENT),
    ("Weight", MONEY),
    ("Min. order quantity", QUANTITIES),
    ("Supplier code", CODES),
    ("Customs tariff number", CODES),
    ("Phone", PHONES),
    ("Supplier name", TEXTS),
    ("Preis gültig bis", DATES),
    ("Preis alt", MONEY),
    ("Preisgruppe", QUANTITIES),
    ("UVP-Preis", MONEY),
    ("Pfandpreis Pfand", MONEY),
    ("Mindestmenge", QUANTITIES),
    ("Lieferantenname", TEXTS),
    ("Zolltarifnummer", CODES),
    ("Prix valable jusqu'au", DATES),
    ("Ancien prix", MONEY),
    ("Code fournisseur", CODES),
    ("Precio válido hasta", DATES),
    ("Precio anterior", MONEY),
    ("Código proveedor", CODES),
    ("Preço válido até", DATES),
    ("Preço antigo", MONEY),
    ("Prezzo valido fino al", DATES),
    ("Prezzo consigliato", MONEY),
    ("Codice fornitore", CODES),
    ("Cena ważna do", DATES),
    ("Stara cena", MONEY),
    ("Nazwa dostawcy", TEXTS),
    ("Цена действует до", DATES),
    ("Старая цена", MONEY),
    ("Код ТН ВЭД", CODES),
    ("Наименование поставщика", TEXTS),
    ("Ціна діє до", DATES),
    ("Стара ціна", MONEY),
    ("Код УКТЗЕД", CODES),
    ("Prijs geldig tot", DATES),
    ("Oude prijs", MONEY),
    ("Leveranciersnaam", TEXTS),
    ("价格有效期", DATES),
    ("原价", MONEY),
    ("供应商名称", TEXTS),
    ("価格改定日", DATES),
    ("定価", MONEY),
    ("メーカー名", TEXTS),
    ("가격 적용일", DATES),
    ("정가", MONEY),
    ("거래처코드", CODES),
]


def read(header, *columns, **told):
    lines = [header.split(";"), *(list(row) for row in zip(*columns, strict=True))]
    return understand(
        list(enumerate(lines, 1)),
        CSV,
        source_config={},
        options=TaskOptions(),
        profile=told.pop("profile", None),
        **told,
    )


OWN = [f"SK-{number}" for number in range(100, 100 + COUNT)]
NAMES = [f"Thing of sort {number}" for number in range(COUNT)]
PRICES = [f"{number}.25" for number in range(COUNT)]


@pytest.mark.parametrize(("header", "values"), TRAPS)
@pytest.mark.parametrize("first", [False, True], ids=["last", "first"])
def test_a_column_that_only_looks_like_one_is_taken_for_none(header, values, first):
    """Beside the real columns, wherever it stands."""
    if first:
        found = read(f"{header};SKU;Name;Price", values, OWN, NAMES, PRICES)
    else:
        found = read(f"SKU;Name;Price;{header}", OWN, NAMES, PRICES, values)
    fields = {field: [column.header for column in found.columns_of(field)] for field in ("sku", "name", "price")}
    assert fields == {"sku": ["SKU"], "name": ["Name"], "price": ["Price"]}


@pytest.mark.parametrize(
    ("header", "values"), [trap for trap in TRAPS if trap[1] in (DATES, PERCENT, QUANTITIES, PHONES)]
)
def test_a_column_of_something_else_is_no_price_even_alone(header, values):
    with pytest.raises(MappingIncomplete, match="no price column"):
        read(f"SKU;Name;{header}", OWN, NAMES, values)


@pytest.mark.parametrize("values", [DATES, PERCENT, PHONES], ids=["dates", "percentages", "telephone numbers"])
@pytest.mark.parametrize("header", ["Price", "Preis", "Цена", "单价"])
def test_values_overrule_the_plainest_header_for_a_price(header, values):
    with pytest.raises(MappingIncomplete, match="holds"):
        read(f"SKU;Name;{header}", OWN, NAMES, values)


@pytest.mark.parametrize("header", ["Item no", "Код", "Kod", "货号"])
def test_numbers_of_the_rows_are_no_codes_whatever_their_header(header):
    with pytest.raises(NeedsAnswer, match="running number"):
        read(f"{header};Name;Price", [str(number) for number in range(1, COUNT + 1)], NAMES, PRICES)


def test_a_misspelt_header_is_known_with_little_certainty_and_never_for_the_price_alone():
    found = read("Artcle number;Descripton;Price", OWN, NAMES, PRICES)
    assert {column.field for column in found.columns if 0 < column.certainty < 0.8} == {"sku", "name"}
    with pytest.raises(MappingIncomplete, match="proves nothing"):
        read("SKU;Name;Selling pirce", OWN, NAMES, PRICES)


def misspelt(word):
    middle = len(word) // 2
    yield word[:middle] + word[middle + 1 :]
    yield word[:middle] + word[middle] + word[middle:]
    yield word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
    yield word[:middle] + ("q" if word[middle] != "q" else "z") + word[middle + 1 :]


def test_one_wrong_letter_in_a_known_word_is_read_as_that_field_or_as_none():
    fields = {}
    for field in HEADERS["English"]:
        for word in vocabulary(f"fields.{field}.exact"):
            fields.setdefault(word, set()).add(field)
    read_right = tried = 0
    for word, meant in fields.items():
        if len(word) < 7:
            continue
        for wrong in misspelt(word):
            if wrong not in fields:
                found = hits(wrong)
                tried += 1
                read_right += bool(found) and found[0].field in meant
                assert not {hit.field for hit in found if hit.level == 1} - meant, (word, wrong)
    assert read_right > 0.95 * tried


def test_every_kind_of_price_has_words_in_every_language():
    for kind in KINDS:
        assert len(vocabulary(f"price_kinds.{kind}")) > 20, kind


@pytest.mark.parametrize(
    ("header", "kinds"),
    [
        ("EK netto", {"cost", "net"}),
        ("Prix public TTC", {"retail", "gross"}),
        ("Cena brutto", {"gross"}),
        ("不含税单价", {"net"}),
        ("含税单价", {"gross"}),
        ("価格（税抜）", {"net"}),
        ("Цена без НДС", {"net"}),
        ("Оптовая цена с НДС", {"wholesale", "gross"}),
        ("Price", set()),
    ],
)
def test_a_header_says_which_kind_of_price_it_means(header, kinds):
    assert kinds_of(fold(header)) == kinds
