"""Schedules and watched folders with real worker processes: several at once, and killed."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest

from contracts.schedule import SchedulePlan
from db.schedules import PostgresSchedules
from tests.acceptance.conftest import MakeFleet
from tests.acceptance.fleet import Fleet
from workers.schedule import slots

pytestmark = pytest.mark.acceptance

TICKS = {"PRICEMILL_SCHEDULE_SECONDS": "0.2", "PRICEMILL_WATCH_SECONDS": "0.3"}
AWAY = timedelta(hours=1)
RUNS = 4
MINUTES_AGO = (7, 15, 20, 25, 30, 35, 40, 44)
"""When the slots of the tests were; the next ones are a quarter of an hour away."""


async def ask(url: str, statement: str, *arguments: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement, *arguments))
    finally:
        await connection.close()


def plan(number: int, now: datetime) -> SchedulePlan:
    minutes = sorted((now - timedelta(minutes=minute)).minute for minute in MINUTES_AGO)
    return SchedulePlan.model_validate(
        {
            "cron": f"{','.join(map(str, minutes))} * * * *",
            "catch_up": "all",
            "catch_up_runs": RUNS,
            "overlap": "queue",
            "task": {
                "parser_type": "csv",
                "supplier_name": f"Supplier {number}",
                "source_config": {"file_path": f"supplier-{number}.csv"},
            },
        }
    )


async def after_an_hour_away(fleet: Fleet, lists: Path, count: int) -> dict[str, set[datetime]]:
    """So many schedules about which nobody has decided for an hour; the slots of each since."""
    now = datetime.now(UTC)
    async with PostgresSchedules.open(fleet.database_url) as schedules:
        for number in range(count):
            text = f"sku;name;price\nA{number};Drill;10,{number:02d}\n"
            await asyncio.to_thread((lists / f"supplier-{number}.csv").write_text, text)
            assert await schedules.put(f"s{number}", plan(number, now), next_at=now, actor="ann")
    rows = await ask(fleet.database_url, "UPDATE schedules SET through = $1, next_at = $1 RETURNING name", now - AWAY)
    away = {slot for slot in islice(slots(plan(0, now), now - AWAY), len(MINUTES_AGO)) if slot <= now}
    return {row["name"]: away for row in rows}


async def each_slot_fired_once(fleet: Fleet, away: dict[str, set[datetime]]) -> None:
    """Every slot of the hour stands in one row, and every started one has one task, of which at least the newest has
    run; older ones that still waited then have given way to it."""
    states = await fleet.until_ended(count=RUNS * len(away))
    assert set(states.values()) <= {"completed", "cancelled"}
    for name in away:
        assert states[max(task_id for task_id in states if task_id.startswith(f"schedule-{name}-"))] == "completed"
    firings = await ask(
        fleet.database_url,
        "SELECT name, state, slot, slots, task_id FROM schedule_firings f JOIN schedules s ON s.id = f.schedule_id",
    )
    assert sorted(row["task_id"] for row in firings if row["task_id"] is not None) == sorted(states)
    for name, expected in away.items():
        own = [row for row in firings if row["name"] == name]
        assert {row["slot"] for row in own} <= expected
        assert sum_of(own) == Counter(caught_up=RUNS, missed=len(MINUTES_AGO) - RUNS)


def sum_of(firings: list[asyncpg.Record]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for row in firings:
        counted[row["state"]] += row["slots"]
    return counted


async def test_four_workers_that_tick_at_once_fire_each_slot_once(make_fleet: MakeFleet, lists: Path) -> None:
    fleet = make_fleet(**TICKS)
    away = await after_an_hour_away(fleet, lists, 6)
    for _ in range(4):
        fleet.start_worker()
    await each_slot_fired_once(fleet, away)


@pytest.mark.parametrize("place", ["schedule.written", "schedule.committed"])
async def test_a_worker_killed_within_a_tick_leaves_no_slot_out_and_doubles_none(
    make_fleet: MakeFleet, lists: Path, place: str
) -> None:
    fleet = make_fleet(**TICKS)
    away = await after_an_hour_away(fleet, lists, 2)
    await fleet.until_dead(fleet.start_worker(PRICEMILL_FAILPOINTS=f"{place}=kill"))
    written = await ask(fleet.database_url, "SELECT FROM schedule_firings")
    assert bool(written) == (place == "schedule.committed")
    assert len(await fleet.states()) == (RUNS * 2 if written else 0)
    fleet.start_worker()
    await each_slot_fired_once(fleet, away)


async def until_loaded(fleet: Fleet, price: str, *, tasks: int) -> None:
    """Until the one item that is watched for has this price and so many tasks have ended."""
    deadline = monotonic() + 60
    while True:
        rows = await ask(fleet.database_url, "SELECT current_price::text AS price FROM supplier_items")
        states = await fleet.states()
        if [row["price"] for row in rows] == [price] and list(states.values()) == ["completed"] * tasks:
            return
        assert monotonic() < deadline, f"{rows} {states}\n{fleet.logs()}"
        await asyncio.sleep(0.1)


async def test_several_workers_on_one_folder_load_each_new_content_once_and_the_newest_holds(
    make_fleet: MakeFleet, tmp_path: Path
) -> None:
    watched = tmp_path / "watched"
    folder = watched / "Acme GmbH"
    folder.mkdir(parents=True)
    fleet = make_fleet(**TICKS, PRICEMILL_WATCH_DIR=str(watched))
    for _ in range(3):
        fleet.start_worker()
    for tasks, price in enumerate(("10.00", "11.00", "10.00"), start=1):
        part = folder / "prices.csv.part"
        part.write_text(f"sku;name;price\nA1;Drill;{price}\n", encoding="utf-8")
        await asyncio.sleep(0.7)
        assert len(await fleet.states()) == tasks - 1
        part.rename(folder / "prices.csv")
        await until_loaded(fleet, f"{price}0000", tasks=tasks)
    shutil.rmtree(folder)
    rows = await ask(fleet.database_url, "SELECT name FROM suppliers")
    assert [row["name"] for row in rows] == ["Acme GmbH"]


async def test_a_file_that_is_written_slowly_is_loaded_once_and_whole(make_fleet: MakeFleet, tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    (watched / "Acme").mkdir(parents=True)
    fleet = make_fleet(**TICKS, PRICEMILL_WATCH_DIR=str(watched))
    fleet.start_worker()
    with (watched / "Acme" / "a.csv").open("w", encoding="utf-8") as file:
        file.write("sku;name;price\n")
        for number in range(30):
            file.write(f"A{number};Drill;{number + 1}.50\n")
            file.flush()
            os.fsync(file.fileno())
            await asyncio.sleep(0.1)
    (state,) = (await fleet.until_ended(count=1)).values()
    assert state == "completed"
    await asyncio.sleep(1)
    assert len(await fleet.states()) == 1
    assert len(await ask(fleet.database_url, "SELECT FROM supplier_items")) == 30
