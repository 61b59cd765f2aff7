"""The ways to enqueue that the README shows work as they stand there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

ROOT = Path(__file__).resolve().parents[2]
PRICEMILL = Path(sys.executable).with_name("pricemill")


def block(language: str) -> str:
    """The first block of that language in the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^```{language}\n(.*?)^```", readme, flags=re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def environment(database_url: str, redis_url: str, queue_name: str, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PRICEMILL_QUEUE_NAME": queue_name,
        "PRICEMILL_DATA_DIR": str(tmp_path / "data"),
    }


def call(command: list[str], *, environment: dict[str, str], directory: Path, stdin: str = "") -> str:
    result = subprocess.run(
        command, cwd=directory, env=environment, input=stdin, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


async def tasks(database_url: str) -> list[tuple[str, str, str]]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "SELECT task_id, supplier_name, message->'source_config'->>'file_path' FROM tasks"
        )
    finally:
        await connection.close()
    return [tuple(row) for row in rows]


async def test_the_script_enqueues_once_however_often_it_runs(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(block("python"))
    first, second = (
        call([sys.executable, str(script)], environment=environment, directory=tmp_path).strip() for _ in range(2)
    )
    assert first == second
    ((task_id, supplier, path),) = await tasks(database_url)
    assert task_id == first
    assert (supplier, path) == ("Nordwind", "nordwind/today.csv")


async def test_the_line_of_the_crontab_enqueues_the_message_shown(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    words = shlex.split(block("cron"))[5:]
    message = json.loads(block("json"))
    file = tmp_path / Path(words[-1]).name
    file.write_text(json.dumps(message))
    assert words[0] == "pricemill"
    call([str(PRICEMILL), *words[1:-1], str(file)], environment=environment, directory=tmp_path)
    ((_, supplier, path),) = await tasks(database_url)
    assert (supplier, path) == (message["supplier_name"], message["source_config"]["file_path"])
