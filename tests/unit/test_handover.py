"""What follows a task is handed over, noted as sent, or left to the sweep; nothing is raised for an absent server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from contracts.errors import DatabaseUnavailable, QueueUnavailable
from contracts.queue import Delivery
from contracts.task import ParseTask
from db.memory import MemoryLedger
from workers.delivery import InlineQueue
from workers.handover import hand_over


class AwayQueue(InlineQueue):
    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        raise QueueUnavailable


class ForgetfulLedger(MemoryLedger):
    async def dispatched(self, deliveries: Sequence[Delivery]) -> None:
        raise DatabaseUnavailable


async def one(ledger: MemoryLedger) -> list[Delivery]:
    task = ParseTask(parser_type="csv", supplier_name="a", source_config={"file_path": "a.csv"})
    return [answer.delivery for answer in await ledger.register([task]) if answer.delivery is not None]


async def test_what_was_handed_over_is_not_swept_again_at_once() -> None:
    ledger, queue = MemoryLedger(), InlineQueue()
    assert await hand_over(await one(ledger), queue=queue, ledger=ledger)
    assert (await queue.depth()).waiting == 1
    assert await ledger.sweep(redeliver_after=timedelta(seconds=10)) == []


async def test_what_redis_did_not_take_is_left_to_the_next_sweep() -> None:
    ledger = MemoryLedger()
    deliveries = await one(ledger)
    assert not await hand_over(deliveries, queue=AwayQueue(), ledger=ledger)
    assert await ledger.sweep() == deliveries


async def test_a_note_that_cannot_be_written_costs_one_more_delivery_and_nothing_else() -> None:
    ledger, queue = ForgetfulLedger(), InlineQueue()
    assert await hand_over(await one(ledger), queue=queue, ledger=ledger)
    assert (await queue.depth()).waiting == 1


async def test_nothing_is_handed_over_without_asking_anyone() -> None:
    assert await hand_over([], queue=AwayQueue(), ledger=ForgetfulLedger())


async def test_an_inline_queue_works_off_what_waits_and_what_follows_from_it() -> None:
    worked: list[int] = []

    class Chain:
        async def execute(self, delivery: Delivery) -> list[Delivery]:
            worked.append(delivery.epoch)
            return [delivery._replace(epoch=delivery.epoch + 1)] if delivery.epoch < 3 else []

    queue = InlineQueue()
    await queue.deliver([Delivery(1, "a", 0, None, 1)])
    await queue.work(Chain())
    assert worked == [0, 1, 2, 3]
