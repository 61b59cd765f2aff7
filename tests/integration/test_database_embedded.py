"""The embedded server: started, joined, left and killed, by one process and by several."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import ConfigError
from db import embedded, embedded_account

USER = """
import sys
from pathlib import Path
from db import embedded
server = embedded.start(Path(sys.argv[1]), durable=False)
print(server.url, flush=True)
sys.stdin.read()
print(server.close(), flush=True)
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not tmp_path: as root the server's account must be able to pass through.
    path = Path(tempfile.mkdtemp(prefix="pricemill-embedded-"))
    yield path
    with embedded.start(path, durable=False):
        pass  # whatever a test has left running
    shutil.rmtree(path)


def user_of(directory: Path) -> subprocess.Popen[str]:
    """Another process that uses the server until its stdin is closed."""
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def leave(process: subprocess.Popen[str]) -> str:
    """Closes the server there and answers whether that stopped it."""
    answer, _ = process.communicate("", timeout=60)
    return answer.strip()


def pid_of(directory: Path) -> int:
    return int((directory / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=60)


def test_a_server_keeps_its_data_and_is_durable(directory: Path) -> None:
    with embedded.start(directory) as server:
        assert server.psql("SHOW fsync") == "on"
        assert server.psql("SHOW jit") == "off"
        assert server.psql("SHOW listen_addresses") == ""
        server.psql("CREATE TABLE t AS SELECT 'Größe' AS a", database="pricemill")
    with embedded.start(directory) as server:
        assert server.psql("SELECT upper(a) FROM t", database="pricemill") == "GRÖSSE".replace("SS", "ß")


def test_the_last_of_several_users_stops_the_server(directory: Path) -> None:
    first = embedded.start(directory, durable=False)
    second = embedded.start(directory, durable=False)
    assert first.url == second.url
    assert first.close() is False
    assert first.close() is False
    assert second.psql("SELECT 1") == "1"
    assert second.close() is True
    assert not (directory / "postgres" / "postmaster.pid").exists()


def test_processes_that_start_at_once_share_one_server(directory: Path) -> None:
    users = [user_of(directory) for _ in range(4)]
    urls = {line(user) for user in users}
    assert len(urls) == 1
    assert "postgresql://" in urls.pop()
    answers = [leave(user) for user in users]
    assert sorted(answers) == ["False", "False", "False", "True"]


def test_a_killed_user_is_not_counted(directory: Path) -> None:
    killed = user_of(directory)
    line(killed)
    with embedded.start(directory, durable=False) as server:
        kill(killed)
        assert server.psql("SELECT 1") == "1"
        assert server.close() is True


def test_a_server_whose_only_user_was_killed_is_joined(directory: Path) -> None:
    killed = user_of(directory)
    line(killed)
    pid = pid_of(directory)
    kill(killed)
    server = embedded.start(directory, durable=False)
    assert pid_of(directory) == pid
    assert server.close() is True


def test_a_killed_server_is_started_again_with_its_data(directory: Path) -> None:
    first = embedded.start(directory)
    first.psql("CREATE TABLE t AS SELECT 7 AS a", database="pricemill")
    os.kill(pid_of(directory), signal.SIGKILL)
    second = embedded.start(directory)
    assert second.psql("SELECT a FROM t", database="pricemill") == "7"
    first.close()
    second.close()


def test_a_pid_that_now_belongs_to_another_process_is_no_server(directory: Path) -> None:
    server = embedded.start(directory, durable=False)
    server.psql("CREATE TABLE t AS SELECT 7 AS a", database="pricemill")
    noted = (directory / "postgres" / "postmaster.pid").read_text()
    pid = pid_of(directory)
    server.close()
    stranger = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    (directory / "postgres" / "postmaster.pid").write_text(noted.replace(str(pid), str(stranger.pid), 1))
    if os.geteuid() == 0:
        shutil.chown(directory / "postgres" / "postmaster.pid", (directory / "postgres").owner())
    try:
        with embedded.start(directory, durable=False) as again:
            assert again.psql("SELECT a FROM t", database="pricemill") == "7"
        assert stranger.poll() is None
    finally:
        stranger.communicate(timeout=30)


def test_a_killed_initdb_leaves_nothing_that_looks_like_a_cluster(directory: Path) -> None:
    starting = user_of(directory)
    deadline = time.monotonic() + 30
    while not list(directory.glob("postgres.new-*/PG_VERSION")) and not (directory / "postgres").exists():
        assert time.monotonic() < deadline
    kill(starting)
    with embedded.start(directory, durable=False) as server:
        assert server.psql("SELECT 1") == "1"


def test_a_path_too_long_for_a_socket_gets_a_short_one_of_its_own(directory: Path) -> None:
    deep = directory / ("x" * 60) / ("y" * 60)
    with embedded.start(deep, durable=False) as server:
        assert len(str(server.socket_dir / ".s.PGSQL.5432")) < 104
        assert server.socket_dir.stat().st_mode & 0o077 == 0
        with embedded.start(deep, durable=False) as joined:
            assert joined.url == server.url


def test_a_socket_directory_of_someone_else_is_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    cluster = directory / "postgres"
    cluster.mkdir()
    foreign = embedded_account.short_directory(cluster)
    foreign.chmod(0o777)
    with pytest.raises(ConfigError):
        embedded_account.short_directory(cluster)
    cluster.rmdir()


@pytest.mark.parametrize("version", [16, 18])
def test_the_oldest_and_the_newest_server_can_be_had(directory: Path, version: int) -> None:
    with embedded.start(directory, durable=False, version=version) as server:
        assert server.psql("SHOW server_version_num").startswith(str(version))
    with embedded.start(directory, durable=False) as server:  # an old cluster keeps its version
        assert server.psql("SHOW server_version_num").startswith(str(version))


def test_a_version_without_binaries_is_a_matter_of_configuration(directory: Path) -> None:
    with pytest.raises(ConfigError):
        embedded.start(directory, version=9)
