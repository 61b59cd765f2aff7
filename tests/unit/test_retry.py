"""Named policies, the delays they give, and calls that are tried again."""

from datetime import UTC, datetime, timedelta

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError, SourceMissing, SourceUnavailable
from resilience.retry.backoff import MAX_RETRY_AFTER, delay, fraction, parse_retry_after
from resilience.retry.budget import RetryBudget
from resilience.retry.call import LONGEST_WAIT, retry_call
from resilience.retry.policy import POLICIES, RetryPolicy, policy_named

NOW = datetime(2026, 11, 20, 3, 15, tzinfo=UTC)
MIDDLE = 0.5
"""The fraction at which jitter changes nothing."""


def delays(policy_id):
    policy = policy_named(policy_id)
    return [delay(policy, n, random=lambda: MIDDLE).total_seconds() for n in range(1, policy.max_retries + 1)]


@pytest.mark.parametrize(
    ("policy_id", "expected"),
    [
        ("ingest", [1, 5, 25]),
        ("exponential_backoff", [1, 2, 4, 8, 16]),
        ("default", [1, 2, 4, 8]),
        ("aggressive", [min(30, 0.5 * 1.5**n) for n in range(9)]),
        ("conservative", [2, 6]),
        ("linear", [1, 2, 3, 4]),
        ("fixed", [5, 5]),
    ],
)
def test_a_named_policy_gives_its_delays(policy_id, expected):
    assert delays(policy_id) == pytest.approx(expected)


def test_policies_are_found_by_their_stable_id():
    assert all(policy_named(policy_id).id == policy_id for policy_id in POLICIES)
    with pytest.raises(ConfigError, match="ingest"):
        policy_named("no-such-policy")


def test_three_retries_are_four_calls():
    assert policy_named("ingest").max_attempts == 4
    assert policy_named("ingest").max_retries == 3


@pytest.mark.parametrize(
    "figures",
    [
        {"max_attempts": 0},
        {"max_attempts": 101},
        {"base_delay": 0.09},
        {"base_delay": 61, "max_delay": 100},
        {"multiplier": 0.99},
        {"multiplier": 10.1},
        {"jitter": -0.1},
        {"jitter": 1.1},
        {"base_delay": 10, "max_delay": 9},
        {"id": "Not An Id"},
        {"surprise": 1},
    ],
)
def test_figures_out_of_bounds_are_refused(figures):
    with pytest.raises(pydantic.ValidationError):
        RetryPolicy.model_validate({"id": "mine", **figures})


def test_a_policy_never_changes():
    with pytest.raises(pydantic.ValidationError):
        policy_named("ingest").max_attempts = 9


POLICY = st.builds(
    RetryPolicy,
    id=st.just("any"),
    growth=st.sampled_from(["exponential", "linear", "fixed"]),
    max_attempts=st.integers(1, 100),
    base_delay=st.floats(0.1, 60),
    multiplier=st.floats(1, 10),
    max_delay=st.floats(60, 86_400),
    jitter=st.floats(0, 1),
)


@given(POLICY, st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_no_delay_is_negative_or_above_the_cap(policy, number, chance):
    assert timedelta(0) <= delay(policy, number, random=lambda: chance) <= timedelta(seconds=policy.max_delay)


@given(POLICY, st.integers(1, 50), st.floats(0, 1, exclude_max=True))
def test_jitter_stays_within_its_share_of_the_plain_delay(policy, number, chance):
    plain = delay(policy.model_copy(update={"jitter": 0.0, "max_delay": 10**9}), number, random=lambda: chance)
    spread = delay(policy.model_copy(update={"max_delay": 10**9}), number, random=lambda: chance)
    slack = timedelta(microseconds=2)
    assert plain * (1 - policy.jitter) - slack <= spread <= plain * (1 + policy.jitter) + slack


def test_the_cap_holds_after_jitter():
    policy = RetryPolicy(id="mine", base_delay=10, max_delay=10, jitter=0.25)
    assert delay(policy, 1, random=lambda: 0.999).total_seconds() == 10
    assert delay(policy, 1, random=lambda: 0.0).total_seconds() == 7.5


def test_retries_are_counted_from_one():
    with pytest.raises(ValueError, match="from 1"):
        delay(policy_named("ingest"), 0)


def test_the_randomness_of_production_is_a_fraction():
    assert all(0 <= fraction() < 1 for _ in range(1_000))
    assert len({fraction() for _ in range(100)}) > 90


@pytest.mark.parametrize(
    ("wish", "expected"), [(timedelta(seconds=40), 40), (timedelta(seconds=0.2), 1), (timedelta(days=900), 86_400)]
)
def test_a_longer_wish_of_the_other_side_wins(wish, expected):
    assert delay(policy_named("ingest"), 1, random=lambda: MIDDLE, retry_after=wish).total_seconds() == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Fri, 20 Nov 2026 03:17:00 GMT", 120),
        ("Friday, 20-Nov-26 03:17:00 GMT", 120),
        ("Fri Nov 20 03:17:00 2026", 120),
        ("Fri, 20 Nov 2026 03:00:00 GMT", 0),
        ("Fri, 20 Nov 2099 03:00:00 GMT", MAX_RETRY_AFTER.total_seconds()),
        ("9" * 400, MAX_RETRY_AFTER.total_seconds()),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(value, expected):
    assert parse_retry_after(value, now=NOW).total_seconds() == expected


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "1.5", "１２", "Fri, 99 Nov 2026 03:15:00 GMT", "\x00"])
def test_a_retry_after_that_says_nothing_is_none(value):
    assert parse_retry_after(value, now=NOW) is None


