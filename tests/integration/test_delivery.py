"""What lies in Redis can be anything: deliveries twice, late, out of order, forged or rubbish change nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from config.settings import Settings
from contracts.queue import Delivery
from contracts.task import ParseTask
from tests.support.redis_server import RedisServer
from tests.support.scripted_fleet import PATIENCE, ScriptedFleet, fleet, scripted, settings
from tests.support.scripted_worker import ScriptedApp, scripted_app
from workers.delivery import inbox_key, wake_key
from workers.fleet import run_worker
from workers.redis_pool import call
from workers.wakeup import PAYLOAD_MS

__all__ = ["fleet", "settings"]

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[ScriptedApp]:
    async with scripted_app(settings) as opened:
        yield opened


@pytest.fixture
async def working(app: ScriptedApp) -> AsyncIterator[asyncio.Task[None]]:
    """A worker in this process; it must still work at the end of the test."""
    task = asyncio.create_task(run_worker(app, signals=False))
    yield task
    assert app.stopping.stopping or not task.done(), "the worker died"
    app.stopping.ask()
    await asyncio.wait_for(task, PATIENCE)


async def register(app: ScriptedApp, *tasks: ParseTask) -> list[Delivery]:
    answers = await app.ledger.register(tasks)
    deliveries = [answer.delivery for answer in answers if answer.delivery is not None]
    await app.ledger.dispatched(deliveries)
    return deliveries


async def until(seen: Callable[[], Any], what: str) -> None:
    """Waits for a condition that may be a coroutine function."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = seen()
            if (await answer) if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.01)
    raise AssertionError(what)


async def buried(fleet: ScriptedFleet) -> list[dict[str, Any]]:
    return await fleet.rows("SELECT message::text, code, reason FROM dead_letters ORDER BY created_at")


async def runs_of(fleet: ScriptedFleet) -> list[int]:
    rows = await fleet.rows("SELECT count(*) AS runs FROM task_attempts GROUP BY task_key")
    return [row["runs"] for row in rows]


async def test_a_delivery_sent_many_times_runs_once(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet
) -> None:
    deliveries = await register(app, scripted("a", seconds=0.2))
    for _ in range(5):
        await app.queue.deliver(deliveries)
        await asyncio.sleep(0.02)
    await fleet.until_ended()
    await app.queue.deliver(deliveries)  # replayed long after
    await until(lambda: nothing_waits(app), "the replayed delivery is taken")
    assert await runs_of(fleet) == [1]


async def test_a_delivery_that_comes_again_while_it_runs_does_not_free_its_slot(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet
) -> None:
    deliveries = await register(app, scripted("a", seconds=300, source_config={"deaf": True}))
    await app.queue.deliver(deliveries)
    await fleet.until_running()
    await app.queue.deliver(deliveries)
    await until(lambda: nothing_waits(app), "the second is taken")
    app.stopping.ask()
    app.stopping.ask()
    await asyncio.wait_for(asyncio.shield(working), PATIENCE)
    running = [task for task in asyncio.all_tasks() if "run_job" in repr(task.get_coro())]
    assert running == [], "the worker waited for the job that runs"


async def nothing_waits(app: ScriptedApp) -> bool:
    return await app.queue.depth() == (0, 0)


async def test_deliveries_of_other_epochs_and_of_unknown_tasks_change_nothing(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet
) -> None:
    (delivery,) = await register(app, scripted("a"))
    forged = [
        delivery._replace(epoch=7),
        delivery._replace(task_id="someone else's"),
        delivery._replace(task_key=delivery.task_key + 1000),
    ]
    await app.queue.deliver(forged)
    await until(lambda: nothing_waits(app), "the forged ones are taken")
    assert set((await fleet.states()).values()) == {"queued"}
    await app.queue.deliver([delivery])
    await fleet.until_ended()
    assert await runs_of(fleet) == [1]
    assert await buried(fleet) == []


