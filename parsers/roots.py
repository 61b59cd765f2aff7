"""Opens a file under the source roots, and nothing else."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from contracts.errors import PricemillError, SourceForbidden, SourceMissing, SourceNotAllowed, SourceUnavailable

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NO_LINK = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_under(roots: Sequence[Path], file_path: str) -> int:
    """A descriptor of a regular file. Walks from the root's descriptor component by component and follows no
    symbolic link, so that nothing swapped meanwhile leads outside. A relative path is looked for in each root.
    Raises SourceNotAllowed, SourceMissing, SourceForbidden, SourceUnavailable."""
    missing: SourceMissing | None = None
    for root, parts in _places(roots, file_path):
        try:
            return _open(root, parts, file_path)
        except SourceMissing as error:
            missing = error
    if missing is not None:
        raise missing
    shown = ", ".join(str(root) for root in roots) or "none is configured"
    raise SourceNotAllowed(f"“{file_path}” lies outside the source roots ({shown})", path=file_path)


def _places(roots: Sequence[Path], file_path: str) -> list[tuple[Path, tuple[str, ...]]]:
    path = PurePosixPath(file_path)
    if "\0" in file_path or ".." in path.parts:
        raise SourceNotAllowed("a source path may not contain “..” or zero bytes", path=file_path)
    if not path.is_absolute():
        return [(root, path.parts) for root in roots]
    places = []
    for root in roots:
        for name in dict.fromkeys((root.absolute(), root.resolve())):
            if path.is_relative_to(name):
                places.append((root, path.relative_to(name).parts))
                break
    return places


def _open(root: Path, parts: tuple[str, ...], shown: str) -> int:
    if not parts:
        raise SourceNotAllowed(f"“{shown}” is a directory", path=shown)
    try:
        directory = os.open(root, _DIRECTORY)
    except OSError as error:
        raise _translated(error, shown) from error
    try:
        for part in parts[:-1]:
            inner = os.open(part, _DIRECTORY | _NO_LINK, dir_fd=directory)
            os.close(directory)
            directory = inner
        descriptor = os.open(parts[-1], os.O_RDONLY | _NO_LINK, dir_fd=directory)
    except OSError as error:
        raise _translated(error, shown) from error
    finally:
        os.close(directory)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceNotAllowed(f"“{shown}” is not a regular file", path=shown)
    return descriptor


def _translated(error: OSError, shown: str) -> PricemillError:
    if error.errno == errno.ENOENT:
        return SourceMissing(f"there is no file “{shown}” under the source roots", path=shown)
    if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL}:
        return SourceNotAllowed(f"“{shown}” leads over a symbolic link or no plain file", path=shown)
    if error.errno in {errno.EACCES, errno.EPERM}:
        return SourceForbidden(f"the worker's user may not read “{shown}”", path=shown)
    return SourceUnavailable(f"“{shown}” cannot be opened: {error.strerror}", path=shown)