class Sleeper:
    """Notes what it was asked to wait for."""

    def __init__(self):
        self.waits = []

    async def __call__(self, seconds):
        self.waits.append(seconds)


class Script:
    """Raises what it was given, one a call, then answers."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


async def test_a_call_is_tried_again_with_the_delays_of_its_policy():
    sleeper, script = Sleeper(), Script(SourceUnavailable(), SourceUnavailable())
    answer = await retry_call(script, name="fetch", policy=policy_named("ingest"), sleep=sleeper, random=lambda: MIDDLE)
    assert (answer, script.calls, sleeper.waits) == ("answer", 3, [1, 5])


async def test_a_call_gives_up_after_its_attempts_with_its_own_last_error():
    last = SourceUnavailable("the last one")
    script = Script(*[SourceUnavailable() for _ in range(3)], last)
    with pytest.raises(SourceUnavailable) as caught:
        await retry_call(script, name="fetch", policy=policy_named("ingest"), sleep=Sleeper())
    assert caught.value is last
    assert script.calls == 4


async def test_a_permanent_error_is_not_tried_again():
    script = Script(SourceMissing())
    with pytest.raises(SourceMissing):
        await retry_call(script, name="fetch", sleep=Sleeper())
    assert script.calls == 1


async def test_what_asks_for_long_patience_is_left_to_the_task():
    script = Script(SourceUnavailable(retry_after=LONGEST_WAIT * 2))
    with pytest.raises(SourceUnavailable):
        await retry_call(script, name="fetch", sleep=Sleeper())
    assert script.calls == 1


async def test_a_short_wish_is_waited_for():
    sleeper = Sleeper()
    await retry_call(Script(SourceUnavailable(retry_after=timedelta(seconds=7))), name="fetch", sleep=sleeper)
    assert sleeper.waits == [7]


# ------------------------------------------------------------------ the budget


@pytest.mark.parametrize("calls", [1, 30, 500])
async def test_under_lasting_failure_there_are_at_most_as_many_retries_as_calls_and_a_reserve(calls):
    budget, made = RetryBudget(reserve=10), 0

    async def fail():
        nonlocal made
        made += 1
        raise SourceUnavailable

    for _ in range(calls):
        with pytest.raises(SourceUnavailable):
            await retry_call(fail, name="fetch", policy=policy_named("aggressive"), sleep=Sleeper(), budget=budget)
    assert made <= 2 * calls + 10
    assert made > calls


async def test_an_empty_budget_raises_the_error_of_the_call():
    error, budget = SourceUnavailable("the second one"), RetryBudget(reserve=0)
    script = Script(SourceUnavailable(), error, SourceUnavailable())
    with pytest.raises(SourceUnavailable) as caught:
        await retry_call(script, name="fetch", sleep=Sleeper(), budget=budget)
    assert caught.value is error
    assert script.calls == 2


async def test_calls_that_succeed_pay_for_those_that_do_not():
    budget = RetryBudget(reserve=0, most=5)
    for _ in range(50):
        await retry_call(Script(), name="fetch", sleep=Sleeper(), budget=budget)
    assert [budget.spend() for _ in range(6)] == [True] * 5 + [False]


async def test_the_last_attempt_of_a_policy_costs_nothing():
    budget = RetryBudget(reserve=3)
    with pytest.raises(SourceUnavailable):
        await retry_call(
            Script(*[SourceUnavailable() for _ in range(9)]),
            name="fetch",
            policy=policy_named("ingest"),
            sleep=Sleeper(),
            budget=budget,
        )
    assert [budget.spend() for _ in range(2)] == [True, False]


async def test_what_is_called_need_not_be_a_coroutine_function():
    script = Script(SourceUnavailable())
    assert await retry_call(lambda: script(), name="fetch", sleep=Sleeper()) == "answer"  # noqa: PLW0108
    assert script.calls == 2
