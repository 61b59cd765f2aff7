"""What ends an attempt becomes exactly one settlement: the decision as a table."""

import asyncio
import errno
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pydantic
import pytest
import sqlalchemy.exc
from hypothesis import given
from hypothesis import strategies as st

from contracts import errors
from contracts.errors import ContractViolation, Disposition, PricemillError
from contracts.outcome import DeadLetter, Discard, Retry, Snooze
from resilience.retry.classifier import BUG, SQLSTATES, classify, verdict_of_status
from resilience.retry.policy import policy_named
from resilience.settle import LONGEST_INFRASTRUCTURE_WAIT, failure_from, settle

NOW = datetime(2026, 11, 20, 3, 15, tzinfo=UTC)


def decide(error, *, attempt=1, max_retries=3, chance=0.5, policy="ingest"):
    return settle(
        error, attempt=attempt, max_retries=max_retries, policy=policy_named(policy), now=NOW, random=lambda: chance
    )


def leaves(kind=PricemillError):
    for child in kind.__subclasses__():
        yield from leaves(child)
        if child.__module__ == errors.__name__ and not child.__subclasses__():
            yield child


LEAVES = sorted(leaves(), key=lambda kind: kind.__name__)
INFRASTRUCTURE = {errors.DatabaseUnavailable, errors.QueueUnavailable}


@pytest.mark.parametrize("kind", LEAVES)
@pytest.mark.parametrize("attempt", [1, 2, 3, 4, 9])
def test_every_error_of_the_tree_ends_as_its_disposition_says(kind, attempt):
    settlement = decide(kind(), attempt=attempt)
    match kind.disposition:
        case _ if kind in INFRASTRUCTURE:
            assert isinstance(settlement, Snooze)
        case Disposition.TRANSIENT:
            assert isinstance(settlement, Retry if attempt <= 3 else DeadLetter)
        case Disposition.PERMANENT:
            assert isinstance(settlement, DeadLetter)
        case Disposition.SNOOZE:
            assert isinstance(settlement, Snooze)
        case Disposition.DISCARD:
            assert isinstance(settlement, Discard)
    if isinstance(settlement, Retry | DeadLetter):
        assert settlement.failure.code == kind().code
        assert settlement.failure.next_step == kind.next_step


def test_retries_come_after_one_five_and_twenty_five_seconds_and_then_the_dead_letter():
    outcomes = [decide(errors.SourceUnavailable(), attempt=attempt) for attempt in (1, 2, 3, 4)]
    assert [(one.at - NOW).total_seconds() for one in outcomes[:3]] == [1, 5, 25]
    assert isinstance(outcomes[3], DeadLetter)


@pytest.mark.parametrize("max_retries", [0, 1, 7, 10])
def test_the_task_says_how_often(max_retries):
    assert isinstance(decide(errors.SourceUnavailable(), attempt=max_retries + 1, max_retries=max_retries), DeadLetter)
    if max_retries:
        assert isinstance(decide(errors.SourceUnavailable(), attempt=max_retries, max_retries=max_retries), Retry)


@pytest.mark.parametrize("kind", sorted(INFRASTRUCTURE, key=str))
@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_a_lost_database_or_queue_never_kills_a_task(kind, chance):
    for attempt in (1, 4, 50):
        settlement = decide(kind(), attempt=attempt, chance=chance)
        assert isinstance(settlement, Snooze)
        assert timedelta(0) < settlement.at - NOW <= timedelta(seconds=10)


def test_infrastructure_is_asked_again_within_a_minute_whatever_it_wishes():
    settlement = decide(errors.DatabaseUnavailable(retry_after=timedelta(hours=2)))
    assert settlement.at - NOW == LONGEST_INFRASTRUCTURE_WAIT


