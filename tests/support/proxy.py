"""A PostgreSQL that loses its connection at a chosen moment: a forwarder between a client and the real one."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""The server's answer to COMMIT."""


_PREPARED = re.compile(rb"P....(__asyncpg_stmt_\w+__)\x00([^\x00]+)\x00", re.DOTALL)
_BOUND = re.compile(rb"B....[^\x00]*\x00(__asyncpg_stmt_\w+__)\x00", re.DOTALL)


class Cutter:
    """Cuts connections. Armed by setting `answers` (before an answer with these bytes reaches the client) or
    `requests` (before a message with these bytes reaches the server); disarms itself after `times`."""

    def __init__(self) -> None:
        self.answers: bytes | None = None
        self.requests: bytes | None = None
        self.times = 1
        self.cuts = 0

    def cut(self, wanted: bytes | None, data: bytes) -> bool:
        if wanted is None or wanted not in data or self.cuts >= self.times:
            return False
        self.cuts += 1
        return True


@asynccontextmanager
async def cutting(url: str, directory: Path) -> AsyncIterator[tuple[str, Cutter]]:
    """The URL of the same database through a forwarder. `directory` must have a short path."""
    cutter = Cutter()
    target = Path(parse_qs(urlsplit(url).query)["host"][0]) / ".s.PGSQL.5432"
    open_writers: set[asyncio.StreamWriter] = set()

    async def serve(client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(target)
        writers = {client_writer, server_writer}
        open_writers.update(writers)

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
            prepared: dict[bytes, bytes] = {}
            with contextlib.suppress(OSError):
                while data := await reader.read(65_536):
                    seen = data
                    if not answers:
                        # A statement is asked for when it is bound, whenever it was prepared.
                        prepared |= dict(_PREPARED.findall(data))
                        seen = _PREPARED.sub(b"", data) + b"".join(
                            prepared.get(name, b"") for name in _BOUND.findall(data)
                        )
                    if cutter.cut(cutter.answers if answers else cutter.requests, seen):
                        break
                    writer.write(data)
                    await writer.drain()
            for one in writers:
                one.close()

        await asyncio.gather(
            forward(client_reader, server_writer, answers=False), forward(server_reader, client_writer, answers=True)
        )
        open_writers.difference_update(writers)

    server = await asyncio.start_unix_server(serve, directory / ".s.PGSQL.5432")
    try:
        yield url.replace(str(target.parent), str(directory)), cutter
    finally:
        server.close()
        for writer in open_writers:
            writer.close()
        await asyncio.sleep(0.05)
