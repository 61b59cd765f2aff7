"""Takes a source through the stages into the tables, chunk by chunk; the only place where a chunk is processed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple, Protocol, cast

from config.plan import Plan
from contracts.account import Account
from contracts.checkpoint import Checkpoint
from contracts.failpoints import failpoint
from contracts.parser import Reading
from contracts.rows import Batch, Chunk, Cursor
from contracts.store import Loader
from observability.logging import get_logger
from pipeline.stages.chain import Head, Stages

log = get_logger(__name__)

GC_THRESHOLDS = (500_000, 10, 10)
"""Collections in the middle of a chunk walk through its rows and find nothing; they cost a quarter of a first load.
So the collector is asked between chunks instead, when few rows are alive; without that, drivers' cycles would keep
whole chunks."""
FULL_COLLECTION_EVERY = 32


class Guard(Protocol):
    def check(self, progress: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """What guards may know: how far the run has come."""

    checkpoint: Checkpoint
    chunk: Account
    """Of the chunk committed last."""


class Spent(NamedTuple):
    """Seconds that one chunk took before it was sent."""

    parse: float
    validate: float


async def run_chunks(
    *,
    task_id: str,
    source_sha256: str,
    reading: Reading,
    plan: Plan,
    stages: Stages,
    loader: Loader,
    checkpoint: Checkpoint | None,
    next_sequence: int,
    guards: Sequence[Guard],
    seal: Callable[[Checkpoint], dict[str, Any]],
    resize: Callable[[int], int] = lambda rows: rows,
) -> Checkpoint | None:
    """Loads everything behind `checkpoint` and returns the newest one; None if the source has no row at all.

    While the server merges a chunk, the next one is read, judged and staged; commits keep the order of the source.
    Guards are asked behind each commit. `resize` is asked behind each chunk for the size of the next one, given the
    planned one. Whatever is raised, no task and no transaction stays open; a commit that is
    under way is waited for, unless this coroutine is cancelled.
    """

    async def commit(
        staged: object, batch: Batch, before: Checkpoint | None, sequence: int, begun: asyncio.Event, *, spent: Spent
    ) -> Checkpoint:
        started = monotonic()
        after: list[Checkpoint] = []

        def complete(account: Account) -> dict[str, Any]:
            total = Account()
            if before is not None:
                total.add(before.account)
            total.add(account)
            after[:] = [Checkpoint(task_id, sequence, batch.cursor, total, source_sha256, plan.fingerprint)]
            return seal(after[0])

        try:
            account = await loader.commit(staged, complete, begun=begun.set)
        finally:
            begun.set()
        log.info(
            "chunk.committed",
            sequence=sequence,
            rows=account.read,
            account=account.document(),
            parse_seconds=round(spent.parse, 3),
            validate_seconds=round(spent.validate, 3),
            seconds=round(monotonic() - started, 3),
        )
        for guard in guards:
            guard.check(Progress(after[0], account))
        return after[0]

    pending: asyncio.Task[Checkpoint] | None = None
    newest = checkpoint
    with _patient_gc():
        await stages.prepare(reading, size=plan.chunk_size)
        try:
            behind = None if newest is None else newest.cursor
            resized = _resized(reading, after=behind, rows=lambda: resize(plan.chunk_size))
            async with aclosing(resized) as chunks:
                asked = monotonic()
                async for chunk in chunks:
                    failpoint("chunk.read")
                    read = monotonic()
                    batch = stages.process(chunk)
                    spent = Spent(read - asked, monotonic() - read)
                    staged = await loader.stage(batch)
                    failpoint("chunk.staged")
                    if pending is not None:
                        newest, pending = await pending, None
                    _collect(batch.number)
                    begun = asyncio.Event()
                    pending = asyncio.create_task(commit(staged, batch, newest, next_sequence, begun, spent=spent))
                    next_sequence += 1
                    # The next chunk keeps this thread busy: not before the server has its work, too.
                    await begun.wait()
                    asked = monotonic()
            if pending is not None:
                newest, pending = await pending, None
        finally:
            if pending is not None:
                await _end(pending)
    return newest


async def replay_state(reading: Reading, stages: Stages, *, upto: Cursor, size: int = 20_000) -> None:
    """Brings the stages to where they were behind `upto`: reads the rows before it again and loads nothing."""
    with _patient_gc():
        await stages.prepare(reading, size=size)
        async with _chunks(reading, after=None, size=size) as chunks:
            async for chunk in chunks:
                numbers = chunk.row_numbers()
                if numbers[0] > upto.row:
                    return
                if numbers[-1] > upto.row:
                    stages.process(Head(chunk, sum(number <= upto.row for number in numbers)))
                    return
                stages.process(chunk)
                if numbers[-1] == upto.row:
                    return
                await asyncio.sleep(0)


async def _end(pending: asyncio.Task[Checkpoint]) -> None:
    """Waits for a commit whose result nobody wants any more; what ends the run is raised already."""
    current = asyncio.current_task()
    if current is not None and current.cancelling():
        pending.cancel()
    await asyncio.wait((pending,))
    if not pending.cancelled() and (error := pending.exception()) is not None:
        log.debug("chunk.not_committed", error=str(error))


async def _resized(reading: Reading, *, after: Cursor | None, rows: Callable[[], int]) -> AsyncGenerator[Chunk, None]:
    """The source is opened anew behind a chunk where another size is wanted from there on."""
    while True:
        size = rows()
        async with _chunks(reading, after=after, size=size) as chunks:
            async for chunk in chunks:
                yield chunk
                after = chunk.cursor
                if rows() != size:
                    break
            else:
                return


def _chunks(reading: Reading, *, after: Cursor | None, size: int) -> aclosing[Any]:
    return aclosing(cast("Any", reading.chunks(after=after, size=size)))


def _collect(number: int) -> None:
    gc.collect(2 if number % FULL_COLLECTION_EVERY == 0 else 1)


_patient = 0
_thresholds = gc.get_threshold()


@contextmanager
def _patient_gc() -> Iterator[None]:
    """Fewer collections while any run of this process goes through its chunks."""
    global _patient, _thresholds  # noqa: PLW0603  # the collector is the process's, too
    if not _patient:
        _thresholds = gc.get_threshold()
        gc.set_threshold(*GC_THRESHOLDS)
    _patient += 1
    try:
        yield
    finally:
        _patient -= 1
        if not _patient:
            gc.set_threshold(*_thresholds)
