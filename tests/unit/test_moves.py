"""How the prices of a list moved as a whole, and how far one price may."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cli.plan import LABELS, bin_of
from config.limits import band_of, list_cut_of
from config.profiles import load_profile
from contracts.band import Amount, Band
from pipeline.moves import FEW, Move, whole_list

BAND = Band(Decimal(5), Decimal(5))


def amount(price: str, currency: str = "EUR", basis: str = "1") -> Amount:
    return Amount(Decimal(price), currency, Decimal(basis))


def moves(factor: str, number: int = 40, *, same: int = 0, currency: str = "EUR") -> list[Move]:
    def one(index: int) -> Move:
        old = amount(f"{index + 1}.25")
        by = Decimal(1) if index < same else Decimal(factor)
        return Move(f"k{index}", old, amount(str((old.price * by).quantize(Decimal("0.01"))), currency))

    return [one(index) for index in range(number)]


@pytest.mark.parametrize("power", [-3, -2, -1, 1, 2, 3])
def test_a_power_of_ten_is_seen(power: int) -> None:
    rows = [
        Move(f"k{index}", amount(f"{index + 1}000"), amount(f"{(index + 1) * Decimal(1000) * Decimal(10) ** power:f}"))
        for index in range(40)
    ]
    shape = whole_list(rows)
    assert shape is not None
    assert (shape.code, shape.factor) == ("power_of_ten", Decimal(10) ** power)


@pytest.mark.parametrize(("same", "seen"), [(8, True), (9, False)])
def test_most_of_the_known_items_must_have_moved(same: int, seen: bool) -> None:
    assert (whole_list(moves("100", same=same)) is not None) is seen
    assert whole_list(moves("100", same=same), of="changed") is not None


def test_few_items_say_nothing() -> None:
    assert whole_list(moves("100", FEW - 1)) is None
    assert whole_list(moves("100", FEW)) is not None


def test_a_percentage_is_seen_in_spite_of_rounding_and_never_stops_a_list() -> None:
    shape = whole_list(moves("1.2"), of="changed")
    assert shape is not None
    assert shape.code == "percent"
    assert abs(shape.factor - Decimal("1.2")) < Decimal("0.01")
    assert whole_list(moves("1.2")) is None


def test_another_currency_is_seen_with_its_factor() -> None:
    shape = whole_list(moves("1.1", currency="USD"))
    assert shape is not None
    assert (shape.code, shape.currency, shape.factor) == ("currency", "USD", Decimal("1.1"))


def test_a_currency_that_was_not_stated_is_no_move() -> None:
    rows = [Move(f"k{index}", amount("1.25", "XXX"), amount("1.25")) for index in range(40)]
    assert whole_list(rows) is None


def test_prices_of_nothing_and_to_nothing_have_no_ratio_and_are_held() -> None:
    assert Move("k", amount("0"), amount("5")).ratio is None
    assert BAND.reason(amount("0"), amount("5")) == "price_jump"
    assert BAND.reason(amount("5"), amount("0")) == "price_jump"


@pytest.mark.parametrize(
    ("ratio", "label"),
    [
        (0.5, "<= -50"),
        (0.51, "-50 .. -20"),
        (0.8, "-50 .. -20"),
        (0.81, "-20 .. -5"),
        (0.99, "-5 .. 0"),
        (1.0, "0"),
        (1.01, "0 .. 5"),
        (1.05, "5 .. 20"),
        (1.99, "50 .. 100"),
        (2.0, ">= 100"),
    ],
)
def test_a_change_has_its_place_in_the_histogram(ratio: float, label: str) -> None:
    assert LABELS[bin_of(ratio)] == label


def test_the_profile_says_how_far_prices_may_move_and_else_the_installation() -> None:
    digest = "a" * 64
    assert band_of(None, "5", sha256=digest) == BAND
    assert band_of(None, "off", sha256=digest) is None
    told = load_profile({"rules": {"price_band": {"up": "3", "down": "1.5"}}})
    assert band_of(told, "off", sha256=digest) == Band(Decimal(3), Decimal("1.5"))
    assert band_of(load_profile({"rules": {"price_band": "off"}}), "5", sha256=digest) is None


def test_what_was_accepted_of_one_list_holds_for_no_other() -> None:
    profile = load_profile({"rules": {"accepted_moves": {"a" * 64: "1.08 USD"}, "accepted_lists": ["b" * 64]}})
    assert band_of(profile, "5", sha256="a" * 64) == Band(Decimal(5), Decimal(5), Decimal("1.08"), "USD")
    assert band_of(profile, "5", sha256="b" * 64) == Band(Decimal(5), Decimal(5), currency="XXX")
    assert band_of(profile, "5", sha256="c" * 64) == BAND


def test_a_list_is_cut_below_half_of_the_last_one_unless_the_profile_says_otherwise() -> None:
    assert list_cut_of(None) == Decimal("0.5")
    assert list_cut_of(load_profile({"rules": {"list_cut": "0.9"}})) == Decimal("0.9")
