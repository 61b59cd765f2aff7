"""What every Loader promises, kept through the chunk loop that uses it: PostgreSQL and the twin in memory."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.account import Account
from contracts.checkpoint import Checkpoint
from contracts.errors import LeaseLost, StateConflict
from contracts.rows import Batch, Cursor
from contracts.store import Claim
from tests.support.ledgers import claimed
from tests.support.lists import (
    Desk,
    MemoryDesk,
    Stop,
    StopAfter,
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
FIRST = ["a1,Drill,10.00,red", "b2,Saw,20.50,blue", "c3,Nail,0.04,", "d4,Screw,0.05,grey", "e5,Hook,3,black"]


async def test_a_first_load_makes_an_item_and_a_history_row_of_each_row(desk: Desk) -> None:
    done = await whole(desk, FIRST, task_id="t1", as_of=MONDAY)
    assert counts(done) == {"read": 6, "new": 5, "ignored": {"header": 1}}
    items, history = await desk.items(), await desk.history()
    assert [(sku, item.name, item.price, item.source_row) for sku, item in items.items()] == [
        (cells[0], cells[1], Decimal(cells[2]), row) for row, cells in enumerate((line.split(",") for line in FIRST), 2)
    ]
    assert items["a1"].characteristics == {"colour": "red"}
    assert items["c3"].characteristics == {}
    assert {sku: [price.price for price in prices] for sku, prices in history.items()} == {
        sku: [item.price] for sku, item in items.items()
    }
    assert {price.task_id for prices in history.values() for price in prices} == {"t1"}


async def test_current_prices_are_told_by_code(desk: Desk) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=MONDAY)
    loader = await desk.open(await claimed(desk.bench, list_task("t2", TUESDAY)))
    found = await loader.prices(["b2", "x9", "a1", "nul\x00", "half\ud800"])
    await loader.close()
    assert found == {
        "a1": ("Drill", Decimal(10), "EUR", Decimal(1)),
        "b2": ("Saw", Decimal("20.5"), "EUR", Decimal(1)),
    }


async def test_the_same_list_again_writes_nothing(desk: Desk) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=MONDAY)
    before = await contents(desk)
    again = await whole(desk, FIRST, task_id="t2", as_of=TUESDAY)
    assert counts(again) == {"read": 6, "unchanged": 5, "ignored": {"header": 1}}
    assert await contents(desk) == before


async def test_the_same_rows_in_another_order_write_nothing(desk: Desk) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=MONDAY)
    before = await contents(desk)
    again = await whole(desk, FIRST[::-1], task_id="t2", as_of=TUESDAY)
    assert counts(again)["unchanged"] == len(FIRST)
    assert await contents(desk) == before


async def test_a_changed_price_adds_one_history_row_that_names_its_source(desk: Desk) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=MONDAY)
    second = [line.replace("20.50", "21") for line in FIRST]
    done = await whole(desk, second, task_id="t2", as_of=TUESDAY)
    assert counts(done) == {"read": 6, "changed": 1, "unchanged": 4, "ignored": {"header": 1}}
    history = await desk.history()
    assert [(row.price, row.task_id, row.source_row) for row in history["b2"]] == [
        (Decimal("20.5"), "t1", 3),
        (Decimal(21), "t2", 3),
    ]
    assert sum(map(len, history.values())) == len(FIRST) + 1
    assert (await desk.items())["b2"].price == 21


async def test_a_price_written_otherwise_is_no_change(desk: Desk) -> None:
    await whole(desk, ["a1,Drill,10.00,red"], task_id="t1", as_of=MONDAY)
    done = await whole(desk, ["a1,Drill,10.000,red"], task_id="t2", as_of=TUESDAY)
    assert counts(done)["unchanged"] == 1
    assert len((await desk.history())["a1"]) == 1


async def test_a_changed_name_is_stored_without_history(desk: Desk) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=MONDAY)
    done = await whole(desk, [line.replace("Saw", "Fine saw") for line in FIRST], task_id="t2", as_of=TUESDAY)
    assert counts(done)["unchanged"] == len(FIRST)
    items = await desk.items()
    assert (items["b2"].name, items["b2"].task_id) == ("Fine saw", "t2")
    assert items["a1"].task_id == "t1"
    assert sum(map(len, (await desk.history()).values())) == len(FIRST)


async def test_rows_without_raw_bytes_are_compared_by_content(desk: Desk) -> None:
    await whole(desk, FIRST, task_id="t1", as_of=MONDAY, raw=False)
    before = await contents(desk)
    assert all(item.fingerprint is None for item in before[0].values())
    again = await whole(desk, FIRST, task_id="t2", as_of=TUESDAY, raw=False)
    assert counts(again)["unchanged"] == len(FIRST)
    assert await contents(desk) == before


async def test_rejected_rows_are_logged_once_with_their_row_number(desk: Desk) -> None:
    lines = [FIRST[0], "b2,Saw,call,blue", ",Nail,1.00,", "d4,,1.00,"]
    done = await whole(desk, lines, task_id="t1", as_of=MONDAY, size=2)
    rejected = {"price_on_request": 1, "sku_missing": 1, "name_missing": 1}
    assert counts(done) == {"read": 5, "new": 1, "rejected": rejected, "ignored": {"header": 1}}
    assert await desk.logs() == [("t1", 3, "price_on_request"), ("t1", 4, "sku_missing"), ("t1", 5, "name_missing")]


async def test_an_older_list_adds_what_is_unknown_and_changes_nothing(desk: Desk) -> None:
    await whole(desk, FIRST[:3], task_id="t1", as_of=TUESDAY)
    before = await desk.items()
    older = [line.replace("10.00", "9.00") for line in FIRST]
    done = await whole(desk, older, task_id="t2", as_of=MONDAY)
    assert counts(done) == {"read": 6, "new": 2, "ignored": {"header": 1, "stale": 3}}
    items = await desk.items()
    assert {sku: items[sku] for sku in before} == before
    assert {sku for sku, item in items.items() if item.task_id == "t2"} == {"d4", "e5"}
    third = await whole(desk, FIRST, task_id="t3", as_of=TUESDAY)
    assert counts(third)["unchanged"] == len(FIRST)


async def test_a_zombie_cannot_commit(desk: Desk) -> None:
    claim = await claimed(desk.bench, list_task("t1", MONDAY))
    with pytest.raises(Stop):
        await load(desk, claim, FIRST, understanding(), size=3, guards=[StopAfter(1)])
    before = await contents(desk)
    await desk.take_away(claim)
    with pytest.raises(LeaseLost):
        await load(desk, claim, FIRST, understanding(), size=3)
    assert await contents(desk) == before


async def test_nobody_commits_behind_a_checkpoint_that_is_not_his(desk: Desk) -> None:
    claim = await claimed(desk.bench, list_task("t1", MONDAY))
    loader = await desk.open(claim)
    staged = await loader.stage(Batch(1, Cursor(row=1), account=Account(read=1)))
    await desk.bench.checkpoint(claim, 1, Account())
    with pytest.raises(LeaseLost):
        await loader.commit(staged, lambda account: document(claim, 1, account))
    await loader.close()


async def test_a_sequence_is_never_used_twice(desk: Desk) -> None:
    claim = await claimed(desk.bench, list_task("t1", MONDAY))
    loader = await desk.open(claim)
    await loader.commit(await loader.stage(Batch(1, Cursor(row=1))), lambda account: document(claim, 1, account))
    staged = await loader.stage(Batch(2, Cursor(row=2)))
    with pytest.raises(StateConflict):
        await loader.commit(staged, lambda account: document(claim, 1, account))
    await loader.close()


async def test_ten_checkpoints_are_kept(desk: Desk) -> None:
    claim = await claimed(desk.bench, list_task("t1", MONDAY))
    done = await load(desk, claim, FIRST * 3, understanding(), size=1)
    assert done is not None
    again = await next_attempt(desk, claim)
    kept = [document["sequence"] for document in again.checkpoints]
    assert kept == list(range(done.sequence, done.sequence - 10, -1))


def document(claim: Claim, sequence: int, account: Account) -> dict[str, Any]:
    return Checkpoint(claim.task.task_id, sequence, Cursor(row=sequence), account, "0" * 64, "1" * 64).document()


# Keys that stand in a list more than once. The winners are the last rows; what comes out must not depend on where
# chunks end, so the whole list in one chunk, and then every other size, must agree.
DOUBLES = [
    "a1,Drill,10.00,red",
    "b2,Saw,20.50,blue",
    "a1,Drill,11.00,red",
    "c3,Nail,0.04,",
    "b2,Saw,20.50,blue",
    "a1,Big drill,10.00,red",
]
LAST_ROWS = {"a1": 7, "b2": 6, "c3": 5}


@pytest.mark.parametrize("size", range(1, len(DOUBLES) + 2))
async def test_the_last_row_of_a_key_wins_wherever_chunks_end(desk: Desk, size: int) -> None:
    done = await whole(desk, DOUBLES, task_id="t1", as_of=MONDAY, size=size)
    assert counts(done) == {"read": 7, "new": 3, "ignored": {"header": 1, "duplicate": 3}}
    items, history = await desk.items(), await desk.history()
    assert {sku: item.source_row for sku, item in items.items()} == LAST_ROWS
    assert items["a1"].name == "Big drill"
    assert {sku: [(row.price, row.source_row) for row in rows] for sku, rows in history.items()} == {
        sku: [(items[sku].price, row)] for sku, row in LAST_ROWS.items()
    }


@pytest.mark.parametrize("size", range(1, len(DOUBLES) + 2))
async def test_a_price_that_returns_within_a_list_is_no_change(desk: Desk, size: int) -> None:
    before = ["a1,Drill,10.00,red", "b2,Saw,20.50,blue", "c3,Nail,0.04,"]
    await whole(desk, before, task_id="t1", as_of=MONDAY)
    lines = ["a1,Drill,12.00,red", "b2,Saw,20.50,blue", "b2,Saw,23.00,blue", "a1,Drill,10.00,red"]
    done = await whole(desk, lines, task_id="t2", as_of=TUESDAY, size=size)
    assert counts(done) == {"read": 5, "changed": 1, "unchanged": 1, "ignored": {"header": 1, "duplicate": 2}}
    items, history = await desk.items(), await desk.history()
    assert [(row.price, row.task_id) for row in history["a1"]] == [(10, "t1")]
    assert [(row.price, row.task_id, row.source_row) for row in history["b2"]] == [
        (Decimal("20.5"), "t1", 3),
        (23, "t2", 4),
    ]
    assert {sku: (item.task_id, item.source_row) for sku, item in items.items()} == {
        "a1": ("t2", 5),
        "b2": ("t2", 4),
        "c3": ("t1", 4),
    }


@pytest.mark.parametrize("size", range(1, len(DOUBLES) + 2))
async def test_the_first_row_of_a_key_wins_where_the_list_says_so(desk: Desk, size: int) -> None:
    how = understanding(duplicates="first")
    done = await whole(desk, DOUBLES, how, task_id="t1", as_of=MONDAY, size=size)
    assert counts(done) == {"read": 7, "new": 3, "ignored": {"header": 1, "duplicate": 3}}
    assert {sku: (item.price, item.source_row) for sku, item in (await desk.items()).items()} == {
        "a1": (10, 2),
        "b2": (Decimal("20.5"), 3),
        "c3": (Decimal("0.04"), 5),
    }


@pytest.mark.parametrize("size", range(1, len(DOUBLES) + 2))
async def test_rows_that_contradict_each_other_are_all_rejected_where_the_list_says_so(desk: Desk, size: int) -> None:
    how = understanding(duplicates="reject_conflicting")
    await whole(desk, DOUBLES[:2], how, task_id="t0", as_of=MONDAY)
    done = await whole(desk, DOUBLES, how, task_id="t1", as_of=TUESDAY, size=size)
    assert counts(done) == {
        "read": 7,
        "new": 1,
        "unchanged": 1,
        "rejected": {"key_ambiguous": 3},
        "ignored": {"header": 1, "duplicate": 1},
    }
    assert [log for log in await desk.logs() if log[0] == "t1"] == [
        ("t1", row, "key_ambiguous") for row, line in enumerate(DOUBLES, 2) if line.startswith("a1")
    ]
    assert (await desk.items())["a1"].task_id == "t0"


async def test_doubles_in_an_older_list_leave_newer_prices_alone(desk: Desk) -> None:
    await whole(desk, ["a1,Drill,10.00,red"], task_id="t1", as_of=TUESDAY)
    lines = ["a1,Drill,9.00,red", "x9,Hook,1.00,", "a1,Drill,8.00,red", "x9,Hook,2.00,"]
    done = await whole(desk, lines, task_id="t2", as_of=MONDAY, size=2)
    assert counts(done) == {"read": 5, "new": 1, "ignored": {"header": 1, "stale": 1, "duplicate": 2}}
    items = await desk.items()
    assert (items["a1"].price, items["a1"].task_id) == (10, "t1")
    assert (items["x9"].price, items["x9"].source_row) == (2, 5)
    assert [row.price for row in (await desk.history())["x9"]] == [2]


async def test_a_task_that_starts_over_leaves_what_one_clean_run_leaves(desk: Desk) -> None:
    await whole(desk, FIRST[:3], task_id="t1", as_of=MONDAY)
    lines = [line.replace("10.00", "12.00").replace("Saw", "Fine saw") for line in FIRST] + ["f6,Bad,call,"]
    claim = await claimed(desk.bench, list_task("t2", TUESDAY))
    with pytest.raises(Stop):
        await load(desk, claim, [*lines, "z9,Gone,5.00,"][::-1], understanding(), size=2, guards=[StopAfter(4)])
    assert "z9" in await desk.items()
    assert await desk.logs()
    again = await next_attempt(desk, claim)
    done = await load(desk, again, lines, understanding(), size=3, restarted=True)
    await settle(desk, again, done)
    assert counts(done) == {
        "read": 7,
        "new": 2,
        "changed": 1,
        "unchanged": 2,
        "rejected": {"price_on_request": 1},
        "ignored": {"header": 1},
    }
    over = await contents(desk)
    fresh = MemoryDesk()
    await whole(fresh, FIRST[:3], task_id="t1", as_of=MONDAY)
    await whole(fresh, lines, task_id="t2", as_of=TUESDAY)
    assert over == await contents(fresh)


async def test_starting_over_keeps_what_a_later_task_has_written(desk: Desk) -> None:
    await whole(desk, ["a1,Drill,10.00,red"], task_id="t1", as_of=MONDAY)
    claim = await claimed(desk.bench, list_task("t2", MONDAY + timedelta(hours=1)))
    with pytest.raises(Stop):
        await load(desk, claim, ["a1,Drill,11.00,red", *FIRST[1:]], understanding(), size=2, guards=[StopAfter(1)])
    await desk.bench.ledger.cancel("t2", actor="test")
    await desk.bench.advance(60)
    await desk.bench.ledger.sweep()
    row = await desk.bench.row("t2")
    if row["status"] == "queued":
        await desk.bench.ledger.cancel("t2", actor="test")
    await whole(desk, ["a1,Drill,12.00,red"], task_id="t3", as_of=TUESDAY)
    (delivery,) = await desk.bench.ledger.replay(["t2"], actor="test")
    again = await desk.bench.ledger.claim(delivery, worker="w2", lease=timedelta(seconds=10))
    assert isinstance(again, Claim)
    done = await load(desk, again, ["a1,Drill,11.00,red", *FIRST[1:]], understanding(), restarted=True)
    assert counts(done) == {"read": 6, "new": 4, "ignored": {"header": 1, "stale": 1}}
    assert [row.price for row in (await desk.history())["a1"]] == [10, 11, 12]
    assert (await desk.items())["a1"].price == 12


SKUS = [f"k{number}" for number in range(9)]
PRICES = ["1.00", "2.00", "3.00", "call", ""]
NAMES = ["Drill", "Saw", "", "Nail, long"]


def random_list(rng: random.Random) -> list[str]:
    def one() -> str:
        name = rng.choices(NAMES, weights=[5, 3, 1, 1])[0]
        return f"{rng.choice(SKUS)},{name},{rng.choices(PRICES, weights=[4, 3, 2, 1, 1])[0]},{rng.choice(['', 'red'])}"

    return [one() for _ in range(rng.randrange(1, 25))]


async def with_crashes(
    desk: Desk, lines: Sequence[str], how: Any, *, rng: random.Random, task_id: str, at: datetime
) -> dict[str, Any]:
    """Loads a list in several attempts, with other chunk sizes each time."""
    claim = await claimed(desk.bench, list_task(task_id, at))
    while True:
        checkpoint = newest(claim)
        restarted = checkpoint is not None and rng.random() < 0.3
        if restarted:
            checkpoint = None
        guards = [StopAfter(rng.randrange(1, 5))] if rng.random() < 0.7 else []
        size = rng.randrange(1, 9)
        try:
            done = await load(
                desk, claim, lines, how, size=size, guards=guards, restarted=restarted, checkpoint=checkpoint
            )
        except Stop:
            claim = await next_attempt(desk, claim)
        else:
            await settle(desk, claim, done)
            return counts(done)


@pytest.mark.parametrize("seed", range(12))
async def test_crashes_and_chunk_sizes_leave_no_trace(desk: Desk, seed: int) -> None:
    rng = random.Random(seed)
    how = understanding(duplicates=rng.choice(["last", "last", "first", "reject_conflicting"]))
    clean = MemoryDesk()
    for number in range(4):
        lines = random_list(rng)
        at = MONDAY + timedelta(hours=rng.choice([number, number, -number]))
        crashed = await with_crashes(desk, lines, how, rng=rng, task_id=f"t{number}", at=at)
        undisturbed = await whole(clean, lines, how, task_id=f"t{number}", as_of=at, size=100)
        assert crashed == counts(undisturbed)
        assert await contents(desk) == await contents(clean)
