"""The lines of invoices and catalogues, whatever their syntax, and what their figures say about each other."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from contracts.rows import Cell
from parsers.extract import Record, shown

SLACK = Decimal("0.02")
"""How far an amount may be from quantity × price (Peppol BIS Billing 3, rule PEPPOL-EN16931-R120)."""
WHOLE_SLACK = Decimal("0.5")
"""The same where amounts are written without decimals (JPY, HUF)."""
DECIMALS = 6
"""That a price may have; one with more is handed over as text, so that it is rejected and not rounded."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})")


@dataclass(slots=True)
class Line:
    """One line as it is written; '' = not stated. Numbers are text until they are judged."""

    line: str = ""
    seller_id: str = ""
    standard_id: str = ""
    standard_scheme: str = ""
    buyer_id: str = ""
    name: str = ""
    price: str = ""
    currency: str = ""
    base: str = ""
    base_unit: str = ""
    quantity: str = ""
    quantity_unit: str = ""
    amount: str = ""
    charges: tuple[str, ...] = ()
    """Of the line as a whole: what is added to quantity × price; allowances with a minus."""
    tiers: tuple[str, ...] = ()
    """Where the line states several prices that differ: each as a phrase. It has no one price then."""
    action: str = ""
    """Of a catalogue line: Add, Update, Delete."""
    summed: bool = True
    """False for a line whose amount the total does not count (a group, mere information)."""
    sublines: int = 0
    others: dict[str, str] = field(default_factory=dict)
    """More columns."""


@dataclass(slots=True)
class Facts:
    """What the document says beside its lines."""

    syntax: str = ""
    kind: str = ""
    """invoice, credit note or catalogue."""
    number: str = ""
    date: str = ""
    currency: str = ""
    totals: dict[str, str] = field(default_factory=dict)
    """lines, allowances, charges, net, tax, gross; as far as stated."""


def number(text: str) -> Decimal | None:
    """The value of an xs:decimal, in which a comma is no number and a point never groups thousands."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def number_cell(text: str) -> Cell:
    """A number as a number, which no locale can misread; anything else as it stands."""
    value = number(text)
    return (text or None) if value is None else value


def price_cell(line: Line) -> Cell:
    """The price where the line states one. What is no xs:decimal gets words beside it, so that the rules for lists
    written by hand do not take it for a number after all."""
    if line.tiers:
        return "; ".join(line.tiers)
    value = number(line.price)
    if value is None:
        return f"{line.price} (no XML number)" if line.price else None
    exponent = value.normalize().as_tuple().exponent
    return line.price.lstrip("+") if isinstance(exponent, int) and -exponent > DECIMALS else value


def basis_cell(line: Line) -> Cell:
    """How many units the price is for, as text: "100" for 100.00; a part of a unit stays as written."""
    value = number(line.base)
    return (line.base or "1") if value is None else shown(value)


def contradicts(line: Line) -> bool:
    """Whether quantity × price / base plus charges is not the amount; False where that cannot be known."""
    price, quantity, amount = number(line.price), number(line.quantity), number(line.amount)
    base = number(line.base or "1")
    if price is None or quantity is None or amount is None or line.tiers:
        return False
    if not base:
        return True
    if line.base_unit and line.quantity_unit and line.base_unit != line.quantity_unit:
        return False
    charges = [number(charge) for charge in line.charges]
    expected = quantity * price / base + sum(charge for charge in charges if charge is not None)
    return abs(expected - amount) > (SLACK if "." in line.amount else WHOLE_SLACK)


def refusal(line: Line, kind: str) -> str | None:
    """Why the price of a line is no price (a code of contracts/reasons.py); None if it is one."""
    if line.action.lower() == "delete":
        return "line_withdrawn"
    if kind == "invoice" and any((number(figure) or 0) < 0 for figure in (line.quantity, line.amount)):
        return "line_taken_back"
    return "line_contradicts" if contradicts(line) else None


def is_gtin_like(line: Line) -> bool:
    """An identifier that says it is a GTIN (ISO/IEC 6523 code 0160), or says nothing and has its digits; the check
    digit is looked at later."""
    if line.standard_scheme:
        return line.standard_scheme.upper() in {"0160", "GTIN", "EAN"}
    return line.standard_id.isascii() and line.standard_id.isdigit() and len(line.standard_id) in {8, 12, 13, 14}


def record(line: Line, facts: Facts, key: str) -> Record:
    """`key`: the attribute of Line that is the item code in this document; '' = none."""
    gtin = is_gtin_like(line)
    cells: dict[str, Cell] = {
        "sku": getattr(line, key) or None if key else None,
        "name": line.name or None,
        "price": price_cell(line),
        "currency": line.currency or facts.currency or None,
        "price_basis": basis_cell(line),
        "unit": line.base_unit or line.quantity_unit or None,
        "gtin": line.standard_id or None if gtin else None,
        "line_id": line.line or None,
        "quantity": number_cell(line.quantity),
        "quantity_unit": line.quantity_unit or None,
        "amount": number_cell(line.amount),
        "standard_id": None if gtin else line.standard_id or None,
        "buyer_id": line.buyer_id or None,
        "action": line.action or None,
        **{name: value or None for name, value in line.others.items()},
    }
    return Record(cells, refusal(line, facts.kind))
