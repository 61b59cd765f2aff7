"""A unix socket before PostgreSQL's that cuts connections at chosen requests: before, behind or in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

SOCKET = ".s.PGSQL.5432"
LATE_SECONDS = 0.3
"""Longer than a client of ours waits before it tries again, so that its repetition meets the open transaction."""
PATIENCE = 30.0
PROTOCOL_3 = 196608
"""The first number of a connection that is one; others are requests to cancel or to encrypt."""
ENDS_OF_ANSWERS = (b"Z", b"G")
"""ReadyForQuery; CopyInResponse, behind which the client has to go on."""


class Cut(StrEnum):
    """What becomes of a request at which the connection is cut. The client hears no answer in any case."""

    BEFORE = "the server never gets it"
    AFTER = "the server has answered it"
    LATE = "the server gets it when the client is gone"


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that a client wants answered."""

    application: str
    """application_name of the connection."""
    text: str
    """Its SQL; "" where a statement is only prepared."""
    before: tuple[str, ...] = ()
    """What came before it in its transaction, the BEGIN included; () outside of any."""

    @property
    def is_commit(self) -> bool:
        return self.text.upper().startswith("COMMIT")

    @property
    def leaves_open(self) -> tuple[str, ...]:
        """What stands before the next request."""
        verb = self.text.upper().removesuffix(";").partition(" ")[0]
        if verb in ("COMMIT", "ROLLBACK"):
            return ()
        if verb == "BEGIN" or (self.before and self.text):
            return (*self.before, self.text)
        return self.before


Decide = Callable[[Request], Cut | None]


class PostgresProxy:
    """Asks `decide` about every request and does as it says."""

    def __init__(self, socket: Path, decide: Decide) -> None:
        self._socket = socket
        self._decide = decide
        self._open: set[asyncio.Task[None]] = set()
        self.cuts: list[tuple[Request, Cut]] = []
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
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._carry(_Link(reader, writer, answers, server))
        finally:
            for end in (writer, server):
                end.transport.abort()

    async def _carry(self, link: _Link) -> None:
        application = await link.greet()
        if application is None:
            return
        back = asyncio.create_task(link.carry_answers())
        there = asyncio.create_task(self._carry_requests(link, application))
        try:
            await asyncio.wait((back, there), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (back, there):
                task.cancel()
            await asyncio.gather(back, there, return_exceptions=True)

    async def _carry_requests(self, link: _Link, application: str) -> None:
        before: tuple[str, ...] = ()
        prepared: dict[bytes, str] = {}
        bound = ""
        while True:
            kind, frame = await _frame(link.reader)
            if kind == b"P":
                name, text = frame[5:].split(b"\0", 2)[:2]
                prepared[name] = text.decode()
            elif kind == b"B":
                bound = prepared.get(frame[5:].split(b"\0", 2)[1], "")
            elif kind in (b"Q", b"S"):
                request = Request(application, frame[5:-1].decode() if kind == b"Q" else bound, before)
                bound = ""
                if (cut := self._decide(request)) is not None:
                    self.cuts.append((request, cut))
                    await link.cut(frame, cut)
                    return
                before = request.leaves_open
            link.server.write(frame)
            await link.server.drain()


class _Link:
    """The two connections that one client's is made of."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, answers: StreamReader, server: StreamWriter) -> None:
        self.reader = reader
        self.server = server
        self._writer = writer
        self._answers = answers
        self._deaf = False
        self._answered = asyncio.Event()

    async def greet(self) -> str | None:
        """Carries the first message there; the application_name in it, or None for what is no connection."""
        length = await self.reader.readexactly(4)
        body = await self.reader.readexactly(int.from_bytes(length) - 4)
        self.server.write(length + body)
        await self.server.drain()
        if int.from_bytes(body[:4]) != PROTOCOL_3:
            return None
        words = body[4:].decode().split("\0")
        return dict(zip(words[::2], words[1::2], strict=False)).get("application_name", "")

    async def carry_answers(self) -> None:
        while True:
            kind, frame = await _frame(self._answers)
            if not self._deaf:
                self._writer.write(frame)
                await self._writer.drain()
            elif kind in ENDS_OF_ANSWERS:
                self._answered.set()

    async def cut(self, frame: bytes, cut: Cut) -> None:
        """Ends the connection; the caller closes what is left of it."""
        self._deaf = True
        if cut is Cut.BEFORE:
            return
        if cut is Cut.LATE:
            self._writer.transport.abort()
            await asyncio.sleep(LATE_SECONDS)
        self.server.write(frame)
        await self.server.drain()
        async with asyncio.timeout(PATIENCE):
            await self._answered.wait()


async def _frame(reader: StreamReader) -> tuple[bytes, bytes]:
    """The kind of the next message, and the whole of it."""
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(int.from_bytes(head[1:]) - 4)


@asynccontextmanager
async def postgres_proxy(url: str, decide: Decide) -> AsyncIterator[tuple[str, PostgresProxy]]:
    """The URL of another way to the database of `url`, which must name a unix socket. It works as long as the caller's
    event loop does."""
    directory = parse_qs(urlsplit(url).query)["host"][0]
    with tempfile.TemporaryDirectory(prefix="pricemill-proxy-") as folder:
        proxy = PostgresProxy(Path(directory) / SOCKET, decide)
        server = await asyncio.start_unix_server(proxy.accept, f"{folder}/{SOCKET}")
        try:
            yield url.replace(quote(directory), quote(folder)), proxy
        finally:
            server.close()
            await proxy.close()