async def test_tasks_of_one_supplier_run_in_the_order_of_registration_whatever_the_order_of_delivery(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet
) -> None:
    tasks = [scripted("same") for _ in range(6)]
    deliveries = await register(app, *tasks)
    for delivery in reversed(deliveries):
        await app.queue.deliver([delivery])
    await fleet.until_ended()
    assert app.started == [task.task_id for task in tasks]


async def test_an_urgent_task_starts_before_what_waits(app: ScriptedApp, fleet: ScriptedFleet) -> None:
    waiting = [scripted(f"supplier {number}") for number in range(50)]
    urgent = scripted("urgent", priority="high")
    await app.queue.deliver(await register(app, *waiting, urgent))
    worker = asyncio.create_task(run_worker(app, burst=True, signals=False))
    await asyncio.wait_for(worker, PATIENCE)
    assert urgent.task_id in app.started[: app.settings.concurrency]


async def test_a_delivery_deferred_for_a_moment_is_not_left_to_the_slow_poll_or_the_sweep(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet
) -> None:
    (delivery,) = await register(app, scripted("a"))
    due = datetime.now(UTC) + timedelta(seconds=0.2)
    await app.queue.deliver([delivery._replace(at=due)])
    await fleet.until_ended()
    (row,) = await fleet.rows("SELECT started_at FROM tasks")
    assert row["started_at"] >= due - timedelta(milliseconds=100)


RUBBISH: list[bytes] = [
    b"not json",
    b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00.",
    b"\xff\xfe\x00",
    b'{"t":null,"f":"parse"',
    b"[]",
    b"null",
    b'{"t":null,"f":"os.system","a":["true"],"k":{},"et":0}',
    b'{"t":null,"f":"parse","a":[],"k":{},"et":0}',
    b'{"t":null,"f":"parse","a":[1,"x",0,"high"],"k":{},"et":0}',
    b'{"t":null,"f":"parse","a":[-1,"x",0,1],"k":{},"et":0}',
    b'{"t":null,"f":"parse","a":[99999999999999999999999999,"x",0,1],"k":{},"et":0}',
    b'{"t":null,"f":"parse","a":[true,"x",0,1],"k":{},"et":0}',
    b'{"t":null,"f":"parse","a":[1,"x",0,1],"k":{"more":1},"et":0}',
    b'{"t":null,"f":"stray","a":["x"],"k":{},"et":0}',
    b'{"supplier_name":"\\u0000","parser_type":"csv"}',
    b"[" * 100_000,
    b"x" * 3_000_000,
]


async def test_rubbish_in_the_queue_is_recorded_once_each_and_does_not_hold_up_others(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet
) -> None:
    name = app.settings.queue_name
    for _ in range(2):
        for number, raw in enumerate(RUBBISH):
            await app.redis.set(f"arq:job:rubbish-{number}", raw)
            await app.redis.zadd(name, {f"rubbish-{number}": number + 1})
        await app.redis.lpush(wake_key(name), b"1")
        await until(lambda: nothing_waits(app), "the rubbish is taken")
    await until(lambda: inbox_is_empty(app), "the rubbish is buried")
    assert len(await buried(fleet)) == len(RUBBISH)
    await app.queue.deliver(await register(app, scripted("a")))
    assert set((await fleet.until_ended()).values()) == {"completed"}


async def inbox_is_empty(app: ScriptedApp) -> bool:
    return not await call(app.redis, "EXISTS", inbox_key(app.settings.queue_name))


async def test_an_id_without_a_job_and_an_id_that_is_no_text_harm_nothing(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet
) -> None:
    await app.redis.set("arq:job:empty", b"")
    await call(app.redis, "ZADD", app.settings.queue_name, 1, "nobody", 2, b"\xff\xfe\x00", 3, "empty")
    await app.redis.lpush(wake_key(app.settings.queue_name), b"1")
    await app.queue.deliver(await register(app, scripted("a")))
    await fleet.until_ended()
    await until(lambda: nothing_waits(app), "all are taken")


