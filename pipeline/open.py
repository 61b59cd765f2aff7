"""The first half of an attempt: fetch a source, open it, understand it, and freeze the plan."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic

from config.plan import Plan
from config.profiles import SupplierProfile, apply_profile
from config.settings import Settings
from contracts.catalog import StoredProfile
from contracts.errors import SourceUnreadable
from contracts.failpoints import failpoint
from contracts.parser import Parser, Reading, Source
from contracts.rows import Chunk, Row
from contracts.task import Document, ParseTask
from contracts.understanding import Understanding
from observability.logging import get_logger
from pipeline.drift.absorb import Drift, LastList, absorb
from pipeline.drift.verify import verify
from pipeline.fetch import fetch
from pipeline.understanding.understand import understand

log = get_logger(__name__)

SAMPLE_ROWS = 2_000
"""Physical rows from which a list is understood; the price column is read to its end only if these leave its
number format open."""
MOST_COLUMNS = 1_000
"""Of a list that is read: to understand a column takes some milliseconds and every row holds them all."""
_CUT_AT_ONCE = 1_048_576
"""Bytes of rows that are cut into cells together while it is not known how wide they are; cells take about fifty times
as much."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that was fetched, opened and understood. Whoever holds it closes `reading`."""

    source: Source
    reading: Reading
    plan: Plan
    sample: Sequence[tuple[int, Row]] = ()
    """The first physical rows with their numbers."""
    drift: Drift | None = None
    """What differs from the last list; None if there was none."""


async def open_source(
    task: ParseTask,
    parser: Parser,
    *,
    spool: Path,
    stored: StoredProfile | None,
    settings: Settings,
    last: LastList | None = None,
) -> Opened:
    """No transaction is open meanwhile. Raises what fetch and open raise, HeaderNotFound, MappingIncomplete,
    PriceFormatAmbiguous, ProfileInvalid and, where the list is compared with the `last` one, ListDoubtful."""
    started = monotonic()
    source = await fetch(parser, task, spool)
    failpoint("source.fetched")
    log.info(
        "source.fetched",
        source=source.name,
        bytes=source.size,
        sha256=source.sha256,
        seconds=round(monotonic() - started, 3),
    )
    profile = None if stored is None else SupplierProfile.model_validate(stored.document)
    config = apply_profile(parser.config.model_validate(task.source_config), profile)
    async with AsyncExitStack() as unless_opened:
        reading = await parser.open(source, config)
        unless_opened.push_async_callback(reading.close)
        failpoint("source.opened")
        sample = await first_rows(reading)
        drift = None
        if last is not None and profile is not None:
            drift = await absorb(
                sample,
                reading.description,
                config=config,
                options=task.options,
                profile=profile,
                last=last,
                sha256=source.sha256,
            )
        understanding = await understand_reading(
            reading,
            sample,
            task=task,
            config=config,
            profile=profile if drift is None else drift.profile,
            profile_version=None if stored is None else stored.version,
            default_currency=settings.default_currency,
        )
        if last is not None and drift is not None:
            understanding = drift.told(understanding)
            await verify(
                sample,
                understanding,
                profile=drift.profile,
                lookup=last.lookup,
                sha256=source.sha256,
                believed=drift.believed,
            )
        unless_opened.pop_all()
    plan = Plan(
        parser_type=task.parser_type,
        description=reading.description.document(),
        understanding=understanding,
        chunk_size=task.options.chunk_size or settings.chunk_size,
        lease=settings.lease,
        time_limit=timedelta(seconds=settings.time_limit_seconds),
    )
    failpoint("plan.made")
    log.info("plan.made", fingerprint=plan.fingerprint[:12], chunk_size=plan.chunk_size)
    return Opened(source, reading, plan, sample, drift)


async def first_rows(reading: Reading) -> list[tuple[int, Row]]:
    """At most SAMPLE_ROWS physical rows with their numbers. SourceUnreadable if one has more than MOST_COLUMNS."""
    sample: list[tuple[int, Row]] = []
    async with aclosing(reading.chunks(size=SAMPLE_ROWS)) as chunks:
        async for chunk in chunks:
            sample += _cut(chunk)
            if len(sample) >= SAMPLE_ROWS:
                break
    return sample[:SAMPLE_ROWS]


def _cut(chunk: Chunk) -> Iterator[tuple[int, Row]]:
    numbers = chunk.row_numbers()
    for part in _parts(chunk):
        for number, row in zip(numbers[part.start : part.stop], chunk.rows(part), strict=True):
            if len(row) > MOST_COLUMNS and len(row) - row.count(None) > MOST_COLUMNS:
                raise _too_wide(number, row)
            yield number, row


def _parts(chunk: Chunk) -> Iterator[range]:
    """Positions of rows, in order."""
    if chunk.records is None:
        yield range(len(chunk))
        return
    begin = size = 0
    for place, record in enumerate(chunk.records):
        if size + len(record) > _CUT_AT_ONCE and place > begin:
            yield range(begin, place)
            begin, size = place, 0
        size += len(record)
    if begin < len(chunk):
        yield range(begin, len(chunk))


def _too_wide(number: int, row: Row) -> SourceUnreadable:
    return SourceUnreadable(
        f"row {number} has {len(row):,} cells; lists of at most {MOST_COLUMNS:,} columns are read",
        row=number,
        next="ask the supplier for an export with fewer columns, or check the separator and the quotes of that row",
    )


async def understand_reading(
    reading: Reading,
    sample: Sequence[tuple[int, Row]],
    *,
    task: ParseTask,
    config: Document,
    profile: SupplierProfile | None,
    profile_version: int | None,
    default_currency: str,
) -> Understanding:
    """Understands an opened source from its first rows, in a thread; same arguments, same answer."""
    loop = asyncio.get_running_loop()

    def every_row() -> Iterator[tuple[int, Row]]:
        # Runs in the thread of understand(); the reading belongs to the loop, so each chunk is asked for there.
        again = reading.chunks()

        async def following() -> list[tuple[int, Row]] | None:
            chunk = await anext(again, None)
            return None if chunk is None else list(zip(chunk.row_numbers(), chunk.rows(), strict=True))

        while (rows := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
            yield from rows

    return await asyncio.to_thread(
        understand,
        sample,
        reading.description,
        source_config=config,
        options=task.options,
        profile=profile,
        profile_version=profile_version,
        default_currency=default_currency,
        more=every_row,
    )
