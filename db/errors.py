"""SQLSTATE → our errors: what of PostgreSQL's failures may be tried again, and what lies in the data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import sqlalchemy.exc

from contracts.errors import ConfigError, DatabaseUnavailable, PricemillError, ValidationError

DRIVER = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    sqlalchemy.exc.SQLAlchemyError,
    OSError,
    RuntimeError,
)
UNAVAILABLE = (
    "08",  # connection
    "53",  # out of disk, memory, connections
    "57P",  # shutdown, starting up, idle session ended
    "57014",  # statement_timeout
    "58",  # system error, input or output
    "40001",  # serialisation
    "40P01",  # deadlock
    "55P03",  # lock_timeout
    "25006",  # read-only
    "25P03",  # idle in transaction for too long
    "25P04",  # transaction for too long
)
CLOSED = "the handler is closed"
"""What uvloop says to who writes to a connection that was lost, as asyncpg does to end a COPY."""
IN_THE_DATA = ("22", "23", "54")
IN_THE_SETUP = {
    "28": "PostgreSQL refuses the account of DATABASE_URL",
    "3D": "the database of DATABASE_URL does not exist",
    "42P01": "a table is missing: the database is not migrated",
    "42703": "a column is missing: the database is not migrated",
    "42501": "the account of DATABASE_URL may not do that",
}


class DataRefused(ValidationError):
    """PostgreSQL refused a value"""

    def __init__(self, message: str | None = None, /, *, sqlstate: str = "", constraint: str = "", **more: Any) -> None:
        super().__init__(message, sqlstate=sqlstate, constraint=constraint, **more)
        self.sqlstate = sqlstate
        self.constraint = constraint
        """Name of the violated constraint or of the trigger's rule, where there is one."""


def translate(error: BaseException) -> PricemillError | None:
    """Our error for one of asyncpg, SQLAlchemy or the operating system; None for what is a defect of ours."""
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None:
        return translate(error.orig.__cause__ or error.orig)
    sqlstate = str(getattr(error, "sqlstate", None) or "")
    if sqlstate.startswith(UNAVAILABLE):
        return DatabaseUnavailable(_sentence(error), sqlstate=sqlstate)
    if sqlstate.startswith(IN_THE_DATA):
        return DataRefused(
            _sentence(error), sqlstate=sqlstate, constraint=str(getattr(error, "constraint_name", None) or "")
        )
    for prefix, sentence in IN_THE_SETUP.items():
        if sqlstate.startswith(prefix):
            return ConfigError(f"{sentence} ({_sentence(error)})", sqlstate=sqlstate)
    if sqlstate:
        return None
    if isinstance(error, asyncpg.exceptions.DataError):
        return DataRefused(_sentence(error))
    if isinstance(error, asyncpg.ClientConfigurationError):
        return ConfigError("DATABASE_URL cannot be used: it is no address of a PostgreSQL database")
    if isinstance(error, (TimeoutError, sqlalchemy.exc.TimeoutError)):
        return DatabaseUnavailable(_sentence(error) or "PostgreSQL did not answer in time")
    if isinstance(error, OSError):
        return DatabaseUnavailable(f"PostgreSQL cannot be reached: {_sentence(error)}")
    if isinstance(error, asyncpg.InternalClientError):
        # asyncpg's answer on a connection that the server has ended, until it notices that the socket is closed.
        return DatabaseUnavailable(_sentence(error))
    if isinstance(error, asyncpg.InterfaceError) and _is_about_the_connection(error):
        return DatabaseUnavailable(_sentence(error))
    if isinstance(error, RuntimeError) and str(error).endswith(CLOSED):
        return DatabaseUnavailable("the connection to PostgreSQL was lost")
    return None


@contextmanager
def translated() -> Iterator[None]:
    """Raises DatabaseUnavailable, DataRefused or ConfigError in place of what the driver raises."""
    try:
        yield
    except DRIVER as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error


def _is_about_the_connection(error: asyncpg.InterfaceError) -> bool:
    """asyncpg has one class for a closed connection and for a wrong use of it; only the words tell."""
    said = str(error)
    return "clos" in said or "connection was lost" in said


def _sentence(error: BaseException) -> str:
    """The first line of what was said; PostgreSQL's DETAIL may quote whole rows and stays out."""
    said = str(getattr(error, "message", None) or error)
    return said.split("\n", 1)[0][:500]
