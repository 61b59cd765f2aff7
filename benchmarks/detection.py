"""What it costs to understand a list before it is loaded, and to read a workbook: python -m benchmarks.detection."""

from __future__ import annotations

import argparse
import asyncio
import functools
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import parsers.delimited
import pipeline.last_list
import pipeline.open
import pipeline.run
from benchmarks import rows
from benchmarks.corpus_run import EPOCH, scratch
from benchmarks.workbooks import KINDS, child_seconds, write_workbook
from config.settings import Settings
from contracts.task import ParseTask, TaskOptions
from observability.logging import configure
from workers.app import open_app
from workers.fleet import run_worker

TARGET = 0.05
"""Most share of a load's CPU time that detection may take."""

FIRST_ROWS = "first rows"
"""Measured at a supplier's first list only, and the same at the next: there what is stored is read meanwhile."""


class Meter:
    """CPU seconds of the parts of detection, taken inside a worker while it loads."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def thread(self, part: str, module: ModuleType, name: str) -> None:
        """Of a plain function, which stays in one thread."""
        inner: Callable[..., Any] = getattr(module, name)

        @functools.wraps(inner)
        def timed(*args: Any, **options: Any) -> Any:
            before = time.thread_time()
            try:
                return inner(*args, **options)
            finally:
                self.seconds[part] += time.thread_time() - before

        setattr(module, name, timed)

    def process(self, part: str, module: ModuleType, name: str) -> None:
        """Of a coroutine that goes through several threads. What a run opens ahead is waited for first, because its
        time would be counted, too."""
        inner: Callable[..., Any] = getattr(module, name)

        @functools.wraps(inner)
        async def timed(*args: Any, **options: Any) -> Any:
            lookup = options.get("lookup") or getattr(options.get("last"), "lookup", None)
            if lookup is not None:
                await lookup([])
            before = time.process_time()
            try:
                return await inner(*args, **options)
            finally:
                self.seconds[part] += time.process_time() - before

        setattr(module, name, timed)


def metered() -> Meter:
    meter = Meter()
    meter.thread("encoding and dialect", parsers.delimited, "open_delimited")
    meter.process(FIRST_ROWS, pipeline.open, "first_rows")
    meter.thread("understanding", pipeline.open, "understand")
    meter.thread("shape for the next list", pipeline.last_list, "shape_document")
    meter.process("beside the last list", pipeline.open, "absorb")
    meter.process("beside the last list", pipeline.open, "verify")
    meter.process("beside what is stored", pipeline.run, "stop_if_doubtful")
    return meter


async def load(settings: Settings, file: Path, *, supplier: str, day: int) -> float:
    """CPU seconds of a worker that loads one list, without those of the servers."""
    configure(level="ERROR")
    async with open_app(settings) as app:
        task = ParseTask.model_validate(
            {
                "parser_type": "csv",
                "supplier_name": supplier,
                "source_config": {"file_path": str(file)},
                "as_of": EPOCH + timedelta(days=day),
                "options": TaskOptions(),
            }
        )
        await app.producer.enqueue(task)
        before = time.process_time()
        await run_worker(app, burst=True, signals=False)
        return time.process_time() - before


def best(found: Sequence[float]) -> float:
    """What the others have more was spent on whatever else the machine did."""
    return min(found)


def of_lists(home: Path, settings: Settings, count: int, runs: int) -> None:
    meter = metered()
    stages = {"first list": 1, "next list, one price in ten changed": 2}
    loads: dict[str, list[float]] = {stage: [] for stage in stages}
    parts: dict[str, list[dict[str, float]]] = {stage: [] for stage in stages}
    for run in range(runs + 1):
        # Another order of the rows each time: a worker keeps how the texts of its last list were read.
        for stage, version in stages.items():
            file = home / f"{run}-{version}.csv"
            rows.write(file, rows=count if run else 500, version=version, seed=run)
            meter.seconds.clear()
            seconds = asyncio.run(load(settings, file, supplier=f"supplier {run}", day=version))
            file.unlink()
            if run:  # what is imported at the first task is no part of a load
                loads[stage].append(seconds)
                parts[stage].append(dict(meter.seconds))
    first = float("inf")
    for stage in stages:
        whole = best(loads[stage])
        named = {part: best([found[part] for found in parts[stage]]) for part in parts[stage][0]}
        named[FIRST_ROWS] = first = min(first, named[FIRST_ROWS])
        print(f"\n{stage}: {count:,} rows in {whole:.2f} s of the worker's CPU, best of {runs}")
        for part, seconds in named.items():
            print(f"  {part:<26}{seconds * 1000:>8.1f} ms {seconds / whole:>7.1%}")
        total = sum(named.values())
        print(f"  {'detection in all':<26}{total * 1000:>8.1f} ms {total / whole:>7.1%} (target {TARGET:.0%})")


def of_workbooks(home: Path, count: int, runs: int) -> None:
    print()
    for kind in KINDS:
        file = home / f"{kind}.xlsx"
        write_workbook(file, rows=count, kind=kind)
        seconds = best([asyncio.run(child_seconds(file, home)) for _ in range(runs)])
        print(f"xlsx, {KINDS[kind]}: {count:,} rows in {seconds:.2f} s of CPU, {count / seconds:,.0f} rows/s")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=("lists", "workbooks"))
    chosen = parser.parse_args()
    with scratch(Path.cwd()) as settings:
        home = settings.data_dir / "lists"
        home.mkdir(parents=True, exist_ok=True)
        if chosen.only != "workbooks":
            of_lists(home, settings.model_copy(update={"source_roots": (home,)}), chosen.rows, chosen.runs)
        if chosen.only != "lists":
            of_workbooks(home, chosen.rows, chosen.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
