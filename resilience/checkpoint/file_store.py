"""Keeps checkpoints in files, for dry runs and runs without a database."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path
from typing import Final

import orjson

from contracts.checkpoint import Checkpoint
from observability.logging import get_logger
from resilience.checkpoint.seal import CheckpointCorrupt, seal, unseal

log = get_logger(__name__)

RETENTION: Final = 10


class CheckpointFileStore:
    """One directory, one file a checkpoint, the newest `retention` of each task kept. Blocking; one writer a task.
    Files are complete or absent, also after a crash: written beside, synchronised, renamed."""

    def __init__(self, directory: Path, *, compress: bool = False, retention: int = RETENTION) -> None:
        if retention < 1:
            raise ValueError("at least one checkpoint must be kept")
        self._directory = directory
        self._compress = compress
        self._retention = retention

    def save(self, checkpoint: Checkpoint) -> Path:
        """Writes it durably and drops what the retention no longer covers. OSError if that cannot be done; what was
        there before is then untouched."""
        folder = self._folder(checkpoint.task_id)
        folder.mkdir(parents=True, exist_ok=True)
        data = orjson.dumps(seal(checkpoint))
        suffix = ".json"
        if self._compress:
            data, suffix = gzip.compress(data, mtime=0), ".json.gz"
        target = folder / f"{checkpoint.sequence:010d}{suffix}"
        beside = folder / f".{target.name}.{os.getpid()}"
        try:
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
        _synchronise(folder)
        for old in self.paths(checkpoint.task_id)[self._retention :]:
            old.unlink(missing_ok=True)
        return target

    def paths(self, task_id: str) -> list[Path]:
        """The files of a task, newest first; [] for an unknown one."""
        return sorted(self._folder(task_id).glob("[0-9]*.json*"), reverse=True)

    def newest(self, task_id: str) -> Checkpoint | None:
        """The newest that can be trusted; damaged ones are skipped and logged, not deleted."""
        for position, path in enumerate(self.paths(task_id)):
            try:
                return unseal(path.read_bytes(), task_id=task_id)
            except CheckpointCorrupt as error:
                log.warning("checkpoint.corrupt", kind=error.kind, error=error.message, position=position)
        return None

    def clear(self, task_id: str) -> None:
        """Forgets a task."""
        folder = self._folder(task_id)
        if folder.is_dir():
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()

    def _folder(self, task_id: str) -> Path:
        # A hash, because ids are the producers' text and may be longer than a file name.
        return self._directory / hashlib.sha256(task_id.encode()).hexdigest()[:32]


def _synchronise(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
