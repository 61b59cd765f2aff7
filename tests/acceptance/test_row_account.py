"""Ten thousand spoiled lists: every physical row in exactly one bucket, and no price but the one its code has."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from config.plan import Plan
from contracts.account import Account
from contracts.errors import NeedsAnswer
from contracts.parser import Source
from contracts.rows import Item, RowError
from contracts.store import Known
from contracts.task import ParseTask, TaskOptions
from contracts.understanding import Understanding
from parsers.delimited import open_delimited
from parsers.reading import RecordReading
from pipeline.chunks import run_chunks
from pipeline.stages import build_stages
from pipeline.understanding.understand import understand
from resilience.checkpoint.seal import seal
from tests.support.ledgers import claimed
from tests.support.lists import PostgresDesk, plan_of, settle
from tests.support.messy_lists import MessyList, messy_list

EXAMPLES, PARTS, STORED = 10_000, 10, 200
_STRAY = re.compile(r"[^K0-9]")
"""A quote or separator that was put into a code is a part of it."""


@dataclass(slots=True)
class Outcome:
    """What became of one list."""

    items: list[Item] = field(default_factory=list)
    rejects: list[RowError] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    read: int = 0
    lines: int = 0
    held: str = ""


def written(made: MessyList, path: Path) -> Source:
    path.write_bytes(made.data)
    return Source(path, hashlib.sha256(made.data).hexdigest(), len(made.data), path.name)


async def understood(made: MessyList, reading: RecordReading) -> Understanding:
    """With a mapping by name; whole, as these lists are short."""
    rows = [pair async for chunk in reading.chunks() for pair in zip(chunk.row_numbers(), chunk.rows(), strict=True)]
    return understand(
        rows,
        reading.description,
        source_config={"column_mapping": made.mapping},
        options=TaskOptions(currency="EUR"),
        profile=None,
        more=lambda: iter(rows),
    )


async def taken_in(made: MessyList, path: Path) -> Outcome:
    """The way of a list from its bytes to what the loader would be handed."""
    reading = open_delimited(written(made, path))
    outcome = Outcome()
    newline = b"\r" if b"\n" not in made.data else b"\n"
    try:
        understanding = await understood(made, reading)
    except NeedsAnswer as error:
        outcome.held = str(error)
        return outcome
    nothing = np.empty(0, dtype=np.int64)
    plan = Plan("csv", reading.description.document(), understanding, 7, timedelta(60), timedelta(60))
    stages = build_stages(plan, Known(nothing, nothing))
    await stages.prepare(reading, size=7)
    async for chunk in reading.chunks(size=made.seed % 37 + 3):
        batch = stages.process(chunk)
        assert chunk.records is not None
        outcome.read += batch.account.read
        outcome.lines += sum(record.count(newline) + 1 for record in chunk.records)
        outcome.ignored += batch.account.ignored
        outcome.rejects += batch.rejects
        outcome.items += [*batch.items, *batch.repeated]
        assert batch.account.rejected.total() == len(batch.rejects)
        assert len(chunk) == len(batch.items) + len(batch.repeated) + batch.account.rejected.total() + (
            batch.account.ignored.total()
        )
    return outcome


def judge(made: MessyList, outcome: Outcome) -> None:
    assert outcome.lines == made.lines
    if made.records is not None:
        assert outcome.read == made.records
    rejected = [reject.row_number for reject in outcome.rejects]
    accepted = [item.row_number for item in outcome.items]
    assert rejected == sorted(set(rejected))
    assert len(set(accepted)) == len(accepted)
    assert not set(accepted) & set(rejected)
    assert all(1 <= number <= outcome.read for number in (*accepted, *rejected))
    for item in outcome.items:
        code = _STRAY.sub("", item.sku)
        assert code in made.prices, f"row {item.row_number} has a code that no row has: {item}"
        assert Decimal(item.price) == made.prices[code], f"row {item.row_number}: {item}"
    if not made.spoiled & {"quote", "encoding", "lines"}:
        lost = made.names.keys() - {item.sku for item in outcome.items}
        assert not lost, f"rows that nothing was done to are not accepted: {sorted(lost)}"


async def stored(desk: PostgresDesk, made: MessyList, path: Path) -> None:
    """Loads one list into tables of its own supplier, and compares what stands there with what is true."""
    source = written(made, path)
    reading = open_delimited(source)
    task = ParseTask(
        task_id=f"list-{made.seed}",
        parser_type="csv",
        supplier_name=f"Supplier {made.seed}",
        source_config={"file_path": path.name, "column_mapping": made.mapping},
        options=TaskOptions(currency="EUR"),
    )
    try:
        understanding = await understood(made, reading)
    except NeedsAnswer:
        return
    plan = plan_of(understanding, chunk_size=made.seed % 17 + 3)
    claim = await claimed(desk.bench, task)
    loader = await desk.open(claim)
    try:
        stages = build_stages(plan, await loader.known())
        await stages.prepare(reading, size=plan.chunk_size)
        checkpoint = await run_chunks(
            task_id=task.task_id, source_sha256=source.sha256, reading=reading, plan=plan, stages=stages, loader=loader,
            checkpoint=None, next_sequence=1, guards=(), seal=seal,
        )  # fmt: skip
    finally:
        await loader.close()
    await settle(desk, claim, checkpoint)
    assert checkpoint is not None
    await in_tables(desk, made, claim.task_key, checkpoint.account)


async def in_tables(desk: PostgresDesk, made: MessyList, task_key: int, account: Account) -> None:
    items = await desk.bench.connection.fetch(
        "SELECT supplier_sku, current_price, source_row FROM supplier_items WHERE task_key = $1", task_key
    )
    rejects = await desk.bench.connection.fetch(
        "SELECT row_number FROM parsing_logs WHERE task_id = $1", f"list-{made.seed}"
    )
    history = await desk.bench.connection.fetchval("SELECT count(*) FROM price_history WHERE task_key = $1", task_key)
    assert account.balanced
    if made.records is not None:
        assert account.read == made.records
    assert len(items) == account.new == history
    assert len(rejects) == len({row["row_number"] for row in rejects}) == account.rejected.total()
    assert not {row["source_row"] for row in items} & {row["row_number"] for row in rejects}
    assert len(items) + len(rejects) + account.ignored.total() == account.read
    for row in items:
        assert row["current_price"] == made.prices[_STRAY.sub("", row["supplier_sku"])], (made.seed, row)


async def test_the_tables_hold_what_the_account_says(desk: PostgresDesk, tmp_path: Path) -> None:
    for seed in range(STORED):
        await stored(desk, messy_list(seed), tmp_path / "list")


@pytest.mark.parametrize("part", range(PARTS))
def test_every_row_of_a_spoiled_list_is_counted_once_and_has_its_own_price(tmp_path: Path, part: int) -> None:
    held = 0

    async def all_of_them() -> int:
        held = 0
        for seed in range(part, EXAMPLES, PARTS):
            made = messy_list(seed)
            outcome = await taken_in(made, tmp_path / "list")
            held += bool(outcome.held)
            if not outcome.held:
                try:
                    judge(made, outcome)
                except AssertionError as error:
                    raise AssertionError(f"list {seed} ({', '.join(sorted(made.spoiled))}): {error}") from error
        return held

    held = asyncio.run(all_of_them())
    assert held < EXAMPLES / PARTS / 3
