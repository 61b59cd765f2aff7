"""Whether PostgreSQL answers and takes writes, asked with a time limit."""

from __future__ import annotations

import asyncio
import time

from contracts.errors import DatabaseUnavailable
from db.connection import connect
from db.errors import translated


async def ping(url: str, *, seconds: float = 2.0) -> float:
    """Seconds a new connection and one question took. DatabaseUnavailable if there is no answer within the limit, or
    if the server is read-only (a standby, a disk that is full by decree)."""
    started = time.monotonic()
    with translated():
        async with asyncio.timeout(seconds):
            connection = await connect(url, application_name="pricemill-health")
            try:
                read_only = await connection.fetchval("SELECT current_setting('transaction_read_only')::bool")
            finally:
                connection.terminate()
    if read_only:
        raise DatabaseUnavailable("PostgreSQL is read-only")
    return time.monotonic() - started
