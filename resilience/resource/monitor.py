"""Measures what this process and its machine have left: memory, disk, descriptors, connections, pools."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import psutil

from resilience.resource.cgroup import Memory, container_memory

MEGABYTE: Final = 1_000_000
Measured = TypeVar("Measured", int, float)
Keeper = Literal["container", "setting", "host"]
PoolUse = Callable[[], tuple[int, int]]
"""(connections in use, size of the pool)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look. Bytes, and percent of what there is."""

    at: datetime
    memory_used: int
    memory_limit: int
    memory_keeper: Keeper
    """Whose limit is the nearest."""
    own: int
    """Resident memory of this process, without children."""
    cpu_percent: float
    """Of one core, since the last look."""
    disk_free: int
    disk_percent: float
    descriptors: int
    descriptor_limit: int
    connections: int
    processes: int
    """This one and its children."""
    pool_used: int = 0
    pool_size: int = 0

    @property
    def percents(self) -> dict[str, float]:
        """By measure, what thresholds are held against."""
        return {
            "memory": 100 * self.memory_used / self.memory_limit,
            "disk": self.disk_percent,
            "descriptors": 100 * self.descriptors / self.descriptor_limit,
            "pool": 100 * self.pool_used / self.pool_size if self.pool_size else 0.0,
        }

    def document(self) -> dict[str, Any]:
        """As it stands in the registry of workers; less than 1 KB of JSON."""
        return {
            "at": self.at.isoformat(timespec="seconds"),
            "memory_used_mb": self.memory_used // MEGABYTE,
            "memory_limit_mb": self.memory_limit // MEGABYTE,
            "memory_keeper": self.memory_keeper,
            "own_mb": self.own // MEGABYTE,
            "cpu_percent": round(self.cpu_percent, 1),
            "disk_free_mb": self.disk_free // MEGABYTE,
            "descriptors": self.descriptors,
            "descriptor_limit": self.descriptor_limit,
            "connections": self.connections,
            "processes": self.processes,
            "pool_used": self.pool_used,
            "pool_size": self.pool_size,
            "percents": {measure: round(percent, 1) for measure, percent in self.percents.items()},
        }


class Monitor:
    """Of the process that makes it. A look takes about a millisecond and never fails: what cannot be measured is 0."""

    def __init__(
        self,
        *,
        disk: Path,
        memory_limit: int = 0,
        pool: PoolUse = lambda: (0, 0),
        container: Callable[[], Memory | None] = container_memory,
    ) -> None:
        """`disk`: a path on the file system that is watched; it need not exist yet. `memory_limit`: bytes that this
        process alone may use; 0 = only the container's or the host's limit holds."""
        self._disk = disk
        self._memory_limit = memory_limit
        self._pool = pool
        self._container = container
        self._process = psutil.Process()

    def look(self) -> Snapshot:
        own = self.own()
        memory, keeper = self._memory(own)
        disk = psutil.disk_usage(str(next(path for path in (self._disk, *self._disk.parents) if path.exists())))
        used, size = self._pool()
        return Snapshot(
            at=datetime.now(UTC),
            memory_used=memory.used,
            memory_limit=memory.limit,
            memory_keeper=keeper,
            own=own,
            cpu_percent=_known(self._process.cpu_percent, 0.0),
            disk_free=disk.free,
            disk_percent=disk.percent,
            descriptors=_known(self._process.num_fds, 0),
            descriptor_limit=_descriptor_limit(),
            connections=_known(lambda: len(self._process.net_connections(kind="inet")), 0),
            processes=_known(lambda: 1 + len(self._process.children(recursive=True)), 1),
            pool_used=used,
            pool_size=size,
        )

    def own(self) -> int:
        """Resident bytes of this process."""
        return _known(lambda: self._process.memory_info().rss, 0)

    def _memory(self, own: int) -> tuple[Memory, Keeper]:
        """The nearest limit: the container's, else the host's; and what was set for this process."""
        container = self._container()
        if container is None:
            host = psutil.virtual_memory()
            nearest, keeper = Memory(host.total - host.available, host.total), "host"
        else:
            nearest, keeper = container, "container"
        told = Memory(own, self._memory_limit)
        if told.limit and told.used / told.limit >= nearest.used / nearest.limit:
            return told, "setting"
        return nearest, "container" if keeper == "container" else "host"


def _known(measure: Callable[[], Measured], otherwise: Measured) -> Measured:
    try:
        return measure()
    except (psutil.Error, OSError):
        return otherwise


def _descriptor_limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else os.sysconf("SC_OPEN_MAX")
