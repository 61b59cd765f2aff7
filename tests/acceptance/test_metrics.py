"""What a real worker tells at /metrics: against the tables, without PostgreSQL, and whatever a client does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import asyncpg
import httpx
from prometheus_client.parser import text_string_to_metric_families

from contracts.task import ParseTask
from tests.acceptance.conftest import MakeFleet

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
GOOD, BAD = 700, 9


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
    """The first scrape for which it holds; fails with the last one."""
    async with asyncio.timeout(60):
        while True:
            try:
                text = await scraped(port)
            except httpx.HTTPError:
                text = ""
            if text and holds(found := series(text)):
                return found
            await asyncio.sleep(0.3)


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
    await fleet.enqueue([task(listed, 1), task(listed, 2)])
    fleet.start_worker(PRICEMILL_METRICS_PORT=str(port), PRICEMILL_LOG_LEVEL="ERROR")
    await fleet.until_ended(count=2)
    found = await until(port, lambda it: total(it, "pricemill_tasks_settled_total") == 2)
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
    assert total(found, "pricemill_queue_wait_seconds_count") == 2
    assert total(found, "pricemill_source_bytes_total", parser="csv") == 2 * listed.stat().st_size
    assert total(found, "pricemill_stage_duration_seconds_count", stage="load") >= 2
    assert total(found, "pricemill_checkpoints_total", result="written") >= 2
    assert total(found, "pricemill_ready") == 1
