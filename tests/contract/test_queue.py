"""What every Queue promises, held against Redis and against the in-process twin."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from contracts.queue import Delivery, Queue
from tests.support.redis_server import RedisServer
from workers.delivery import HEADSTART, ArqQueue, InlineQueue
from workers.redis_pool import open_redis


def delivery(key: int, *, priority: int = 1, epoch: int = 0, at: datetime | None = None) -> Delivery:
    return Delivery(task_key=key, task_id=f"task-{key}", epoch=epoch, at=at, priority=priority)


@dataclass(frozen=True, slots=True)
class Waiting:
    key: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Subject:
    """A queue, and a look at what a worker would be handed, in order."""

    queue: Queue
    due: Callable[[], list[Waiting]]


@pytest.fixture(params=["arq", "inline"])
async def subject(request: pytest.FixtureRequest, queue_name: str) -> AsyncIterator[Subject]:
    if request.param == "inline":
        inline = InlineQueue()

        def taken() -> list[Waiting]:
            found = []
            while (one := inline.take()) is not None:
                found.append(Waiting(one.task_key, one.epoch))
            return found

        yield Subject(inline, taken)
        await inline.close()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    queue = ArqQueue(open_redis(server.url, queue_name=queue_name), queue_name=queue_name)

    def due() -> list[Waiting]:
        now = datetime.now(UTC).timestamp() * 1000
        with server.client as client:
            ids = [job_id.decode() for job_id in client.zrangebyscore(queue_name, "-inf", now)]
        return [Waiting(*map(int, job_id.split(":")[1:])) for job_id in ids]

    yield Subject(queue, due)
    await queue.close()


async def test_what_is_delivered_is_due_in_the_order_of_registration(subject: Subject) -> None:
    keys = list(range(1, 200))
    shuffled = random.Random(7).sample(keys, len(keys))
    await subject.queue.deliver([delivery(key) for key in shuffled])
    assert [waiting.key for waiting in subject.due()] == keys


async def test_delivering_nothing_changes_nothing(subject: Subject) -> None:
    await subject.queue.deliver([])
    assert await subject.queue.depth() == (0, 0)


async def test_the_same_delivery_twice_waits_once(subject: Subject) -> None:
    await subject.queue.deliver([delivery(1), delivery(1)])
    await subject.queue.deliver([delivery(1)])
    assert await subject.queue.depth() == (1, 0)
    assert subject.due() == [Waiting(1, 0)]


async def test_another_epoch_of_a_task_is_another_delivery(subject: Subject) -> None:
    await subject.queue.deliver([delivery(1, epoch=0), delivery(1, epoch=1)])
    assert sorted(waiting.epoch for waiting in subject.due()) == [0, 1]


async def test_a_deferred_delivery_is_not_due_before_its_time(subject: Subject) -> None:
    await subject.queue.deliver([delivery(1, at=datetime.now(UTC) + timedelta(hours=1)), delivery(2)])
    assert await subject.queue.depth() == (1, 1)
    assert subject.due() == [Waiting(2, 0)]


async def test_a_delivery_deferred_to_the_past_is_due(subject: Subject) -> None:
    await subject.queue.deliver([delivery(1, at=datetime.now(UTC) - timedelta(hours=1))])
    assert subject.due() == [Waiting(1, 0)]


async def test_sending_a_deferred_delivery_again_for_now_ends_its_deferral(subject: Subject) -> None:
    await subject.queue.deliver([delivery(1, at=datetime.now(UTC) + timedelta(hours=1))])
    await subject.queue.deliver([delivery(1)])
    assert await subject.queue.depth() == (1, 0)
    assert subject.due() == [Waiting(1, 0)]


async def test_deferring_what_is_due_does_not_take_it_back(subject: Subject) -> None:
    await subject.queue.deliver([delivery(1)])
    await subject.queue.deliver([delivery(1, at=datetime.now(UTC) + timedelta(hours=1))])
    assert subject.due() == [Waiting(1, 0)]


async def test_an_urgent_task_stands_before_ten_thousand_that_wait(subject: Subject) -> None:
    await subject.queue.deliver([delivery(key) for key in range(1, 10_001)])
    await subject.queue.deliver([delivery(10_001, priority=2)])
    assert subject.due()[0].key == 10_001


async def test_a_low_task_stands_behind_what_waits_but_not_behind_all_that_will_ever_come(subject: Subject) -> None:
    bound = HEADSTART[1] - HEADSTART[0]
    await subject.queue.deliver(
        [delivery(5, priority=0), *(delivery(key) for key in (6, 5 + bound - 1, 5 + bound + 1))]
    )
    assert [waiting.key for waiting in subject.due()] == [6, 5 + bound - 1, 5, 5 + bound + 1]


async def test_a_flood_of_urgent_tasks_overtakes_a_normal_one_only_so_far(subject: Subject) -> None:
    bound = HEADSTART[2] - HEADSTART[1]
    await subject.queue.deliver([delivery(1), delivery(bound + 2, priority=2), delivery(bound, priority=2)])
    assert [waiting.key for waiting in subject.due()] == [bound, 1, bound + 2]


async def test_a_retry_that_became_due_is_not_lost_behind_the_backlog_for_ever(subject: Subject) -> None:
    await subject.queue.deliver([delivery(3, epoch=1, at=datetime.now(UTC) - timedelta(seconds=1))])
    await subject.queue.deliver([delivery(key) for key in range(10, 20)])
    await subject.queue.deliver([delivery(3, epoch=1)])  # as the sweep does once it is overdue
    assert subject.due()[0] == Waiting(3, 1)
