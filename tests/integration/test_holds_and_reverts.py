"""What a person does afterwards: held prices approved or rejected, a whole list taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.band import Band
from contracts.errors import StateConflict
from db.holds import Decided, PostgresHolds
from db.revert import Reverted, Reverts
from tests.support.ledgers import claimed
from tests.support.lists import (
    PostgresDesk,
    Stop,
    StopAfter,
    contents,
    list_task,
    next_attempt,
    understanding,
    whole,
)
from tests.support.lists import load as attempt

MONDAY = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
BAND = Band(up=Decimal(5), down=Decimal(5))
FIRST = ["a1,Drill,10.00,red", "b2,Saw,20.00,blue", "c3,Nail,0.04,"]
JUMP = ["a1,Big drill,1000.00,red", "b2,Saw,21.00,blue", "c3,Nail,0.04,", "d4,Hook,3.00,"]


async def load(desk: PostgresDesk, lines: list[str], task_id: str, day: float, **more: Any) -> dict[str, Any]:
    done = await whole(desk, lines, task_id=task_id, as_of=MONDAY + day * DAY, band=BAND, **more)
    assert done is not None
    return {name: value for name, value in done.account.document().items() if value}


async def open_holds(desk: PostgresDesk) -> list[int]:
    rows = await desk.bench.connection.fetch("SELECT id FROM held_rows WHERE status = 'open' ORDER BY id")
    return [row["id"] for row in rows]


async def approve(desk: PostgresDesk, **more: Any) -> Decided:
    async with PostgresHolds.open(desk.url) as holds:
        return await holds.approve(await open_holds(desk), actor="eva", **more)


async def revert(desk: PostgresDesk, task_id: str) -> Reverted:
    async with Reverts.open(desk.url) as reverts:
        return await reverts.revert(task_id, actor="eva", reason="wrong file")


async def prices(desk: PostgresDesk) -> dict[str, Decimal]:
    rows = await desk.bench.connection.fetch(
        "SELECT supplier_sku, current_price FROM supplier_items WHERE withdrawn_at IS NULL ORDER BY supplier_sku"
    )
    return {row[0]: row[1].normalize() for row in rows}


async def test_an_approved_price_is_stored_with_the_row_it_came_from(desk: PostgresDesk) -> None:
    await load(desk, FIRST, "t1", 0)
    await load(desk, JUMP, "t2", 1)
    assert await approve(desk, reason="asked them") == Decided(1)
    item = (await desk.items())["a1"]
    assert (item.price, item.task_id, item.source_row) == (1000, "t2", 2)
    assert [(row.price, row.task_id) for row in (await desk.history())["a1"]] == [(10, "t1"), (1000, "t2")]
    row = await desk.bench.connection.fetchrow("SELECT status, closed_by, close_reason FROM held_rows")
    assert tuple(row) == ("approved", "eva", "asked them")
    assert (await load(desk, JUMP, "t3", 2))["unchanged"] == len(JUMP)


async def test_approving_twice_changes_nothing(desk: PostgresDesk) -> None:
    await load(desk, FIRST, "t1", 0)
    await load(desk, JUMP, "t2", 1)
    ids = await open_holds(desk)
    await approve(desk)
    before = await contents(desk)
    async with PostgresHolds.open(desk.url) as holds:
        assert await holds.approve(ids, actor="eva") == Decided()
    assert await contents(desk) == before


async def test_a_rejected_price_is_not_applied_and_held_again_with_the_next_list(desk: PostgresDesk) -> None:
    await load(desk, FIRST, "t1", 0)
    await load(desk, JUMP, "t2", 1)
    async with PostgresHolds.open(desk.url) as holds:
        assert await holds.reject(await open_holds(desk), actor="eva") == Decided(1)
    assert (await prices(desk))["a1"] == 10
    assert (await load(desk, JUMP, "t3", 2))["held"] == {"price_jump": 1}
    assert [held.status for held in (await desk.holds())["a1"]] == ["rejected", "open"]


async def test_nothing_is_approved_while_a_list_of_the_supplier_is_loaded(desk: PostgresDesk) -> None:
    await load(desk, FIRST, "t1", 0)
    await load(desk, JUMP, "t2", 1)
    await claimed(desk.bench, list_task("t3", MONDAY + 2 * DAY))
    before = await contents(desk)
    with pytest.raises(StateConflict):
        await approve(desk)
    with pytest.raises(StateConflict):
        await revert(desk, "t2")
    with pytest.raises(StateConflict):
        await revert(desk, "t3")
    assert await contents(desk) == before
    assert (await desk.bench.row("t2"))["status"] == "completed"


async def test_a_list_that_is_taken_back_leaves_the_prices_of_before_and_a_history_of_both(desk: PostgresDesk) -> None:
    await load(desk, FIRST, "t1", 0)
    before, was = await prices(desk), await desk.items()
    await load(desk, JUMP, "t2", 1)
    await approve(desk)
    told = await revert(desk, "t2")
    assert (told.restored, told.withdrawn, told.left_alone, told.described) == (2, 1, 0, 1)
    assert await prices(desk) == before
    items = await desk.items()
    for sku in before:
        assert items[sku]._replace(fingerprint=None) == was[sku]._replace(fingerprint=None)
    rows = await desk.bench.connection.fetch(
        """SELECT h.price, h.task_key > 0 AS loaded FROM price_history h
             JOIN supplier_items i ON i.id = h.supplier_item_id WHERE i.supplier_sku = 'a1' ORDER BY h.id"""
    )
    assert [tuple(row) for row in rows] == [(10, True), (1000, True), (10, False)]
    assert await open_holds(desk) == []


async def test_taking_back_twice_changes_nothing_more(desk: PostgresDesk) -> None:
    await load(desk, FIRST, "t1", 0)
    await load(desk, JUMP, "t2", 1)
    told = await revert(desk, "t2")
    before = await contents(desk)
    assert await revert(desk, "t2") == told
    assert await contents(desk) == before


async def test_the_same_file_can_be_loaded_again_after_it_was_taken_back(desk: PostgresDesk) -> None:
    await load(desk, FIRST, "t1", 0)
    first = await load(desk, JUMP, "t2", 1)
    await revert(desk, "t2")
    assert await load(desk, JUMP, "t3", 1) == first
    assert await prices(desk) == {"a1": 10, "b2": 21, "c3": Decimal("0.04"), "d4": 3}
    assert [row.task_id for row in (await desk.history())["d4"]] == ["t2", "t3"]


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_an_item_that_was_withdrawn_is_new_again_wherever_chunks_end(desk: PostgresDesk, size: int) -> None:
    await load(desk, FIRST, "t1", 0)
    await load(desk, JUMP, "t2", 1)
    await revert(desk, "t2")
    lines = [*FIRST, "d4,Hook,3.00,", "x9,Bolt,1.00,", "d4,Hook,99.00,"]
    assert await load(desk, lines, "t3", 1, size=size) == {
        "read": 7,
        "new": 2,
        "unchanged": 3,
        "ignored": {"header": 1, "duplicate": 1},
    }
    assert (await prices(desk))["d4"] == 99


async def test_what_a_later_list_priced_stays_and_goes_back_further_with_that_list(desk: PostgresDesk) -> None:
    await load(desk, FIRST, "t1", 0)
    before = await prices(desk)
    await load(desk, JUMP, "t2", 1)
    await load(desk, [FIRST[0], "b2,Fine saw,22.00,blue", "d4,Hook,4.00,"], "t3", 2)
    told = await revert(desk, "t2")
    assert (told.restored, told.withdrawn, told.left_alone) == (0, 0, 2)
    assert await prices(desk) == before | {"b2": 22, "d4": 4}
    told = await revert(desk, "t3")
    assert (told.restored, told.withdrawn, told.left_alone) == (1, 1, 0)
    assert await prices(desk) == before
    assert (await desk.items())["b2"].name == "Saw"


async def test_a_list_that_counts_no_more_does_not_make_others_stale(desk: PostgresDesk) -> None:
    await load(desk, FIRST, "t1", 0)
    await load(desk, JUMP, "t2", 300)
    await revert(desk, "t2")
    assert (await load(desk, JUMP, "t3", 1))["changed"] == 1


async def test_a_hold_that_the_list_had_closed_is_open_again(desk: PostgresDesk) -> None:
    await load(desk, FIRST, "t1", 0)
    await load(desk, JUMP, "t2", 1)
    await load(desk, ["a1,Drill,11.00,red"], "t3", 2)
    assert await open_holds(desk) == []
    await revert(desk, "t3")
    assert await approve(desk) == Decided(1)
    assert (await prices(desk))["a1"] == 1000


async def test_a_task_that_was_taken_back_never_runs_again(desk: PostgresDesk) -> None:
    await load(desk, FIRST, "t1", 0)
    await desk.bench.connection.execute("UPDATE tasks SET status = 'cancelled' WHERE task_id = 't1'")
    await revert(desk, "t1")
    assert await desk.bench.ledger.replay(["t1"], actor="eva") == []


async def test_a_withdrawn_item_is_withdrawn_again_when_the_task_that_brought_it_back_starts_over(
    desk: PostgresDesk,
) -> None:
    await load(desk, FIRST, "t1", 0)
    await load(desk, JUMP, "t2", 1)
    await revert(desk, "t2")
    before = await prices(desk)
    claim = await claimed(desk.bench, list_task("t3", MONDAY + 2 * DAY))
    with pytest.raises(Stop):
        await attempt(desk, claim, JUMP[::-1], understanding(), size=2, guards=[StopAfter(1)], band=BAND)
    assert "d4" in await prices(desk)
    loader = await desk.open(await next_attempt(desk, claim), restarted=True)
    await loader.close()
    assert await prices(desk) == before
