"""The embedded Redis: shared by processes, durable, stopped by its last user, harmless to others."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from workers import embedded

USER = """
import sys, pathlib
from workers import embedded
server = embedded.start(pathlib.Path(sys.argv[1]))
print(server.url, flush=True)
sys.stdin.read()
print(server.close(), flush=True)
"""


@contextmanager
def user(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that uses the server until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("unix://")
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


def client(server: embedded.EmbeddedRedis) -> redis.Redis:
    return redis.Redis.from_url(server.url, socket_timeout=5)


def test_a_second_user_joins_and_only_the_last_to_leave_stops_the_server(tmp_path: Path) -> None:
    mine = embedded.start(tmp_path)
    with user(tmp_path) as other:
        assert not mine.close()
        output, _ = other.communicate("", timeout=20)
        assert output.strip() == "True"
    assert not mine.socket_path.exists()


def test_a_killed_user_is_not_counted(tmp_path: Path) -> None:
    with user(tmp_path) as other:
        mine = embedded.start(tmp_path)
        other.send_signal(signal.SIGKILL)
        other.wait(10)
        with client(mine) as redis_client:
            assert redis_client.ping()
        assert mine.close()


def test_a_server_whose_only_user_was_killed_is_joined_by_the_next(tmp_path: Path) -> None:
    with user(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait(10)
    with embedded.start(tmp_path) as mine, client(mine) as redis_client:
        assert redis_client.ping()


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    server = embedded.start(tmp_path)
    assert server.close()
    assert not server.close()


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    with embedded.start(tmp_path) as server, client(server) as redis_client:
        redis_client.set("arq:x", "1")
    with embedded.start(tmp_path) as server, client(server) as redis_client:
        assert redis_client.get("arq:x") == b"1"


def test_a_killed_server_comes_back_with_the_next_user(tmp_path: Path) -> None:
    with embedded.start(tmp_path) as server:
        with client(server) as redis_client:
            redis_client.set("arq:x", "1")
            pid = redis_client.info("server")["process_id"]
        subprocess.run(["kill", "-9", str(pid)], check=True)
        with embedded.start(tmp_path) as again, client(again) as redis_client:
            assert redis_client.ping()


def test_an_unreadable_journal_is_put_aside_because_the_ledger_knows_everything(tmp_path: Path) -> None:
    with embedded.start(tmp_path):
        pass
    journal = tmp_path / "redis" / "appendonly.aof"
    journal.write_bytes(b"this is no command\r\n" * 20)
    with embedded.start(tmp_path) as server, client(server) as redis_client:
        assert redis_client.dbsize() == 0
    assert journal.with_suffix(".aof.unreadable").exists()


@pytest.mark.parametrize("name", ["x" * 120, "with space", "Prïce “list”"])
def test_any_data_directory_will_do(tmp_path: Path, name: str) -> None:
    with embedded.start(tmp_path / name) as server, client(server) as redis_client:
        assert redis_client.ping()


def test_only_this_account_can_reach_it(tmp_path: Path) -> None:
    with embedded.start(tmp_path) as server:
        assert server.socket_path.stat().st_mode & 0o777 == 0o700
        assert server.directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "command", ["FLUSHALL", "KEYS *", "CONFIG GET *", "EVAL return(1) 0", "DEBUG SLEEP 0", "ACL LIST", "SHUTDOWN"]
)
def test_commands_that_empty_reconfigure_or_script_it_are_refused(tmp_path: Path, command: str) -> None:
    with (
        embedded.start(tmp_path) as server,
        client(server) as redis_client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        redis_client.execute_command(*command.split())
