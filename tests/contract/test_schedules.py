"""contracts.schedule.Schedules, against every implementation."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from contracts.errors import QueueFull, ScheduleInvalid
from contracts.outcome import Discard
from contracts.schedule import Decision, Fired, Firing, Schedule, SchedulePlan, Schedules, Seen
from contracts.store import Refusal
from db.memory_schedules import MemorySchedules
from db.schedules import PostgresSchedules
from tests.support.database_clock import DatabaseClock, database_clock
from tests.support.ledgers import LEASE, MemoryBench, PostgresBench, postgres_bench
from workers.schedule import due_fires, next_due, slots, task_for, task_id

TASK = {"parser_type": "csv", "supplier_name": "ACME", "source_config": {"file_path": "acme.csv"}}
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def plan(cron: str = "* * * * *", **more: Any) -> SchedulePlan:
    return SchedulePlan.model_validate({"cron": cron, "task": TASK} | more)


class Case:
    """A store, the ledger beside it, and a way to let time pass for both."""

    def __init__(self, store: Schedules, bench: MemoryBench | PostgresBench, clock: DatabaseClock | None) -> None:
        self.store = store
        self.bench = bench
        self._clock = clock

    async def advance(self, by: timedelta) -> None:
        if self._clock is not None:
            await self._clock.move(by)
        else:
            await self.bench.advance(by.total_seconds())

    async def add(self, name: str = "acme", **more: Any) -> SchedulePlan:
        """A schedule of which a slot comes each minute, and the first one now."""
        made = plan(**more)
        assert await self.store.put(name, made, next_at=next_due(name, made, await self.store.now()), actor="ann")
        return made

    async def tick(self) -> list[Fired]:
        return (await self.store.tick(due_fires)).fired


@asynccontextmanager
async def memory() -> AsyncIterator[Case]:
    bench = MemoryBench()
    yield Case(MemorySchedules(bench.ledger, clock=bench.clock), bench, None)


@asynccontextmanager
async def postgres(url: str) -> AsyncIterator[Case]:
    async with (
        database_clock(url) as clock,
        postgres_bench(url) as bench,
        PostgresSchedules.open(url) as store,
    ):
        yield Case(store, bench, clock)


@pytest.fixture(params=["memory", "postgres"])
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    make: Any = memory() if request.param == "memory" else postgres(request.getfixturevalue("database_url"))
    async with make as made:
        yield made


def states(fired: Iterable[Fired]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in fired:
        found[one.firing.state] += one.firing.slots
    return dict(found)


async def test_a_schedule_is_kept_as_it_was_put(case: Case) -> None:
    made = await case.add(jitter_seconds=7, zone="Europe/Berlin", catch_up="latest")
    kept = await case.store.get("acme")
    assert isinstance(kept, Schedule)
    assert (kept.name, kept.plan, kept.enabled, kept.pause) == ("acme", made, True, None)
    assert kept.next_at is not None
    assert kept.next_at > kept.through
    assert await case.store.get("other") is None


async def test_a_name_is_taken_once_and_only_what_is_known_is_replaced(case: Case) -> None:
    await case.add()
    assert not await case.store.put("acme", plan("0 5 * * *"), next_at=None, actor="bob")
    assert not await case.store.put("new", plan(), next_at=None, actor="bob", replace=True)
    assert await case.store.put("acme", plan("0 5 * * *"), next_at=None, actor="bob", replace=True)
    kept = await case.store.get("acme")
    assert kept is not None
    assert kept.plan.cron == "0 5 * * *"


async def test_nothing_is_due_before_its_time(case: Case) -> None:
    await case.add(cron="0 0 1 1 *")
    assert await case.tick() == []


async def test_a_due_slot_is_written_with_its_task_and_fires_once(case: Case) -> None:
    await case.add()
    await case.advance(MINUTE)
    (fired,) = await case.tick()
    assert (fired.schedule, fired.firing.state) == ("acme", "started")
    assert fired.delivery is not None
    assert fired.delivery.task_id == task_id("acme", fired.firing.slot)
    row = await case.bench.row(fired.delivery.task_id)
    assert (row["status"], row["idempotency_key"]) == ("queued", row["task_id"])
    assert await case.tick() == []


async def test_a_slot_whose_task_is_known_already_starts_nothing(case: Case) -> None:
    made = await case.add()
    await case.advance(MINUTE)
    kept = await case.store.get("acme")
    assert kept is not None
    slot = next(slots(made, kept.through))
    await case.bench.ledger.register([task_for("acme", made, slot)])
    await case.tick()
    counted = await case.bench.ledger.depth()
    assert counted.queued == 1


async def test_an_hour_away_is_caught_up_as_far_as_the_policy_says_and_the_rest_is_one_row(case: Case) -> None:
    await case.add(cron="*/10 * * * *", catch_up="all", catch_up_runs=3, overlap="queue")
    await case.advance(2 * HOUR + 6 * MINUTE)
    fired = await case.tick()
    counted = states(fired)
    assert counted["caught_up"] == 3
    assert 8 <= counted["missed"] <= 10
    assert [one.firing.state for one in fired][:2] == ["missed", "caught_up"]
    assert (await case.bench.ledger.depth()).queued == counted["caught_up"] + counted.get("started", 0)
    assert await case.tick() == []


async def test_while_its_task_has_not_ended_a_schedule_skips_and_says_which(case: Case) -> None:
    await case.add()
    await case.advance(MINUTE)
    (first,) = await case.tick()
    await case.advance(MINUTE)
    (second,) = await case.tick()
    assert first.delivery is not None
    assert (second.firing.state, second.firing.reason) == ("skipped", f"{first.delivery.task_id} has not ended")
    assert second.delivery is None


async def test_once_its_task_has_ended_the_next_slot_is_started(case: Case) -> None:
    await case.add()
    await case.advance(MINUTE)
    (first,) = await case.tick()
    assert first.delivery is not None
    claim = await case.bench.ledger.claim(first.delivery, worker="w", lease=LEASE)
    assert not isinstance(claim, Refusal)
    await case.bench.ledger.settle(claim, Discard("cancelled", cancelled=True))
    await case.advance(MINUTE)
    assert states(await case.tick()) == {"started": 1}


async def test_cancel_running_puts_the_waiting_task_away(case: Case) -> None:
    await case.add(overlap="cancel_running")
    await case.advance(MINUTE)
    (first,) = await case.tick()
    await case.advance(MINUTE)
    (second,) = await case.tick()
    assert first.delivery is not None
    assert second.delivery is not None
    assert (await case.bench.row(first.delivery.task_id))["status"] == "cancelled"
    assert (await case.bench.row(second.delivery.task_id))["status"] == "queued"


async def test_slots_of_a_pause_are_skipped_and_after_it_they_are_started(case: Case) -> None:
    await case.add()
    assert await case.store.pause("acme", reason="stocktaking", until=None)
    await case.advance(2 * MINUTE)
    assert states(await case.tick()) == {"skipped": 2}
    assert await case.store.resume("acme", next_at=None)
    await case.advance(MINUTE)
    assert states(await case.tick()) == {"started": 1}
    assert not await case.store.pause("unknown", reason="", until=None)


async def test_a_pause_ends_by_itself(case: Case) -> None:
    await case.add()
    assert await case.store.pause("acme", reason="", until=await case.store.now() + 90 * timedelta(seconds=1))
    await case.advance(3 * MINUTE)
    counted = states(await case.tick())
    assert counted["skipped"] >= 1
    assert sum(counted.values()) == 3


async def test_a_disabled_schedule_does_nothing_until_it_is_resumed(case: Case) -> None:
    made = plan()
    now = await case.store.now()
    assert await case.store.put("acme", made, next_at=next_due("acme", made, now), actor="ann", enabled=False)
    await case.advance(5 * MINUTE)
    assert await case.tick() == []
    assert await case.store.resume("acme", next_at=next_due("acme", made, await case.store.now()))
    await case.advance(MINUTE)
    assert states(await case.tick()) == {"started": 1}


async def test_a_slot_skipped_in_advance_is_not_started(case: Case) -> None:
    made = await case.add()
    slot = next(slots(made, await case.store.now()))
    (skipped,) = await case.store.record("acme", [Firing(slot, "skipped", slot, reason="by hand")])
    assert skipped.delivery is None
    assert await case.store.record("acme", [Firing(slot, "skipped", slot)]) == []
    assert await case.store.record("unknown", [Firing(slot, "skipped", slot)]) == []
    await case.advance(MINUTE)
    assert await case.tick() == []


async def test_a_slot_started_by_hand_stands_beside_the_others(case: Case) -> None:
    made = await case.add(cron="0 0 1 1 *")
    slot = (await case.store.now()).replace(microsecond=0)
    firing = Firing(slot, "started", slot, reason="by hand", task=task_for("acme", made, slot))
    (fired,) = await case.store.record("acme", [firing])
    assert fired.delivery is not None
    assert (await case.bench.row(fired.delivery.task_id))["status"] == "queued"


async def test_a_schedule_that_cannot_be_decided_holds_up_no_other(case: Case) -> None:
    await case.add("bad")
    await case.add("good")
    await case.advance(MINUTE)

    def decide(schedule: Schedule, seen: Seen) -> Decision:
        if schedule.name == "bad":
            raise ScheduleInvalid("no such zone")
        return due_fires(schedule, seen)

    ticked = await case.store.tick(decide)
    assert ticked.failed == [("bad", "no such zone")]
    assert [one.schedule for one in ticked.fired] == ["good"]
    assert (await case.store.tick(decide)).failed == []  # asked again minutes later
    await case.advance(6 * MINUTE)
    assert {one.schedule for one in await case.tick()} == {"bad", "good"}


async def test_a_full_queue_leaves_the_schedule_as_it_was(case: Case) -> None:
    await case.add()
    await case.advance(MINUTE)

    def full(schedule: Schedule, seen: Seen) -> Decision:
        raise QueueFull

    before = await case.store.get("acme")
    assert (await case.store.tick(full)).failed
    assert await case.store.get("acme") == before
    assert states(await case.tick()) == {"started": 1}


async def test_a_change_counts_from_now_on(case: Case) -> None:
    await case.add()
    await case.advance(10 * MINUTE)
    made = plan()
    now = await case.store.now()
    assert await case.store.put("acme", made, next_at=next_due("acme", made, now), actor="ann", replace=True)
    assert await case.tick() == []


async def test_what_is_removed_is_gone_and_old_slots_are_forgotten(case: Case) -> None:
    await case.add()
    await case.advance(MINUTE)
    await case.tick()
    await case.advance(HOUR)
    assert await case.store.prune(older_than=2 * HOUR) == 0
    assert await case.store.prune(older_than=HOUR / 2) == 1
    assert await case.store.remove("acme")
    assert not await case.store.remove("acme")
    assert await case.store.get("acme") is None
