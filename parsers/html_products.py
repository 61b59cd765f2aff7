"""Turns products with offers (schema.org) into rows: one offer is one row."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from contracts.rows import Cell
from parsers.extract import Record, shown
from parsers.html_data import resolved, types

FIELDS = ("sku", "name", "price", "currency", "price_basis", "unit", "gtin", "category")
OTHERS = ("mpn", "product_id", "brand", "availability", "condition", "valid_until", "color", "size", "url")
_GTINS = ("gtin", "gtin13", "gtin14", "gtin12", "gtin8", "isbn")
_KEYS = ("sku", "mpn", "product_id", "gtin")
_STRUCK = frozenset(("ListPrice", "SRP", "MSRP", "StrikethroughPrice", "InvoicePrice", "RegularPrice"))
"""schema.org/PriceTypeEnumeration: prices that are not paid."""


def records(item: dict[str, Any]) -> Iterator[Record]:
    """A sum of offers (AggregateOffer) is a row only where the offers themselves are not there."""
    named: dict[str, dict[str, Any]] = item.get("@references", {})
    offers = list(_offers(item.get("offers"), named, 0))
    single = [offer for offer in offers if "AggregateOffer" not in types(offer) and not _spans(offer)]
    for offer in single or offers or [{}]:
        yield _record(item, offer, named)


def _offers(value: Any, named: dict[str, dict[str, Any]], depth: int) -> Iterator[dict[str, Any]]:
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict) and depth < 5:
            offer = resolved(part, named)
            inner = [
                inner
                for member in ("offers", "itemListElement")
                for inner in _offers(offer.get(member), named, depth + 1)
            ]
            if inner:
                yield from inner
            else:
                yield offer


def _spans(offer: dict[str, Any]) -> bool:
    return "price" not in offer and "priceSpecification" not in offer and ("lowPrice" in offer or "highPrice" in offer)


def _record(item: dict[str, Any], offer: dict[str, Any], named: dict[str, dict[str, Any]]) -> Record:
    price, currency, basis, unit = _price(offer, named)

    def both(*members: str) -> Cell:
        return next(
            (found for part in (offer, item) for name in members if (found := scalar(part.get(name))) is not None), None
        )

    cells: dict[str, Cell] = {
        "sku": _code(both("sku")),
        "name": both("name"),
        "price": price,
        "currency": currency,
        "price_basis": basis,
        "unit": unit,
        "gtin": _code(both(*_GTINS)),
        "category": both("category"),
        "mpn": _code(both("mpn")),
        "product_id": _code(both("productID", "productId", "identifier")),
        "brand": both("brand", "manufacturer"),
        "availability": _last(both("availability")),
        "condition": _last(both("itemCondition")),
        "valid_until": both("priceValidUntil"),
        "color": both("color"),
        "size": both("size"),
        "url": both("url"),
    }
    return Record(cells)


def scalar(value: Any) -> Cell:
    """Text or number of a property; of an object its name; of a list the one value that all share, or all in a row."""
    if isinstance(value, dict):
        return scalar(value.get("@value", value.get("name", value.get("value"))))
    if isinstance(value, list):
        found = list(dict.fromkeys(cell for part in value if (cell := scalar(part)) is not None))
        return found[0] if len(found) == 1 else " | ".join(map(str, found)) or None
    if isinstance(value, str):
        return " ".join(value.split()) or None
    return value if isinstance(value, Decimal) else None


def _code(cell: Cell) -> Cell:
    """A code is text, also where the page writes it as a number."""
    return f"{cell:f}" if isinstance(cell, Decimal) else cell


def _last(cell: Cell) -> Cell:
    return cell.rpartition("/")[2] if isinstance(cell, str) else cell


def _price(offer: dict[str, Any], named: dict[str, dict[str, Any]]) -> tuple[Cell, Cell, Cell, Cell]:
    """(price, currency, basis, unit). A range is handed over as one, which is no price."""
    currency = scalar(offer.get("priceCurrency"))
    if (price := scalar(offer.get("price"))) is not None:
        return price, currency or _specified(offer, named, "priceCurrency"), "1", None
    paid = [part for part in _specifications(offer, named) if _last(scalar(part.get("priceType"))) not in _STRUCK]
    prices = list(dict.fromkeys(cell for part in paid if (cell := scalar(part.get("price"))) is not None))
    if len(prices) == 1:
        basis, unit = _reference(next(part for part in paid if scalar(part.get("price")) == prices[0]))
        return prices[0], currency or _specified(offer, named, "priceCurrency"), basis, unit
    if prices:
        return " | ".join(map(str, prices)), currency, "1", None
    low, high = scalar(offer.get("lowPrice")), scalar(offer.get("highPrice"))
    if low is not None and low == high:
        return low, currency, "1", None
    stated = [str(cell) for cell in (low, high) if cell is not None]
    return (" – ".join(stated) if len(stated) == 2 else f"from {stated[0]}" if stated else None), currency, "1", None


def _specifications(offer: dict[str, Any], named: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    stated = offer.get("priceSpecification")
    return [
        resolved(part, named) for part in (stated if isinstance(stated, list) else [stated]) if isinstance(part, dict)
    ]


def _specified(offer: dict[str, Any], named: dict[str, dict[str, Any]], member: str) -> Cell:
    return next(
        (found for part in _specifications(offer, named) if (found := scalar(part.get(member))) is not None), None
    )


def _reference(specification: dict[str, Any]) -> tuple[Cell, Cell]:
    """What a UnitPriceSpecification is for: 100 GRM."""
    quantity = specification.get("referenceQuantity")
    quantity = quantity[0] if isinstance(quantity, list) and quantity else quantity
    if not isinstance(quantity, dict):
        return "1", scalar(specification.get("unitCode"))
    value = scalar(quantity.get("value"))
    basis = shown(value) if isinstance(value, Decimal) else value
    return basis or "1", scalar(quantity.get("unitCode")) or scalar(quantity.get("unitText"))


def choose_key(rows: list[Record]) -> tuple[str, str | None]:
    """(column that holds the codes or '', note). One kind for the whole page, as kinds that are mixed could meet."""
    priced = [row for row in rows if row.cells.get("price") is not None]
    if any(row.cells.get("sku") is not None for row in priced):
        return "sku", None
    for name in _KEYS[1:]:
        if priced and all(row.cells.get(name) is not None for row in priced):
            return name, f"no product states a sku; its {name}, which all state, is taken as the code"
    return "", "no kind of product code stands in all products, so none is taken as the code"
