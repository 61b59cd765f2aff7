"""What lies in a watched folder, and which of its files have been written to their end."""

from __future__ import annotations

import fcntl
import os
import stat
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

UNFINISHED: Final = (
    ".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload", ".tmp", ".temp", ".swp", ".lock",
)  # fmt: skip
"""Endings of files that somebody is still writing, or that are no lists at all."""
HIDDEN: Final = (".", "~")
SETTLED_SECONDS: Final = 10.0
"""A file that was last written longer ago is taken at the first look: it was moved here as a whole."""


@dataclass(frozen=True, slots=True)
class Found:
    """One file."""

    place: str
    """supplier/name."""
    path: Path
    supplier: str
    size: int
    modified: float
    """Seconds since 1970, as the file system tells."""
    signature: str
    """Of size and times."""
    problem: str = ""
    """Why it cannot be taken."""


class WatchedFolder:
    """Looks at DIR/SUPPLIER/FILE. Remembers only what the look before saw."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before: dict[str, str] = {}

    def look(self) -> list[Found]:
        """The files that are ready, the one that was written first first. Raises OSError where the folder cannot be
        read."""
        now = time.time()
        present = list(self._files())
        ready = [
            one
            for one in present
            if one.problem or one.modified < now - SETTLED_SECONDS or self._before.get(one.place) == one.signature
        ]
        self._before = {one.place: one.signature for one in present}
        return sorted(ready, key=lambda one: (one.modified, one.place))

    def _files(self) -> Iterator[Found]:
        for entry in _entries(self._folder):
            if not entry.is_dir(follow_symlinks=False):
                yield from _found(entry, "")
                continue
            try:
                inside = list(_entries(Path(entry.path)))
                names = {one.name for one in os.scandir(entry.path)}
            except OSError as error:
                # One folder that cannot be read holds up no other.
                problem = f"the folder cannot be read: {error.strerror}"
                yield Found(f"{_text(entry.name)}/", Path(entry.path), entry.name, 0, 0.0, problem, problem)
                continue
            for inner in inside:
                if not _is_open(inner.name, names):
                    yield from _found(inner, entry.name)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(HIDDEN) and not entry.name.lower().endswith(UNFINISHED):
                yield entry


def _is_open(name: str, beside: set[str]) -> bool:
    """An office program has it open: it keeps a file of its own beside it."""
    return not beside.isdisjoint({f"~${name}", f"~${name[2:]}", f".~lock.{name}#"})


def _found(entry: os.DirEntry[str], supplier: str) -> Iterator[Found]:
    try:
        about = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(about.st_mode):
        return
    problem = ""
    name = entry.name
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in supplier + name):
        problem = "its name or that of its folder cannot be kept as text"
    elif not supplier:
        problem = "it lies in no supplier's folder"
    elif not stat.S_ISREG(about.st_mode):
        problem = "it is a link or no ordinary file"
    yield Found(
        place=_text(f"{supplier}/{name}"),
        path=Path(entry.path),
        supplier=supplier,
        size=about.st_size,
        modified=about.st_mtime,
        signature=signature_of(about),
        problem=problem,
    )


def _text(name: str) -> str:
    """A name that PostgreSQL can keep, whatever bytes it is made of."""
    return name.encode("utf-8", "backslashreplace").decode()


def signature_of(about: os.stat_result) -> str:
    """Changes when a file is written, replaced or moved over; the same on all hosts that share it."""
    return f"{about.st_size}:{about.st_mtime_ns}:{about.st_ctime_ns}"


def is_locked(path: Path) -> bool:
    """Somebody keeps it locked for writing. Raises OSError."""
    with path.open("rb") as file:
        for lock in (fcntl.flock, fcntl.lockf):
            try:
                lock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False
