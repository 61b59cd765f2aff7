"""What every Loader promises about prices that wait for a person: PostgreSQL and the twin in memory."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from contracts.band import Amount, Band
from contracts.understanding import Understanding
from tests.support.ledgers import claimed
from tests.support.lists import (
    Desk,
    MemoryDesk,
    Stop,
    StopAfter,
    column,
    contents,
    counts,
    list_task,
    load,
    newest,
    next_attempt,
    settle,
    understanding,
    whole,
)

MONDAY = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = MONDAY + timedelta(days=2)
BAND = Band(up=Decimal(5), down=Decimal(5))
FIRST = ["a1,Drill,10.00,red", "b2,Saw,20.00,blue", "c3,Nail,0.04,"]


def money(price: str, currency: str = "EUR", basis: str = "1") -> Amount:
    return Amount(Decimal(price), currency, Decimal(basis))


async def test_a_price_outside_the_band_is_held_and_its_neighbours_are_applied(desk: Desk) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=MONDAY, band=BAND)
    second = ["a1,Big drill,1000.00,red", "b2,Saw,21.00,blue", "c3,Nail,0.04,"]
    done = await whole(desk, second, task_id="t2", as_of=TUESDAY, band=BAND)
    assert counts(done) == {
        "read": 4,
        "changed": 1,
        "unchanged": 1,
        "held": {"price_jump": 1},
        "ignored": {"header": 1},
    }
    items, history = await desk.items(), await desk.history()
    assert (items["a1"].name, items["a1"].price, items["a1"].fingerprint) == ("Big drill", 10, None)
    assert items["b2"].price == 21
    assert [(row.price, row.task_id) for row in history["a1"]] == [(10, "t1")]
    assert await desk.holds() == {"a1": [("t2", 2, money("10"), money("1000"), "price_jump", "open")]}


@pytest.mark.parametrize(
    ("price", "held"), [("50.00", False), ("50.01", True), ("2.00", False), ("1.99", True), ("10.01", False)]
)
async def test_the_limits_of_the_band_belong_to_it(desk: Desk, price: str, held: bool) -> None:
    await whole(desk, FIRST[:1], task_id="t1", as_of=MONDAY, band=BAND)
    done = await whole(desk, [f"a1,Drill,{price},red"], task_id="t2", as_of=TUESDAY, band=BAND)
    assert counts(done)["held" if held else "changed"]


async def test_a_held_price_that_comes_again_is_held_again_and_only_once_open(desk: Desk) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=MONDAY, band=BAND)
    jump = ["a1,Drill,1000.00,red", *FIRST[1:]]
    await whole(desk, jump, task_id="t2", as_of=TUESDAY, band=BAND)
    done = await whole(desk, jump, task_id="t3", as_of=WEDNESDAY, band=BAND)
    assert counts(done)["held"] == {"price_jump": 1}
    assert [(held.task_id, held.status) for held in (await desk.holds())["a1"]] == [
        ("t2", "superseded"),
        ("t3", "open"),
    ]


async def test_a_later_price_inside_the_band_closes_the_hold(desk: Desk) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=MONDAY, band=BAND)
    await whole(desk, ["a1,Drill,1000.00,red", "b2,Saw,1.00,blue"], task_id="t2", as_of=TUESDAY, band=BAND)
    done = await whole(desk, [FIRST[0], "b2,Saw,22.00,blue"], task_id="t3", as_of=WEDNESDAY, band=BAND)
    assert counts(done) == {"read": 3, "changed": 1, "unchanged": 1, "ignored": {"header": 1}}
    assert {sku: [held.status for held in rows] for sku, rows in (await desk.holds()).items()} == {
        "a1": ["superseded"],
        "b2": ["superseded"],
    }


async def test_an_older_list_neither_holds_nor_closes(desk: Desk) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=TUESDAY, band=BAND)
    await whole(desk, ["a1,Drill,1000.00,red"], task_id="t2", as_of=WEDNESDAY, band=BAND)
    before = await contents(desk)
    done = await whole(desk, ["a1,Drill,10.00,red", "b2,Saw,999.00,blue"], task_id="t3", as_of=MONDAY, band=BAND)
    assert counts(done) == {"read": 3, "ignored": {"header": 1, "stale": 2}}
    assert await contents(desk) == before


BY_UNIT = {
    "columns": (column(0, "sku"), column(1, "name"), column(2, "price"), column(3, "price_basis")),
    "currency": "EUR",
}


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ("10.00,1", "1000.00,100", None),
        ("10.00,1", "10.00,100", "basis_changed"),
        ("10.00,1", "10.20,2", "basis_changed"),
        ("10.00,1", "20.40,2", None),
        ("10.00,1", "9000.00,100", "price_jump"),
        ("10.00,2", "10.00,1", "basis_changed"),
        ("10.00,2", "5.00,1", None),
    ],
)
async def test_a_price_for_another_quantity_must_follow_it(
    desk: Desk, before: str, now: str, reason: str | None
) -> None:
    how = understanding(**BY_UNIT)
    await whole(desk, [f"a1,Drill,{before}"], how, task_id="t1", as_of=MONDAY, band=BAND)
    done = await whole(desk, [f"a1,Drill,{now}"], how, task_id="t2", as_of=TUESDAY, band=BAND)
    assert counts(done).get("held", {}) == ({reason: 1} if reason else {})
    assert (await desk.items())["a1"].price == Decimal((before if reason else now).split(",")[0])


def in_currency(code: str) -> Understanding:
    return understanding(currency=code)


async def test_another_currency_is_held_unless_none_was_stated_before(desk: Desk) -> None:
    await whole(desk, FIRST, in_currency("XXX"), task_id="t1", as_of=MONDAY, band=BAND)
    done = await whole(desk, FIRST, in_currency("EUR"), task_id="t2", as_of=TUESDAY, band=BAND)
    assert counts(done)["changed"] == len(FIRST)
    done = await whole(desk, FIRST, in_currency("USD"), task_id="t3", as_of=WEDNESDAY, band=BAND)
    assert counts(done)["held"] == {"currency_changed": len(FIRST)}
    assert {item.currency for item in (await desk.items()).values()} == {"EUR"}


async def test_an_accepted_move_of_the_whole_list_is_what_rows_are_measured_from(desk: Desk) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=MONDAY, band=BAND)
    cents = ["a1,Drill,1000.00,red", "b2,Saw,2100.00,blue", "c3,Nail,0.04,"]
    accepted = Band(Decimal(5), Decimal(5), factor=Decimal(100))
    done = await whole(desk, cents, task_id="t2", as_of=TUESDAY, band=accepted)
    assert counts(done) == {"read": 4, "changed": 2, "unchanged": 1, "ignored": {"header": 1}}
    dollars = Band(Decimal(5), Decimal(5), currency="USD")
    done = await whole(desk, cents, in_currency("USD"), task_id="t3", as_of=WEDNESDAY, band=dollars)
    assert counts(done)["changed"] == len(cents)


JUMPS = [
    "a1,Drill,11.00,red",
    "b2,Saw,2000.00,blue",
    "a1,Drill,1000.00,red",
    "c3,Nail,0.04,",
    "b2,Fine saw,21.00,blue",
    "x9,Hook,1.00,",
    "x9,Hook,100.00,",
    "c3,Nail,4.00,",
]


@pytest.mark.parametrize("size", range(1, len(JUMPS) + 2))
async def test_the_last_row_of_a_key_decides_what_is_held_wherever_chunks_end(desk: Desk, size: int) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=MONDAY, band=BAND)
    done = await whole(desk, JUMPS, task_id="t2", as_of=TUESDAY, band=BAND, size=size)
    assert counts(done) == {
        "read": 9,
        "new": 1,
        "changed": 1,
        "held": {"price_jump": 2},
        "ignored": {"header": 1, "duplicate": 4},
    }
    assert await desk.holds() == {
        "a1": [("t2", 4, money("10"), money("1000"), "price_jump", "open")],
        "c3": [("t2", 9, money("0.04"), money("4"), "price_jump", "open")],
    }
    items, history = await desk.items(), await desk.history()
    assert {sku: (item.name, item.price, item.source_row) for sku, item in items.items()} == {
        "a1": ("Drill", 10, 4),
        "b2": ("Fine saw", 21, 6),
        "c3": ("Nail", Decimal("0.04"), 9),
        "x9": ("Hook", 100, 8),
    }
    assert {sku: [row.price for row in rows] for sku, rows in history.items()} == {
        "a1": [10],
        "b2": [20, 21],
        "c3": [Decimal("0.04")],
        "x9": [100],
    }


SKUS = [f"k{number}" for number in range(6)]
PRICES = ["1.00", "2.00", "30.00", "400.00", "call"]


def random_list(rng: random.Random) -> list[str]:
    return [
        f"{rng.choice(SKUS)},{rng.choice(['Drill', 'Saw'])},{rng.choice(PRICES)},{rng.choice(['', 'red'])}"
        for _ in range(rng.randrange(1, 20))
    ]


@pytest.mark.parametrize("seed", range(12))
async def test_crashes_and_chunk_sizes_leave_no_trace_in_what_is_held(desk: Desk, seed: int) -> None:
    rng = random.Random(seed)
    how = understanding(duplicates=rng.choice(["last", "last", "first", "reject_conflicting"]))
    clean = MemoryDesk()
    for number in range(5):
        lines = random_list(rng)
        at = MONDAY + timedelta(hours=rng.choice([number, number, -number]))
        claim = await claimed(desk.bench, list_task(f"t{number}", at))
        while True:
            checkpoint = newest(claim)
            restarted = checkpoint is not None and rng.random() < 0.3
            try:
                done = await load(
                    desk,
                    claim,
                    lines,
                    how,
                    size=rng.randrange(1, 9),
                    guards=[StopAfter(rng.randrange(1, 5))] if rng.random() < 0.7 else [],
                    restarted=restarted,
                    checkpoint=None if restarted else checkpoint,
                    band=BAND,
                )
            except Stop:
                claim = await next_attempt(desk, claim)
            else:
                break
        await settle(desk, claim, done)
        undisturbed = await whole(clean, lines, how, task_id=f"t{number}", as_of=at, size=100, band=BAND)
        assert counts(done) == counts(undisturbed)
        assert await contents(desk) == await contents(clean)
