"""The snippets of the guides for producers are run as they stand there."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.support.redis_server import RedisServer
from tests.support.scripted_fleet import ScriptedFleet, fleet, settings
from workers.delivery import inbox_key

__all__ = ["fleet", "settings"]

GUIDES = Path(__file__).parents[2] / "docs" / "guides"


def snippets(guide: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (GUIDES / guide).read_text(), re.DOTALL | re.MULTILINE)


async def run(fleet: ScriptedFleet, snippet: str, directory: Path) -> str:
    """Runs a snippet as a script of its own, outside the checkout; its output."""
    script = directory / "snippet.py"
    script.write_text(snippet)
    assert fleet.settings.database_url is not None
    assert fleet.settings.redis_url is not None
    environment = {
        **os.environ,
        "DATABASE_URL": fleet.settings.database_url.get_secret_value(),
        "REDIS_URL": fleet.settings.redis_url.get_secret_value(),
        "PRICEMILL_QUEUE_NAME": fleet.settings.queue_name,
        "PRICEMILL_DATA_DIR": str(directory),
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(script)],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_the_cron_job_accepts_the_lists_of_the_day_once(fleet: ScriptedFleet, tmp_path: Path) -> None:
    (snippet,) = snippets("cron-job.md", "python")
    first = await run(fleet, snippet, tmp_path)
    again = await run(fleet, snippet, tmp_path)
    assert first.replace("accepted", "known already") == again
    assert sorted(await fleet.states()) == sorted(line.split()[0] for line in first.splitlines())


@pytest.mark.parametrize("number", [0, 1])
async def test_the_scripts_accept_what_they_say(fleet: ScriptedFleet, tmp_path: Path, number: int) -> None:
    output = await run(fleet, snippets("ad-hoc-script.md", "python")[number], tmp_path)
    states = await fleet.states()
    assert output.strip() in ({*states} | {f"Counter({{'accepted': {len(states)}}})"})
    assert set(states.values()) == {"queued"}


async def test_the_message_for_redis_is_accepted_by_a_worker(fleet: ScriptedFleet, redis_server: RedisServer) -> None:
    (snippet,) = snippets("ad-hoc-script.md", "json")
    (shell,) = snippets("ad-hoc-script.md", "sh")
    assert f"RPUSH {inbox_key('pricemill')} " in shell
    with redis_server.client as client:
        client.rpush(inbox_key(fleet.settings.queue_name), snippet)
    fleet.start()
    assert list(await fleet.until(bool, "the message is accepted")) == [orjson.loads(snippet)["task_id"]]
