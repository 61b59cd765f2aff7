"""A Redis server of the tests' own that can be killed, frozen and restarted empty; fixtures redis_server, redis_url."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from workers.embedded import binary

PATIENCE = 10.0


class RedisServer:
    """Without persistence: whatever kills it, it comes back empty. Listens on a unix socket."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="pricemill-redis-"))
        self.socket = self.directory / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen = False

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def client(self) -> redis.Redis:
        """A plain synchronous client; the caller closes it (it is a context manager)."""
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=PATIENCE)

    def start(self) -> None:
        """Does nothing if it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        self._frozen = False
        self._process = subprocess.Popen(
            [binary(), "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.directory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with self.client as client:
                    client.ping()
                    return
            except redis.RedisError:
                time.sleep(0.005)
        raise TimeoutError("the test's Redis did not start")

    def kill(self) -> None:
        """SIGKILL; the socket file is removed, as a dead host's port would refuse."""
        if self._process is not None:
            self.thaw()
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None
        self.socket.unlink(missing_ok=True)

    def restart_empty(self) -> None:
        self.kill()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        if self._frozen and self._process is not None:
            os.kill(self._process.pid, signal.SIGCONT)
        self._frozen = False

    def flush(self) -> None:
        with self.client as client:
            client.flushall()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_process() -> Iterator[RedisServer]:
    """The session's server, whatever a test left of it; tests use redis_server."""
    server = RedisServer()
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture
def redis_server(redis_process: RedisServer) -> Iterator[RedisServer]:
    """The server, running, thawed and empty."""
    redis_process.thaw()
    redis_process.start()
    redis_process.flush()
    yield redis_process
    redis_process.thaw()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    return redis_server.url


@pytest.fixture
def queue_name() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"
