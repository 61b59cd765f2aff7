"""The smallest HTTP server that Prometheus and a probe need: GET of a few paths, limited in time, size and number."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

LIMIT_SECONDS: Final = 5.0
"""For a connection as a whole."""
CONNECTIONS: Final = 4
"""At once. As many on top are told to come again, the rest are cut off."""
HEAD_BYTES: Final = 8_192
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


class Answer(NamedTuple):
    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Route = Callable[[], Awaitable[Answer]]


class Endpoint:
    """Answers connections of asyncio.start_server(); each is closed behind its answer. Whatever a client sends or
    leaves out ends with its own connection."""

    def __init__(self, routes: Mapping[str, Route], *, seconds: float = LIMIT_SECONDS) -> None:
        """`routes`: by path, without a query."""
        self._routes = routes
        self._seconds = seconds
        self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            async with asyncio.timeout(self._seconds):
                if self._open > 2 * CONNECTIONS:
                    raise ConnectionAbortedError
                crowded = self._open > CONNECTIONS
                # Read even if it is not answered: an answer behind which something stays unread may not arrive.
                head = await reader.readuntil(b"\r\n\r\n")
                answer = Answer(503, b"too many connections\n") if crowded else await self._answer(head)
                writer.write(_head(answer) + answer.body)
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            writer.transport.abort()
        finally:
            self._open -= 1
            if not writer.is_closing():
                writer.transport.abort()  # a defect of ours, which the loop reports

    async def _answer(self, head: bytes) -> Answer:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return Answer(400, b"this is no request\n")
        if words[0] != b"GET":
            return Answer(405, b"only GET is answered\n")
        route = self._routes.get(words[1].partition(b"?")[0].decode("latin-1"))
        if route is None:
            return Answer(404, (", ".join(self._routes) + "\n").encode())
        return await route()


def _head(answer: Answer) -> bytes:
    lines = (
        f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        *(("Allow: GET",) if answer.status == 405 else ()),
        *(("Retry-After: 1",) if answer.status == 503 else ()),
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()
