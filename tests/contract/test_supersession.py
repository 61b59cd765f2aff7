"""Which of several queued versions of a list runs, held against PostgreSQL and its twin in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.account import Account
from contracts.controls import Pause
from contracts.outcome import Completed, Snooze
from contracts.store import Claim, Refusal
from contracts.task import ParseTask
from db.ledger import PostgresLedger
from db.memory import MemoryLedger
from tests.contract.test_ledger import claim_of
from tests.support.ledgers import LEASE, Bench, MemoryBench, PostgresBench, postgres_bench, result, task


@pytest.fixture(params=["postgres", "memory"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "memory":
        bench = MemoryBench()
        bench.ledger = MemoryLedger(clock=bench.clock, tables=bench.tables, supersede=True)
        yield bench
        return
    url = request.getfixturevalue("database_url")
    async with postgres_bench(url) as plain, PostgresLedger.open(url, size=4, supersede=True) as ledger:
        yield PostgresBench(ledger, plain.connection)


async def states(bench: Bench, tasks: list[ParseTask]) -> list[tuple[str, str | None]]:
    rows = [await bench.row(one.task_id) for one in tasks]
    return [(row["status"], row["superseded_by"]) for row in rows]


async def first_claim(bench: Bench, tasks: list[ParseTask]) -> Claim | Refusal:
    """Of the oldest, as its delivery arrives."""
    registered = await bench.ledger.register(tasks)
    assert registered[0].delivery is not None
    return await bench.ledger.claim(registered[0].delivery, worker="w", lease=LEASE)


async def test_the_newest_runs_and_the_others_end_naming_it(bench: Bench) -> None:
    tasks = [task() for _ in range(4)]
    refusal = await first_claim(bench, tasks)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "outdated"
    (newest,) = refusal.following
    assert newest.task_id == tasks[3].task_id
    assert await states(bench, tasks) == [("cancelled", tasks[3].task_id)] * 3 + [("queued", None)]
    await claim_of(bench, newest)
    assert await bench.attempts(tasks[0].task_id) == []


DIFFERENT: dict[str, list[dict[str, Any]]] = {
    "files": [{}, {"source_config": {"file_path": "b.csv"}}],
    "names": [{"options": {"list_name": "cables"}}, {"options": {"list_name": "lamps"}}],
    "suppliers": [{}, {"supplier_name": "Other"}],
    "days that are stated": [{"as_of": "2026-11-01T00:00:00Z"}, {"as_of": "2026-11-02T00:00:00Z"}],
    "a day and from now on": [{"as_of": "2026-11-01T00:00:00Z"}, {}],
    "an older one that came later": [{"as_of": "2026-11-01T12:00:00Z"}, {"as_of": "2026-11-01T00:00:00Z"}],
    "rows that are taken up again": [{}, {"options": {"replay_of": "x"}}],
    "parsers": [{}, {"parser_type": "excel"}],
    "places nobody knows": [{"parser_type": "own", "source_config": {"x": 1}}] * 2,
}


@pytest.mark.parametrize("kind", DIFFERENT)
async def test_what_is_not_the_same_list_runs(bench: Bench, kind: str) -> None:
    tasks = [task(**{"supplier": "ACME"} | members) if "supplier_name" not in members
             else task(members["supplier_name"]) for members in DIFFERENT[kind]]  # fmt: skip
    assert isinstance(await first_claim(bench, tasks), Claim)
    assert [state for state, _ in await states(bench, tasks)] == ["running", "queued"]


@pytest.mark.parametrize(
    "both",
    [
        [
            {"options": {"list_name": "cables"}},
            {"options": {"list_name": "cables"}, "source_config": {"file_path": "b"}},
        ],
        [{"as_of": "2026-11-01T00:00:00Z"}, {"as_of": "2026-11-01T09:00:00Z"}],
    ],
)
async def test_a_stated_name_or_day_makes_it_the_same_list(bench: Bench, both: list[dict[str, Any]]) -> None:
    tasks = [task(**members) for members in both]
    assert isinstance(await first_claim(bench, tasks), Refusal)


async def test_what_has_begun_is_finished(bench: Bench) -> None:
    old, new = task(), task()
    (registered,) = await bench.ledger.register([old])
    assert registered.delivery is not None
    claim = await claim_of(bench, registered.delivery)
    (again,) = await bench.ledger.settle(claim, Snooze(bench.now(), "run_released"))
    await bench.ledger.register([new])
    claim = await claim_of(bench, again)
    following = await bench.ledger.settle(claim, Completed(result(old.task_id, Account())))
    assert [one.task_id for one in following] == [new.task_id]


async def test_lists_between_two_versions_keep_their_turn(bench: Bench) -> None:
    old, other, new = task(), task(source_config={"file_path": "other.csv"}), task()
    refusal = await first_claim(bench, [old, other, new])
    assert isinstance(refusal, Refusal)
    assert [one.task_id for one in refusal.following] == [other.task_id]
    assert (await bench.row(old.task_id))["superseded_by"] == new.task_id


async def test_a_superseded_task_runs_if_a_person_wants_it(bench: Bench) -> None:
    tasks = [task(), task()]
    refusal = await first_claim(bench, tasks)
    assert isinstance(refusal, Refusal)
    claim = await claim_of(bench, refusal.following[0])
    await bench.ledger.settle(claim, Completed(result(claim.task.task_id, Account())))
    (again,) = await bench.ledger.replay([tasks[0].task_id], actor="me")
    await claim_of(bench, again)
    assert (await bench.row(tasks[0].task_id))["superseded_by"] is None


async def test_a_paused_supplier_supersedes_nothing_yet(bench: Bench) -> None:
    await bench.ledger.pause(Pause("supplier", "ACME", "me"))
    refusal = await first_claim(bench, [task(), task()])
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "paused"
