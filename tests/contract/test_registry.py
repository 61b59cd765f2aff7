"""What every registry of workers promises, held against PostgreSQL and its twin in memory."""

from __future__ import annotations

from contracts.store import Refusal
from tests.contract.test_ledger import bench, claim_of
from tests.support.ledgers import LEASE, Bench, claimed, task

__all__ = ["bench"]


async def register(bench: Bench, name: str = "w1", *, pid: int = 7) -> None:
    await bench.ledger.register_worker(name, host="h", pid=pid, version="1", slots=5)


class TestAsking:
    async def test_a_heartbeat_learns_what_is_asked_of_its_worker_and_nobody_elses_does(self, bench: Bench) -> None:
        await register(bench, "w1")
        await register(bench, "w2")
        assert await bench.ledger.ask_workers(["w1", "none"], "drain") == ["w1"]
        assert await bench.ledger.beat("w1", state="working", busy=1) == "drain"
        assert await bench.ledger.beat("w2", state="working", busy=1) is None

    async def test_all_are_asked_and_a_wish_is_taken_back(self, bench: Bench) -> None:
        await register(bench, "w1")
        await register(bench, "w2")
        assert await bench.ledger.ask_workers(None, "recycle") == ["w1", "w2"]
        assert await bench.ledger.ask_workers(["w2"], None) == ["w2"]
        assert await bench.ledger.beat("w1", state="recycling", busy=0) == "recycle"
        assert await bench.ledger.beat("w2", state="working", busy=0) is None

    async def test_a_worker_that_starts_anew_is_asked_nothing(self, bench: Bench) -> None:
        await register(bench)
        await bench.ledger.ask_workers(None, "recycle")
        await register(bench)
        assert await bench.ledger.beat("w1", state="working", busy=0, snapshot={"memory": 1}) is None

    async def test_a_heartbeat_puts_a_worker_on_the_list_that_could_not_register(self, bench: Bench) -> None:
        assert await bench.ledger.beat("late", state="working", busy=0) is None
        assert await bench.ledger.ask_workers(None, "drain") == ["late"]


class TestGivingBack:
    async def test_the_tasks_of_a_process_that_died_are_free_at_once_and_its_death_counts(self, bench: Bench) -> None:
        await register(bench, "w1", pid=7)
        await register(bench, "w2", pid=8)
        gone, kept = await claimed(bench, task("a"), worker="w1"), await claimed(bench, task("b"), worker="w2")
        (again,) = await bench.ledger.give_back(host="h", pid=7)
        assert again.task_key == gone.task_key
        row = await bench.row(gone.task.task_id)
        assert (row["status"], row["crashes"], row["attempt"]) == ("queued", 1, 0)
        assert (await bench.row(kept.task.task_id))["status"] == "running"
        (attempt,) = await bench.attempts(gone.task.task_id)
        assert (attempt["outcome"], attempt["worker"]) == ("lost", "w1")
        await claim_of(bench, again, "w2")

    async def test_a_third_death_without_progress_is_poison_here_too(self, bench: Bench) -> None:
        await register(bench)
        claim = await claimed(bench, task())
        (younger,) = await bench.ledger.register([task()])
        for _ in range(2):
            (again,) = await bench.ledger.give_back(host="h", pid=7)
            claim = await claim_of(bench, again)
        assert await bench.ledger.give_back(host="h", pid=7) == []
        assert (await bench.row(claim.task.task_id))["status"] == "dead"
        assert await bench.ledger.sweep() == [younger.delivery]

    async def test_giving_back_twice_changes_nothing(self, bench: Bench) -> None:
        await register(bench)
        claim = await claimed(bench, task())
        (again,) = await bench.ledger.give_back(host="h", pid=7)
        assert await bench.ledger.give_back(host="h", pid=7) == []
        assert (await bench.row(claim.task.task_id))["crashes"] == 1
        assert not isinstance(await bench.ledger.claim(again, worker="w2", lease=LEASE), Refusal)

    async def test_a_lost_worker_is_asked_nothing(self, bench: Bench) -> None:
        await register(bench)
        await bench.ledger.give_back(host="h", pid=7)
        assert await bench.ledger.ask_workers(None, "drain") == []
