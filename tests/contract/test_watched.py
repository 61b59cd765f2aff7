"""contracts.watch.Watched, against every implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from contracts.task import ParseTask
from contracts.watch import Known, Watched
from db.watched import MemoryWatched, PostgresWatched
from tests.support.ledgers import MemoryBench, PostgresBench, postgres_bench, task

A, B = "a" * 64, "b" * 64


class Case:
    def __init__(self, watched: Watched, bench: MemoryBench | PostgresBench) -> None:
        self.watched = watched
        self.bench = bench

    async def hand_in(self, sha256: str, *, since: int, signature: str = "s1") -> str | None:
        answer = await self.watched.handed_in("ACME/a.csv", since=since, signature=signature, sha256=sha256, task=made)
        return None if answer is None else answer[0]

    async def queued(self) -> int:
        return (await self.bench.ledger.depth()).queued


def made(version: int) -> ParseTask:
    return task(task_id=f"watch-{version}", idempotency_key=f"watch-{version}")


@asynccontextmanager
async def memory() -> AsyncIterator[Case]:
    bench = MemoryBench()
    yield Case(MemoryWatched(bench.ledger), bench)


@asynccontextmanager
async def postgres(url: str) -> AsyncIterator[Case]:
    async with postgres_bench(url) as bench, PostgresWatched.open(url) as watched:
        yield Case(watched, bench)


@pytest.fixture(params=["memory", "postgres"])
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    make: Any = memory() if request.param == "memory" else postgres(request.getfixturevalue("database_url"))
    async with make as one:
        yield one


async def test_a_new_content_becomes_a_task_once(case: Case) -> None:
    assert await case.watched.known(["ACME/a.csv"]) == {}
    assert await case.hand_in(A, since=0) == "watch-1"
    assert await case.hand_in(A, since=0) is None
    assert await case.watched.known(["ACME/a.csv", "ACME/b.csv"]) == {"ACME/a.csv": Known("s1", 1)}
    assert await case.queued() == 1


async def test_the_same_content_touched_is_no_new_one(case: Case) -> None:
    await case.hand_in(A, since=0)
    assert await case.hand_in(A, since=1, signature="s2") is None
    assert await case.watched.known(["ACME/a.csv"]) == {"ACME/a.csv": Known("s2", 1)}
    assert await case.queued() == 1


async def test_a_content_that_comes_back_is_handed_in_again(case: Case) -> None:
    """Prices that go up and down again."""
    assert [await case.hand_in(one, since=since) for since, one in enumerate((A, B, A))] == [
        "watch-1",
        "watch-2",
        "watch-3",
    ]


async def test_whoever_read_an_older_content_comes_too_late(case: Case) -> None:
    await case.hand_in(A, since=0)
    assert await case.hand_in(B, since=1) == "watch-2"
    assert await case.hand_in("c" * 64, since=1) is None
    assert await case.queued() == 2


async def test_what_cannot_be_handed_in_is_remembered_until_it_changes(case: Case) -> None:
    async def refuse(since: int, signature: str) -> bool:
        return await case.watched.refused("ACME/a.csv", since=since, signature=signature, problem="no list")

    assert await refuse(0, "s1")
    assert not await refuse(0, "s1")
    assert not await refuse(1, "s1")
    assert await refuse(1, "s2")
    assert await case.hand_in(A, since=2) == "watch-3"


async def test_a_task_that_cannot_be_leaves_no_trace(case: Case) -> None:
    def broken(version: int) -> ParseTask:
        raise ValueError(version)

    make: Callable[[int], ParseTask] = broken
    if isinstance(case.bench, PostgresBench):
        with pytest.raises(ValueError, match="1"):
            await case.watched.handed_in("ACME/a.csv", since=0, signature="s", sha256=A, task=make)
        assert await case.watched.known(["ACME/a.csv"]) == {}
