"""Says from its kind what an error means: a table each of types, SQLSTATEs, HTTP statuses and errnos."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pydantic

from contracts.errors import DatabaseUnavailable, Disposition, LifecycleError, PricemillError, QueueUnavailable
from resilience.retry.backoff import parse_retry_after

_TRANSIENT: Final = Disposition.TRANSIENT
_PERMANENT: Final = Disposition.PERMANENT
BUG: Final = "Bug"
"""Category of what no table knows: tried again under the cap, and kept as a defect of ours to look at."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be done about an error, and under which name it is kept."""

    code: str
    category: str
    disposition: Disposition
    infrastructure: bool = False
    """A part that every task needs is away: no task is to blame, so no attempt is counted."""
    retry_after: timedelta | None = None
    next_step: str = ""


_DATABASE_AWAY: Final = Verdict("database_unavailable", "Dependency", _TRANSIENT, infrastructure=True)
_QUEUE_AWAY: Final = Verdict("queue_unavailable", "Dependency", _TRANSIENT, infrastructure=True)
_SOURCE_AWAY: Final = Verdict("source_unavailable", "Dependency", _TRANSIENT)
_REFUSED_DATA: Final = Verdict("refused_by_database", "Validation", _PERMANENT)
_SCHEMA: Final = Verdict(
    "database_schema", "Config", _PERMANENT, next_step="pricemill db check; the tables and this version do not fit"
)

SQLSTATES: Final[dict[str, Verdict]] = {
    "08": _DATABASE_AWAY,  # connection exception
    "28": _DATABASE_AWAY,  # invalid authorization: a rotated password is no fault of the task
    "3D": _DATABASE_AWAY,  # database does not exist (yet)
    "53": _DATABASE_AWAY,  # out of disk, memory, connections
    "57P": _DATABASE_AWAY,  # shut down, starting up
    "40": _DATABASE_AWAY,  # serialisation failure, deadlock
    "55P03": _DATABASE_AWAY,  # lock not available in time
    "25006": _DATABASE_AWAY,  # read-only: a standby
    "57014": Verdict("statement_timeout", "Dependency", _TRANSIENT),
    "58": Verdict("database_system_error", "Dependency", _TRANSIENT),
    "XX": Verdict("database_internal_error", "Dependency", _TRANSIENT),
    "22": _REFUSED_DATA,
    "23": _REFUSED_DATA,
    "54": _REFUSED_DATA,
    "42501": Verdict("database_forbids", "Config", _PERMANENT, next_step="grant the worker's role what db/sql needs"),
    "42": _SCHEMA,
}
"""By SQLSTATE or a prefix of it; the longest that fits holds."""

_RETRIED_STATUSES: Final = frozenset({408, 425, 500, 502, 503, 504, 507, 509, *range(520, 525)})
RATE_LIMITED: Final = timedelta(seconds=60)
"""The wait when a source says 429 and no time."""

_RETRIED_ERRNOS: Final = frozenset(
    {
        errno.EAGAIN,
        errno.EINTR,
        errno.EIO,
        errno.EBUSY,
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.ESTALE,
        errno.EPIPE,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.ECONNABORTED,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENETRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ETIMEDOUT,
        errno.ENOTCONN,
        errno.ENOBUFS,
    }
)
_REFUSED_ERRNOS: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG, errno.EROFS}
)

_TYPES: Final[dict[str, Verdict]] = {
    "redis.exceptions.RedisError": _QUEUE_AWAY,
    "asyncpg.exceptions._base.InterfaceError": _DATABASE_AWAY,
    "sqlalchemy.exc.InterfaceError": _DATABASE_AWAY,
    "sqlalchemy.exc.OperationalError": _DATABASE_AWAY,
    "sqlalchemy.exc.TimeoutError": _DATABASE_AWAY,
    "httpx.TransportError": _SOURCE_AWAY,
    "requests.exceptions.ConnectionError": _SOURCE_AWAY,
    "requests.exceptions.Timeout": _SOURCE_AWAY,
    "google.auth.exceptions.TransportError": _SOURCE_AWAY,
    "google.auth.exceptions.RefreshError": Verdict(
        "credentials_refused", "Security", _PERMANENT, next_step="renew the credential file of this source"
    ),
    "builtins.MemoryError": Verdict("out_of_memory", "Dependency", _TRANSIENT),
    "builtins.TimeoutError": Verdict("timed_out", "Dependency", _TRANSIENT),
    "builtins.UnicodeError": Verdict("text_undecodable", "Validation", _PERMANENT),
}
"""By the qualified name of a class or of one of its bases, so that nothing need be imported to know it."""


