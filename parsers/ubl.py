"""UBL 2.1: invoice, credit note and catalogue (OASIS; EN 16931 and Peppol say which elements are used)."""

from __future__ import annotations

from decimal import Decimal

from parsers.trade import Facts, Line, number
from parsers.xml_safe import Element

SPACE = "urn:oasis:names:specification:ubl:schema:xsd:"
ROOTS = {"Invoice": "invoice", "CreditNote": "credit note", "Catalogue": "catalogue"}
LINES = frozenset(("InvoiceLine", "CreditNoteLine", "CatalogueLine"))
_QUANTITIES = {"InvoiceLine": "InvoicedQuantity", "CreditNoteLine": "CreditedQuantity"}
_TOTALS = {
    "lines": "LineExtensionAmount",
    "allowances": "AllowanceTotalAmount",
    "charges": "ChargeTotalAmount",
    "net": "TaxExclusiveAmount",
    "gross": "TaxInclusiveAmount",
}


def begin(root: Element) -> Facts | None:
    """None if it is no such document."""
    if root.name not in ROOTS or not root.space.startswith(SPACE):
        return None
    return Facts(syntax="UBL", kind=ROOTS[root.name])


def note(facts: Facts, piece: Element) -> None:
    """Takes what a piece that is no line says of the whole document."""
    match piece.name:
        case "ID":
            facts.number = piece.text.strip()
        case "IssueDate":
            facts.date = piece.text.strip()
        case "DocumentCurrencyCode" | "PricingCurrencyCode":
            if piece.name == "DocumentCurrencyCode" or not facts.currency:
                facts.currency = piece.text.strip()
        case "LegalMonetaryTotal":
            facts.totals |= {name: text for name, tag in _TOTALS.items() if (text := piece.value(tag))}
        case "TaxTotal":
            amount = piece.first("TaxAmount")
            # a second TaxTotal repeats the tax in the currency of the tax office
            if amount is not None and amount.attributes.get("currencyID", facts.currency) == facts.currency:
                facts.totals.setdefault("tax", amount.text.strip())


def line(piece: Element) -> Line:
    item = piece.first("Item") or Element("Item", "", {})
    standard = item.first("StandardItemIdentification", "ID")
    found = Line(
        line=piece.value("ID"),
        seller_id=item.value("SellersItemIdentification", "ID"),
        standard_id="" if standard is None else standard.text.strip(),
        standard_scheme="" if standard is None else standard.attributes.get("schemeID", ""),
        buyer_id=item.value("BuyersItemIdentification", "ID"),
        name=item.value("Name"),
        action=piece.value("ActionCode"),
        sublines=_sublines(piece),
        others={
            "description": item.value("Description"),
            "tax_percent": item.value("ClassifiedTaxCategory", "Percent"),
            "origin": item.value("OriginCountry", "IdentificationCode"),
            "classification": item.value("CommodityClassification", "ItemClassificationCode"),
        },
    )
    if piece.name == "CatalogueLine":
        _catalogue_price(found, piece)
        return found
    if (price := piece.first("Price")) is not None:
        _take_price(found, price)
        found.others["list_amount"] = price.value("AllowanceCharge", "BaseAmount")
    if (quantity := piece.first(_QUANTITIES[piece.name])) is not None:
        found.quantity = quantity.text.strip()
        found.quantity_unit = quantity.attributes.get("unitCode", "")
    found.amount = piece.value("LineExtensionAmount")
    found.charges = tuple(_charge(charge) for charge in piece.all("AllowanceCharge"))
    return found


def _sublines(piece: Element) -> int:
    return sum(1 + _sublines(part) for part in piece.parts if part.name in {"SubInvoiceLine", "SubCreditNoteLine"})


def _charge(charge: Element) -> str:
    amount = charge.value("Amount")
    return amount if charge.value("ChargeIndicator") in {"true", "1"} else f"-{amount}"


def _take_price(found: Line, price: Element) -> None:
    if (amount := price.first("PriceAmount")) is not None:
        found.price = amount.text.strip()
        found.currency = amount.attributes.get("currencyID", "")
    if (base := price.first("BaseQuantity")) is not None:
        found.base = base.text.strip()
        found.base_unit = base.attributes.get("unitCode", "")


def _catalogue_price(found: Line, piece: Element) -> None:
    """A line may state prices by place, period and quantity; if they differ, none is the price of the item."""
    stated: dict[tuple[Decimal | str | None, str, str, str], str] = {}
    for conditions in piece.all("RequiredItemLocationQuantity"):
        least = conditions.value("MinimumQuantity")
        for price in conditions.all("Price"):
            _take_price(found, price)
            same = (number(found.price) or found.price, found.currency, found.base or "1", found.base_unit)
            per = f" per {found.base}" if found.base else ""
            stated.setdefault(
                same, f"{found.price} {found.currency}{per}" + (f" from {least}" if least else " otherwise")
            )
    if len(stated) > 1:
        found.tiers = tuple(stated.values())
    found.quantity_unit = piece.value("OrderableUnit")
    found.others |= {
        "content": piece.value("ContentUnitQuantity"),
        "minimum_quantity": piece.value("MinimumOrderQuantity"),
    }
