"""How suppliers share the slots of a fleet, held against PostgreSQL and its twin in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.account import Account
from contracts.controls import Pause
from contracts.outcome import Completed, Snooze
from contracts.queue import Delivery
from contracts.store import Claim, ClaimKey
from tests.contract.test_ledger import bench, claim_of
from tests.support.ledgers import Bench, claimed, result, task
from workers.delivery import in_turn, score

__all__ = ["bench"]

SLICE = timedelta(seconds=20)


@pytest.fixture
async def full(bench: Bench) -> list[Claim]:
    """Two long tasks on the two slots there are, and a third supplier's task that was sent and waits."""
    await bench.ledger.register_worker("w1", host="h", pid=1, version="1", slots=2)
    claims = [await claimed(bench, task(name)) for name in ("a", "b")]
    await bench.ledger.register([task("small")], sending=True)
    return claims


async def yielding(bench: Bench, claims: list[Claim]) -> set[ClaimKey]:
    keys = [ClaimKey(claim.task_key, claim.epoch) for claim in claims]
    await bench.ledger.renew(keys, worker="w1", lease=timedelta(seconds=10))
    return await bench.ledger.yielding(keys, slice_=SLICE)


class TestSlices:
    async def test_nobody_yields_before_its_slice_is_over(self, bench: Bench, full: list[Claim]) -> None:
        await bench.advance(19)
        assert await yielding(bench, full) == set()

    async def test_no_more_yield_than_suppliers_wait_and_the_longest_first(
        self, bench: Bench, full: list[Claim]
    ) -> None:
        await bench.advance(21)
        assert await yielding(bench, full) == {ClaimKey(full[0].task_key, full[0].epoch)}
        assert await bench.ledger.yielding([], slice_=SLICE) == set()

    async def test_a_free_slot_is_used_before_anybody_yields(self, bench: Bench, full: list[Claim]) -> None:
        await bench.ledger.register_worker("w2", host="h", pid=2, version="1", slots=1)
        await bench.advance(21)
        await bench.ledger.renew([], worker="w2", lease=SLICE)
        assert await yielding(bench, full) == set()

    async def test_for_whom_is_paused_nobody_yields(self, bench: Bench, full: list[Claim]) -> None:
        await bench.ledger.pause(Pause("supplier", "small", "me"))
        await bench.advance(21)
        assert await yielding(bench, full) == set()

    async def test_a_slice_doubles_each_time_so_that_what_is_read_again_stays_bounded(
        self, bench: Bench, full: list[Claim]
    ) -> None:
        first, second = full
        (again,) = await bench.ledger.settle(first, Snooze(bench.now(), "run_yielded"))
        row = await bench.row(first.task.task_id)
        assert (row["status"], row["attempt"], row["slices"]) == ("queued", 0, 1)
        assert [one["outcome"] for one in await bench.attempts(first.task.task_id)] == ["yielded"]
        first = await claim_of(bench, again)
        await bench.ledger.settle(second, Completed(result(second.task.task_id, Account())))
        await claimed(bench, task("c"))
        await bench.advance(39)
        assert ClaimKey(first.task_key, first.epoch) not in await yielding(bench, [first])
        await bench.advance(2)
        assert await yielding(bench, [first]) <= {ClaimKey(first.task_key, first.epoch)}


class TestLine:
    async def test_one_task_of_a_supplier_is_sent_however_many_it_hands_in(self, bench: Bench) -> None:
        many = await bench.ledger.register([task("many") for _ in range(3)], sending=True)
        (later,) = await bench.ledger.register([task("many")], sending=True)
        (other,) = await bench.ledger.register([task("other")], sending=True)
        assert [one.behind for one in many] == [False, True, True]
        assert (later.behind, other.behind) == (True, False)

    async def test_the_end_of_a_task_names_the_one_that_was_not_sent(self, bench: Bench) -> None:
        first, second = await bench.ledger.register([task(), task()], sending=True)
        assert first.delivery is not None
        claim = await claim_of(bench, first.delivery)
        following = await bench.ledger.settle(claim, Completed(result(claim.task.task_id, Account())))
        assert following == [second.delivery]

    def test_what_follows_stands_behind_those_who_wait_for_their_first_turn_and_in_order(self) -> None:
        (early,) = in_turn([Delivery(1, "a", 0, None, 1)], 1_790_000_000.0)
        (late,) = in_turn([Delivery(2, "b", 0, None, 1)], 1_790_000_001.0)
        fresh = Delivery(10_000_000, "c", 0, None, 0)
        assert score(fresh) < score(early) < score(late)

    def test_no_clock_of_a_worker_makes_it_wait(self) -> None:
        wrong = 1_790_000_000.0 + 10 * 365 * 86_400
        (delivery,) = in_turn([Delivery(1, "a", 0, None, 1)], wrong)
        assert score(delivery) < 1_790_000_000.0 * 1000

    def test_what_is_urgent_or_has_its_time_keeps_its_place(self) -> None:
        urgent = Delivery(1, "a", 0, None, 2)
        (later,) = in_turn([urgent], 1_790_000_000.0)
        assert later == urgent
