"""contracts.catalog.Shapes, against every implementation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.catalog import Shapes
from contracts.store import Claim
from db.shapes import MemoryShapes, PostgresShapes
from tests.support.ledgers import claimed, postgres_bench
from tests.support.lists import PostgresDesk, list_task, whole

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


class Case:
    """A store, and a claim on a task of a known supplier."""

    def __init__(self, shapes: Shapes, claim: Claim) -> None:
        self.shapes = shapes
        self.claim = claim


@asynccontextmanager
async def memory() -> AsyncIterator[Case]:
    task = list_task("t", MONDAY)
    claim = Claim(task, task_key=1, epoch=1, attempt=1, as_of=MONDAY, worker="w", checkpoints=())
    yield Case(MemoryShapes(), claim)


@asynccontextmanager
async def postgres(url: str) -> AsyncIterator[Case]:
    async with postgres_bench(url) as bench, PostgresShapes.open(url) as shapes:
        desk = PostgresDesk(url, bench)
        await whole(desk, ["a1,Drill,10,red"], task_id="t0", as_of=MONDAY - timedelta(days=1))
        yield Case(shapes, await claimed(bench, list_task("t", MONDAY)))


@pytest.fixture(params=["memory", "postgres"])
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    make: Any = memory() if request.param == "memory" else postgres(request.getfixturevalue("database_url"))
    async with make as made:
        yield made


async def test_the_shape_of_the_newest_list_is_told(case: Case) -> None:
    assert await case.shapes.newest("ACME", "") is None
    await case.shapes.add(case.claim, {"version": 1, "n": 1})
    assert await case.shapes.newest("ACME", "") == {"version": 1, "n": 1}
    assert await case.shapes.newest("ACME", "tools") is None
    assert await case.shapes.newest("Nobody", "") is None


async def test_a_task_has_one_shape(case: Case) -> None:
    await case.shapes.add(case.claim, {"n": 1})
    await case.shapes.add(case.claim, {"n": 2})
    assert await case.shapes.newest("ACME", "") == {"n": 2}


async def test_lists_of_other_names_have_shapes_of_their_own(case: Case) -> None:
    options = case.claim.task.options.model_copy(update={"list_name": "tools"})
    named = replace(case.claim, task=case.claim.task.model_copy(update={"options": options}))
    await case.shapes.add(case.claim, {"n": 1})
    await case.shapes.add(named, {"n": 2})
    assert await case.shapes.newest("ACME", "") == {"n": 1}
    assert await case.shapes.newest("ACME", "tools") == {"n": 2}


async def test_prices_of_an_unknown_supplier_are_none(case: Case) -> None:
    assert await case.shapes.prices("Nobody", ["a1"]) == {}


async def test_current_prices_are_told_without_a_claim(database_url: str) -> None:
    async with postgres(database_url) as case:
        found = await case.shapes.prices("ACME", ["a1", "b2"])
        assert {sku: (one.name, one.price) for sku, one in found.items()} == {"a1": ("Drill", Decimal(10))}
