"""Web pages: what is marked up for machines, tables, repeated blocks; what is asked, and what is said beside it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.rows import Row
from parsers.extract import DocumentUnreadable, Extract
from parsers.html_tree import MAX_DEPTH, parse, text_of
from parsers.page import read_page


def said(extract: Extract) -> list[str]:
    return [*extract.notes, *extract.warnings]


@pytest.fixture
def read(tmp_path: Path):
    def work(text: str | bytes, **options: Any) -> tuple[Extract, list[Any]]:
        path = tmp_path / "source"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        extract = read_page(path, options)
        rows: list[Row] = list(extract.rows)
        if extract.columns:
            return extract, [dict(zip(extract.columns, row, strict=True)) for row in rows]
        return extract, rows

    return work


def page(body: str = "", *, data: Any = None, head: str = "") -> str:
    block = "" if data is None else f'<script type="application/ld+json">{json.dumps(data)}</script>'
    start = '<!DOCTYPE html><html><head><meta charset="utf-8"><title>Shop</title>'
    return f"{start}{head}{block}</head><body>{body}</body></html>"


def product(**members: Any) -> dict[str, Any]:
    offer = {"@type": "Offer", "price": "12.50", "priceCurrency": "EUR"}
    return {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": "Lamp",
        "sku": "L-1",
        "offers": offer,
    } | members


# ------------------------------------------------------------------ JSON-LD


def test_a_product_with_an_offer_is_a_row(read):
    extract, [row] = read(page(data=product(gtin13="4006381333931", brand={"@type": "Brand", "name": "Lux"})))
    wanted = {
        "sku": "L-1",
        "name": "Lamp",
        "price": "12.50",
        "currency": "EUR",
        "gtin": "4006381333931",
        "brand": "Lux",
    }
    assert wanted.items() <= row.items()
    assert dict(extract.fields)["price"] == "price"


OFFER = {"@type": "Offer", "price": "12.50", "priceCurrency": "EUR"}
BARE = {"@type": "Product", "name": "Lamp", "sku": "L-1"}
PLACES: dict[str, Any] = {
    "list": [product()],
    "graph": {"@graph": [{"@type": "WebPage"}, product()]},
    "item list": {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "position": 1, "item": product()}]},
    "main entity": {"@type": "WebPage", "mainEntity": product()},
    "types": product() | {"@type": ["Thing", "https://schema.org/Product"]},
    "offer by reference": {"@graph": [product(offers={"@id": "#o"}), OFFER | {"@id": "#o"}]},
    "product by reference": {"@graph": [{"mainEntity": {"@id": "#p"}}, product() | {"@id": "#p"}]},
    "offer of": OFFER | {"itemOffered": BARE},
    "variants": {"@type": "ProductGroup", "name": "Lamp", "hasVariant": [{"sku": "L-1", "offers": OFFER}]},
    "aggregate": product(offers={"@type": "AggregateOffer", "lowPrice": "1", "offers": [OFFER]}),
    "specification": product(offers={"priceSpecification": {"price": "12.50", "priceCurrency": "EUR"}}),
}


@pytest.mark.parametrize("data", PLACES.values(), ids=PLACES)
def test_products_are_found_wherever_the_vocabulary_lets_them_stand(read, data):
    _, [row] = read(page(data=data))
    assert (row["sku"], row["name"], row["price"], row["currency"]) == ("L-1", "Lamp", "12.50", "EUR")


def test_a_number_of_json_stays_exact_and_a_code_becomes_text(read):
    text = page(data=product(sku=10012, offers={"price": 0})).replace(
        '"price": 0', '"price": 19.90, "priceCurrency": "EUR"'
    )
    _, [row] = read(text)
    assert str(row["price"]) == "19.90"
    assert isinstance(row["price"], Decimal)
    assert row["sku"] == "10012"


@pytest.mark.parametrize(
    ("offers", "price"),
    [
        ({"@type": "AggregateOffer", "lowPrice": "5.29", "highPrice": "9.56"}, "5.29 – 9.56"),
        ({"@type": "AggregateOffer", "lowPrice": "5.29"}, "from 5.29"),
        ({"@type": "AggregateOffer", "lowPrice": "5.29", "highPrice": "5.29"}, "5.29"),
        ({"priceSpecification": [{"price": "9", "priceType": "https://schema.org/ListPrice"}, {"price": "7"}]}, "7"),
        ({"priceSpecification": [{"price": "9"}, {"price": "7"}]}, "9 | 7"),
        ({"price": ["9", "7"]}, "9 | 7"),
        ({"price": ["9", "9"]}, "9"),
    ],
)
def test_several_prices_are_one_only_where_the_page_says_which(read, offers, price):
    _, [row] = read(page(data=product(offers=offers)))
    assert row["price"] == price


def test_a_unit_price_keeps_its_basis(read):
    specification = {"price": "3.20", "referenceQuantity": {"value": 100, "unitCode": "GRM"}}
    _, [row] = read(page(data=product(offers={"priceSpecification": specification, "priceCurrency": "EUR"})))
    assert (row["price"], row["price_basis"], row["unit"]) == ("3.20", "100", "GRM")


def test_a_product_without_an_offer_is_a_row_without_a_price(read):
    _, rows = read(page(data=[product(), {"@type": "Product", "name": "Shade", "sku": "L-2"}]))
    assert [row["price"] for row in rows] == ["12.50", None]


def test_another_code_serves_only_where_all_products_have_it(read):
    without = {key: value for key, value in product().items() if key != "sku"}
    extract, [row] = read(page(data=without | {"mpn": "M-9"}))
    assert row["sku"] == "M-9"
    assert any("mpn" in note for note in said(extract))
    extract, rows = read(page(data=[without | {"mpn": "M-9"}, without | {"name": "Shade"}]))
    assert not any("sku" in row for row in rows)
    assert "sku" not in dict(extract.fields)


def test_blocks_that_are_no_json_are_counted_and_the_others_read(read):
    broken = '<script type="application/ld+json">{"price": NaN}</script><script type="application/ld+json">{</script>'
    extract, rows = read(page(broken, data=product()))
    assert len(rows) == 1
    assert "2 blocks of JSON-LD cannot be read" in said(extract)


def test_json_that_is_nested_too_deeply_does_no_harm(read):
    deep = '<script type="application/ld+json">' + "[" * 100_000 + "</script>"
    _, rows = read(page(deep, data=product()))
    assert len(rows) == 1


# ------------------------------------------------------------------ disagreements are said


def test_another_price_that_a_person_sees_is_said(read):
    extract, [row] = read(page("<p>now only 19,99 €</p>", data=product()))
    assert row["price"] == "12.50"
    assert "1 price of the mark-up not seen on the page, first 12.50; it shows 19,99 €" in said(extract)


@pytest.mark.parametrize("seen", ["12,50 €", "EUR 12.50", "€<b>12</b>.50"])
def test_the_same_price_written_in_another_way_is_the_same(read, seen):
    extract, _ = read(page(f"<p>{seen}</p>", data=product()))
    assert not any("not seen" in note for note in said(extract))


def test_a_price_for_other_machines_that_differs_is_said(read):
    meta = '<meta property="product:price:amount" content="10.00">'
    extract, _ = read(page(data=product(), head=meta))
    assert "product:price:amount says 10.00, which is not a price of the mark-up" in said(extract)


def test_two_mark_ups_that_differ_are_said_and_the_more_explicit_one_is_taken(read):
    micro = '<div itemscope itemtype="https://schema.org/Product"><b itemprop="sku">L-1</b><i itemprop="name">Lamp</i>'
    micro += (
        '<p itemprop="offers" itemscope itemtype="https://schema.org/Offer"><b itemprop="price" content="11">11 €</b>'
    )
    extract, [row] = read(page(micro, data=product()))
    assert row["price"] == "12.50"
    assert any(note.startswith("microdata states other prices") for note in said(extract))


def test_a_next_page_is_said_and_not_read(read):
    extract, _ = read(page('<a rel="next" href="/p2">more</a>', data=product()))
    assert "the list goes on at /p2, which is not read" in said(extract)


# ------------------------------------------------------------------ microdata, RDFa

MICRO = """<div itemscope itemtype="http://schema.org/Product"><!-- a lamp --><h1 itemprop="name">Lamp</h1>
<p itemprop="offers" itemscope itemtype="http://schema.org/AggregateOffer"><meta itemprop="lowPrice" content="5.29">
<meta itemprop="highPrice" content="9.56"></p>{offers}
<div itemprop="isRelatedTo" itemscope itemtype="http://schema.org/Product"><b itemprop="name">Shade</b></div></div>"""
MICRO_OFFER = """<div itemprop="offers" itemscope itemtype="http://schema.org/Offer">
<meta itemprop="sku" content="L-{n}">
<span itemprop="price">{n}.56</span><meta itemprop="priceCurrency" content="GBP">
<link itemprop="availability" href="http://schema.org/InStock"></div>"""


def test_offers_in_microdata_are_rows_and_their_range_is_none(read):
    _, rows = read(page(MICRO.format(offers=MICRO_OFFER.format(n=9) + MICRO_OFFER.format(n=5))))
    assert [(row["sku"], row["name"], row["price"], row["availability"]) for row in rows] == [
        ("L-9", "Lamp", "9.56", "InStock"),
        ("L-5", "Lamp", "5.56", "InStock"),
    ]


def test_a_range_without_offers_is_a_row_without_one_price(read):
    _, [row] = read(page(MICRO.format(offers="")))
    assert row["price"] == "5.29 – 9.56"


def test_rdfa_is_read_like_microdata(read):
    rdfa = MICRO.format(offers=MICRO_OFFER.format(n=9)).replace(
        'itemscope itemtype="http://schema.org/', 'typeof="schema:'
    )
    _, [row] = read(page(rdfa.replace("itemprop=", "property=")))
    assert (row["sku"], row["price"], row["currency"]) == ("L-9", "9.56", "GBP")


# ------------------------------------------------------------------ tables


def table(*rows: str, attributes: str = "") -> str:
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row.split("|")) + "</tr>" for row in rows)
    return f"<table {attributes}>{lines}</table>"


def test_the_table_with_prices_is_read_as_it_stands_header_first(read):
    menu = table("Home|Contact", "News|Jobs")
    extract, rows = read(page(menu + table("Code|Name|Price", "A1|Bolt|1,50 €", "A2|Nut|2,50 €")))
    assert rows == [["Code", "Name", "Price"], ["A1", "Bolt", "1,50 €"], ["A2", "Nut", "2,50 €"]]
    assert extract.columns is None
    assert extract.part == "table 2"


def test_spans_are_filled_down_and_not_to_the_right(read):
    text = """<table><tr><th>Code</th><th>Name</th><th>Price</th></tr><tr><td colspan=3>Bolts</td></tr>
    <tr><td>A1<td rowspan=2>Bolt<td>1.50<tr><td>A2<td>1.60</table>"""
    _, rows = read(page(text))
    assert rows == [["Code", "Name", "Price"], ["Bolts", None, None], ["A1", "Bolt", "1.50"], ["A2", "Bolt", "1.60"]]


def test_a_table_that_lays_out_another_is_not_the_list(read):
    _, rows = read(page(f"<table><tr><td>9.99<td>{table('A|B', 'A1|1.50')}</table>"))
    assert rows == [["A", "B"], ["A1", "1.50"]]


def test_tables_of_one_form_are_one_list_and_others_a_question(read):
    head = "Code|Price"
    extract, rows = read(page(table(head, "A1|1.50") + table(head, "B1|2.50")))
    assert [row[0] for row in rows] == ["Code", "A1", "Code", "B1"]
    assert "2 tables are read one below the other" in said(extract)
    extract, rows = read(page(table(head, "A1|1.50") + table("Size|Fee", "S|2.50")))
    assert rows == []
    assert extract.question is not None
    for option, first in zip(extract.question.options, ("A1", "S"), strict=True):
        _, answered = read(page(table(head, "A1|1.50") + table("Size|Fee", "S|2.50")), **option.patch["read"])
        assert answered[1][0] == first


def test_a_table_with_more_prices_than_the_mark_up_is_a_question(read):
    text = page(table("Code|Price", *(f"A{n}|{n}.50" for n in range(5))), data=product())
    extract, _ = read(text)
    assert extract.question is not None
    sizes = [len(read(text, **option.patch["read"])[1]) for option in extract.question.options]
    assert sizes == [6, 1]


@pytest.mark.parametrize(
    ("wanted", "first"), [("#b", "B1"), ("2", "B1"), ("table:first-of-type", "A1"), ("div table", "B1")]
)
def test_a_table_is_named_by_selector_or_number(read, wanted, first):
    text = page(table("Code|Price", "A1|1.50") + "<div>" + table("Size|Fee", "B1|2.50", attributes="id=b") + "</div>")
    _, rows = read(text, table=wanted)
    assert rows[1][0] == first


# ------------------------------------------------------------------ repeated blocks

BLOCK = (
    '<li class="card x"><h3><a href="#" title="Lamp number {n}">Lamp…</a></h3><p><b class="price">£{n}.99</b></p></li>'
)
BLOCKS = page("<ul>" + "".join(BLOCK.format(n=n) for n in range(1, 6)) + "</ul>")
CHOSEN = {"rows": "li.card", "fields": {"name": "h3 a@title", "price": ".price"}}


def test_blocks_are_read_by_selectors(read):
    extract, rows = read(BLOCKS, **CHOSEN)
    assert rows[0] == {"name": "Lamp number 1", "price": "£1.99"}
    assert len(rows) == 5
    assert dict(extract.fields) == {"name": "name", "price": "price"}


def test_blocks_that_repeat_are_proposed_and_the_proposal_reads_them(read):
    extract, rows = read(BLOCKS)
    assert rows == []
    assert extract.question is not None
    [option] = extract.question.options
    assert option.patch["mapping"] == {"sku": "name"}
    _, answered = read(BLOCKS, **option.patch["read"])
    assert [(row["name"], row["price"]) for row in answered] == [(f"Lamp number {n}", f"£{n}.99") for n in range(1, 6)]


def test_names_that_repeat_are_not_proposed_as_codes(read):
    extract, _ = read(page("".join(BLOCK.format(n=1) for _ in range(4))))
    assert extract.question is not None
    assert "mapping" not in extract.question.options[0].patch


def test_two_prices_in_a_block_stand_both_in_the_cell(read):
    text = page('<div class="card"><h3>Lamp</h3><b class="price">£2</b><b class="price">£1</b></div>')
    _, [row] = read(text, rows=".card", fields={"name": "h3", "price": ".price", "id": "@data-id"})
    assert row == {"name": "Lamp", "price": "£2 | £1", "id": None}


# ------------------------------------------------------------------ text, encodings, refusals


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>£<span>51</span>.77</p>", "£51.77"),
        ("<p>£<!-- -->51.77</p>", "£51.77"),
        ("<p>12<sup>99</sup></p>", "12 99"),
        ("<p><b>12</b><b>99</b></p>", "12 99"),
        ("<p><del>20.00</del>15.00</p>", "20.00 15.00"),
        ("<p>a<br>b<script>c</script><style>d</style><span>e</span></p>", "a be"),
    ],
)
def test_text_is_what_a_person_sees_and_digits_are_never_joined(tmp_path, html, text):
    (tmp_path / "p").write_text(html, encoding="utf-8")
    tree, _ = parse(tmp_path / "p", None)
    assert tree.body is not None
    assert text_of(tree.body) == text


@pytest.mark.parametrize(
    ("encoding", "head", "name"),
    [
        ("utf-8", "", "utf-8"),
        ("utf-8-sig", "", "utf-8"),
        ("utf-16", "", "utf-16-le"),
        ("cp1251", '<meta charset="windows-1251">', "cp1251"),
        ("cp1251", '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">', "cp1251"),
        ("cp1251", "", "cp1251"),
        ("gb18030", '<meta charset="gb2312">', "gb18030"),
    ],
)
def test_the_encoding_is_found(tmp_path, encoding, head, name):
    words = "价格表和商品" if encoding == "gb18030" else "Светильник потолочный, цена и описание товара"
    text = f"<html><head>{head}</head><body>" + f"<p>{words}</p>" * 20 + "</body></html>"
    (tmp_path / "p").write_bytes(text.encode(encoding))
    tree, notes = parse(tmp_path / "p", None)
    assert tree.body is not None
    assert words in text_of(tree.body)
    assert notes[0].startswith(f"encoding {name}:")


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", {}, "empty"),
        (page("<form>Log in</form>"), {}, r"“Shop”.*no table with prices"),
        (page(), {"mode": "products"}, "marks up no products"),
        (page(data=product()), {"mode": "table"}, "no table"),
        (BLOCKS, {"rows": "li.card"}, "belong together"),
        (BLOCKS, {"rows": "li[[", "fields": {"name": "a"}}, "no CSS selector"),
        (BLOCKS, {"rows": "li.other", "fields": {"name": "a"}}, "nothing that"),
        (BLOCKS, {"table": "7"}, "no table “7”"),
        (BLOCKS, {"encoding": "no-such"}, "no encoding"),
        ("<p>" + "<b>" * (MAX_DEPTH + 10), {}, "nested"),
        ("<div>" * (MAX_DEPTH + 10), {}, "nested"),
    ],
)
def test_a_page_without_prices_is_refused_by_what_it_is(read, text, options, words):
    with pytest.raises(DocumentUnreadable, match=words):
        read(text, **options)
