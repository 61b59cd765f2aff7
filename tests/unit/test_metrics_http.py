"""The server for metrics: whatever a client does ends with its own connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from workers.metrics_http import CONNECTIONS, HEAD_BYTES, Answer, Endpoint

BODY = b"x" * 200_000


async def whole() -> Answer:
    return Answer(200, BODY)


@asynccontextmanager
async def serving(*, seconds: float = 5.0) -> AsyncIterator[int]:
    async def broken() -> Answer:
        raise RuntimeError("a defect")

    endpoint = Endpoint({"/metrics": whole, "/broken": broken}, seconds=seconds)
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0, limit=HEAD_BYTES)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def said(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
        (b"GET /metrics?x=1 HTTP/1.0\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /metrics/../secret HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\n", b"405"),
        (b"rubbish\r\n\r\n", b"400"),
        (b"\xff\xfe \x00 HTTP/1.1\r\n\r\n", b"405"),
        (b"GET \xff HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /metrics SPDY/9\r\n\r\n", b"400"),
    ],
)
async def test_each_request_gets_its_status(request_: bytes, status: bytes) -> None:
    async with serving() as port:
        answer = await said(port, request_)
        assert answer.split(b" ", 2)[1] == status
        assert answer.endswith(BODY) == (status == b"200")


@pytest.mark.parametrize("request_", [b"", b"GET /metrics HTTP/1.1\r\n", b"GET /" + b"x" * 2 * HEAD_BYTES])
async def test_a_request_that_never_ends_or_is_too_long_ends_with_its_time_and_others_are_answered(
    request_: bytes,
) -> None:
    async with serving(seconds=0.5) as port:
        assert await asyncio.wait_for(said(port, request_), 20) == b""
        assert (await said(port, b"GET /metrics HTTP/1.1\r\n\r\n")).endswith(BODY)


async def test_connections_on_top_are_told_to_come_again_and_later_ones_are_answered() -> None:
    async with serving(seconds=1.0) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
        assert b" 503 " in await said(port, b"GET /metrics HTTP/1.1\r\n\r\n")
        for reader, writer in idle:
            assert await reader.read() == b""
            writer.close()
        assert (await said(port, b"GET /metrics HTTP/1.1\r\n\r\n")).endswith(BODY)


async def test_a_defect_closes_its_connection_and_others_are_answered() -> None:
    reported: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(str(context.get("exception"))))
    async with serving() as port:
        for _ in range(3 * CONNECTIONS):
            assert await asyncio.wait_for(said(port, b"GET /broken HTTP/1.1\r\n\r\n"), 20) == b""
        assert (await said(port, b"GET /metrics HTTP/1.1\r\n\r\n")).endswith(BODY)
    assert set(reported) == {"a defect"}
