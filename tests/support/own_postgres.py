"""A PostgreSQL of a test's own, as durable as those of users, because it is crashed, closed to writing or filled."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path
from time import monotonic, sleep

from db import embedded
from db.embedded_account import server_pid

PATIENCE = 30.0


class OwnPostgres:
    """Starts with the first `start()`; keeps its data and its socket when it is crashed and started again."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="pricemill-own-"))
        self._server: embedded.EmbeddedPostgres | None = None

    @property
    def server(self) -> embedded.EmbeddedPostgres:
        assert self._server is not None, "it was not started"
        return self._server

    def start(self) -> embedded.EmbeddedPostgres:
        self._server = embedded.start(self.directory)
        return self._server

    def crash(self) -> None:
        """Ends the server without a farewell; its log has to be replayed."""
        cluster = self.directory / "postgres"
        pid = server_pid(cluster)
        assert pid is not None
        os.kill(pid, signal.SIGQUIT)
        deadline = monotonic() + PATIENCE
        while server_pid(cluster) is not None:
            assert monotonic() < deadline, "PostgreSQL does not end"
            sleep(0.01)

    def remove(self) -> None:
        if self._server is not None:
            self._server.close()
        shutil.rmtree(self.directory, ignore_errors=True)
