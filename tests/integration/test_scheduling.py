"""Schedules on a real PostgreSQL: clocks that jump, ticks at once, the worker's role, and the commands of the guide."""

from __future__ import annotations

import asyncio
import random
import re
import shlex
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog

from config.settings import Settings
from contracts.clock import SystemClock
from contracts.errors import QueueUnavailable
from contracts.queue import Delivery, Depth
from contracts.schedule import SchedulePlan
from db.memory import MemoryLedger
from db.schedules import PostgresSchedules
from db.watched import PostgresWatched
from tests.integration.test_database_roles import worker_url
from tests.support.cli import Installation
from tests.support.database_clock import DatabaseClock, database_clock
from tests.support.ledgers import task
from workers.delivery import InlineQueue
from workers.schedule import due_fires, next_due
from workers.scheduling import Scheduling

__all__ = ["worker_url"]

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "schedules.md"
TASK = {"parser_type": "csv", "supplier_name": "Acme", "source_config": {"file_path": "acme.csv"}}
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def plan(cron: str = "*/10 * * * *", **more: Any) -> SchedulePlan:
    return SchedulePlan.model_validate({"cron": cron, "overlap": "queue", "task": TASK} | more)


async def add(schedules: PostgresSchedules, name: str, made: SchedulePlan) -> None:
    assert await schedules.put(name, made, next_at=next_due(name, made, await schedules.now()), actor="ann")


