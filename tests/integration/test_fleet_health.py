"""`python -m workers.health` says in its exit code whether both servers answer."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from config.settings import Settings
from tests.support.redis_server import RedisServer
from tests.support.scripted_fleet import settings
from workers.health import survey

__all__ = ["settings"]


async def test_both_servers_that_answer_are_well(settings: Settings) -> None:
    assert await survey(settings) == {"redis": None, "postgresql": None}


async def test_a_server_that_is_away_is_named_and_the_other_is_not(
    settings: Settings, redis_server: RedisServer
) -> None:
    redis_server.kill()
    found = await survey(settings)
    assert found["postgresql"] is None
    assert found["redis"]
    redis_server.start()
    nowhere = SecretStr(f"postgresql://postgres@/nowhere?host={settings.data_dir}")
    found = await survey(settings.model_copy(update={"database_url": nowhere}))
    assert found["redis"] is None
    assert found["postgresql"]


async def test_a_frozen_redis_is_not_waited_for_long(settings: Settings, redis_server: RedisServer) -> None:
    redis_server.freeze()
    async with asyncio.timeout(30):
        assert (await survey(settings))["redis"]


def test_the_exit_code_tells(settings: Settings, redis_server: RedisServer, tmp_path: Path) -> None:
    assert settings.database_url is not None
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": redis_server.url,
        "PRICEMILL_DATA_DIR": str(tmp_path),
    }

    def ask() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workers.health"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert ask().returncode == 0
    redis_server.kill()
    told = ask()
    assert told.returncode == 1
    assert "redis" in told.stderr
