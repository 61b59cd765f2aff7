"""`pricemill workers` as a shell sees it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from tests.support import ops_seed as seed
from tests.support.cli import Installation


@pytest.fixture
def pricemill(database_url: str, redis_url: str, tmp_path: Path) -> Installation:
    asyncio.run(seed.fill(database_url))
    return Installation(tmp_path, database_url=database_url, redis_url=redis_url)


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


def test_the_list_names_what_each_worker_holds(pricemill: Installation) -> None:
    answer = pricemill("workers", "list", "--json")
    (worker,) = json.loads(answer.out)["items"]
    assert (worker["name"], worker["state"], worker["slots"]) == ("ingest-01", "working", 5)
    assert worker["holds"] == [seed.RUNNING]


def test_a_lost_worker_is_shown_with_the_tasks_it_held(pricemill: Installation, database_url: str) -> None:
    asyncio.run(
        execute(
            database_url,
            f"""UPDATE workers SET heartbeat_at = now() - interval '1 hour', started_at = now() - interval '2 hours';
            INSERT INTO task_attempts (task_key, epoch, attempt, worker, finished_at, outcome)
            SELECT id, 77, 1, 'ingest-01', now(), 'lost' FROM tasks WHERE task_id = '{seed.RUNNING}'""",
        )
    )
    answer = pricemill("workers", "list", "--json")
    assert answer.code == 6
    (worker,) = json.loads(answer.out)["items"]
    assert (worker["state"], worker["lost"]) == ("lost", [seed.RUNNING])
    assert "held" in pricemill("workers", "list").out
    assert "lost on ingest-01" in pricemill("tasks", "show", seed.RUNNING).out


def test_workers_are_asked_by_the_beginning_of_their_name(pricemill: Installation) -> None:
    assert pricemill("workers", "drain", "ingest").code == 0
    assert json.loads(pricemill("workers", "list", "--json").out)["items"][0]["asked"] == "drain"
    assert "asked to drain" in pricemill("workers", "list").out
    assert pricemill("workers", "resume", "--all").code == 0
    assert json.loads(pricemill("workers", "list", "--json").out)["items"][0]["asked"] is None
    assert pricemill("workers", "recycle", "nobody").code == 3
    assert pricemill("workers", "recycle").code == 2