async def started(url: str) -> list[datetime]:
    """Slots that have a task, in the order in which they were started."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT f.slot FROM public.schedule_firings f JOIN public.tasks t USING (task_id) ORDER BY t.id"
        )
        assert len(rows) == await connection.fetchval("SELECT count(*) FROM public.tasks")
        return [row["slot"] for row in rows]
    finally:
        await connection.close()


@pytest.fixture
async def clock(database_url: str) -> AsyncIterator[DatabaseClock]:
    async with database_clock(database_url) as clock:
        yield clock


@pytest.fixture
async def schedules(clock: DatabaseClock, database_url: str) -> AsyncIterator[PostgresSchedules]:
    async with PostgresSchedules.open(database_url) as schedules:
        yield schedules


def scheduling(schedules: PostgresSchedules, queue: Any, *, ledger: MemoryLedger | None = None) -> Scheduling:
    settings = Settings(_env_file=None, max_waiting=3)
    return Scheduling(
        schedules=schedules,
        ledger=ledger or MemoryLedger(),
        queue=queue,
        settings=settings,
        clock=SystemClock(),
        random=random.Random(1).random,
    )


async def test_a_clock_that_jumps_starts_no_slot_twice(
    schedules: PostgresSchedules, clock: DatabaseClock, database_url: str
) -> None:
    await add(schedules, "acme", plan(catch_up="all", catch_up_runs=100, catch_up_seconds=86_400))
    ticking = scheduling(schedules, InlineQueue())
    for jump in (2 * HOUR, -90 * MINUTE, 30 * MINUTE, -3 * HOUR, 4 * HOUR, -10 * MINUTE, 30 * MINUTE):
        await clock.move(jump)
        await ticking.tick()
    slots = await started(database_url)
    assert slots == sorted(set(slots))
    assert slots[-1] - slots[0] == (len(slots) - 1) * 10 * MINUTE  # none is left out either


async def test_after_an_hour_away_the_excess_is_named_in_event_and_row(
    schedules: PostgresSchedules, clock: DatabaseClock, database_url: str
) -> None:
    await add(schedules, "acme", plan("* * * * *", catch_up="all", catch_up_runs=10))
    await clock.move(HOUR)
    with structlog.testing.capture_logs() as logs:
        assert await scheduling(schedules, InlineQueue()).tick() > 10
    (told,) = [log for log in logs if log["event"] == "schedule.backlog"]
    connection = await asyncpg.connect(database_url)
    row = await connection.fetchrow("SELECT slot, first_slot, slots FROM schedule_firings WHERE state = 'missed'")
    await connection.close()
    assert told["caught_up"] == 10
    assert told["missed"] == row["slots"] >= 40
    assert (told["first"], told["last"]) == (row["first_slot"].isoformat(), row["slot"].isoformat())


async def test_ticks_at_once_start_each_slot_once(
    schedules: PostgresSchedules, clock: DatabaseClock, database_url: str
) -> None:
    for number in range(8):
        await add(schedules, f"s{number}", plan(catch_up="all", catch_up_runs=6))
    await clock.move(HOUR)
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(PostgresSchedules.open(database_url)) for _ in range(4)]
        answers = await asyncio.gather(*(store.tick(due_fires) for store in stores for _ in range(3)))
    fired = [(one.schedule, one.firing.slot) for answer in answers for one in answer.fired]
    assert len(set(fired)) == len(fired)
    assert Counter(name for name, _ in fired).keys() == {f"s{number}" for number in range(8)}
    assert sum(bool(answer.fired) for answer in answers) == 1


class AbsentQueue:
    async def deliver(self, deliveries: list[Delivery]) -> None:
        raise QueueUnavailable

    async def depth(self) -> Depth:
        raise QueueUnavailable

    async def close(self) -> None:
        return


async def test_without_redis_a_slot_is_accepted_all_the_same(
    schedules: PostgresSchedules, clock: DatabaseClock, database_url: str
) -> None:
    await add(schedules, "acme", plan("* * * * *"))
    await clock.move(MINUTE)
    assert await scheduling(schedules, AbsentQueue()).tick() == 1
    assert len(await started(database_url)) == 1


async def test_while_too_many_tasks_wait_slots_wait_too_and_are_not_lost(
    schedules: PostgresSchedules, clock: DatabaseClock, database_url: str
) -> None:
    await add(schedules, "acme", plan("* * * * *"))
    ledger = MemoryLedger()
    ticking = scheduling(schedules, InlineQueue(), ledger=ledger)
    registered = await ledger.register([task(f"Supplier {number}") for number in range(3)])
    await clock.move(MINUTE)
    assert await ticking.tick() == 1  # asked behind the tick
    await clock.move(MINUTE)
    with structlog.testing.capture_logs() as logs:
        assert [await ticking.tick(), await ticking.tick()] == [0, 0]
    assert [log["event"] for log in logs] == ["schedule.not_decided"]
    await ledger.cancel(registered[0].task_id, actor="ann")
    assert [await ticking.tick(), await ticking.tick()] == [0, 1]
    assert len(await started(database_url)) == 2


async def test_the_workers_role_may_do_what_schedules_and_watched_folders_need(worker_url: str) -> None:
    async with PostgresSchedules.open(worker_url) as schedules, PostgresWatched.open(worker_url) as watched:
        await add(schedules, "acme", plan())
        assert await schedules.pause("acme", reason="", until=None)
        assert await schedules.resume("acme", next_at=None)
        await schedules.tick(due_fires)
        assert await schedules.prune(older_than=HOUR) == 0
        assert await schedules.remove("acme")
        answer = await watched.handed_in("a/b", since=0, signature="s", sha256="a" * 64, task=lambda _: task())
        assert answer is not None
        assert await watched.refused("a/c", since=0, signature="s", problem="no")


@pytest.fixture
def pricemill(database_url: str, redis_url: str, tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data", database_url=database_url, redis_url=redis_url)


def loaded(pricemill: Installation, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("sku;name;price\nA1;Drill;10,00\n", encoding="utf-8")
    assert pricemill.inside("import", path, "--supplier", "Acme GmbH").code == 0
    assert pricemill.inside("worker", "--burst").code == 0


def test_the_commands_of_the_guide_work_as_they_stand_there(pricemill: Installation, tmp_path: Path) -> None:
    loaded(pricemill, tmp_path)
    commands = re.findall(r"^\$ pricemill (.*)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) > 15
    for command in commands:
        answer = pricemill.inside(*shlex.split(command))
        assert (answer.code, "Error" in answer.err) == (0, False), (command, answer.err)
    left = pricemill.inside("schedules", "list", "--json").json["items"]
    assert [(one["name"], one["plan"]["cron"], one["started"], one["skipped"]) for one in left] == [
        ("acme", "0 6 * * 1-5", 1, 1)
    ]


def test_a_backfill_starts_each_slot_once_and_dates_its_lists(pricemill: Installation) -> None:
    added = pricemill.inside(
        "schedules", "add", "b", "b/{date}.csv", "--supplier", "B", "--cron", "0 6 * * *", "--zone", "Asia/Tokyo"
    )  # fmt: skip
    assert added.code == 0
    fill = ("schedules", "backfill", "b", "--from", "2026-11-01", "--until", "2026-11-04", "--json")
    assert pricemill.inside(*fill).code == 2  # nobody is there to ask
    assert pricemill.inside(*fill, "--dry-run").json["slots"][0] == "2026-11-01T21:00:00+00:00"
    assert pricemill.inside(*fill, "--yes").json == {"name": "b", "started": 3, "known": 0}
    assert pricemill.inside(*fill, "--yes").json == {"name": "b", "started": 0, "known": 3}
    task_id = "schedule-b-20261101T210000Z"
    shown = pricemill.inside("tasks", "show", task_id, "--json").json
    assert "b/2026-11-02.csv" in str(shown)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["add", "x", "a.csv", "--supplier", "A", "--cron", "61 * * * *"], 5, "61 * * * *"),
        (["add", "x", "a.csv", "--supplier", "A", "--cron", "0 5 * * *", "--zone", "Berlin"], 5, "Europe/Berlin"),
        (["add", "X Y", "a.csv", "--supplier", "A", "--cron", "0 5 * * *"], 2, "lower-case"),
        (["add", "x", "a.csv", "--cron", "0 5 * * *"], 2, "--supplier"),
        (["add", "x", "--cron", "0 5 * * *"], 2, "source"),
        (["add", "x", "a.csv", "--supplier", "A", "--cron", "0 5 * * *", "--overlap", "often"], 2, "overlap"),
        (["add", "x", "a.csv", "--supplier", "A", "--cron", "0 5 * * *", "--replace"], 3, "replace"),
        (["show", "x"], 3, "no schedule"),
        (["pause", "x"], 3, "no schedule"),
        (["simulate"], 2, "--cron"),
        (["backfill", "x", "--from", "yesterday"], 2, "no date"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    pricemill: Installation, arguments: list[str], code: int, word: str
) -> None:
    answer = pricemill.inside("schedules", *arguments)
    assert answer.code == code, answer
    assert word in answer.err


def test_a_name_is_taken_once(pricemill: Installation) -> None:
    add_it = ("schedules", "add", "x", "a.csv", "--supplier", "A", "--cron", "0 5 * * *")
    assert pricemill.inside(*add_it).code == 0
    assert pricemill.inside(*add_it).code == 5
    assert pricemill.inside(*add_it, "--replace").code == 0


def test_suppliers_are_fresh_late_or_never_came(pricemill: Installation, tmp_path: Path, database_url: str) -> None:
    loaded(pricemill, tmp_path)

    def freshness() -> str | None:
        answer: str | None = pricemill.inside("suppliers", "list", "--json").json["items"][0]["freshness"]
        return answer

    async def lists_come_earlier(by: timedelta) -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("UPDATE tasks SET finished_at = finished_at - $1::interval", by)
        await connection.close()

    assert freshness() is None
    assert pricemill.inside("suppliers", "expect", "Acme GmbH", "--every", "7d").code == 0
    assert freshness() == "fresh"
    asyncio.run(lists_come_earlier(timedelta(days=10)))
    assert freshness() == "fresh"
    asyncio.run(lists_come_earlier(timedelta(days=1)))
    assert freshness() == "late"
    assert "late" in pricemill.inside("suppliers", "show", "Acme GmbH").out
    assert pricemill.inside("suppliers", "expect", "Acme GmbH", "--every", "7d", "--tolerance", "2").code == 0
    assert freshness() == "fresh"
    assert pricemill.inside("suppliers", "expect", "Acme GmbH", "--nothing").code == 0
    assert freshness() is None
    assert pricemill.inside("suppliers", "expect", "Acme GmbH").code == 2
    assert pricemill.inside("suppliers", "expect", "Nobody", "--every", "7d").code == 3
