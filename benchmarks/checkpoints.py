"""What a checkpoint costs by itself: python -m benchmarks.checkpoints.

The usual checkpoint, and the largest that the catalogue of reasons allows: sealed, opened, written to a file (with
fsync) and read again. Limits are those of the requirements. In a load the sealed document travels in the transaction of
its chunk; what that adds is within the figures of `python -m benchmarks.load`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from time import perf_counter

import orjson

from contracts.account import IGNORED, Account
from contracts.checkpoint import Checkpoint
from contracts.reasons import REASONS
from contracts.rows import Cursor
from resilience.checkpoint.file_store import RETENTION, CheckpointFileStore
from resilience.checkpoint.seal import seal, unseal

WRITE, READ, CHECKSUM = 0.100, 0.050, 0.010
"""Seconds."""


def checkpoint(sequence: int, *, large: bool) -> Checkpoint:
    account = Account(read=10**12, new=10**12)
    if large:
        account.rejected.update(dict.fromkeys(REASONS, 10**12))
        account.ignored.update(dict.fromkeys(IGNORED, 10**12))
    return Checkpoint("t" * 255 if large else "task", sequence, Cursor(10**12), account, "a" * 64, "b" * 64)


def timed(work: Callable[[int], object], times: int) -> tuple[float, float]:
    """(99th percentile, longest) in seconds."""
    took = []
    for number in range(1, times + 1):
        begun = perf_counter()
        work(number)
        took.append(perf_counter() - begun)
    return quantiles(took, n=100)[98], max(took)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=500)
    times = parser.parse_args().times
    good = True
    for large in (False, True):
        sealed = seal(checkpoint(1, large=large))
        print(f"{'largest' if large else 'usual'} checkpoint, {len(orjson.dumps(sealed)):,} bytes, {times} times")
        with tempfile.TemporaryDirectory() as folder:
            store = CheckpointFileStore(Path(folder))
            for name, limit, work in (
                ("seal (checksum)", CHECKSUM, lambda n, large=large: seal(checkpoint(n, large=large))),
                ("open (checksum)", CHECKSUM, lambda _, sealed=sealed: unseal(sealed)),
                ("write file", WRITE, lambda n, large=large, store=store: store.save(checkpoint(n, large=large))),
                (
                    "read file",
                    READ,
                    lambda _, large=large, store=store: store.newest(checkpoint(1, large=large).task_id),
                ),
            ):
                p99, longest = timed(work, times)
                good &= p99 <= limit
                figures = f"p99 {p99 * 1e3:7.3f} ms, longest {longest * 1e3:7.3f} ms, limit {limit * 1e3:g} ms"
                print(f"  {name:16} {figures}{'' if p99 <= limit else '  ABOVE ITS LIMIT'}")
            print(f"  files kept       {len(store.paths(checkpoint(1, large=large).task_id))} of {RETENTION}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
