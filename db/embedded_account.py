"""The operating system's side of the embedded server: whose process it is and what it may reach."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from contracts.errors import ConfigError

ACCOUNTS = ("postgres", "pgserver", "pricemill")
"""Looked for in this order; PostgreSQL refuses to run as root."""


DEAD_PID = 999_999_999


def _account() -> pwd.struct_passwd:
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    command = shutil.which("useradd")
    if command is not None:
        done = _asked(command, "--system", ACCOUNTS[-1])
        if done.returncode == 0:
            return pwd.getpwnam(ACCOUNTS[-1])
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise ConfigError("PostgreSQL does not run as root and there is no other account; set DATABASE_URL") from None


def credentials(cluster: Path) -> dict[str, Any]:
    """Arguments of subprocess.run that make a program run as the owner of the cluster; none unless we are root."""
    if os.geteuid() != 0:
        return {}
    owner = cluster.stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}


def private_directory(path: Path) -> None:
    """Made new, and the server account's if we are root."""
    path.mkdir(mode=0o700)
    if os.geteuid() == 0:
        account = _account()
        os.chown(path, account.pw_uid, account.pw_gid)


def admit(binaries: Path, directory: Path) -> None:
    """As root: lets the server's account pass through (not list) the directories above its files, and read
    the binaries where a strict umask closed them."""
    if os.geteuid() != 0:
        return
    for path in (directory, *directory.parents, *binaries.parents):
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & stat.S_IXOTH:
            path.chmod(mode | stat.S_IXOTH)
    if (binaries / "postgres").stat().st_mode & 0o005 != 0o005:
        for path in binaries.parent.rglob("*"):
            if not path.is_symlink():
                mode = stat.S_IMODE(path.stat().st_mode)
                path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


def short_directory(cluster: Path) -> Path:
    """A directory for the socket with a short name, derived from the path of the cluster. Refuses one that
    someone else put there."""
    owner = cluster.stat()
    name = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"pricemill-{name}"
    if len(os.fsencode(path)) > 80:
        path = Path("/tmp") / path.name  # noqa: S108  (short; what is found there is refused below)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.st_uid or found.st_mode & 0o077:
            raise ConfigError(f"{path} is needed for the database's socket, but belongs to someone else") from None
    else:
        os.chown(path, owner.st_uid, owner.st_gid)
    return path


def server_pid(cluster: Path) -> int | None:
    """The pid in postmaster.pid if it is a running server of this cluster."""
    pid = _living(cluster / "postmaster.pid")
    return pid if pid is not None and f" -D {cluster} " in f"{_command_line(pid)} " else None


def disown(lock_file: Path) -> None:
    """To be called when no server runs. PostgreSQL refuses to start while the pid in one of its lock files lives: but
    after a restart of the machine or container it may be any process, and a killed server that nobody reaps stays as a
    zombie. Puts a number that no process has in its place. The file is not removed: it also names the shared
    memory by which a new server sees backends of a killed one."""
    pid = _living(lock_file)
    if pid is not None:
        lock_file.write_text(lock_file.read_text().replace(str(pid), str(DEAD_PID), 1))


def _living(lock_file: Path) -> int | None:
    try:
        pid = abs(int(lock_file.read_text().split("\n", 1)[0]))
    except (OSError, ValueError):
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # alive, and another account's
    return pid


def _command_line(pid: int) -> str:
    """Of a running process; '' if it cannot be seen."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        pass
    command = shutil.which("ps")
    if command is None:
        return ""
    done = _asked(command, "-p", str(pid), "-o", "args=")
    return done.stdout.decode(errors="replace")


def _asked(command: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A program of the system, whether it succeeds or not."""
    return subprocess.run([command, *arguments], check=False, capture_output=True, timeout=30)  # noqa: S603  (no shell)
