"""Throughput of one worker beside the limit and peers: python -m benchmarks.load [--rows 100000 1000000] [--runs 3]."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import limit, peers, rows
from benchmarks.worker_load import worker
from db import embedded as embedded_postgres
from db.embedded import EmbeddedPostgres
from db.engine import upgrade
from workers import embedded as embedded_redis

STAGES = ("first", "changed", "same")
"""An empty database; then one price in ten changed; then the same file again."""
PEER_ROWS = 100_000


@dataclass
class Figures:
    """Rows per second by stage, one figure a run."""

    rows: int
    limit: dict[str, list[float]] = field(default_factory=lambda: {stage: [] for stage in STAGES})
    ours: dict[str, list[float]] = field(default_factory=lambda: {stage: [] for stage in STAGES})
    peak_bytes: list[int] = field(default_factory=list)
    sqlalchemy: list[float] = field(default_factory=list)
    dlt: list[float] = field(default_factory=list)

    def ratio(self, stage: str) -> float:
        """Of the medians."""
        return median(self.ours[stage]) / median(self.limit[stage])


@contextmanager
def database(server: EmbeddedPostgres) -> Iterator[str]:
    """A migrated database of its own, dropped afterwards."""
    name = f"bench_{uuid.uuid4().hex[:10]}"
    server.psql(f"CREATE DATABASE {name}")
    url = server.url_of(name)
    asyncio.run(upgrade(url))
    yield url
    server.psql(f"DROP DATABASE {name} WITH (FORCE)")


def name_of(url: str) -> str:
    """The database that a URL names."""
    return url.split("@/")[1].split("?", maxsplit=1)[0]


def settle(server: EmbeddedPostgres, url: str) -> None:
    """What autovacuum would do in a quiet hour, so that no contestant pays for the one before."""
    server.psql("VACUUM ANALYZE", database=name_of(url))
    server.psql("CHECKPOINT")


def run_limit(server: EmbeddedPostgres, lists: dict[str, Path], figures: Figures) -> None:
    with database(server) as url:
        for task, stage in enumerate(STAGES, start=1):
            settle(server, url)
            seconds = limit.load(server.binaries / "psql", url, lists[stage], task=task)
            figures.limit[stage].append(figures.rows / seconds)
        check_limit(server, url, figures.rows)


def check_limit(server: EmbeddedPostgres, url: str, count: int) -> None:
    """The limit must arrive at the same tables as ours, or the ratio means nothing."""
    good = sum(not rows.is_bad(item) for item in range(count))
    changed = sum(rows.is_changed(item) and not rows.is_bad(item) for item in range(count))
    stored = server.psql(
        "SELECT (SELECT count(*) FROM supplier_items), (SELECT count(*) FROM price_history),"
        " (SELECT count(*) FROM parsing_logs)",
        database=name_of(url),
    ).strip()
    expected = f"{good}|{good + changed}|{3 * (count - good)}"
    if stored != expected:
        raise AssertionError(f"the tables hold {stored}, not {expected}")


def run_ours(server: EmbeddedPostgres, redis_url: str, lists: dict[str, Path], figures: Figures) -> None:
    with database(server) as url, worker(url, redis_url, lists["first"].parent) as process:
        # A worker that has worked: what it imports at its first task is no part of a load.
        asyncio.run(process.load(lists["warm"], supplier="warm"))
        server.psql("DELETE FROM suppliers WHERE name = 'warm'", database=name_of(url))
        server.psql("DELETE FROM parsing_logs", database=name_of(url))
        for stage in STAGES:
            settle(server, url)
            loaded = asyncio.run(process.load(lists[stage], supplier="ours"))
            figures.ours[stage].append(figures.rows / loaded.seconds)
        figures.peak_bytes.append(process.peak_bytes)
        check_limit(server, url, figures.rows)


def run_peers(server: EmbeddedPostgres, lists: dict[str, Path], figures: Figures) -> None:
    with database(server) as url:
        settle(server, url)
        figures.sqlalchemy.append(figures.rows / peers.run_sqlalchemy(url, lists["first"]))
    with database(server) as url:
        settle(server, url)
        if (seconds := peers.dlt_merge(url, lists["first"])) is not None:
            figures.dlt.append(figures.rows / seconds)


def write_lists(home: Path, count: int) -> dict[str, Path]:
    warm, first, second = (home / f"{count}-{part}.csv" for part in ("warm", "first", "second"))
    rows.write(warm, rows=200)
    rows.write(first, rows=count)
    rows.write(second, rows=count, version=2)
    return {"warm": warm, "first": first, "changed": second, "same": second}


def show(figures: Figures) -> None:
    print(f"\n{figures.rows:,} rows, medians of {len(figures.ours['first'])}")
    print(f"{'':<10}{'limit rows/s':>14}{'ours rows/s':>14}{'ratio':>8}   runs of ours / limit")
    for stage in STAGES:
        pairs = " ".join(
            f"{ours / of_limit:.2f}" for ours, of_limit in zip(figures.ours[stage], figures.limit[stage], strict=True)
        )
        print(
            f"{stage:<10}{median(figures.limit[stage]):>14,.0f}{median(figures.ours[stage]):>14,.0f}"
            f"{figures.ratio(stage):>8.2f}   {pairs}"
        )
    print(f"peak memory of the worker: {max(figures.peak_bytes) / 1e6:,.0f} MB")
    for name, peer in (("SQLAlchemy bulk upsert", figures.sqlalchemy), ("dlt merge", figures.dlt)):
        if peer:
            ours = median(figures.ours["first"])
            print(f"{name}: {median(peer):,.0f} rows/s on a first load; ours is {ours / median(peer):.1f} times that")
        elif figures.rows == PEER_ROWS:
            print(f"{name}: not installed")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[PEER_ROWS, 1_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
    chosen = parser.parse_args()
    everything = []
    with tempfile.TemporaryDirectory(prefix="pricemill-bench-") as name:
        home = Path(name)
        lists_home = home / "lists"
        lists_home.mkdir()
        redis = embedded_redis.start(home)
        with embedded_postgres.start(home) as server:
            for count in chosen.rows:
                lists = write_lists(lists_home, count)
                figures = Figures(rows=count)
                for turn in range(chosen.runs):
                    # In turns, and each first every other time: what drifts on the machine drifts for both.
                    for contestant in ("limit", "ours") if turn % 2 == 0 else ("ours", "limit"):
                        if contestant == "limit":
                            run_limit(server, lists, figures)
                        else:
                            run_ours(server, redis.url, lists, figures)
                    print(f"{count:,} rows: run {turn + 1} of {chosen.runs}", file=sys.stderr)
                    if count == PEER_ROWS and not chosen.no_peers:
                        run_peers(server, lists, figures)
                everything.append(figures)
                if not chosen.json:
                    show(figures)
        redis.close()
    if chosen.json:
        print(json.dumps([asdict(figures) for figures in everything]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
