"""Which price moves are applied, and which wait for a person."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple


class Amount(NamedTuple):
    """A price as it is stored or stated."""

    price: Decimal
    currency: str
    basis: Decimal
    """`price` is for this many units."""


HELD: dict[str, str] = {
    "price_jump": "the price moved further than this supplier's prices may without being asked about",
    "currency_changed": "the item is priced in another currency than before",
    "basis_changed": "the price is for another number of units than before, and did not follow",
}
"""Why a row is held, by code."""


@dataclass(frozen=True, slots=True)
class Band:
    """How far the price of one unit may move. The statements in db/sql/loader_held.sql decide the same."""

    up: Decimal
    """More than so many times the current price is held."""
    down: Decimal
    """Less than the current price divided by this is held."""
    factor: Decimal = Decimal(1)
    """What a person has accepted for the whole list: a move is measured from `factor` times the current price."""
    currency: str | None = None
    """The currency to which a person has accepted a change."""

    def reason(self, old: Amount, new: Amount) -> str | None:
        """One of HELD, or None: may be applied. A currency that was not stated before (XXX) may become any."""
        if old.currency not in {new.currency, "XXX"} and new.currency != self.currency:
            return "currency_changed"
        expected = old.price * self.factor
        if old.basis != new.basis:
            # Nearer to the price that follows the quantity than to the one that does not, both measured as factors.
            follows, stays = new.price**2 * old.basis, expected**2 * new.basis
            if follows < stays if new.basis > old.basis else follows > stays:
                return "basis_changed"
        was, now = expected * new.basis, new.price * old.basis
        return "price_jump" if now > self.up * was or now * self.down < was else None
