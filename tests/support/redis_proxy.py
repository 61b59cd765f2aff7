"""A unix socket before Redis' that cuts connections at chosen commands: before the server gets them, or behind."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.postgres_proxy import Cut

SERVED_SECONDS = 0.02
"""In which the server has done what it was sent last."""

Command = tuple[bytes, ...]
Decide = Callable[[Command], Cut | None]


class RedisProxy:
    """Asks `decide` about every command and does as it says."""

    def __init__(self, socket: Path, decide: Decide) -> None:
        self._socket = socket
        self._decide = decide
        self._open: set[asyncio.Task[None]] = set()
        self.cuts: list[tuple[Command, Cut]] = []
        """What was cut, in order."""

    def accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def close(self) -> None:
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            answers, server = await asyncio.open_unix_connection(str(self._socket))
        except OSError:  # the server is down, as its clients now learn
            writer.transport.abort()
            return
        back = asyncio.create_task(_carry(answers, writer))
        there = asyncio.create_task(self._carry_commands(reader, server, back))
        try:
            await asyncio.wait((back, there), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (back, there):
                task.cancel()
            await asyncio.gather(back, there, return_exceptions=True)
            for end in (writer, server):
                end.transport.abort()

    async def _carry_commands(self, reader: StreamReader, server: StreamWriter, back: asyncio.Task[None]) -> None:
        while True:
            frame, command = await _command(reader)
            if (cut := self._decide(command)) is None:
                server.write(frame)
                await server.drain()
                continue
            self.cuts.append((command, cut))
            back.cancel()
            if cut is not Cut.BEFORE:
                server.write(frame)
                await server.drain()
                await asyncio.sleep(SERVED_SECONDS)
            return


async def _carry(reader: StreamReader, writer: StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


async def _command(reader: StreamReader) -> tuple[bytes, Command]:
    """The next command as it was sent, and its words."""
    frame = line = await reader.readuntil(b"\r\n")
    words = []
    for _ in range(int(line[1:])):
        line = await reader.readuntil(b"\r\n")
        data = await reader.readexactly(int(line[1:]) + 2)
        frame += line + data
        words.append(data[:-2])
    return frame, tuple(words)


@asynccontextmanager
async def redis_proxy(socket: Path, decide: Decide) -> AsyncIterator[tuple[str, RedisProxy]]:
    """The URL of another way to the server at `socket`. It works as long as the caller's event loop does."""
    with tempfile.TemporaryDirectory(prefix="pricemill-proxy-") as folder:
        proxy = RedisProxy(socket, decide)
        server = await asyncio.start_unix_server(proxy.accept, f"{folder}/redis.sock")
        try:
            yield f"unix://{folder}/redis.sock", proxy
        finally:
            server.close()
            await proxy.close()
