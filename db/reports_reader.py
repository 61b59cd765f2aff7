"""What every read model stands on: rows from the database, JSON that may be broken, pages by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import asyncpg
import orjson

from contracts.account import Account
from contracts.errors import ConfigError
from db.errors import translated

Item = TypeVar("Item")

UUID_DIGITS = 32
LOCATION = """coalesce({0} #>> '{{source_config,file_path}}', {0} #>> '{{source_config,url}}',
                {0} #>> '{{source_config,sheet_url}}') AS location"""
"""Where a message (its column to be put in) says that its list stands, as source_name() takes it."""


class TablesMissing(ConfigError):
    """the database has no tables yet"""

    next_step = "pricemill db upgrade"


class Reader(Protocol):
    """An asyncpg connection or pool."""

    async def fetch(self, query: str, *arguments: Any) -> list[Any]: ...

    async def fetchrow(self, query: str, *arguments: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items in order, and the cursor behind the last one (None = that was all)."""

    items: tuple[Item, ...]
    next: str | None = None


class ReadModels:
    """Base of the read models. Each method is one or a few statements, each with a LIMIT; no transaction spans
    two of them. Raises TablesMissing on a database that was never migrated, DatabaseUnavailable."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def _rows(self, query: str, *arguments: Any) -> Sequence[Any]:
        try:
            with translated():
                return await self._reader.fetch(query, *arguments)
        except ConfigError as error:
            if isinstance(error.__cause__, (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)):
                raise TablesMissing from error
            raise

    async def _row(self, query: str, *arguments: Any) -> Any:
        rows = await self._rows(query, *arguments)
        return rows[0] if rows else None


def json(text: str | None) -> Any:
    """The value of a jsonb column; text that no reader can parse (1e400) is handed over as text."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def page(rows: Sequence[Item], limit: int, cursor: Sequence[str]) -> Page[Item]:
    """Of a query that asked for one row more than `limit`; `cursor[i]` is the place of row i."""
    if len(rows) <= limit:
        return Page(tuple(rows))
    return Page(tuple(rows[:limit]), cursor[limit - 1])


def source_name(location: str | None) -> str:
    """The last part of a path or address, without its query; the id for a Google Sheet."""
    if not location:
        return "-"
    if "://" not in location:
        return location.rstrip("/").rsplit("/", 1)[-1] or location
    try:
        parts = urlsplit(location)
    except ValueError:  # no address at all: "https://[x", or a password in it that was redacted
        return location.partition("://")[2].partition("?")[0].rstrip("/").rsplit("/", 1)[-1] or "-"
    if parts.hostname == "docs.google.com":
        return "sheet " + parts.path.removeprefix("/spreadsheets/d/").split("/")[0]
    return parts.path.rstrip("/").rsplit("/", 1)[-1] or (parts.hostname or location)


def account_of(checkpoint: Any, statistics: Any, errors: Any) -> Account | None:
    """The row account of a task: of its newest checkpoint, else as its result states it."""
    if isinstance(checkpoint, dict):
        return Account.from_document(checkpoint)
    if not isinstance(statistics, dict):
        return None
    account = Account(
        read=statistics["total_rows"],
        new=statistics.get("new", 0),
        changed=statistics.get("changed", 0),
        unchanged=statistics.get("unchanged", 0),
    )
    account.ignored.update(statistics.get("ignored", {}))
    account.rejected.update({group["error_type"]: group["count"] for group in errors or ()})
    if statistics.get("held"):
        account.held["held"] = statistics["held"]
    return account


def uuid_range(prefix: str) -> tuple[str, str] | None:
    """The lowest and highest UUID (as text) that start with this; None if no UUID can.

    Full-length lower-case UUIDs sort alike in every collation, so a range on them may use an ordinary index."""
    digits = prefix.lower().replace("-", "")
    if not digits or len(digits) > UUID_DIGITS or set(digits) - set("0123456789abcdef"):
        return None
    return _dashed(digits.ljust(UUID_DIGITS, "0")), _dashed(digits.ljust(UUID_DIGITS, "f"))


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
