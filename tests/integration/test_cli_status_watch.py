"""`pricemill status --watch` and `pricemill metrics`, as a wall and a cron job see them."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from observability.metrics_catalogue import FAMILIES
from tests.support.cli import Installation
from tests.support.postgres_proxy import Cut, postgres_proxy

PATIENCE = 60.0


@asynccontextmanager
async def watching(installation: Installation, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    installation.data_dir.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "status", *arguments,
        cwd=installation.data_dir, env=installation.environment(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_with(process: asyncio.subprocess.Process, text: str) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while line := (await process.stdout.readline()).decode():
            if text in line:
                return line
    raise AssertionError(f"it ended without {text!r}: {process.returncode}")


async def test_a_fresh_block_comes_at_each_tick_until_ctrl_c(database_url: str, redis_url: str, tmp_path: Path) -> None:
    async with watching(Installation(tmp_path, database_url, redis_url), "--watch=0.5s") as process:
        for _ in range(3):
            await line_with(process, "Healthy")
            await line_with(process, "every 0.5s")
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 130


async def test_it_says_that_postgresql_is_away_goes_on_and_shows_it_back(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    away = False
    async with (
        postgres_proxy(database_url, lambda _: Cut.BEFORE if away else None) as (url, _),
        watching(Installation(tmp_path, url, redis_url), "--watch=0.5s") as process,
    ):
        await line_with(process, "Healthy")
        away = True
        await line_with(process, "PostgreSQL has not answered for")
        await line_with(process, "Healthy")  # the last answer stays
        away = False
        block = b"PostgreSQL has not"
        while b"PostgreSQL has not" in block:
            assert process.stdout is not None
            block = await asyncio.wait_for(process.stdout.readuntil(b"Ctrl-C ends\n"), PATIENCE)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 130


async def test_it_says_that_redis_is_away(database_url: str, tmp_path: Path) -> None:
    nowhere = Installation(tmp_path, database_url, "unix:///nowhere/redis.sock")
    async with watching(nowhere, "--watch=0.5s") as process:
        await line_with(process, "Redis has not answered for")
        await line_with(process, "Healthy")


async def test_as_json_each_tick_is_one_object_a_line(database_url: str, redis_url: str, tmp_path: Path) -> None:
    async with watching(Installation(tmp_path, database_url, redis_url), "--watch=0.5s", "--json") as process:
        for _ in range(2):
            assert json.loads(await line_with(process, "{"))["status"] == "healthy"


def test_on_a_terminal_it_takes_the_screen_and_gives_it_back(database_url: str, redis_url: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**Installation(tmp_path, database_url, redis_url).environment(), "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "status", "--watch=0.5s"],
        cwd=tmp_path, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while seen.count(b"Healthy") < 2:
        seen += os.read(ours, 65_536)
    process.send_signal(signal.SIGINT)
    while True:
        try:
            more = os.read(ours, 65_536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not more:
            break
        seen += more
    os.close(ours)
    assert process.wait(PATIENCE) == 130
    assert seen.index(b"\x1b[?1049h") < seen.index(b"Healthy") < seen.rindex(b"\x1b[?1049l")


@pytest.mark.parametrize("pace", ["soon", "0.1s"])
def test_a_pace_that_is_none_is_wrong_usage(pace: str, tmp_path: Path) -> None:
    answer = Installation(tmp_path, "postgresql://nobody@127.0.0.1:1/none").inside("status", f"--watch={pace}")
    assert answer.code == 2
    assert "2s" in answer.err or "0.5s" in answer.err


def test_metrics_prints_the_gauges_of_the_fleet(database_url: str, tmp_path: Path) -> None:
    answer = Installation(tmp_path, database_url).inside("metrics")
    families = {family.name.removeprefix("pricemill_") for family in text_string_to_metric_families(answer.out)}
    assert answer.code == 0
    assert families
    assert families <= {name for name, one in FAMILIES.items() if one.of == "fleet"}


def test_metrics_as_json_and_the_catalogue(database_url: str, tmp_path: Path) -> None:
    installation = Installation(tmp_path, database_url)
    [queued] = [
        one
        for one in installation.inside("metrics", "--json").json["items"]
        if one["metric"] == "pricemill_queue_tasks" and one["labels"]["state"] == "queued"
    ]
    assert queued["value"] == 0
    listed = installation.inside("metrics", "--catalogue", "--json").json["items"]
    assert [one["metric"] for one in listed] == [one.full_name for one in FAMILIES.values()]
