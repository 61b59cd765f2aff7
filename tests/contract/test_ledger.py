"""What every ledger promises, held against PostgreSQL and its twin in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from contracts.account import Account
from contracts.errors import AccountMismatch, ContractViolation, Disposition, LeaseLost
from contracts.outcome import Completed, DeadLetter, Discard, Failure, Retry, Settlement, Snooze
from contracts.queue import Delivery
from contracts.store import Claim, ClaimKey, Refusal
from tests.support.ledgers import LEASE, Bench, MemoryBench, claimed, postgres_bench, result, task

BROKEN = Failure(
    code="source_unavailable",
    category="Dependency",
    disposition=Disposition.TRANSIENT,
    message="the source did not answer",
    context={"status": 503},
)
ROWS = Account(
    read=12,
    new=4,
    changed=2,
    unchanged=1,
    rejected=Counter(price_missing=2),
    held=Counter(x=1),
    ignored=Counter(total=2),
)
NO_ROWS = Account()


@pytest.fixture(params=["postgres", "memory"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "memory":
        yield MemoryBench()
        return
    async with postgres_bench(request.getfixturevalue("database_url")) as bench:
        yield bench


def key(claim: Claim) -> ClaimKey:
    return ClaimKey(claim.task_key, claim.epoch)


def delivery_of(claim: Claim, *, at: Any = None) -> Delivery:
    """As it would be sent for the epoch the claim has now."""
    return Delivery(claim.task_key, claim.task.task_id, claim.epoch, at, claim.task.priority.rank)


async def claim_of(bench: Bench, delivery: Delivery, worker: str = "w1") -> Claim:
    claim = await bench.ledger.claim(delivery, worker=worker, lease=LEASE)
    assert isinstance(claim, Claim), claim
    return claim


async def refused(bench: Bench, delivery: Delivery) -> str:
    refusal = await bench.ledger.claim(delivery, worker="w2", lease=LEASE)
    assert isinstance(refusal, Refusal), refusal
    return refusal.reason


class TestRegister:
    async def test_tasks_are_answered_in_order_and_their_keys_rise(self, bench: Bench) -> None:
        tasks = [task(f"supplier {n}") for n in range(50)]
        answers = await bench.ledger.register(tasks)
        assert [answer.task_id for answer in answers] == [one.task_id for one in tasks]
        keys = [answer.task_key for answer in answers]
        assert keys == sorted(set(keys))
        assert all(answer.created and answer.delivery is not None for answer in answers)
        assert {answer.delivery.epoch for answer in answers if answer.delivery} == {0}

    async def test_nothing_is_answered_to_nothing(self, bench: Bench) -> None:
        assert await bench.ledger.register([]) == []

    async def test_a_known_task_changes_nothing_and_is_delivered_again_while_it_waits(self, bench: Bench) -> None:
        one = task()
        (first,) = await bench.ledger.register([one])
        (again,) = await bench.ledger.register([one.model_copy(update={"supplier_name": "other"})])
        assert again == first._replace(created=False)
        assert (await bench.row(one.task_id))["supplier_name"] == "ACME"

    async def test_an_idempotency_key_names_the_task_that_holds_it(self, bench: Bench) -> None:
        holder, late = task(idempotency_key="k"), task(idempotency_key="k")
        (first,) = await bench.ledger.register([holder])
        (second,) = await bench.ledger.register([late])
        assert (second.task_id, second.task_key, second.created) == (holder.task_id, first.task_key, False)

    async def test_the_same_task_twice_in_one_call_is_created_once(self, bench: Bench) -> None:
        one, twin = task(idempotency_key="k"), task(idempotency_key="k")
        answers = await bench.ledger.register([one, one, twin])
        assert [answer.created for answer in answers] == [True, False, False]
        assert {answer.task_key for answer in answers} == {answers[0].task_key}

    async def test_a_known_task_that_has_ended_needs_no_delivery(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        await bench.ledger.settle(claim, DeadLetter(BROKEN))
        (again,) = await bench.ledger.register([claim.task])
        assert again.delivery is None
        assert not again.created

    @pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
    async def test_what_json_in_postgres_cannot_hold_is_refused_and_nothing_is_registered(
        self, bench: Bench, text: str
    ) -> None:
        bad = task().model_copy(update={"source_config": {"file_path": text}})
        good = task()
        with pytest.raises(ContractViolation):
            await bench.ledger.register([good, bad])
        (answer,) = await bench.ledger.register([good])
        assert answer.created

    async def test_the_message_comes_back_as_it_was_handed_in(self, bench: Bench) -> None:
        one = task("Größe & Söhne", options={"currency": "EUR"}, priority="high", max_retries=0)
        claim = await claimed(bench, one)
        assert claim.task == one

    async def test_as_of_is_the_tasks_or_the_time_of_registration(self, bench: Bench) -> None:
        stated = await claimed(bench, task("a", as_of="2024-02-03T04:05:06+00:00"))
        assert stated.as_of == stated.task.as_of
        before = bench.now()
        unstated = await claimed(bench, task("b"))
        assert abs(unstated.as_of - before) < timedelta(minutes=5)


class TestClaim:
    async def test_a_claim_raises_epoch_and_attempt_and_opens_an_attempt(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        assert (claim.epoch, claim.attempt, claim.worker, claim.checkpoints) == (1, 1, "w1", ())
        row = await bench.row(claim.task.task_id)
        assert (row["status"], row["epoch"], row["worker"]) == ("running", 1, "w1")
        (attempt,) = await bench.attempts(claim.task.task_id)
        assert (attempt["epoch"], attempt["attempt"], attempt["outcome"]) == (1, 1, None)

    async def test_a_delivery_can_be_claimed_once(self, bench: Bench) -> None:
        (answer,) = await bench.ledger.register([task()])
        assert answer.delivery is not None
        await claim_of(bench, answer.delivery)
        assert await refused(bench, answer.delivery) == "superseded"

    async def test_an_unknown_task_is_unknown(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        assert await refused(bench, Delivery(claim.task_key + 7, "none", 0, None, 1)) == "unknown"

    async def test_a_key_that_belongs_to_another_task_is_unknown(self, bench: Bench) -> None:
        (answer,) = await bench.ledger.register([task()])
        assert await refused(bench, Delivery(answer.task_key, "of another database", 0, None, 1)) == "unknown"

    async def test_a_later_task_of_the_supplier_waits_for_the_older_one(self, bench: Bench) -> None:
        older, younger = await bench.ledger.register([task(), task()])
        other, _ = await bench.ledger.register([task("other"), task("other")])
        assert older.delivery
        assert younger.delivery
        assert other.delivery
        assert await refused(bench, younger.delivery) == "blocked"
        claim = await claim_of(bench, older.delivery)
        assert await refused(bench, younger.delivery) == "blocked"
        await claim_of(bench, other.delivery)
        following = await bench.ledger.settle(claim, Completed(result(claim.task.task_id, NO_ROWS)))
        assert following == [younger.delivery]
        await claim_of(bench, younger.delivery)

    async def test_a_replayed_older_task_waits_for_the_running_one(self, bench: Bench) -> None:
        dead = await claimed(bench, task())
        await bench.ledger.settle(dead, DeadLetter(BROKEN))
        running = await claimed(bench, task())
        (again,) = await bench.ledger.replay([dead.task.task_id], actor="me")
        assert await refused(bench, again) == "blocked"
        following = await bench.ledger.settle(running, Completed(result(running.task.task_id, NO_ROWS)))
        assert following == [again]

    async def test_a_task_is_not_started_before_its_time(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        (later,) = await bench.ledger.settle(claim, Retry(bench.now() + timedelta(seconds=60), BROKEN))
        assert await refused(bench, later) == "not_due"
        await bench.advance(61)
        assert (await claim_of(bench, later)).attempt == 2

    async def test_an_expired_task_is_not_started(self, bench: Bench) -> None:
        (answer,) = await bench.ledger.register([task(expires_at=bench.now() + timedelta(seconds=60))])
        await bench.advance(61)
        assert answer.delivery is not None
        assert await refused(bench, answer.delivery) == "expired"

    async def test_an_ended_task_is_ended(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        await bench.ledger.settle(claim, DeadLetter(BROKEN))
        assert await refused(bench, delivery_of(claim)) == "ended"

    async def test_the_newest_ten_checkpoints_come_newest_first(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        for sequence in range(1, 13):
            await bench.checkpoint(claim, sequence, NO_ROWS)
        (again,) = await bench.ledger.settle(claim, Snooze(bench.now(), "pause"))
        second = await claim_of(bench, again)
        assert [document["sequence"] for document in second.checkpoints] == list(range(12, 2, -1))
        assert second.checkpoints == await bench.ledger.newest_checkpoints(claim.task_key)


class TestRenew:
    async def test_a_held_claim_is_renewed_and_a_lost_one_is_not_named(self, bench: Bench) -> None:
        mine, lost = await claimed(bench, task("a")), await claimed(bench, task("b"))
        await bench.ledger.settle(lost, Snooze(bench.now(), "pause"))
        await bench.advance(8)
        kept = await bench.ledger.renew([key(mine), key(lost)], worker="w1", lease=LEASE)
        assert kept == {key(mine)}
        await bench.advance(8)
        await bench.ledger.sweep()
        assert (await bench.row(mine.task.task_id))["status"] == "running"

    async def test_another_epoch_is_not_renewed(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        stale = ClaimKey(claim.task_key, claim.epoch - 1)
        assert await bench.ledger.renew([stale], worker="w1", lease=LEASE) == set()

    async def test_nothing_to_renew_is_still_a_heartbeat(self, bench: Bench) -> None:
        assert await bench.ledger.renew([], worker="w1", lease=LEASE) == set()


class TestSettle:
    async def test_completed_ends_the_task_with_its_result(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        await bench.checkpoint(claim, 1, ROWS)
        outcome = result(claim.task.task_id, ROWS)
        assert await bench.ledger.settle(claim, Completed(outcome)) == []
        row = await bench.row(claim.task.task_id)
        assert (row["status"], row["result"]) == ("completed", outcome.document())
        assert (row["worker"], row["lease_until"]) == (None, None)
        assert row["finished_at"] is not None
        assert [attempt["outcome"] for attempt in await bench.attempts(claim.task.task_id)] == ["completed"]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"unchanged": 2, "successful_rows": 8, "total_rows": 13},
            {"total_rows": 11},
            {"successful_rows": 6},
            {"failed_rows": 1, "held": 2},
            {"ignored": {"blank": 2}},
        ],
    )
    async def test_a_result_that_counts_otherwise_than_the_checkpoint_is_refused(
        self, bench: Bench, wrong: dict[str, Any]
    ) -> None:
        claim = await claimed(bench, task())
        await bench.checkpoint(claim, 1, NO_ROWS)
        await bench.checkpoint(claim, 2, ROWS)
        right = result(claim.task.task_id, ROWS)
        assert right.statistics is not None
        bad = right.model_copy(update={"statistics": right.statistics.model_copy(update=wrong)})
        with pytest.raises(AccountMismatch):
            await bench.ledger.settle(claim, Completed(bad))
        assert (await bench.row(claim.task.task_id))["status"] == "running"
        await bench.ledger.settle(claim, Completed(right))

    async def test_without_checkpoint_only_zero_rows_are_believed(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        with pytest.raises(AccountMismatch):
            await bench.ledger.settle(claim, Completed(result(claim.task.task_id, ROWS)))
        nothing = result(claim.task.task_id, NO_ROWS).model_copy(update={"statistics": None})
        await bench.ledger.settle(claim, Completed(nothing))

    async def test_a_result_without_statistics_does_not_hide_rows(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        await bench.checkpoint(claim, 1, ROWS)
        silent = result(claim.task.task_id, ROWS).model_copy(update={"statistics": None})
        with pytest.raises(AccountMismatch):
            await bench.ledger.settle(claim, Completed(silent))

    async def test_retry_counts_the_attempt_and_comes_back_at_its_time(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        at = bench.now() + timedelta(seconds=60)
        (again,) = await bench.ledger.settle(claim, Retry(at, BROKEN))
        assert again.epoch == claim.epoch
        assert again.at is not None
        assert abs(again.at - at) < timedelta(seconds=30)
        row = await bench.row(claim.task.task_id)
        assert (row["status"], row["attempt"], row["epoch"]) == ("retryable", 1, 1)
        (attempt,) = await bench.attempts(claim.task.task_id)
        assert (attempt["outcome"], attempt["error"]) == ("retry", BROKEN.document())

    async def test_a_retry_in_the_past_is_due_at_once(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        (again,) = await bench.ledger.settle(claim, Retry(bench.now() - timedelta(hours=1), BROKEN))
        assert again.at is None
        await claim_of(bench, again)

    @pytest.mark.parametrize(("reason", "outcome"), [("source_throttled", "snooze"), ("run_released", "released")])
    async def test_snooze_gives_the_attempt_back(self, bench: Bench, reason: str, outcome: str) -> None:
        claim = await claimed(bench, task())
        (again,) = await bench.ledger.settle(claim, Snooze(bench.now(), reason))
        row = await bench.row(claim.task.task_id)
        assert (row["status"], row["attempt"]) == ("queued", 0)
        assert [attempt["outcome"] for attempt in await bench.attempts(claim.task.task_id)] == [outcome]
        second = await claim_of(bench, again)
        assert (second.epoch, second.attempt) == (2, 1)

    async def test_discard_gives_a_held_claim_back_and_leaves_a_lost_one_alone(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        (again,) = await bench.ledger.settle(claim, Discard("lease_lost"))
        second = await claim_of(bench, again)
        assert await bench.ledger.settle(claim, Discard("lease_lost")) == []
        assert second.attempt == 1
        assert (await bench.row(claim.task.task_id))["status"] == "running"

    async def test_a_cancelled_run_ends_its_task_without_a_letter(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        (younger,) = await bench.ledger.register([task()])
        following = await bench.ledger.settle(claim, Discard("run_cancelled", cancelled=True))
        assert following == [younger.delivery]
        assert (await bench.row(claim.task.task_id))["status"] == "cancelled"
        assert await bench.letters() == []

    async def test_dead_means_exactly_one_open_letter_with_everything_in_it(self, bench: Bench) -> None:
        claim = await claimed(bench, task(source_config={"url": "https://example.org/a.csv?token=hunter2hunter2"}))
        await bench.checkpoint(claim, 1, ROWS)
        await bench.checkpoint(claim, 2, ROWS)
        assert await bench.ledger.settle(claim, DeadLetter(BROKEN)) == []
        assert await bench.ledger.settle(claim, DeadLetter(BROKEN)) == []
        (letter,) = await bench.letters()
        assert (letter["task_id"], letter["supplier_name"]) == (claim.task.task_id, "ACME")
        assert (letter["code"], letter["category"], letter["reason"]) == (BROKEN.code, "Dependency", BROKEN.message)
        assert (letter["status"], letter["attempts"], letter["error"]) == ("open", 1, BROKEN.document())
        assert letter["last_checkpoint"]["sequence"] == 2
        assert letter["message"]["parser_type"] == "csv"
        assert "hunter2" not in str(letter)
        row = await bench.row(claim.task.task_id)
        assert (row["status"], row["result"]["status"]) == ("dead", "failure")
        assert row["result"]["errors"][0]["error_type"] == BROKEN.code

    async def test_a_zombie_cannot_settle(self, bench: Bench) -> None:
        zombie = await claimed(bench, task())
        await bench.advance(11)
        (again,) = await bench.ledger.sweep()
        settlements: list[Settlement] = [
            Completed(result(zombie.task.task_id, NO_ROWS)),
            Retry(bench.now(), BROKEN),
            Snooze(bench.now(), "pause"),
            DeadLetter(BROKEN),
            Discard("cancelled", cancelled=True),
        ]
        for settlement in settlements:
            with pytest.raises(LeaseLost):
                await bench.ledger.settle(zombie, settlement)
        second = await claim_of(bench, again, "w2")
        for settlement in settlements:
            with pytest.raises(LeaseLost):
                await bench.ledger.settle(zombie, settlement)
        assert await bench.letters() == []
        await bench.ledger.settle(second, Completed(result(second.task.task_id, NO_ROWS)))

    async def test_a_settlement_repeated_after_a_lost_answer_answers_the_same(self, bench: Bench) -> None:
        for supplier, settlement in {
            "completed": Completed(result("x", NO_ROWS)),
            "retry": Retry(bench.now() + timedelta(hours=1), BROKEN),
            "snooze": Snooze(bench.now() + timedelta(hours=1), "pause"),
            "dead": DeadLetter(BROKEN),
            "cancelled": Discard("cancelled", cancelled=True),
        }.items():
            claim = await claimed(bench, task(supplier))
            await bench.ledger.register([task(supplier)])
            first = await bench.ledger.settle(claim, settlement)
            before = await bench.row(claim.task.task_id)
            assert await bench.ledger.settle(claim, settlement) == first
            assert await bench.row(claim.task.task_id) == before
            assert len(first) == 1

    async def test_another_settlement_after_the_first_is_refused(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        await bench.ledger.settle(claim, Retry(bench.now(), BROKEN))
        with pytest.raises(LeaseLost):
            await bench.ledger.settle(claim, DeadLetter(BROKEN))
        assert (await bench.row(claim.task.task_id))["status"] == "retryable"

    async def test_successors_stay_blocked_while_a_task_waits_for_its_retry(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        (younger,) = await bench.ledger.register([task()])
        following = await bench.ledger.settle(claim, Retry(bench.now() + timedelta(seconds=60), BROKEN))
        assert [delivery.task_key for delivery in following] == [claim.task_key]
        assert younger.delivery is not None
        assert await refused(bench, younger.delivery) == "blocked"


class TestCancel:
    async def test_a_waiting_task_ends_at_once(self, bench: Bench) -> None:
        older, younger = await bench.ledger.register([task(), task()])
        assert older.delivery is not None
        assert await bench.ledger.cancel(older.task_id, actor="me") == "cancelled"
        assert (await bench.row(older.task_id))["status"] == "cancelled"
        assert await refused(bench, older.delivery) == "ended"
        assert await bench.ledger.sweep() == [younger.delivery]

    async def test_what_stood_behind_it_is_sent_by_the_next_sweep(self, bench: Bench) -> None:
        older, younger = await bench.ledger.register([task(), task()])
        assert older.delivery
        assert younger.delivery
        await bench.ledger.dispatched([older.delivery, younger.delivery])
        await bench.ledger.cancel(older.task_id, actor="me")
        assert await bench.ledger.sweep() == [younger.delivery]

    async def test_a_running_task_is_asked_to_stop(self, bench: Bench) -> None:
        claim, other = await claimed(bench, task("a")), await claimed(bench, task("b"))
        assert await bench.ledger.cancel_requested([key(claim), key(other)]) == set()
        assert await bench.ledger.cancel(claim.task.task_id, actor="me") == "requested"
        assert await bench.ledger.cancel_requested([key(claim), key(other)]) == {key(claim)}
        assert await bench.ledger.cancel_requested([]) == set()

    @pytest.mark.parametrize("kind", ["retry", "snooze"])
    async def test_a_task_to_be_cancelled_does_not_wait_for_another_attempt(self, bench: Bench, kind: str) -> None:
        claim = await claimed(bench, task())
        await bench.ledger.cancel(claim.task.task_id, actor="me")
        at = bench.now()
        settlement: Settlement = Retry(at, BROKEN) if kind == "retry" else Snooze(at, "pause")
        assert await bench.ledger.settle(claim, settlement) == []
        assert await bench.ledger.settle(claim, settlement) == []
        assert (await bench.row(claim.task.task_id))["status"] == "cancelled"
        assert [attempt["outcome"] for attempt in await bench.attempts(claim.task.task_id)] == ["cancelled"]

    async def test_a_task_to_be_cancelled_whose_worker_died_is_cancelled(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        await bench.ledger.cancel(claim.task.task_id, actor="me")
        await bench.advance(11)
        assert await bench.ledger.sweep() == []
        assert (await bench.row(claim.task.task_id))["status"] == "cancelled"

    async def test_an_ended_and_an_unknown_task_are_told_apart(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        await bench.ledger.settle(claim, DeadLetter(BROKEN))
        assert await bench.ledger.cancel(claim.task.task_id, actor="me") == "ended"
        assert await bench.ledger.cancel("none", actor="me") == "unknown"


class TestSweep:
    async def test_a_lost_task_comes_back_and_its_attempt_is_given_back(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        assert await bench.ledger.sweep() == []
        await bench.advance(11)
        (again,) = await bench.ledger.sweep()
        assert again == delivery_of(claim)
        row = await bench.row(claim.task.task_id)
        assert (row["status"], row["attempt"], row["crashes"], row["worker"]) == ("queued", 0, 1, None)
        assert [attempt["outcome"] for attempt in await bench.attempts(claim.task.task_id)] == ["lost"]
        assert (await claim_of(bench, again, "w2")).attempt == 1

    async def test_a_task_that_kills_three_workers_without_progress_is_poison(self, bench: Bench) -> None:
        claim = await claimed(bench, task(max_retries=0))
        (younger,) = await bench.ledger.register([task()])
        for _ in range(2):
            await bench.advance(11)
            (again,) = await bench.ledger.sweep()
            claim = await claim_of(bench, again)
        await bench.advance(11)
        assert await bench.ledger.sweep() == [younger.delivery]
        row = await bench.row(claim.task.task_id)
        assert (row["status"], row["crashes"], row["result"]["status"]) == ("dead", 3, "failure")
        (letter,) = await bench.letters()
        assert (letter["code"], letter["status"], letter["attempts"]) == ("poison", "open", 3)

    async def test_deaths_with_progress_never_add_up(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        for sequence in range(1, 8):
            await bench.checkpoint(claim, sequence, ROWS)
            await bench.advance(11)
            (again,) = await bench.ledger.sweep(poison_after=2)
            claim = await claim_of(bench, again)
        assert (await bench.row(claim.task.task_id))["crashes"] == 0

    async def test_progress_forgives_earlier_deaths(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        for death in range(4):
            if death == 2:
                await bench.checkpoint(claim, 1, ROWS)
            await bench.advance(11)
            (again,) = await bench.ledger.sweep()
            claim = await claim_of(bench, again)
        assert (await bench.row(claim.task.task_id))["crashes"] == 1

    async def test_a_worker_heard_of_after_its_lease_ran_out_has_not_crashed(self, bench: Bench) -> None:
        await bench.ledger.register_worker("w1", host="h", pid=1, version="1", slots=5)
        claim = await claimed(bench, task())
        await bench.advance(11)
        await bench.ledger.renew([], worker="w1", lease=LEASE)
        await bench.ledger.sweep(poison_after=1)
        assert (await bench.row(claim.task.task_id))["crashes"] == 0

    async def test_a_worker_restarted_under_its_old_name_has_crashed(self, bench: Bench) -> None:
        await bench.ledger.register_worker("w1", host="h", pid=1, version="1", slots=5)
        claim = await claimed(bench, task())
        await bench.advance(11)
        await bench.ledger.register_worker("w1", host="h", pid=2, version="1", slots=5)
        await bench.ledger.sweep()
        assert (await bench.row(claim.task.task_id))["crashes"] == 1

    async def test_a_retry_does_not_count_as_a_crash(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        for _ in range(4):
            (again,) = await bench.ledger.settle(claim, Retry(bench.now(), BROKEN))
            claim = await claim_of(bench, again)
        row = await bench.row(claim.task.task_id)
        assert (row["crashes"], row["attempt"]) == (0, 5)

    async def test_an_expired_task_dies_and_its_successor_goes_on(self, bench: Bench) -> None:
        soon = bench.now() + timedelta(seconds=60)
        older, younger = await bench.ledger.register([task(expires_at=soon), task()])
        assert older.delivery
        assert younger.delivery
        await bench.ledger.dispatched([older.delivery, younger.delivery])
        await bench.advance(61)
        await bench.ledger.dispatched([younger.delivery])
        assert await bench.ledger.sweep() == [younger.delivery]
        (letter,) = await bench.letters()
        assert (letter["code"], letter["attempts"]) == ("task_expired", 0)
        assert (await bench.row(older.task_id))["status"] == "dead"

    async def test_what_was_never_sent_is_sent_once(self, bench: Bench) -> None:
        answers = await bench.ledger.register([task(f"s{n}") for n in range(3)])
        assert set(await bench.ledger.sweep()) == {answer.delivery for answer in answers}
        assert await bench.ledger.sweep() == []

    async def test_what_was_sent_and_not_claimed_is_sent_again_after_a_while(self, bench: Bench) -> None:
        (answer,) = await bench.ledger.register([task()])
        assert answer.delivery is not None
        await bench.ledger.dispatched([answer.delivery])
        assert await bench.ledger.sweep() == []
        await bench.advance(11)
        assert await bench.ledger.sweep() == [answer.delivery]
        assert await bench.ledger.sweep() == []

    async def test_what_is_registered_to_be_sent_at_once_is_swept_only_when_overdue(self, bench: Bench) -> None:
        (answer,) = await bench.ledger.register([task()], sending=True)
        assert await bench.ledger.sweep() == []
        await bench.advance(11)
        assert await bench.ledger.sweep() == [answer.delivery]

    async def test_dispatched_is_noted_for_the_current_epoch_only(self, bench: Bench) -> None:
        (answer,) = await bench.ledger.register([task()])
        assert answer.delivery is not None
        await bench.ledger.dispatched([answer.delivery._replace(epoch=3)])
        await bench.ledger.dispatched([])
        assert await bench.ledger.sweep() == [answer.delivery]

    async def test_a_retry_is_sent_when_it_is_due(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        (again,) = await bench.ledger.settle(claim, Retry(bench.now() + timedelta(seconds=60), BROKEN))
        assert await bench.ledger.sweep() == []
        await bench.advance(61)
        assert await bench.ledger.sweep() == [again._replace(at=None)]

    async def test_only_the_first_of_a_supplier_is_sent(self, bench: Bench) -> None:
        older, _ = await bench.ledger.register([task(), task()])
        assert await bench.ledger.sweep() == [older.delivery]

    async def test_no_more_than_the_limit_is_sent_and_the_urgent_first(self, bench: Bench) -> None:
        tasks = [task(f"s{n}", priority="low") for n in range(6)] + [task("urgent", priority="high")]
        answers = await bench.ledger.register(tasks)
        first = await bench.ledger.sweep(limit=3)
        assert len(first) == 3
        assert answers[-1].delivery in first
        rest = [*first, *await bench.ledger.sweep(limit=3), *await bench.ledger.sweep(limit=3)]
        assert sorted(rest) == sorted(answer.delivery for answer in answers if answer.delivery)


class TestDeadLetters:
    async def test_a_replayed_task_starts_again_and_keeps_its_history(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        await bench.checkpoint(claim, 1, ROWS)
        await bench.ledger.settle(claim, DeadLetter(BROKEN))
        (again,) = await bench.ledger.replay([claim.task.task_id], actor="me", reason="repaired")
        row = await bench.row(claim.task.task_id)
        assert (row["status"], row["epoch"], row["attempt"], row["crashes"]) == ("queued", 2, 0, 0)
        assert row["finished_at"] is None
        assert row["result"] is None
        (letter,) = await bench.letters()
        assert (letter["status"], letter["closed_by"], letter["close_reason"]) == ("replayed", "me", "repaired")
        second = await claim_of(bench, again)
        assert (second.epoch, second.attempt) == (3, 1)
        assert [document["sequence"] for document in second.checkpoints] == [1]
        assert [attempt["outcome"] for attempt in await bench.attempts(claim.task.task_id)] == ["dead", None]
        await bench.ledger.settle(second, DeadLetter(BROKEN))
        assert [letter["status"] for letter in await bench.letters()].count("open") == 1

    async def test_only_dead_and_cancelled_tasks_are_replayed(self, bench: Bench) -> None:
        running = await claimed(bench, task("a"))
        (waiting,) = await bench.ledger.register([task("b")])
        cancelled = await claimed(bench, task("c"))
        await bench.ledger.settle(cancelled, Discard("x", cancelled=True))
        ids = [running.task.task_id, waiting.task_id, cancelled.task.task_id, "none"]
        replayed = await bench.ledger.replay(ids, actor="me")
        assert [delivery.task_id for delivery in replayed] == [cancelled.task.task_id]
        assert await bench.ledger.replay([], actor="me") == []

    async def test_a_replayed_task_is_not_cancelled_again(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        await bench.ledger.cancel(claim.task.task_id, actor="me")
        await bench.ledger.settle(claim, Discard("run_cancelled", cancelled=True))
        (again,) = await bench.ledger.replay([claim.task.task_id], actor="me")
        second = await claim_of(bench, again)
        assert await bench.ledger.cancel_requested([key(second)]) == set()

    async def test_a_task_replayed_after_it_expired_does_not_expire_again(self, bench: Bench) -> None:
        (answer,) = await bench.ledger.register([task(expires_at=bench.now() + timedelta(seconds=60))])
        await bench.advance(61)
        await bench.ledger.sweep()
        (again,) = await bench.ledger.replay([answer.task_id], actor="me")
        await claim_of(bench, again)

    async def test_thousands_are_replayed_at_once(self, bench: Bench) -> None:
        answers = await bench.ledger.register([task(f"s{n}") for n in range(1_500)])
        ids = [answer.task_id for answer in answers]
        for task_id in ids[:3]:
            await bench.ledger.cancel(task_id, actor="me")
        assert len(await bench.ledger.replay(ids, actor="me")) == 3

    async def test_a_discarded_letter_is_closed_and_its_task_stays_dead(self, bench: Bench) -> None:
        claim = await claimed(bench, task())
        await bench.ledger.settle(claim, DeadLetter(BROKEN))
        (letter,) = await bench.letters()
        assert await bench.ledger.discard([letter["id"], "not an id"], actor="me", reason="old") == 1
        assert await bench.ledger.discard([letter["id"]], actor="me") == 0
        assert await bench.ledger.discard([], actor="me") == 0
        (letter,) = await bench.letters()
        assert (letter["status"], letter["closed_by"], letter["close_reason"]) == ("discarded", "me", "old")
        assert (await bench.row(claim.task.task_id))["status"] == "dead"

    @pytest.mark.parametrize(
        "raw",
        [
            "no json",
            "[1,2]",
            '{"task_id": 5}',
            "a\0b",
            '{"a":"\\u0000"}',
            '"\ud800"',
            '{"a":1e400}',
            "9" * 5000,
            "[" * 9000,
        ],
    )
    async def test_a_message_that_is_no_task_is_buried_once(self, bench: Bench, raw: str) -> None:
        assert await bench.ledger.bury(raw, BROKEN) is True
        assert await bench.ledger.bury(raw, BROKEN) is False
        (letter,) = await bench.letters()
        assert (letter["task_key"], letter["code"], letter["attempts"]) == (None, BROKEN.code, 0)
        assert await bench.ledger.discard([letter["id"]], actor="me") == 1
        assert await bench.ledger.bury(raw, BROKEN) is True

    async def test_a_buried_object_keeps_its_members_but_no_secret(self, bench: Bench) -> None:
        raw = orjson.dumps({"task_id": "t1", "supplier_name": "ACME", "password": "hunter2"}).decode()
        await bench.ledger.bury(raw, BROKEN)
        (letter,) = await bench.letters()
        assert (letter["task_id"], letter["supplier_name"]) == ("t1", "ACME")
        assert set(letter["message"]) == {"task_id", "supplier_name", "password"}
        assert "hunter2" not in str(letter)


class TestDepth:
    async def test_depth_counts_what_waits_runs_and_lies_dead(self, bench: Bench) -> None:
        empty = await bench.ledger.depth()
        assert (empty.queued, empty.retryable, empty.running, empty.dead, empty.oldest) == (0, 0, 0, 0, None)
        await claimed(bench, task("runs"))
        dead = await claimed(bench, task("dies"))
        await bench.ledger.settle(dead, DeadLetter(BROKEN))
        later = await claimed(bench, task("later"))
        await bench.ledger.settle(later, Retry(bench.now() + timedelta(hours=1), BROKEN))
        await bench.ledger.register([task("a"), task("b")])
        await bench.advance(60)
        depth = await bench.ledger.depth()
        assert (depth.queued, depth.retryable, depth.running, depth.dead) == (2, 1, 1, 1)
        assert depth.oldest is not None
        assert 60 <= depth.oldest < 600

    async def test_a_forgotten_worker_may_come_back(self, bench: Bench) -> None:
        await bench.ledger.register_worker("w1", host="h", pid=1, version="1", slots=5)
        await bench.ledger.forget_worker("w1")
        await bench.ledger.forget_worker("w1")
        await bench.ledger.register_worker("w1", host="h", pid=1, version="1", slots=5)
