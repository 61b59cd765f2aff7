"""What a real worker tells at /metrics: against the tables, without PostgreSQL, and whatever a client does."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import asyncpg
import httpx
from prometheus_client.parser import text_string_to_metric_families

from contracts.task import ParseTask
from tests.acceptance.conftest import MakeFleet
from tests.support.exposition import complaints
from tests.support.postgres_proxy import Cut, postgres_proxy

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
GOOD, BAD = 700, 9
PATIENCE = 120.0


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def series(text: str) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(found: Series, name: str, **labels: str) -> float:
    return sum(value for (one, has), value in found.items() if one == name and labels.items() <= dict(has).items())


async def scraped(port: int) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/metrics", timeout=20)
    assert answer.status_code == 200
    return answer.text


async def until(port: int, holds: Callable[[Series], bool]) -> Series:
    """The first scrape for which it holds; fails with what the last one told."""
    found: Series = {}
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            found = series(await scraped(port))
            if holds(found):
                return found
        await asyncio.sleep(0.3)
    raise AssertionError({key: value for key, value in found.items() if value and not key[0].endswith("_bucket")})


def write_list(path: Path) -> Path:
    rows = [f"K{number:05};Item {number};{number}.50" for number in range(1, GOOD + 1)]
    rows += [f"B{number:05};Bad {number};no price" for number in range(BAD)]
    path.write_text("sku;name;price\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def task(path: Path, number: int) -> ParseTask:
    return ParseTask(
        task_id=f"metrics-{number}",
        parser_type="csv",
        supplier_name="Nordwind",
        source_config={"file_path": str(path)},
        options={"currency": "EUR"},
    )


async def test_rows_read_are_the_sum_of_the_buckets_and_those_of_the_ledger(make_fleet: MakeFleet, lists: Path) -> None:
    fleet, port = make_fleet(), free_port()
    listed = write_list(lists / "metrics.csv")
    fleet.start_worker(PRICEMILL_METRICS_PORT=str(port), PRICEMILL_LOG_LEVEL="ERROR")
    for number in (1, 2):
        await fleet.enqueue([task(listed, number)])
        await fleet.until_ended(count=number)
    found = await until(port, lambda it: total(it, "pricemill_tasks_settled_total", outcome="partial") == 2)
    connection = await asyncpg.connect(fleet.database_url)
    try:
        rows = await connection.fetch("SELECT result FROM tasks ORDER BY id")
    finally:
        await connection.close()
    assert len(rows) == 2
    read = total(found, "pricemill_rows_read_total", parser="csv")
    assert read == 2 * (GOOD + BAD + 1)
    assert read == total(found, "pricemill_rows_total", parser="csv")
    assert total(found, "pricemill_rows_total", outcome="new") == GOOD
    assert total(found, "pricemill_rows_total", outcome="unchanged") == GOOD
    assert total(found, "pricemill_rows_total", outcome="rejected") == 2 * BAD
    assert total(found, "pricemill_row_errors_total", category="price_not_a_number", stage="validate") == 2 * BAD
    assert total(found, "pricemill_tasks_settled_total", outcome="partial", parser="csv", queue="default") == 2
    assert total(found, "pricemill_task_duration_seconds_count", outcome="partial") == 2
    # At least: on a machine that is busy enough an attempt may be given back and go on.
    assert total(found, "pricemill_queue_wait_seconds_count") >= 2
    assert total(found, "pricemill_source_bytes_total", parser="csv") >= 2 * listed.stat().st_size
    assert total(found, "pricemill_stage_duration_seconds_count", stage="load") >= 2
    assert total(found, "pricemill_checkpoints_total", result="written") >= 2
    assert total(found, "pricemill_ready") == 1
    assert complaints(await scraped(port)) == []


async def test_without_postgresql_the_fleet_is_absent_the_worker_alive_and_both_come_back(
    make_fleet: MakeFleet, lists: Path
) -> None:
    fleet, port, away = make_fleet(), free_port(), False
    await fleet.enqueue([task(write_list(lists / "metrics.csv"), 1)])
    async with postgres_proxy(fleet.database_url, lambda _: Cut.BEFORE if away else None) as (url, _):
        fleet.start_worker(PRICEMILL_METRICS_PORT=str(port), DATABASE_URL=url)
        await fleet.until_ended(count=1)
        before = await until(port, lambda it: total(it, "pricemill_workers", state="online") == 1)
        assert total(before, "pricemill_queue_wait_limit_seconds", queue="default") == 300
        away = True
        gone = await until(
            port,
            lambda it: total(it, "pricemill_ready") == 0 and not any(name == "pricemill_workers" for name, _ in it),
        )
        unwell = {"component": "postgresql", "status": "unhealthy"}
        assert total(gone, "pricemill_health_status", **unwell) == 1
        assert total(gone, "pricemill_health_status", component="redis", status="healthy") == 1
        assert total(gone, "pricemill_rows_read_total") == total(before, "pricemill_rows_read_total") > 0
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/livez")).status_code == 200
        away = False
        back = await until(port, lambda it: total(it, "pricemill_workers", state="online") == 1)
        assert total(back, "pricemill_queue_tasks", queue="default") == 0
        await until(port, lambda it: total(it, "pricemill_ready") == 1)


async def test_a_worker_whose_port_is_taken_works_and_serves_once_it_is_free(
    make_fleet: MakeFleet, lists: Path
) -> None:
    fleet = make_fleet()
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        fleet.start_worker(PRICEMILL_METRICS_PORT=str(port))
        await fleet.enqueue([task(write_list(lists / "metrics.csv"), 1)])
        assert await fleet.until_ended(count=1) == {"metrics-1": "completed"}
    found = await until(port, lambda it: total(it, "pricemill_tasks_settled_total", outcome="partial") == 1)
    assert total(found, "pricemill_rows_total") == GOOD + BAD + 1
    assert "metrics.not_served" in fleet.logs()


async def test_clients_that_say_nothing_hold_up_neither_scrapes_nor_the_worker(
    make_fleet: MakeFleet, lists: Path
) -> None:
    fleet, port = make_fleet(), free_port()
    process = fleet.start_worker(PRICEMILL_METRICS_PORT=str(port))
    await until(port, lambda it: total(it, "pricemill_ready") == 1)
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
    await fleet.enqueue([task(write_list(lists / "metrics.csv"), 1)])
    await fleet.until_ended(count=1)
    await until(port, lambda it: total(it, "pricemill_tasks_settled_total", outcome="partial") == 1)
    for _, writer in silent:
        writer.close()
    process.terminate()
    assert await fleet.until_dead(process) == 0
