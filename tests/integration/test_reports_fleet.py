"""The gauges of the fleet and the query of the autoscaler, against tables filled on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import yaml

from db.reports_fleet import DeadFigures, FleetFigures, FleetReport, QueueFigures
from observability.metrics import fleet_text
from observability.metrics_catalogue import FAMILIES
from workers import metrics_http
from workers.metrics_fleet import LIMIT_SECONDS, FleetGauges, samples_of

ROOT = Path(__file__).resolve().parents[2]
TASK = """
INSERT INTO tasks (task_id, parser_type, supplier_name, message, as_of, queue, status, run_at, lease_until, finished_at)
VALUES ($1, 'csv', $2, '{}', now(), $3, $4::text::task_status, now() + $5::text::interval,
        CASE $4 WHEN 'running' THEN now() END,
        CASE WHEN $4 IN ('completed', 'dead') THEN now() + $5::text::interval END)
RETURNING id
"""
LETTER = """
INSERT INTO dead_letters (task_key, message, error, category, code, reason, attempts, created_at)
VALUES ($1, '{}', $2::text::jsonb, $3, 'x', 'x', 1, now() - interval '100 seconds')
"""


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database_url)
    yield opened
    await opened.close()


async def add(connection: asyncpg.Connection, *rows: tuple[str, str, str, str]) -> list[int]:
    """(supplier, queue, status, from now)"""
    return [await connection.fetchval(TASK, f"t{at}-{row[0]}", *row) for at, row in enumerate(rows)]


def queue(figures: FleetFigures, name: str) -> QueueFigures:
    [found] = [one for one in figures.queues if one.queue == name]
    return found


async def test_an_empty_database_says_zero_of_the_default_queue(connection: asyncpg.Connection) -> None:
    figures = await FleetReport(connection).fleet()
    assert figures.queues == (QueueFigures("default", 0, 0, 0, 0, 0.0, paused=False),)
    assert (figures.dead, figures.workers, figures.schedules, figures.suppliers) == ((), {}, (), {})


async def test_tasks_count_by_queue_and_state_and_the_oldest_due_one_gives_the_age(
    connection: asyncpg.Connection,
) -> None:
    await add(
        connection,
        ("a", "default", "queued", "-40 seconds"),
        ("b", "default", "queued", "1 hour"),
        ("c", "default", "retryable", "-90 seconds"),
        ("d", "default", "running", "-3 hours"),
        ("e", "night", "queued", "-5 seconds"),
        ("f", "night", "completed", "-5 hours"),
    )
    figures = await FleetReport(connection).fleet()
    default, night = queue(figures, "default"), queue(figures, "night")
    assert (default.queued, default.scheduled, default.retryable, default.running) == (1, 1, 1, 1)
    assert 90 <= default.oldest_seconds < 120
    assert (night.queued, night.running) == (1, 0)


@pytest.mark.parametrize(("kind", "name"), [("queue", "night"), ("supplier", "old"), ("parser", "csv")])
async def test_what_is_paused_does_not_age(connection: asyncpg.Connection, kind: str, name: str) -> None:
    await add(connection, ("old", "night", "queued", "-900 seconds"))
    await connection.execute("INSERT INTO pauses (kind, name, paused_by) VALUES ($1, $2, 'me')", kind, name)
    found = queue(await FleetReport(connection).fleet(), "night")
    assert (found.queued, found.oldest_seconds) == (1, 0)
    assert found.paused == (kind == "queue")
    await connection.execute("UPDATE pauses SET until = now() - interval '1 second'")
    found = queue(await FleetReport(connection).fleet(), "night")
    assert found.oldest_seconds > 800
    assert not found.paused


async def test_dead_letters_count_by_category_and_questions_apart(connection: asyncpg.Connection) -> None:
    first, second, third = await add(connection, *((name, "night", "dead", "-1 hour") for name in "abc"))
    await connection.execute(LETTER, first, "{}", "Dependency")
    await connection.execute(LETTER, second, "{}", "Dependency")
    await connection.execute(LETTER, third, '{"context": {"question": {}}}', "Validation")
    await connection.execute(LETTER, None, "{}", "Validation")
    figures = await FleetReport(connection).fleet()
    assert {(one.queue, one.category): one.letters for one in figures.dead} == {
        ("night", "dependency"): 2,
        ("night", "question"): 1,
        ("default", "validation"): 1,
    }
    assert all(isinstance(one, DeadFigures) and 100 <= one.oldest_seconds < 130 for one in figures.dead)


async def test_workers_count_by_state_and_those_long_gone_not_at_all(connection: asyncpg.Connection) -> None:
    for name, state, age in (("a", "working", 1), ("b", "draining", 1), ("c", "working", 300), ("d", "working", 9_000)):
        await connection.execute(
            "INSERT INTO workers (name, host, pid, version, slots, state, heartbeat_at)"
            " VALUES ($1, '', 1, '', 1, $2, now() - make_interval(secs => $3))",
            name, state, age,
        )  # fmt: skip
    assert (await FleetReport(connection).fleet()).workers == {"online": 1, "draining": 1, "lost": 1}


async def test_schedules_tell_their_next_slot_and_last_success(connection: asyncpg.Connection) -> None:
    for name, paused in (("daily", None), ("weekly", "now()")):
        await connection.execute(
            "INSERT INTO schedules (name, plan, through, next_at, created_by, paused_at)"
            f" VALUES ($1, '{{}}', now(), to_timestamp(2000000000), 'me', {paused or 'NULL'})",
            name,
        )
    await add(connection, ("a", "default", "completed", "-1 hour"))
    await connection.execute(
        "INSERT INTO schedule_firings (schedule_id, slot, state, due_at, task_id)"
        " SELECT id, now(), 'started', now(), 't0-a' FROM schedules WHERE name = 'daily'"
    )
    daily, weekly = (await FleetReport(connection).fleet()).schedules
    finished = await connection.fetchval("SELECT extract(epoch FROM finished_at)::float8 FROM tasks")
    assert (daily.next_at, daily.succeeded_at) == (2_000_000_000, finished)
    assert (weekly.name, weekly.next_at, weekly.succeeded_at) == ("weekly", None, None)


async def test_suppliers_count_by_freshness_of_their_last_list(connection: asyncpg.Connection) -> None:
    rhythms = {"fresh": "3 hours", "late": "30 minutes", "patient": "50 minutes", "never": "1 day", "whenever": None}
    for name, rhythm in {**rhythms, "resting": "1 minute"}.items():
        await connection.execute(
            "INSERT INTO suppliers (name, source_type, expected_every) VALUES ($1, 'csv', $2::text::interval)",
            name,
            rhythm,
        )
    await connection.execute("UPDATE suppliers SET expected_tolerance = 2 WHERE name = 'patient'")
    await connection.execute("INSERT INTO pauses (kind, name, paused_by) VALUES ('supplier', 'resting', 'me')")
    await add(
        connection, *((name, "default", "completed", "-1 hour") for name in ("fresh", "late", "patient", "resting"))
    )
    assert (await FleetReport(connection).fleet()).suppliers == {"fresh": 2, "late": 1, "never": 1, "paused": 1}


async def test_every_gauge_of_the_fleet_is_told_of(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "INSERT INTO schedules (name, plan, through, next_at, created_by) VALUES ('daily', '{}', now(), now(), 'me')"
    )
    await add(connection, ("a", "default", "completed", "-1 hour"))
    await connection.execute(
        "INSERT INTO schedule_firings (schedule_id, slot, state, due_at, task_id)"
        " SELECT id, now(), 'started', now(), 't0-a' FROM schedules"
    )
    samples = list(samples_of(await FleetReport(connection).fleet(), wait_limit_seconds=300))
    assert {sample.family for sample in samples} == {name for name, one in FAMILIES.items() if one.of == "fleet"}
    assert fleet_text(samples)


async def test_many_scrapes_at_once_ask_the_database_once(connection: asyncpg.Connection, database_url: str) -> None:
    gauges = FleetGauges(database_url, wait_limit_seconds=300)
    first = await gauges.samples()
    assert first
    await add(connection, ("a", "default", "queued", "-40 seconds"))
    assert await gauges.samples() is first


async def test_without_a_database_nothing_is_told() -> None:
    gauges = FleetGauges("postgresql://nobody@127.0.0.1:1/none", wait_limit_seconds=300)
    assert await gauges.samples() is None


async def test_a_database_that_says_nothing_is_not_waited_for_longer_than_a_scrape_may_take() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        gauges = FleetGauges(f"postgresql://nobody@127.0.0.1:{port}/none", wait_limit_seconds=300)
        assert await asyncio.wait_for(gauges.samples(), 20) is None
    assert LIMIT_SECONDS < metrics_http.LIMIT_SECONDS


@pytest.fixture(scope="module")
def scaling() -> str:
    for document in yaml.safe_load_all((ROOT / "deploy/kubernetes/scaledobject.yaml").read_text(encoding="utf-8")):
        if document["kind"] == "ScaledObject":
            query: str = document["spec"]["triggers"][0]["metadata"]["query"]
            return query
    raise AssertionError


async def test_the_autoscaler_asks_for_the_age_of_what_a_worker_could_take(
    connection: asyncpg.Connection, scaling: str
) -> None:
    assert await connection.fetchval(scaling) == 0
    await add(
        connection,
        ("busy", "default", "running", "-3 hours"),
        ("busy", "default", "queued", "-2 hours"),
        ("paused", "default", "queued", "-1 hour"),
        ("later", "default", "queued", "1 hour"),
        ("free", "default", "retryable", "-70 seconds"),
    )
    await connection.execute("INSERT INTO pauses (kind, name, paused_by) VALUES ('supplier', 'paused', 'me')")
    assert 70 <= await connection.fetchval(scaling) < 100
