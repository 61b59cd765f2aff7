"""UN/CEFACT Cross Industry Invoice, as in Factur-X and ZUGFeRD 2 (D16B) and in ZUGFeRD 1 (CrossIndustryDocument)."""

from __future__ import annotations

from parsers.trade import Facts, Line
from parsers.xml_safe import Element

ROOTS = frozenset(("CrossIndustryInvoice", "CrossIndustryDocument"))
SPACES = ("urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:", "urn:ferd:CrossIndustryDocument:")
CONTAINERS = frozenset(("SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction"))
LINES = frozenset(("IncludedSupplyChainTradeLineItem",))
CREDIT_NOTES = frozenset(("81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"))
"""UNTDID 1001: document types that give money back."""
_NOT_SUMMED = frozenset(("GROUP", "INFORMATION"))
_TOTALS = {
    "lines": "LineTotalAmount",
    "allowances": "AllowanceTotalAmount",
    "charges": "ChargeTotalAmount",
    "net": "TaxBasisTotalAmount",
    "tax": "TaxTotalAmount",
    "gross": "GrandTotalAmount",
}


def begin(root: Element) -> Facts | None:
    """None if it is no such document."""
    if root.name not in ROOTS or not root.space.startswith(SPACES):
        return None
    return Facts(syntax="CII" if root.name == "CrossIndustryInvoice" else "ZUGFeRD 1", kind="invoice")


def note(facts: Facts, piece: Element) -> None:
    """Takes what a piece that is no line says of the whole document."""
    match piece.name:
        case "ExchangedDocument" | "HeaderExchangedDocument":
            facts.number = piece.value("ID")
            facts.date = _date(piece.value("IssueDateTime", "DateTimeString"))
            if piece.value("TypeCode") in CREDIT_NOTES:
                facts.kind = "credit note"
        case "ApplicableHeaderTradeSettlement" | "ApplicableSupplyChainTradeSettlement":
            facts.currency = piece.value("InvoiceCurrencyCode")
            for name in (
                "SpecifiedTradeSettlementHeaderMonetarySummation",
                "SpecifiedTradeSettlementMonetarySummation",
            ):
                if (summation := piece.first(name)) is not None:
                    facts.totals |= {key: text for key, tag in _TOTALS.items() if (text := summation.value(tag))}


def _date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


def line(piece: Element) -> Line:
    product = piece.first("SpecifiedTradeProduct") or Element("SpecifiedTradeProduct", "", {})
    agreement = _one(piece, "SpecifiedLineTradeAgreement", "SpecifiedSupplyChainTradeAgreement")
    delivery = _one(piece, "SpecifiedLineTradeDelivery", "SpecifiedSupplyChainTradeDelivery")
    settlement = _one(piece, "SpecifiedLineTradeSettlement", "SpecifiedSupplyChainTradeSettlement")
    standard = product.first("GlobalID")
    found = Line(
        line=piece.value("AssociatedDocumentLineDocument", "LineID"),
        seller_id=product.value("SellerAssignedID"),
        standard_id="" if standard is None else standard.text.strip(),
        standard_scheme="" if standard is None else standard.attributes.get("schemeID", ""),
        buyer_id=product.value("BuyerAssignedID"),
        name=product.value("Name"),
        summed=piece.value("AssociatedDocumentLineDocument", "LineStatusReasonCode") not in _NOT_SUMMED,
        others={
            "description": product.value("Description"),
            "tax_percent": settlement.value("ApplicableTradeTax", "RateApplicablePercent")
            or settlement.value("ApplicableTradeTax", "ApplicablePercent"),
            "origin": product.value("OriginTradeCountry", "ID"),
            "classification": product.value("DesignatedProductClassification", "ClassCode"),
            "list_amount": agreement.value("GrossPriceProductTradePrice", "ChargeAmount"),
        },
    )
    if (amount := agreement.first("NetPriceProductTradePrice", "ChargeAmount")) is not None:
        found.price = amount.text.strip()
        found.currency = amount.attributes.get("currencyID", "")
    if (base := agreement.first("NetPriceProductTradePrice", "BasisQuantity")) is not None:
        found.base = base.text.strip()
        found.base_unit = base.attributes.get("unitCode", "")
    if (quantity := delivery.first("BilledQuantity")) is not None:
        found.quantity = quantity.text.strip()
        found.quantity_unit = quantity.attributes.get("unitCode", "")
    for name in ("SpecifiedTradeSettlementLineMonetarySummation", "SpecifiedTradeSettlementMonetarySummation"):
        found.amount = found.amount or settlement.value(name, "LineTotalAmount")
    found.charges = tuple(_charge(charge) for charge in settlement.all("SpecifiedTradeAllowanceCharge"))
    return found


def _one(piece: Element, *names: str) -> Element:
    """The element under its name of today or of ZUGFeRD 1; an empty one if there is none."""
    return next((found for name in names if (found := piece.first(name)) is not None), Element(names[0], "", {}))


def _charge(charge: Element) -> str:
    amount = charge.value("ActualAmount")
    return amount if charge.value("ChargeIndicator", "Indicator") in {"true", "1"} else f"-{amount}"
