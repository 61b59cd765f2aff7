"""The producer: accepted means committed, whether Redis is there or not; the same order twice is one task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from config.settings import Settings
from contracts.errors import ContractViolation, DatabaseUnavailable, QueueFull, StateConflict
from contracts.task import ParseTask
from tests.support.redis_server import RedisServer
from tests.support.scripted_fleet import ScriptedFleet, fleet, scripted, settings
from workers.producer import BATCH, Producer

__all__ = ["fleet", "settings"]

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[Producer]:
    async with Producer(settings) as opened:
        yield opened


def waiting(redis_server: RedisServer, settings: Settings) -> int:
    with redis_server.client as client:
        return int(client.zcard(settings.queue_name))


def order(**members: Any) -> dict[str, Any]:
    return scripted("a", **members).document()


async def test_an_accepted_task_stands_in_the_ledger_and_in_the_queue(
    producer: Producer, fleet: ScriptedFleet, redis_server: RedisServer, settings: Settings
) -> None:
    task = scripted("a")
    assert await producer.enqueue(task) == (task.task_id, True, True)
    assert await fleet.states() == {task.task_id: "queued"}
    assert waiting(redis_server, settings) == 1


async def test_a_document_is_taken_like_a_task(producer: Producer, fleet: ScriptedFleet) -> None:
    answer = await producer.enqueue(order(task_id="t-1"))
    assert answer == ("t-1", True, True)
    assert list(await fleet.states()) == ["t-1"]


async def test_the_same_task_twice_is_one(producer: Producer, fleet: ScriptedFleet) -> None:
    task = scripted("a")
    await producer.enqueue(task)
    assert await producer.enqueue(task) == (task.task_id, False, True)
    assert len(await fleet.states()) == 1


async def test_a_known_idempotency_key_names_the_task_that_holds_it(producer: Producer, fleet: ScriptedFleet) -> None:
    first = await producer.enqueue(scripted("a", idempotency_key="list of today"))
    again = await producer.enqueue(scripted("a", idempotency_key="list of today"))
    assert (again.task_id, again.created) == (first.task_id, False)
    assert len(await fleet.states()) == 1


async def test_one_key_handed_in_by_many_at_once_is_one_task(producer: Producer, fleet: ScriptedFleet) -> None:
    answers = await asyncio.gather(*(producer.enqueue(scripted("a", idempotency_key="k")) for _ in range(20)))
    assert len({answer.task_id for answer in answers}) == 1
    assert [answer.created for answer in answers].count(True) == 1
    assert len(await fleet.states()) == 1


async def test_a_document_that_fits_no_schema_is_refused_and_nothing_remembered(
    producer: Producer, fleet: ScriptedFleet
) -> None:
    with pytest.raises(ContractViolation) as refused:
        await producer.enqueue(order() | {"supplier_name": ""})
    assert [where for where, _ in refused.value.violations] == ["/supplier_name"]
    assert await fleet.states() == {}


async def test_a_task_object_made_past_its_model_is_refused_too(producer: Producer, fleet: ScriptedFleet) -> None:
    forged = scripted("a").model_copy(update={"max_retries": 99})
    with pytest.raises(ContractViolation):
        await producer.enqueue(forged)
    assert await fleet.states() == {}


async def test_many_are_answered_one_by_one_in_order(
    producer: Producer, fleet: ScriptedFleet, redis_server: RedisServer, settings: Settings
) -> None:
    tasks = [scripted(f"supplier {number}") for number in range(2 * BATCH + 7)]
    answers = await producer.enqueue_many(iter(tasks))
    assert [answer.task_id for answer in answers] == [task.task_id for task in tasks]
    assert all(answer.created and answer.delivered for answer in answers)
    assert list(await fleet.states()) == [task.task_id for task in tasks]
    assert waiting(redis_server, settings) == len(tasks)
    assert await fleet.rows("SELECT task_id FROM tasks WHERE dispatched_at IS NULL") == []


async def test_none_are_accepted_without_complaint(producer: Producer) -> None:
    assert await producer.enqueue_many([]) == []


async def test_a_bad_one_among_many_says_where_it_stands_and_how_many_were_accepted(
    producer: Producer, fleet: ScriptedFleet
) -> None:
    orders: list[ParseTask | dict[str, Any]] = [scripted(f"supplier {number}") for number in range(BATCH + 10)]
    orders[BATCH + 3] = {"supplier_name": "no parser"}
    with pytest.raises(ContractViolation) as refused:
        await producer.enqueue_many(orders)
    assert refused.value.context == {"position": BATCH + 3, "accepted": BATCH}
    assert len(await fleet.states()) == BATCH


@pytest.mark.parametrize("frozen", [False, True])
async def test_without_redis_tasks_are_accepted_and_found_by_the_sweep(
    producer: Producer, fleet: ScriptedFleet, redis_server: RedisServer, frozen: bool
) -> None:
    if frozen:
        redis_server.freeze()
    else:
        redis_server.kill()
    answers = [await producer.enqueue(scripted(f"supplier {number}")) for number in range(5)]
    answers += await producer.enqueue_many(scripted(f"more {number}") for number in range(5))
    assert [answer.delivered for answer in answers] == [False] * 10
    redis_server.thaw()
    redis_server.start()
    fleet.start()
    assert set((await fleet.until_ended()).values()) == {"completed"}


async def test_without_a_database_nothing_is_accepted(settings: Settings) -> None:
    nowhere = settings.model_copy(
        update={"database_url": SecretStr(f"postgresql://postgres@/nowhere?host={settings.data_dir}")}
    )
    with pytest.raises(DatabaseUnavailable):
        async with Producer(nowhere) as producer:
            await producer.enqueue(scripted("a"))


async def test_a_producer_that_was_not_opened_says_so(settings: Settings) -> None:
    with pytest.raises(StateConflict, match="async with"):
        await Producer(settings).enqueue(scripted("a"))


async def test_a_producer_over_open_ports_leaves_them_open(settings: Settings, producer: Producer) -> None:
    async with Producer(settings, ledger=producer._ledger, queue=producer._queue) as second:
        await second.enqueue(scripted("a"))
    assert (await producer.enqueue(scripted("b"))).delivered


async def test_beyond_what_may_wait_nothing_is_accepted_and_it_says_when_to_come_back(settings: Settings) -> None:
    async with Producer(settings.model_copy(update={"max_waiting": 2})) as producer:
        await producer.enqueue_many([scripted(name) for name in ("a", "b")])
        with pytest.raises(QueueFull) as refused:
            await producer.enqueue_many([scripted("c")])
    assert refused.value.context["accepted"] == 0
    assert refused.value.retry_after is not None
