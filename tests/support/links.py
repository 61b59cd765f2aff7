"""Ways to a server that can go silent: connections stay open, new ones are taken, and nothing comes through."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from tests.support.postgres_proxy import SOCKET


class Link:
    """Carries bytes between its clients and the server at a unix socket."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._open: set[asyncio.Task[None]] = set()
        self._speaks = asyncio.Event()
        self._speaks.set()

    def silence(self) -> None:
        """As a cable that was pulled: nobody learns anything."""
        self._speaks.clear()

    def speak(self) -> None:
        self._speaks.set()

    def accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def close(self) -> None:
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        ends = [writer]
        try:
            await self._speaks.wait()
            with contextlib.suppress(OSError):  # the server is down, as its clients now learn
                answers, server = await asyncio.open_unix_connection(str(self._target))
                ends.append(server)
                await self._carry_both((reader, server), (answers, writer))
        finally:
            for end in ends:
                end.transport.abort()

    async def _carry_both(self, *ways: tuple[StreamReader, StreamWriter]) -> None:
        tasks = [asyncio.create_task(self._carry(*way)) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._speaks.wait()
                writer.write(data)
                await writer.drain()


def postgres_socket(url: str) -> Path:
    """The socket that the URL of a database on this machine names."""
    return Path(parse_qs(urlsplit(url).query)["host"][0]) / SOCKET


@asynccontextmanager
async def link_to_postgres(url: str) -> AsyncIterator[tuple[str, Link]]:
    """Another URL of the same database, which must be at a unix socket."""
    socket = postgres_socket(url)
    with tempfile.TemporaryDirectory(prefix="pricemill-link-") as folder:
        async with _served(Link(socket), f"{folder}/{SOCKET}") as link:
            yield url.replace(quote(str(socket.parent)), quote(folder)), link


@asynccontextmanager
async def link_to_redis(socket: Path) -> AsyncIterator[tuple[str, Link]]:
    with tempfile.TemporaryDirectory(prefix="pricemill-link-") as folder:
        async with _served(Link(socket), f"{folder}/redis.sock") as link:
            yield f"unix://{folder}/redis.sock", link


@asynccontextmanager
async def _served(link: Link, path: str) -> AsyncIterator[Link]:
    server = await asyncio.start_unix_server(link.accept, path)
    try:
        yield link
    finally:
        server.close()
        await link.close()


@asynccontextmanager
async def listening(socket: Path, host: str) -> AsyncIterator[tuple[int, Link]]:
    """A port of `host` that leads to the unix socket."""
    link = Link(socket)
    server = await asyncio.start_server(link.accept, host, 0)
    try:
        yield server.sockets[0].getsockname()[1], link
    finally:
        server.close()
        await link.close()
