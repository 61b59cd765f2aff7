"""One server of a data directory, shared by processes: who starts it, who joins, and who is the last to leave."""

from __future__ import annotations

import fcntl
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from contracts.errors import PricemillError


@contextmanager
def gate(path: Path, *, patience: float, otherwise: Callable[[], PricemillError]) -> Iterator[None]:
    """Lets one process at a time start, join or stop; the kernel opens it when its holder dies. Raises what
    `otherwise` makes after `patience` seconds."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise otherwise() from None
                time.sleep(0.01)
        yield
    finally:
        os.close(handle)


@contextmanager
def joining(path: Path) -> Iterator[int]:
    """Counts this process among the users; its handle is for the Hold to keep. Taken back if the block raises. Only
    inside the gate."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with ExitStack() as unless_joined:
        unless_joined.callback(os.close, handle)
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield handle
        unless_joined.pop_all()


class Hold(ABC):
    """One user's hold on a running server. Every user keeps a shared lock on one file for as long as it lives; the
    kernel drops it with the process, so a killed user is never counted. `close()` stops the server if no other user
    is left; a server whose last user was killed goes on until the next user leaves."""

    def __init__(self, users: int) -> None:
        self._users = users
        self._process = os.getpid()

    def close(self) -> bool:
        """Leaves; True if that stopped the server. Does nothing the second time or in a forked child."""
        if self._users < 0 or self._process != os.getpid():
            return False
        try:
            with self._gate():
                try:
                    fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                self._stop()
                return True
        finally:
            os.close(self._users)
            self._users = -1

    @abstractmethod
    def _gate(self) -> AbstractContextManager[None]: ...

    @abstractmethod
    def _stop(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