@pytest.mark.parametrize("which", ["queue", "wake", "inbox"])
async def test_a_key_of_ours_that_someone_overwrote_is_removed_and_work_goes_on(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet, which: str, redis_server: RedisServer
) -> None:
    name = app.settings.queue_name
    key = {"queue": name, "wake": wake_key(name), "inbox": inbox_key(name)}[which]
    with redis_server.client as client:
        client.set(key, "rubbish")
        if which == "queue":
            client.lpush(wake_key(name), "1")
    await register(app, scripted("a"))
    assert set((await fleet.until_ended()).values()) == {"completed"}


def message(**members: Any) -> dict[str, Any]:
    return {
        "schema_version": "2.0",
        "task_id": "external-1",
        "parser_type": "scripted",
        "supplier_name": "external",
        "source_config": {},
        "enqueued_at": "2026-01-02T03:04:05Z",
        **members,
    }


async def test_a_message_pushed_by_a_producer_that_has_only_redis_is_accepted_once(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet
) -> None:
    raw = orjson.dumps(message())
    for _ in range(3):
        await call(app.redis, "RPUSH", inbox_key(app.settings.queue_name), raw)
    await until(lambda: inbox_is_empty(app), "the message is taken")
    assert await fleet.until_ended() == {"external-1": "completed"}


async def test_the_same_message_without_a_task_id_is_the_same_task(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet
) -> None:
    raw = orjson.dumps({name: value for name, value in message().items() if name != "task_id"})
    for _ in range(2):
        await call(app.redis, "RPUSH", inbox_key(app.settings.queue_name), raw)
        await until(lambda: inbox_is_empty(app), "the message is taken")
    assert list(await fleet.until_ended()) == [f"sha256-{hashlib.sha256(raw).hexdigest()}"]


async def test_a_bad_message_is_buried_with_its_reason_and_without_its_secrets(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet
) -> None:
    bad = orjson.dumps(message(supplier_name="", password="canary-4711"))
    good = orjson.dumps(message())
    for raw in (bad, good, bad):
        await call(app.redis, "RPUSH", inbox_key(app.settings.queue_name), raw)
    await until(lambda: inbox_is_empty(app), "the messages are taken")
    assert set((await fleet.until_ended()).values()) == {"completed"}
    (letter,) = await buried(fleet)
    assert letter["code"] == "contract_violation"
    assert "external-1" in letter["message"]
    assert "canary" not in str(await fleet.rows("SELECT * FROM dead_letters"))


async def test_redis_holds_ids_and_nothing_else(app: ScriptedApp, redis_server: RedisServer) -> None:
    await app.queue.deliver(await register(app, scripted("Supplier Name", source_config={"file_path": "secret.csv"})))
    with redis_server.client as client:
        kept = b"".join(client.dump(key) or b"" for key in client.keys("*"))
    assert b"Supplier" not in kept
    assert b"secret" not in kept


async def test_what_a_job_leaves_in_redis_goes_away_by_itself_within_seconds(
    app: ScriptedApp, working: asyncio.Task[None], fleet: ScriptedFleet, redis_server: RedisServer
) -> None:
    await app.queue.deliver(await register(app, *(scripted(f"supplier {number}") for number in range(20))))
    await fleet.until_ended()

    def left() -> list[bytes]:
        with redis_server.client as client:
            # -2: gone meanwhile; -1: kept for ever
            return [
                key
                for key in client.keys("*")
                if not key.endswith(b":wake") and not (client.pttl(key) == -2 or 0 <= client.pttl(key) <= PAYLOAD_MS)
            ]

    await until(lambda: not left(), "arq has cleared up")


async def test_wake_ups_do_not_pile_up(app: ScriptedApp) -> None:
    deliveries = await register(app, *(scripted(f"supplier {number}") for number in range(300)))
    for delivery in deliveries:
        await app.queue.deliver([delivery])
    assert await call(app.redis, "LLEN", wake_key(app.settings.queue_name)) < 50