def test_throttling_waits_as_long_as_it_is_told():
    assert decide(errors.SourceThrottled(retry_after=timedelta(seconds=90)), attempt=99).at == NOW + timedelta(
        seconds=90
    )
    assert decide(errors.SourceThrottled()).at == NOW + timedelta(seconds=60)
    assert decide(errors.SourceThrottled(retry_after=timedelta(days=900))).at == NOW + timedelta(days=1)


def test_a_wish_longer_than_the_policy_delays_the_retry():
    settlement = decide(errors.SourceUnavailable(retry_after=timedelta(seconds=300)))
    assert isinstance(settlement, Retry)
    assert settlement.at == NOW + timedelta(seconds=300)


def test_a_released_run_comes_back_at_once_and_leaves_no_failure():
    assert decide(errors.RunReleased()) == Snooze(at=NOW, reason="run_released")


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(1)])
def test_a_process_that_is_told_to_end_gives_the_task_back(error):
    assert decide(error, attempt=9) == Snooze(at=NOW, reason="run_released")


def test_only_a_cancelled_run_is_discarded_as_cancelled():
    assert decide(errors.RunCancelled()) == Discard(reason="run_cancelled", cancelled=True)
    assert decide(errors.LeaseLost()) == Discard(reason="lease_lost", cancelled=False)


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), KeyError("price"), AssertionError(), RuntimeError("odd")])
def test_what_no_table_knows_is_tried_under_the_cap_and_kept_as_a_bug(error):
    assert isinstance(decide(error, attempt=3), Retry)
    settlement = decide(error, attempt=4)
    assert isinstance(settlement, DeadLetter)
    assert settlement.failure.category == BUG
    assert type(error).__name__ in settlement.failure.message
    assert settlement.failure.exception == f"builtins.{type(error).__name__}"


# ------------------------------------------------------------------ the tables


class Refused(Exception):
    def __init__(self, sqlstate):
        super().__init__("refused")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("08006", Snooze),
        ("53100", Snooze),
        ("53300", Snooze),
        ("57P01", Snooze),
        ("57P03", Snooze),
        ("40001", Snooze),
        ("40P01", Snooze),
        ("55P03", Snooze),
        ("25006", Snooze),
        ("28P01", Snooze),
        ("57014", Retry),
        ("XX000", Retry),
        ("22P05", DeadLetter),
        ("23505", DeadLetter),
        ("54000", DeadLetter),
        ("42P01", DeadLetter),
        ("42501", DeadLetter),
        ("25001", Retry),
    ],
)
def test_an_sqlstate_decides(sqlstate, kind):
    assert isinstance(decide(Refused(sqlstate)), kind)
    wrapped = sqlalchemy.exc.DBAPIError("select", {}, Refused(sqlstate))
    assert isinstance(decide(wrapped), kind)


def test_the_longest_prefix_of_an_sqlstate_holds():
    assert classify(Refused("42501")) == SQLSTATES["42501"]
    assert classify(Refused("42601")) == SQLSTATES["42"]


def answer(status, **headers):
    request = httpx.Request("GET", "https://a.example/list.csv")
    response = httpx.Response(
        status, headers={name.replace("_", "-"): value for name, value in headers.items()}, request=request
    )
    return httpx.HTTPStatusError("no", request=request, response=response)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 507, 509, *range(520, 525)])
def test_these_statuses_are_tried_again(status):
    assert isinstance(decide(answer(status)), Retry)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 418, 422, 451, 501, 505])
def test_these_statuses_are_not(status):
    assert isinstance(decide(answer(status)), DeadLetter)


def test_too_many_requests_snoozes():
    assert decide(answer(429)).at == NOW + timedelta(seconds=60)
    assert decide(answer(429, retry_after="7")).at == NOW + timedelta(seconds=7)
    assert isinstance(decide(answer(503, retry_after="7")), Snooze)


def test_a_good_status_is_no_failure():
    assert verdict_of_status(204) is None


