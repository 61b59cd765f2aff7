"""Which failure of the database means what."""

from __future__ import annotations

import asyncpg
import pytest
import sqlalchemy.exc

from contracts.errors import ConfigError, DatabaseUnavailable, Disposition
from db.connection import limits, plain_url
from db.errors import DataRefused, translate, translated


def refused(sqlstate: str, message: str = "told so\nDETAIL: (secret, row)") -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"C": sqlstate, "M": message, "n": "some_constraint"})


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("08006", DatabaseUnavailable),
        ("53100", DatabaseUnavailable),
        ("53300", DatabaseUnavailable),
        ("57P01", DatabaseUnavailable),
        ("57P03", DatabaseUnavailable),
        ("57014", DatabaseUnavailable),
        ("58030", DatabaseUnavailable),
        ("40001", DatabaseUnavailable),
        ("40P01", DatabaseUnavailable),
        ("55P03", DatabaseUnavailable),
        ("25006", DatabaseUnavailable),
        ("25P03", DatabaseUnavailable),
        ("22021", DataRefused),
        ("22P05", DataRefused),
        ("23505", DataRefused),
        ("54000", DataRefused),
        ("28P01", ConfigError),
        ("3D000", ConfigError),
        ("42P01", ConfigError),
        ("42501", ConfigError),
    ],
)
def test_a_sqlstate_says_what_may_be_done(sqlstate: str, kind: type[Exception]) -> None:
    found = translate(refused(sqlstate))
    assert type(found) is kind
    assert found is not None
    assert found.context["sqlstate"] == sqlstate


@pytest.mark.parametrize(
    "error",
    [
        refused("42601"),
        ValueError("x"),
        RuntimeError("no running event loop"),
        asyncpg.InterfaceError("another operation"),
    ],
)
def test_a_defect_of_ours_stays_what_it_is(error: Exception) -> None:
    assert translate(error) is None
    with pytest.raises(type(error)), translated():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "refused"),
        RuntimeError("unable to perform operation on <UnixTransport closed=True>; the handler is closed"),
        TimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InterfaceError("pool is closing"),
        asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress"),
        sqlalchemy.exc.TimeoutError("QueuePool limit"),
    ],
)
def test_a_lost_connection_is_an_unavailable_database(error: Exception) -> None:
    with pytest.raises(DatabaseUnavailable) as caught, translated():
        raise error
    assert caught.value.disposition is Disposition.TRANSIENT
    assert caught.value.message


def test_sqlalchemy_wraps_the_same_failures() -> None:
    inner = RuntimeError("adapter")
    inner.__cause__ = refused("23505")
    found = translate(sqlalchemy.exc.DBAPIError("INSERT", {}, inner))
    assert isinstance(found, DataRefused)
    assert found.constraint == "some_constraint"


def test_details_that_may_quote_a_row_stay_out() -> None:
    found = translate(refused("23505"))
    assert found is not None
    assert found.message == "told so"


def test_what_python_could_not_even_send_is_refused_data() -> None:
    assert isinstance(translate(asyncpg.exceptions.DataError("invalid input for query argument")), DataRefused)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"])
def test_every_spelling_of_the_scheme_is_understood(scheme: str) -> None:
    assert plain_url(f"{scheme}://u:p@h/d?host=/x") == "postgresql://u:p@h/d?host=/x"


def test_limits_are_given_in_seconds_and_set_in_milliseconds() -> None:
    found = limits(statement_timeout=1.5, lock_timeout=0, work_mem="64MB")
    assert (found["statement_timeout"], found["lock_timeout"], found["work_mem"]) == ("1500", "0", "64MB")