def classify(error: BaseException) -> Verdict:
    """Never raises. Our own errors carry their disposition; what SQLAlchemy and the like wrapped counts as what it
    wraps; of a group the lifecycle error counts, else the first."""
    error = _representative(error)
    if isinstance(error, PricemillError):
        return Verdict(
            error.code,
            error.category,
            error.disposition,
            infrastructure=isinstance(error, DatabaseUnavailable | QueueUnavailable),
            retry_after=error.retry_after,
            next_step=str(error.context.get("next") or error.next_step),
        )
    if isinstance(error, pydantic.ValidationError):
        return Verdict("document_invalid", "Validation", _PERMANENT)
    for layer in _layers(error):
        verdict = _by_sqlstate(layer) or _by_status(layer) or _by_type(layer) or _by_errno(layer)
        if verdict is not None:
            return verdict
    return Verdict("unexpected", BUG, _TRANSIENT, next_step="report it; it is a defect of Pricemill")


def _representative(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        members = error.exceptions
        error = next((member for member in members if isinstance(member, LifecycleError)), members[0])
    return error


def _layers(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps (`orig` of SQLAlchemy, and explicit causes), the outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < 10:
        seen.add(id(current))
        original = getattr(current, "orig", None)
        if isinstance(original, BaseException):
            yield original
        yield current
        current = current.__cause__


def _by_sqlstate(error: BaseException) -> Verdict | None:
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if not isinstance(state, str) or len(state) != 5:
        return None
    return next((SQLSTATES[state[:length]] for length in (5, 3, 2) if state[:length] in SQLSTATES), None)


def _by_status(error: BaseException) -> Verdict | None:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if not isinstance(status, int):
        return None
    return verdict_of_status(status, retry_after=_wish(response))


def verdict_of_status(status: int, *, retry_after: timedelta | None = None) -> Verdict | None:
    """What an HTTP status means; None below 400. 503 counts as throttling only if it names a time."""
    if status < 400:
        return None
    if status == 429 or (status == 503 and retry_after is not None):
        wait = RATE_LIMITED if retry_after is None else retry_after
        return Verdict("source_throttled", "Dependency", Disposition.SNOOZE, retry_after=wait)
    if status in _RETRIED_STATUSES:
        return Verdict("source_unavailable", "Dependency", _TRANSIENT, retry_after=retry_after)
    if status in {401, 403, 407}:
        return Verdict("source_forbidden", "Dependency", _PERMANENT, next_step="give this installation access")
    if status in {404, 410}:
        return Verdict("source_missing", "Dependency", _PERMANENT, next_step="check the address")
    return Verdict("source_refuses", "Dependency", _PERMANENT, next_step="check the address")


def _wish(response: object) -> timedelta | None:
    headers = getattr(response, "headers", None)
    value = None if headers is None else headers.get("retry-after")
    return parse_retry_after(value, now=datetime.now(UTC)) if isinstance(value, str) else None


def _by_type(error: BaseException) -> Verdict | None:
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    return next((_TYPES[name] for name in names if name in _TYPES), None)


def _by_errno(error: BaseException) -> Verdict | None:
    if not isinstance(error, OSError):
        return None
    if error.errno in _REFUSED_ERRNOS:
        return Verdict("file_unusable", "Dependency", _PERMANENT, next_step="check the path and its permissions")
    if error.errno in _RETRIED_ERRNOS or isinstance(error, ConnectionError):
        return Verdict("system_unavailable", "Dependency", _TRANSIENT)
    return None
