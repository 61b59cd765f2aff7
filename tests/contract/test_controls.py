"""What pauses and limits promise in every ledger, held against PostgreSQL and its twin in memory."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from contracts.account import Account
from contracts.controls import Limit, LimitKind, Pause, PauseKind, Rate
from contracts.outcome import Completed, Snooze
from contracts.queue import Delivery
from contracts.store import Claim, ClaimKey
from tests.contract.test_ledger import bench, claim_of, refused
from tests.support.ledgers import LEASE, Bench, claimed, result, task

__all__ = ["bench"]

HOST = {"source_config": {"url": "https://Prices.Example/a.csv"}}
SHEET = {
    "parser_type": "google_sheets",
    "source_config": {"sheet_url": "https://docs.google.com/spreadsheets/d/x", "credentials": "team-a"},
}
CLASSES = [
    ("queue", "bulk", {"queue": "bulk"}),
    ("supplier", "ACME", {}),
    ("parser", "csv", {}),
    ("source", "prices.example", HOST),
    ("source", "google_sheets:team-a", SHEET),
]
LIMITED = [one for one in CLASSES if one[0] != "supplier"]


async def sent(bench: Bench, **more: object) -> Delivery:
    supplier = str(more.pop("supplier", "ACME"))
    (answer,) = await bench.ledger.register([task(supplier, **more)])
    assert answer.delivery is not None
    return answer.delivery


async def finish(bench: Bench, claim: Claim) -> list[Delivery]:
    return await bench.ledger.settle(claim, Completed(result(claim.task.task_id, Account())))


class TestPauses:
    @pytest.mark.parametrize(("kind", "name", "of"), CLASSES)
    async def test_a_task_of_it_is_neither_started_nor_sent_until_it_is_resumed(
        self, bench: Bench, kind: PauseKind, name: str, of: dict[str, object]
    ) -> None:
        delivery = await sent(bench, **of)
        await bench.ledger.pause(Pause(kind, name, "me", "quota"))
        assert await refused(bench, delivery) == "paused"
        assert await bench.ledger.sweep() == []
        assert await bench.ledger.resume(kind, name) is True
        assert await bench.ledger.resume(kind, name) is False
        assert await bench.ledger.sweep() == [delivery]
        assert (await claim_of(bench, delivery)).attempt == 1

    async def test_what_is_of_something_else_goes_on(self, bench: Bench) -> None:
        await bench.ledger.pause(Pause("queue", "bulk", "me"))
        await bench.ledger.pause(Pause("supplier", "Other", "me"))
        await bench.ledger.pause(Pause("source", "elsewhere.example", "me"))
        await claim_of(bench, await sent(bench, **HOST))

    async def test_a_pause_ends_at_its_time(self, bench: Bench) -> None:
        delivery = await sent(bench)
        await bench.ledger.pause(Pause("parser", "csv", "me", until=bench.now() + timedelta(seconds=60)))
        assert await refused(bench, delivery) == "paused"
        await bench.advance(61)
        assert await bench.ledger.pauses() == []
        assert await bench.ledger.sweep() == [delivery]
        await claim_of(bench, delivery)

    async def test_pausing_again_changes_reason_and_time(self, bench: Bench) -> None:
        later = bench.now() + timedelta(hours=1)
        await bench.ledger.pause(Pause("queue", "bulk", "me"))
        await bench.ledger.pause(Pause("queue", "bulk", "you", "night", later, stop_running=True))
        await bench.ledger.pause(Pause("parser", "csv", "me"))
        assert await bench.ledger.pauses() == [
            Pause("parser", "csv", "me"),
            Pause("queue", "bulk", "you", "night", later, stop_running=True),
        ]

    async def test_a_running_task_goes_on_unless_it_shall_stop(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        key = ClaimKey(claim.task_key, claim.epoch)
        await bench.ledger.pause(Pause("parser", "csv", "me"))
        assert await bench.ledger.paused([key]) == set()
        await bench.ledger.pause(Pause("parser", "csv", "me", stop_running=True))
        assert await bench.ledger.paused([key]) == {key}
        assert await bench.ledger.paused([]) == set()
        (again,) = await bench.ledger.settle(claim, Snooze(bench.now(), "run_paused"))
        row = await bench.row(claim.task.task_id)
        assert (row["status"], row["attempt"]) == ("queued", 0)
        assert [one["outcome"] for one in await bench.attempts(claim.task.task_id)] == ["paused"]
        assert await refused(bench, again) == "paused"

    async def test_the_age_of_what_is_paused_alarms_nobody(self, bench: Bench) -> None:
        await sent(bench)
        await bench.ledger.pause(Pause("supplier", "ACME", "me"))
        await bench.advance(600)
        depth = await bench.ledger.depth()
        assert (depth.queued, depth.oldest) == (1, None)


class TestQueues:
    async def test_the_queue_of_a_message_is_kept(self, bench: Bench) -> None:
        claim = await claim_of(bench, await sent(bench, queue="bulk"))
        assert claim.task.queue == "bulk"
        assert (await bench.row(claim.task.task_id))["queue"] == "bulk"

    async def test_a_message_without_one_is_of_the_default_queue(self, bench: Bench) -> None:
        claim = await claim_of(bench, await sent(bench))
        assert claim.task.queue is None
        assert (await bench.row(claim.task.task_id))["queue"] == "default"


class TestConcurrency:
    @pytest.mark.parametrize(("kind", "name", "of"), LIMITED)
    async def test_no_more_run_than_may_and_an_end_names_who_takes_the_place(
        self, bench: Bench, kind: LimitKind, name: str, of: dict[str, object]
    ) -> None:
        await bench.ledger.set_limit(Limit(kind, name, "me", concurrency=2))
        assert await bench.ledger.limited() is True
        deliveries = [await sent(bench, supplier=f"s{number}", **of) for number in range(4)]
        running = [await claim_of(bench, one) for one in deliveries[:2]]
        assert await refused(bench, deliveries[2]) == "limited"
        assert await refused(bench, deliveries[3]) == "limited"
        assert await bench.ledger.sweep() == []
        (freed,) = await finish(bench, running[0])
        assert freed == deliveries[2]
        await claim_of(bench, freed)
        assert await refused(bench, deliveries[3]) == "limited"

    async def test_the_sweep_sends_as_many_as_may_start_and_what_is_not_limited(self, bench: Bench) -> None:
        await bench.ledger.set_limit(Limit("queue", "bulk", "me", concurrency=2))
        for number in range(5):
            await sent(bench, supplier=f"s{number}", queue="bulk")
        free = await sent(bench, supplier="free")
        found = await bench.ledger.sweep()
        assert len(found) == 3
        assert free in found

    async def test_of_two_limits_both_hold(self, bench: Bench) -> None:
        await bench.ledger.set_limit(Limit("queue", "bulk", "me", concurrency=5))
        await bench.ledger.set_limit(Limit("source", "prices.example", "me", concurrency=1))
        first = await sent(bench, supplier="a", queue="bulk", **HOST)
        second = await sent(bench, supplier="b", queue="bulk", **HOST)
        third = await sent(bench, supplier="c", queue="bulk")
        await claim_of(bench, first)
        assert await refused(bench, second) == "limited"
        await claim_of(bench, third)

    async def test_many_who_claim_at_once_get_exactly_as_many_places_as_there_are(self, bench: Bench) -> None:
        await bench.ledger.set_limit(Limit("parser", "csv", "me", concurrency=3))
        deliveries = [await sent(bench, supplier=f"s{number}") for number in range(12)]
        answers = await asyncio.gather(*(bench.ledger.claim(one, worker="w", lease=LEASE) for one in deliveries))
        assert sum(isinstance(one, Claim) for one in answers) == 3

    async def test_a_limit_that_is_taken_away_holds_nobody(self, bench: Bench) -> None:
        await bench.ledger.set_limit(Limit("parser", "csv", "me", concurrency=1))
        await bench.ledger.set_limit(Limit("queue", "bulk", "me", max_waiting=5))
        deliveries = [await sent(bench, supplier=f"s{number}") for number in range(2)]
        await claim_of(bench, deliveries[0])
        assert await refused(bench, deliveries[1]) == "limited"
        await bench.ledger.set_limit(Limit("parser", "csv", "me"))
        assert await bench.ledger.limits() == [Limit("queue", "bulk", "me", max_waiting=5)]
        assert await bench.ledger.limited() is False
        await claim_of(bench, deliveries[1])


class TestRates:
    async def test_no_more_start_in_a_window_than_may(self, bench: Bench) -> None:
        rate = Rate(3, 60.0)
        await bench.ledger.set_limit(Limit("parser", "csv", "me", rate=rate))
        started = 0
        for number in range(30):
            delivery = await sent(bench, supplier=f"s{number}")
            if isinstance(await bench.ledger.claim(delivery, worker="w", lease=LEASE), Claim):
                started += 1
            await bench.advance(2)
        assert started == 3, "30 tries within 60 s"

    async def test_the_sweep_sends_when_the_rate_allows_it_again(self, bench: Bench) -> None:
        await bench.ledger.set_limit(Limit("parser", "csv", "me", rate=Rate(6, 60.0)))
        await claim_of(bench, await sent(bench, supplier="a"))
        delivery = await sent(bench, supplier="b")
        assert await refused(bench, delivery) == "limited"
        assert await bench.ledger.sweep() == []
        await bench.advance(10)
        assert await bench.ledger.sweep() == [delivery]
        await claim_of(bench, delivery)

    @pytest.mark.parametrize("rate", [Rate(1, 1.0), Rate(2, 60.0), Rate(30, 60.0), Rate(600, 60.0), Rate(1000, 1.0)])
    def test_a_whole_window_sees_exactly_what_the_rate_says(self, rate: Rate) -> None:
        times = [0.0] * rate.burst
        while times[-1] < 3 * rate.seconds:
            times.append((len(times) - rate.burst + 1) * rate.each)
        most = max(sum(begin <= one < begin + rate.seconds - 1e-9 for one in times) for begin in set(times))
        assert most == rate.calls


class TestRoom:
    async def test_what_waits_takes_room_and_what_runs_or_ended_does_not(self, bench: Bench) -> None:
        assert await bench.ledger.room("default", most=3) == 3
        await sent(bench, supplier="a", queue="bulk")
        await claim_of(bench, await sent(bench, supplier="b"))
        assert await bench.ledger.room("default", most=3) == 2
        await bench.ledger.set_limit(Limit("queue", "bulk", "me", max_waiting=1))
        assert await bench.ledger.room("bulk", most=3) == 0
        assert await bench.ledger.room("default", most=1) == 0


class TestSnooze:
    async def test_a_waiting_task_waits_longer_and_those_behind_it_too(self, bench: Bench) -> None:
        older = await sent(bench)
        younger = await sent(bench)
        later = bench.now() + timedelta(seconds=60)
        assert await bench.ledger.snooze(older.task_id, later) == "snoozed"
        assert await refused(bench, older) == "not_due"
        assert await refused(bench, younger) == "blocked"
        await bench.advance(61)
        assert await bench.ledger.sweep() == [older]
        assert (await claim_of(bench, older)).attempt == 1

    async def test_only_what_waits_is_snoozed(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        later = bench.now() + timedelta(seconds=60)
        assert await bench.ledger.snooze(claim.task.task_id, later) == "running"
        await finish(bench, claim)
        assert await bench.ledger.snooze(claim.task.task_id, later) == "ended"
        assert await bench.ledger.snooze("none", later) == "unknown"