@pytest.mark.parametrize(
    "number", [errno.ECONNRESET, errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENOSPC, errno.EMFILE, errno.EIO]
)
def test_these_errnos_are_tried_again(number):
    verdict = classify(OSError(number, "no"))
    assert verdict.disposition is Disposition.TRANSIENT
    assert verdict.category == "Dependency"


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ENAMETOOLONG])
def test_these_errnos_are_not(number):
    assert classify(OSError(number, "no")).disposition is Disposition.PERMANENT


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx.ConnectError("no route"), "source_unavailable"),
        (httpx.ReadTimeout("slow"), "source_unavailable"),
        (sqlalchemy.exc.TimeoutError("pool"), "database_unavailable"),
        (TimeoutError(), "timed_out"),
        (MemoryError(), "out_of_memory"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "no"), "text_undecodable"),
        (ConnectionResetError(), "system_unavailable"),
    ],
)
def test_known_types_have_their_code(error, code):
    assert classify(error).code == code


def test_what_an_error_was_raised_from_counts_where_it_is_unknown_itself():
    error = RuntimeError("wrapped")
    error.__cause__ = Refused("08006")
    assert classify(error).infrastructure


def test_a_loop_of_causes_ends():
    one, two = RuntimeError("a"), RuntimeError("b")
    one.__cause__, two.__cause__ = two, one
    assert classify(one).category == BUG


def test_of_a_group_the_lifecycle_error_counts():
    group = ExceptionGroup("both", [ValueError("x"), errors.LeaseLost()])
    assert isinstance(decide(group), Discard)
    nested = ExceptionGroup("outer", [ExceptionGroup("inner", [errors.SourceMissing()])])
    assert decide(nested).failure.code == "source_missing"


# ------------------------------------------------------------------ failures as they are kept


def test_a_failure_holds_no_secret():
    error = errors.DatabaseUnavailable(
        "cannot connect to postgresql://worker:s3cr3t-pw@db/prices",
        api_key="abcdefgh",
        nested={"Authorization": "Bearer abcdefghijkl", "list": ["redis://:s3cr3t-pw@r/0"]},
    )
    text = json.dumps(failure_from(error).document())
    assert "s3cr3t-pw" not in text
    assert "abcdefgh" not in text
    assert "postgresql://worker:[REDACTED]@db/prices" in text


def test_a_failed_validation_is_kept_without_the_values():
    class Model(pydantic.BaseModel):
        number: int

    with pytest.raises(pydantic.ValidationError) as caught:
        Model.model_validate({"number": "my-hidden-value"})
    failure = failure_from(caught.value)
    assert "my-hidden-value" not in json.dumps(failure.document())
    assert "number" in failure.message
    assert failure.disposition is Disposition.PERMANENT


def test_violations_are_kept_with_their_pointers():
    failure = failure_from(ContractViolation("bad", violations=(("/a", "is missing"),)))
    assert failure.context["violations"] == [["/a", "is missing"]]


def test_the_default_message_is_the_docstring():
    assert failure_from(errors.LeaseLost()).message == "another worker holds this task now"


@given(
    st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(st.characters()),
            st.decimals(),
            st.binary(max_size=5),
            st.datetimes(),
            st.just(Path("/a")),
            st.just(Decimal("1.5")),
        ),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=4)
        ),
        max_leaves=10,
    ),
    st.text(st.characters()),
)
def test_whatever_the_context_holds_can_be_stored(value, message):
    document = failure_from(errors.SourceUnavailable(message or None, thing=value)).document()
    text = json.dumps(document, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text


def test_a_context_that_holds_itself_is_kept_to_some_depth():
    loop = {}
    loop["again"] = loop
    json.dumps(failure_from(errors.SourceUnavailable(loop=loop)).document())


def test_a_failure_is_small():
    error = errors.SourceUnavailable("x" * 10**6, big=["y" * 10**5] * 10**3, huge=10**30_000)
    assert len(json.dumps(failure_from(error).document())) < 40_000
