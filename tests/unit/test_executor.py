"""What an attempt may end in, without a database: the in-memory ledger under the real executor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from contracts.clock import SystemClock
from contracts.store import Claim
from contracts.task import ParseTask, TaskResult
from db.memory import MemoryLedger
from pipeline.executor import Executor
from pipeline.lease import Held, LeaseKeeper
from resilience.retry.policy import POLICIES

LEASE = timedelta(seconds=10)


@asynccontextmanager
async def opened(ledger: MemoryLedger) -> AsyncIterator[MemoryLedger]:
    yield ledger


async def error_of(run: Callable[[Claim, Held], Awaitable[TaskResult]], *, seconds: float) -> dict[str, Any]:
    """The failure that is recorded for a task without retries."""
    ledger = MemoryLedger()
    task = ParseTask(
        parser_type="csv", supplier_name="S", source_config={"file_path": "a.csv"}, max_retries=0, task_id="one"
    )
    registered = await ledger.register([task])
    leases = LeaseKeeper(lambda: opened(ledger), worker="w", lease=LEASE, beat=timedelta(seconds=3))
    executor = Executor(
        ledger=ledger, leases=leases, run=run, policy=POLICIES["ingest"], worker="w", lease=LEASE,
        time_limit=timedelta(seconds=seconds), clock=SystemClock(), random=lambda: 0.5,
    )  # fmt: skip
    assert registered[0].delivery is not None
    async with leases.running():
        await executor.execute(registered[0].delivery)
    letter, *_ = ledger.tables.letters
    return dict(letter.error)


async def test_a_run_that_takes_too_long_is_reported_as_such():
    async def forever(claim: Claim, held: Held) -> TaskResult:
        await asyncio.Event().wait()
        raise AssertionError

    assert (await error_of(forever, seconds=0.01))["code"] == "time_limit_exceeded"


async def test_a_timeout_of_something_inside_is_not_the_limit_of_the_run():
    async def impatient(claim: Claim, held: Held) -> TaskResult:
        raise TimeoutError("the other side did not answer")

    error = await error_of(impatient, seconds=60)
    assert error["code"] != "time_limit_exceeded"
    assert "the other side did not answer" in error["message"]


async def test_what_no_rule_knows_is_a_defect_with_its_name():
    async def broken(claim: Claim, held: Held) -> TaskResult:
        raise KeyError("colour")

    error = await error_of(broken, seconds=60)
    assert error["code"] == "unexpected"
    assert "KeyError" in error["message"]
