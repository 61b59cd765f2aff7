"""How far a list may differ from the one before: what a profile says, else the installation."""

from __future__ import annotations

from decimal import Decimal

from config.profiles import SupplierProfile
from config.rules import ProfileBand
from contracts.band import Band

LIST_CUT = Decimal("0.5")
"""A list with less than this share of the last one's items is marked as cut, where the profile says nothing."""


def band_of(profile: SupplierProfile | None, default: str, *, sha256: str) -> Band | None:
    """None: nothing is held. `default` is the installation's factor or "off"; `sha256` of the list, of which a person
    may have accepted that all of it moves."""
    rules = SupplierProfile().rules if profile is None else profile.rules
    chosen = rules.price_band or ("off" if default == "off" else ProfileBand(up=default, down=default))
    if not isinstance(chosen, ProfileBand):
        return None
    factor, _, currency = rules.accepted_moves.get(sha256, "1").partition(" ")
    if not currency and sha256 in rules.accepted_lists:
        currency = "XXX"  # among what is accepted there: that the list no longer states its currency
    return Band(Decimal(chosen.up), Decimal(chosen.down), Decimal(factor), currency or None)


def list_cut_of(profile: SupplierProfile | None) -> Decimal:
    told = None if profile is None else profile.rules.list_cut
    return LIST_CUT if told is None else Decimal(told)
