"""How much memory the container of this process may use, and does: control groups of Linux, v2 before v1."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

UNLIMITED: Final = 2**60
"""Version 1 writes a number near 2^63 where there is no limit."""


class Memory(NamedTuple):
    """Bytes."""

    used: int
    """Without files that the kernel keeps for convenience and can drop at once."""
    limit: int


class _Names(NamedTuple):
    limit: str
    used: str
    cache: str
    """Line of memory.stat."""


_V2: Final = _Names("memory.max", "memory.current", "inactive_file")
_V1: Final = _Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def container_memory(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Memory | None:
    """Of the group that is nearest to its limit, among this process's and all above it; None without any limit."""
    v2, v1 = _paths(own)
    found = [] if v2 is None else [memory for mount in (root, root / "unified") for memory in _above(mount, v2, _V2)]
    if not found and v1 is not None:
        found = list(_above(root / "memory", v1, _V1))
    return max(found, key=lambda memory: memory.used / memory.limit, default=None)


def _paths(own: Path) -> tuple[str | None, str | None]:
    """(path in version 2, path of the memory controller in version 1)."""
    v2 = v1 = None
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None, None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            v2 = path
        elif "memory" in controllers.split(","):
            v1 = path
    return v2, v1


def _above(mount: Path, path: str, names: _Names) -> list[Memory]:
    """Where a container sees its own group as the root, the path that the host gave does not exist: then the root."""
    folder = mount / path.strip("/")
    folders = [folder, *folder.parents]
    return [memory for one in folders[: len(folders) - len(mount.parents)] if (memory := _read(one, names)) is not None]


def _read(folder: Path, names: _Names) -> Memory | None:
    try:
        limit = int((folder / names.limit).read_text(encoding="ascii"))
        used = int((folder / names.used).read_text(encoding="ascii"))
        stat = (folder / "memory.stat").read_text(encoding="ascii")
    except (OSError, ValueError):  # no such group; "max" is no number
        return None
    if not 0 < limit < UNLIMITED:
        return None
    cache = next((int(line.split()[1]) for line in stat.splitlines() if line.split()[:1] == [names.cache]), 0)
    return Memory(max(used - cache, 0), limit)
