"""A Google Sheet is read again only if it, or what decides how it is read, has changed since it was loaded last."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from contracts.task import ParseTask, TaskOptions
from parsers.resources import Resources
from tests.acceptance.conftest import MakeFleet
from tests.acceptance.fleet import Fleet
from tests.acceptance.tables import broken_invariants
from tests.support.google_sheets import Google, google, private_key, resources

__all__ = ["google", "private_key", "resources"]

pytestmark = pytest.mark.acceptance

HEAD = ["sku", "name", "price"]
ADDRESS = "https://docs.google.com/spreadsheets/d/key/edit"


def sheet(google: Google, *, version: int | None, more: int = 0) -> None:
    google.version = version
    numbers = range(1, 31)
    shown = [HEAD, *([f"G-{n * n}", f"Part {n}", f"{n + more}.50 €"] for n in numbers)]
    google.sheet(shown, [HEAD, *([f"G-{n * n}", f"Part {n}", n + more + 0.5] for n in numbers)])


@pytest.fixture
def fleet(make_fleet: MakeFleet, google: Google, resources: Resources) -> Fleet:
    fleet = make_fleet(
        PRICEMILL_GOOGLE_SHEETS_API=google.base,
        PRICEMILL_GOOGLE_DRIVE_API=google.base,
        PRICEMILL_CREDENTIALS_DIR=str(resources.credentials_dir),
    )
    fleet.start_worker()
    return fleet


async def load(fleet: Fleet, google: Google, task_id: str, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """The result, and the requests for values that were made for it."""
    google.asked.clear()
    task = ParseTask(
        task_id=task_id,
        parser_type="google_sheets",
        supplier_name="ACME",
        source_config={"sheet_url": ADDRESS},
        options=TaskOptions(**options),
    )
    await fleet.enqueue([task])
    states = await fleet.until_ended()
    assert states[task_id] == "completed", fleet.logs()
    connection = await asyncpg.connect(fleet.database_url)
    try:
        result = json.loads(await connection.fetchval("SELECT result FROM tasks WHERE task_id = $1", task_id))
    finally:
        await connection.close()
    assert await broken_invariants(fleet.database_url) == {}
    return result, [asked for asked in google.asked if asked.endswith("_VALUE")]


async def test_a_sheet_of_the_same_revision_is_not_read(fleet: Fleet, google: Google) -> None:
    sheet(google, version=7)
    first, asked = await load(fleet, google, "first")
    assert len(asked) == 2
    assert first["statistics"]["new"] == 30

    again, asked = await load(fleet, google, "again")
    assert asked == []
    assert again["statistics"]["total_rows"] == 0
    assert "task first loaded its 31 rows" in again["warnings"][0]
    assert again["source_sha256"] == first["source_sha256"]

    sheet(google, version=8, more=1)
    changed, asked = await load(fleet, google, "changed")
    assert len(asked) == 2
    assert changed["statistics"]["changed"] == 30


async def test_another_order_reads_the_same_revision_again(fleet: Fleet, google: Google) -> None:
    sheet(google, version=7)
    await load(fleet, google, "first")
    result, asked = await load(fleet, google, "with another option", duplicates="first")
    assert len(asked) == 2
    assert result["statistics"]["total_rows"] == 31


async def test_a_sheet_whose_revision_is_not_known_is_read_each_time(fleet: Fleet, google: Google) -> None:
    sheet(google, version=None)
    await load(fleet, google, "first")
    result, asked = await load(fleet, google, "again")
    assert len(asked) == 2
    assert result["statistics"]["unchanged"] == 30


async def test_a_list_that_was_taken_back_is_read_again(fleet: Fleet, google: Google) -> None:
    sheet(google, version=7)
    await load(fleet, google, "first")
    sheet(google, version=8, more=1)
    await load(fleet, google, "second")
    connection = await asyncpg.connect(fleet.database_url)
    try:
        await connection.execute("UPDATE tasks SET reverted_at = now() WHERE task_id = 'second'")
    finally:
        await connection.close()
    _, asked = await load(fleet, google, "third")
    assert len(asked) == 2
