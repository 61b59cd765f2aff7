"""The guard that stops a list: what it raises, what it asks, and how often it alerts."""

from dataclasses import dataclass

import pytest

from config.profiles import amend, load_profile
from contracts.account import Account
from contracts.checkpoint import Checkpoint
from contracts.errors import RunAborted
from contracts.outcome import DeadLetter
from contracts.rows import Cursor
from resilience.abort.crashes import WINDOW, CrashCount
from resilience.abort.guard import KEPT, AbortGuard
from resilience.abort.policy import CONSERVATIVE, POLICIES
from resilience.cooldown import HOUR, Cooldown
from resilience.retry.policy import POLICIES as RETRY_POLICIES
from resilience.settle import settle
from tests.unit.test_abort_policy import account

SHA = "a" * 64


@dataclass
class Progress:
    checkpoint: Checkpoint
    chunk: Account


class Run:
    """Feeds a guard with chunks."""

    def __init__(self, *, accepted=(), examples=None, alerts=None):
        self.total, self.sequence = Account(), 0
        self.alerts = alerts or Cooldown()
        self.guard = AbortGuard(
            POLICIES[CONSERVATIVE], sha256=SHA, accepted=accepted, examples=examples or {}, alerts=self.alerts
        )

    def commit(self, chunk):
        self.total.add(chunk)
        self.sequence += 1
        cursor = Cursor(self.total.read)
        self.guard.check(Progress(Checkpoint("t", self.sequence, cursor, self.total, SHA, "b" * 64), chunk))

    def stopped(self, *chunks):
        *sound, last = chunks
        for chunk in sound:
            self.commit(chunk)
        with pytest.raises(RunAborted) as caught:
            self.commit(last)
        return caught.value


def test_a_sound_run_goes_on():
    run = Run()
    for _ in range(20):
        run.commit(account(1_000, price_format=10))


def test_the_analysis_says_what_where_and_how_far():
    run = Run(examples={"price_format": "row 12: Price “1,2,3” does not fit"})
    error = run.stopped(account(1_000), account(40, price_format=960, price_missing=300))
    analysis = error.context["analysis"]
    assert (analysis["policy"], analysis["trigger"], analysis["unit"]) == (CONSERVATIVE, "failure_rate", "row")
    assert (analysis["window"], analysis["failed"], analysis["rate"]) == (1_000, 960, 0.96)
    assert analysis["types"] == {"price_format": 960}
    assert (analysis["pattern"], analysis["trend"]) == ("price_format", "increasing")
    assert analysis["first_bad"].startswith("row 12")
    assert analysis["committed"]["sequence"] == 2
    assert analysis["committed"]["read"] == run.total.read
    assert analysis["rows_without_success"] == 0
    assert error.question.code == "rejected"
    assert "96%" in error.message
    assert "1,2,3" in error.message


def test_several_causes_are_a_mixed_pattern_and_no_example_is_needed():
    error = Run().stopped(account(price_format=600, row_ragged=400))
    assert error.context["analysis"]["pattern"] == "mixed"
    assert error.context["analysis"]["rows_without_success"] == 1_000
    assert "no example" in error.message


def test_it_is_a_dead_letter_with_the_whole_analysis():
    error = Run(examples={"price_format": "row 2"}).stopped(account(price_format=1_000))
    ended = settle(error, attempt=1, max_retries=3, policy=RETRY_POLICIES["ingest"], now=None, random=lambda: 0.5)
    assert isinstance(ended, DeadLetter)
    assert ended.failure.code == "run_aborted"
    assert ended.failure.context["analysis"] == error.context["analysis"]
    assert ended.failure.context["question"]["options"][0]["patch"] == {"rules": {"accepted_lists": [SHA]}}


def test_the_first_answer_lets_exactly_this_list_go_on():
    error = Run(accepted=["c" * 64] * KEPT).stopped(account(price_format=1_000))
    profile = amend(load_profile({}), error.question.options[0].patch)
    assert profile.rules.accepted_lists[-1] == SHA
    assert len(profile.rules.accepted_lists) == KEPT
    run = Run(accepted=profile.rules.accepted_lists)
    for _ in range(5):
        run.commit(account(price_format=1_000))


def test_an_attempt_is_not_blamed_for_what_an_earlier_one_saw():
    run = Run()
    run.total, run.sequence = account(1_000, price_format=9_000), 10
    run.commit(account(price_format=400))
    run.stopped(account(price_format=400))


def test_alerts_are_rare_and_stops_are_not(capsys):
    now = [0.0]
    alerts = Cooldown(seconds=lambda: now[0])
    for _ in range(3):
        Run(alerts=alerts).stopped(account(price_format=1_000))
    assert capsys.readouterr().err.count("abort.alerted") == 1


def test_a_cool_down_has_a_pause_and_a_limit_an_hour():
    now = [0.0]
    cooldown = Cooldown(seconds=lambda: now[0])

    def take(key="a"):
        return cooldown.take(key, pause=300, per_hour=3)

    assert take()
    assert not take()
    assert take("b")
    now[0] = 299.9
    assert not take()
    for now[0] in (300.0, 600.0):
        assert take()
    now[0] = 900.0
    assert not take()
    now[0] = HOUR
    assert take()


def test_crashes_that_follow_closely_are_one_alert():
    crashes = CrashCount()
    assert [crashes.add(second) for second in (0, 1, 2, 3, 4, 5)] == [False, False, True, False, False, True]


def test_crashes_that_lie_apart_are_none():
    crashes = CrashCount()
    assert not any(crashes.add(number * WINDOW / 2) for number in range(20))
