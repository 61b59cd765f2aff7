"""Invoices and catalogues, line by line: what is a price, what is refused, and how XML may not be used."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfWriter

from contracts.reasons import REASONS
from contracts.rows import BrokenRow
from parsers.extract import DocumentUnreadable, Extract
from parsers.invoices import read_invoice
from parsers.xml_safe import MAX_TEXT

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
RAM = "urn:un:unece:uncefact:data:standard:"


ZUGFERD_1 = (
    ("CrossIndustryInvoice", "CrossIndustryDocument"),
    ("rsm:SupplyChain", "rsm:SpecifiedSupplyChain"),
    ("SpecifiedLineTrade", "SpecifiedSupplyChainTrade"),
    ("ExchangedDocument", "HeaderExchangedDocument"),
    ("LineMonetary", "Monetary"),
    ("ApplicableHeaderTrade", "ApplicableSupplyChainTrade"),
)
"""Names of today and what they were."""


def ubl(*lines: str, root: str = "Invoice", total: str = "", head: str = "") -> str:
    totals = (
        f"<LegalMonetaryTotal><LineExtensionAmount>{total}</LineExtensionAmount></LegalMonetaryTotal>" if total else ""
    )
    return (
        f'<?xml version="1.0"?><{root} xmlns="{UBL}{root}-2"><ID>R-1</ID><IssueDate>2026-11-02</IssueDate>'
        f"<DocumentCurrencyCode>EUR</DocumentCurrencyCode>{head}{totals}{''.join(lines)}</{root}>"
    )


def line(
    number: int = 1,
    sku: str = "A-1",
    price: str = "2.50",
    *,
    quantity: str = "4",
    amount: str = "10.00",
    base: str = "",
    more: str = "",
    ids: str = "",
    kind: str = "Invoice",
) -> str:
    seller = f"<SellersItemIdentification><ID>{sku}</ID></SellersItemIdentification>" if sku else ""
    done = {"Invoice": "InvoicedQuantity", "CreditNote": "CreditedQuantity"}[kind]
    per = f'<BaseQuantity unitCode="C62">{base}</BaseQuantity>' if base else ""
    return (
        f'<{kind}Line><ID>{number}</ID><{done} unitCode="C62">{quantity}</{done}>'
        f"<LineExtensionAmount>{amount}</LineExtensionAmount>{more}<Item><Name>Bolt {number}</Name>{seller}{ids}</Item>"
        f'<Price><PriceAmount currencyID="EUR">{price}</PriceAmount>{per}</Price></{kind}Line>'
    )


def catalogue_line(*prices: str, action: str = "Add", least: tuple[str, ...] = ()) -> str:
    stated = "".join(
        "<RequiredItemLocationQuantity>"
        + (f"<MinimumQuantity>{least[place]}</MinimumQuantity>" if least else "")
        + f'<Price><PriceAmount currencyID="NOK">{price}</PriceAmount></Price></RequiredItemLocationQuantity>'
        for place, price in enumerate(prices)
    )
    return (
        f"<CatalogueLine><ID>1</ID><ActionCode>{action}</ActionCode><OrderableUnit>XBX</OrderableUnit>{stated}<Item>"
        "<Name>Pen</Name><SellersItemIdentification><ID>P-1</ID></SellersItemIdentification></Item></CatalogueLine>"
    )


def cii(price: str = "1.10", *, type_code: str = "380", settlement: str = "", status: str = "") -> str:
    return f"""<rsm:CrossIndustryInvoice xmlns:rsm="{RAM}CrossIndustryInvoice:100"
      xmlns:ram="{RAM}ReusableAggregateBusinessInformationEntity:100" xmlns:udt="{RAM}UnqualifiedDataType:100">
    <rsm:ExchangedDocument><ram:ID>7</ram:ID><ram:TypeCode>{type_code}</ram:TypeCode><ram:IssueDateTime>
      <udt:DateTimeString format="102">20261102</udt:DateTimeString></ram:IssueDateTime></rsm:ExchangedDocument>
    <rsm:SupplyChainTradeTransaction><ram:IncludedSupplyChainTradeLineItem>
      <ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID>{status}</ram:AssociatedDocumentLineDocument>
      <ram:SpecifiedTradeProduct><ram:GlobalID schemeID="0160">4006381333931</ram:GlobalID>
        <ram:SellerAssignedID>Z-9</ram:SellerAssignedID><ram:Name>Glue</ram:Name></ram:SpecifiedTradeProduct>
      <ram:SpecifiedLineTradeAgreement>
        <ram:GrossPriceProductTradePrice><ram:ChargeAmount>9.99</ram:ChargeAmount></ram:GrossPriceProductTradePrice>
        <ram:NetPriceProductTradePrice><ram:ChargeAmount>{price}</ram:ChargeAmount>
          <ram:BasisQuantity unitCode="KGM">100.00</ram:BasisQuantity></ram:NetPriceProductTradePrice>
      </ram:SpecifiedLineTradeAgreement>
      <ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="KGM">200</ram:BilledQuantity>
      </ram:SpecifiedLineTradeDelivery>
      <ram:SpecifiedLineTradeSettlement>{settlement}<ram:SpecifiedTradeSettlementLineMonetarySummation>
        <ram:LineTotalAmount>2.20</ram:LineTotalAmount></ram:SpecifiedTradeSettlementLineMonetarySummation>
      </ram:SpecifiedLineTradeSettlement></ram:IncludedSupplyChainTradeLineItem>
      <ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>CHF</ram:InvoiceCurrencyCode>
      </ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"""


def said(extract: Extract) -> list[str]:
    return [*extract.notes, *extract.warnings]


@pytest.fixture
def read(tmp_path: Path):
    def work(text: str | bytes, kind: str = "xml", **options: Any) -> tuple[Extract, list[dict[str, Any]]]:
        path = tmp_path / "source"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        extract = read_invoice(path, kind, options)
        assert extract.columns is not None
        rows = []
        for row in extract.rows:
            code = row.code if isinstance(row, BrokenRow) else None
            rows.append(dict(zip(extract.columns, row, strict=True)) | {"code": code})
        return extract, rows

    return work


# ------------------------------------------------------------------ what a line says


def test_a_line_is_a_row_with_the_price_basis_and_unit_it_states(read):
    extract, [row] = read(ubl(line(price="25.00", quantity="40", base="100.00")))
    wanted = {"sku": "A-1", "name": "Bolt 1", "price": Decimal("25.00"), "price_basis": "100", "unit": "C62",
              "currency": "EUR", "line_id": "1", "quantity": Decimal(40), "amount": Decimal("10.00")}  # fmt: skip
    assert wanted.items() <= row.items()
    assert extract.notes[0] == "UBL invoice R-1 of 2026-11-02: 1 line, EUR"


def test_a_cii_line_takes_the_net_price_and_the_currency_of_the_document_that_stands_behind_it(read):
    _, [row] = read(cii())
    wanted = {"sku": "Z-9", "gtin": "4006381333931", "price": Decimal("1.10"), "price_basis": "100", "unit": "KGM",
              "currency": "CHF", "list_amount": "9.99", "code": None}  # fmt: skip
    assert wanted.items() <= row.items()


def test_zugferd_1_is_read_by_its_own_names(read):
    old = cii().replace(f"{RAM}CrossIndustryInvoice:100", "urn:ferd:CrossIndustryDocument:invoice:1p0")
    for new, before in ZUGFERD_1:
        old = old.replace(new, before)
    extract, [row] = read(old)
    assert extract.format == "zugferd_1_invoice"
    assert (row["price"], row["currency"], row["amount"]) == (Decimal("1.10"), "CHF", Decimal("2.20"))


def test_a_catalogue_line_is_priced_by_its_orderable_unit(read):
    _, [row] = read(ubl(catalogue_line("20.00"), root="Catalogue"))
    assert (row["price"], row["currency"], row["unit"], row["action"]) == (Decimal("20.00"), "NOK", "XBX", "Add")


def test_prices_that_differ_by_quantity_are_no_price(read):
    _, [row] = read(ubl(catalogue_line("20.00", "18.00", least=("1", "10")), root="Catalogue"))
    assert row["price"] == "20.00 NOK from 1; 18.00 NOK from 10"


def test_one_price_that_is_stated_twice_is_one(read):
    _, [row] = read(ubl(catalogue_line("20.00", "20.0"), root="Catalogue"))
    assert row["price"] == Decimal("20.0")


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("1.300", Decimal("1.300")),
        ("+7", Decimal(7)),
        (".5", Decimal("0.5")),
        ("-3.00", Decimal("-3.00")),
        ("1,300", "1,300 (no XML number)"),
        ("1e3", "1e3 (no XML number)"),
        ("NaN", "NaN (no XML number)"),
        ("12 EUR", "12 EUR (no XML number)"),
        ("0.12345678", "0.12345678"),
        ("", None),
    ],
)
def test_a_price_is_an_xml_decimal_or_no_number(read, written, cell):
    _, [row] = read(ubl(line(price=written, quantity="", amount="")))
    assert row["price"] == cell
    assert type(row["price"]) is type(cell)


def test_a_part_of_a_unit_as_basis_stays_as_written(read):
    _, [row] = read(ubl(line(price="5", quantity="1", base="0.5")))
    assert row["price_basis"] == "0.5"


def test_attachments_are_passed_over(read):
    attached = f"<AdditionalDocumentReference><EmbeddedDocumentBinaryObject>{'QUJD' * MAX_TEXT}"
    closed = "</EmbeddedDocumentBinaryObject></AdditionalDocumentReference>"
    _, rows = read(ubl(line(), head=attached + closed))
    assert len(rows) == 1


# ------------------------------------------------------------------ the code of a line


def charge(indicator: str) -> str:
    return f"<AllowanceCharge><ChargeIndicator>{indicator}</ChargeIndicator><Amount>10</Amount></AllowanceCharge>"


def standard(code: str, scheme: str = "0160") -> str:
    return f'<StandardItemIdentification><ID schemeID="{scheme}">{code}</ID></StandardItemIdentification>'


def buyer(code: str) -> str:
    return f"<BuyersItemIdentification><ID>{code}</ID></BuyersItemIdentification>"


def test_lines_without_the_sellers_number_have_no_code_where_other_lines_have_one(read):
    extract, rows = read(ubl(line(1), line(2, sku="", ids=standard("4006381333931"))))
    assert [row["sku"] for row in rows] == ["A-1", None]
    assert "1 of 2 lines with a price without a seller's item number: rejected" in said(extract)


@pytest.mark.parametrize(("ids", "words"), [(standard("4006381333931"), "GTIN"), (buyer("B-7"), "buyer's")])
def test_without_any_sellers_number_a_number_that_all_lines_have_is_the_code(read, ids, words):
    extract, rows = read(ubl(line(1, sku="", ids=ids), line(2, sku="", ids=ids)))
    assert {row["sku"] for row in rows} in ({"4006381333931"}, {"B-7"})
    assert words in " ".join(said(extract))
    assert ("sku", "sku") in extract.fields


def test_without_a_number_in_all_lines_none_is_the_code(read):
    extract, rows = read(ubl(line(1, sku="", ids=buyer("B-7")), line(2, sku="")))
    assert not any("sku" in row for row in rows)
    assert "sku" not in dict(extract.fields)


def test_a_standard_number_of_another_scheme_is_no_gtin(read):
    _, [row] = read(ubl(line(ids=standard("12345678", "0002"))))
    assert (row["gtin"], row["standard_id"]) == (None, "12345678")


# ------------------------------------------------------------------ what is no price


def test_a_line_whose_figures_contradict_each_other_is_refused_and_named(read):
    extract, rows = read(ubl(line(1), line(2, price="160.00", quantity="2", amount="160.00")))
    assert [row["code"] for row in rows] == [None, "line_contradicts"]
    assert "the first contradiction: line 2: 2 × 160.00 is not 160.00" in said(extract)


@pytest.mark.parametrize(
    "figures",
    [
        {"price": "0.333", "quantity": "3", "amount": "1.00"},
        {"price": "100", "quantity": "1", "amount": "90.00", "more": charge("false")},
        {"price": "100", "quantity": "1", "amount": "110.00", "more": charge("true")},
        {"price": "25", "quantity": "40", "amount": "10.00", "base": "100"},
        {"price": "19.9", "quantity": "2", "amount": "39.8"},
        {"price": "33.4", "quantity": "3", "amount": "100"},
    ],
)
def test_rounding_allowances_charges_and_bases_are_no_contradiction(read, figures):
    _, [row] = read(ubl(line(**figures)))
    assert row["code"] is None


def test_a_basis_of_zero_contradicts(read):
    _, [row] = read(ubl(line(base="0")))
    assert row["code"] == "line_contradicts"


@pytest.mark.parametrize(("quantity", "amount"), [("-4", "-10.00"), ("4", "-10.00")])
def test_a_line_that_takes_goods_back_is_refused(read, quantity, amount):
    _, [row] = read(ubl(line(quantity=quantity, amount=amount)))
    assert row["code"] == "line_taken_back"


def test_a_withdrawn_item_is_refused_even_with_a_price(read):
    _, [row] = read(ubl(catalogue_line("20.00", action="Delete"), root="Catalogue"))
    assert row["code"] == "line_withdrawn"


def test_every_refusal_is_in_the_catalogue_of_reasons():
    assert {"line_contradicts", "line_taken_back", "line_withdrawn"} <= set(REASONS)


@pytest.mark.parametrize(
    "text",
    [
        ubl(line(kind="CreditNote"), root="CreditNote"),
        cii(type_code="381"),
    ],
)
def test_a_credit_note_is_a_question_until_it_is_answered(read, text):
    extract, [row] = read(text)
    assert extract.question is not None
    [option] = extract.question.options
    answered, [again] = read(text, **option.patch["read"])
    assert answered.question is None
    assert again == row
    assert again["price"] > 0


def test_a_code_with_two_prices_in_one_document_is_for_the_policy_of_conflicts(read):
    extract, _ = read(ubl(line()))
    assert extract.duplicates == "reject_conflicting"


def test_sums_that_do_not_add_up_are_said(read):
    extract, _ = read(ubl(line(), total="11.00"))
    assert "the lines sum up to 10, but the document says 11: a line may be missing" in said(extract)
    extract, _ = read(ubl(line(), total="10.00"))
    assert not any("sum" in note for note in said(extract))


def test_groups_of_lines_are_not_summed_twice(read):
    extract, _ = read(cii(status="<ram:LineStatusReasonCode>GROUP</ram:LineStatusReasonCode>"))
    assert not any("missing" in note for note in said(extract))


def test_sub_lines_are_counted_and_not_read_as_prices(read):
    inner = "<SubInvoiceLine><ID>1.1</ID><SubInvoiceLine><ID>1.1.1</ID></SubInvoiceLine></SubInvoiceLine>"
    extract, rows = read(ubl(line(more=inner)))
    assert len(rows) == 1
    assert any(note.startswith("2 sub-lines not read") for note in said(extract))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ubl(), "has no lines"),
        ('<?xml version="1.0"?><Order xmlns="urn:x"/>', "root element Order"),
        ('<?xml version="1.0"?><Invoice xmlns="urn:someone-else"/>', "root element Invoice"),
        (ubl(line())[:-12], "not well-formed"),
        ('<?xml version="1.0" encoding="EBCDIC-XX"?><a/>', "not well-formed|cannot be decoded"),
        (b"", "not well-formed"),
    ],
)  # fmt: skip
def test_what_holds_no_prices_is_refused_by_name(read, text, words):
    with pytest.raises(DocumentUnreadable, match=words):
        read(text)


# ------------------------------------------------------------------ PDF


def pdf(*attachments: tuple[str, bytes], password: str = "") -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    for name, content in attachments:
        writer.add_attachment(name, content)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize("name", ["factur-x.xml", "ZUGFeRD-invoice.xml", "xrechnung.xml", "invoice-of-ours.xml"])
def test_the_invoice_inside_a_pdf_is_read(read, name):
    extract, [row] = read(pdf(("terms.txt", b"x"), (name, cii().encode())), "pdf")
    assert row["price"] == Decimal("1.10")
    assert f"from {name} inside a PDF" in extract.notes[0]


def test_the_attachment_that_the_standard_names_is_taken_before_others(read):
    _, [row] = read(pdf(("other.xml", b"<a/>"), ("Factur-X.xml", cii().encode())), "pdf")
    assert row["sku"] == "Z-9"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pdf(), "no attachment"),
        (pdf(("terms.txt", b"x")), "terms.txt"),
        (pdf(("a.xml", b"<a/>"), ("b.xml", b"<b/>")), "a.xml, b.xml"),
        (pdf(("factur-x.xml", b"<!DOCTYPE a><a/>")), "DOCTYPE"),
        (pdf(("factur-x.xml", cii().encode()), password="secret"), "password"),
        (b"%PDF-1.7\n" + b"x" * 2_000, "damaged|PDF"),
    ],
)
def test_a_pdf_without_a_readable_invoice_is_refused_by_what_it_is(read, data, words):
    with pytest.raises(DocumentUnreadable, match=words):
        read(data, "pdf")
