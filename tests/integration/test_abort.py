"""A list of which too much fails stops, is explained, and goes on where a person says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from cli.answers import answer
from config.settings import Settings
from contracts.task import ParseTask
from workers.app import open_app
from workers.fleet import run_worker

GOOD, BAD, CHUNK = 2_500, 2_000, 200


@pytest.fixture
def settings(database_url: str, redis_url: str, queue_name: str, tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None, database_url=database_url, redis_url=redis_url, queue_name=queue_name,
        data_dir=tmp_path / "data", source_roots=(tmp_path,), chunk_size=CHUNK, log_level="ERROR",
    )  # fmt: skip


def task(path: Path, name: str, cell: str) -> ParseTask:
    """A list that is sound at first; then every price reads `cell`."""
    rows = [f"A{n},Item {n},{n}.50,EUR" for n in range(GOOD)] + [f"B{n},Item {n},{cell},EUR" for n in range(BAD)]
    (path / f"{name}.csv").write_text("\n".join(["SKU,Name,Price,Currency", *rows, ""]), encoding="utf-8")
    return ParseTask(
        task_id=name, parser_type="csv", supplier_name=name, source_config={"file_path": str(path / f"{name}.csv")}
    )


async def ask(url: str, query: str, *arguments: Any) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(query, *arguments))
    finally:
        await connection.close()


async def state(url: str) -> str:
    return str((await ask(url, "SELECT status::text FROM tasks"))[0][0])


async def test_a_list_that_begins_to_fail_stops_with_an_analysis_and_goes_on_when_a_person_says_so(
    settings: Settings, database_url: str, tmp_path: Path
) -> None:
    async with open_app(settings) as app:
        await app.producer.enqueue(task(tmp_path, "broken", "n/k?!"))
        await run_worker(app, burst=True, signals=False)
    assert await state(database_url) == "dead"
    letters = await ask(database_url, "SELECT error::text FROM dead_letters WHERE status = 'open'")
    assert len(letters) == 1
    error = orjson.loads(letters[0][0])
    assert error["code"] == "run_aborted"
    analysis = error["context"]["analysis"]
    done = analysis["committed"]
    assert GOOD < done["read"] < GOOD + BAD
    assert done["read"] == done["new"] + sum(done["rejected"].values()) + sum(done["ignored"].values())
    assert list(analysis["types"]) == [analysis["pattern"]] == list(done["rejected"])
    assert analysis["trend"] == "increasing"
    assert "n/k?!" in analysis["first_bad"]
    items, logs = await ask(database_url, "SELECT count(*) FROM supplier_items"), "SELECT count(*) FROM parsing_logs"
    assert items[0][0] == GOOD == done["new"]
    assert (await ask(database_url, logs))[0][0] == sum(done["rejected"].values())

    async with open_app(settings) as app:
        held = await app.reports.open_questions(limit=10)
        assert [one.task_id for one in held] == ["broken"]
        assert (await answer(app, held[0], 1)).started
        await run_worker(app, burst=True, signals=False)
    assert await state(database_url) == "completed"
    assert (await ask(database_url, logs))[0][0] == BAD
    assert await ask(database_url, "SELECT 1 FROM dead_letters WHERE status = 'open'") == []


async def test_a_list_of_which_most_rows_state_no_price_is_loaded_to_its_end(
    settings: Settings, database_url: str, tmp_path: Path
) -> None:
    async with open_app(settings) as app:
        await app.producer.enqueue(task(tmp_path, "sparse", ""))
        await run_worker(app, burst=True, signals=False)
    assert await state(database_url) == "completed"


async def test_without_a_policy_no_list_is_stopped(settings: Settings, database_url: str, tmp_path: Path) -> None:
    async with open_app(settings.model_copy(update={"abort_policy": "off"})) as app:
        await app.producer.enqueue(task(tmp_path, "broken", "n/k?!"))
        await run_worker(app, burst=True, signals=False)
    assert await state(database_url) == "completed"
