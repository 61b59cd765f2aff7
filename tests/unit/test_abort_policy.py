"""When a run is stopped, by the shipped policies and by made-up ones."""

from math import comb

import numpy as np
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.false_aborts import FALSE_LIMIT, MISSED_LIMIT, Setting, false_aborts, interval, missed
from contracts.account import Account
from contracts.errors import ConfigError
from contracts.reasons import REASONS, UNSTATED
from resilience.abort.policy import CONSERVATIVE, POLICIES, AbortPolicy, Trigger, abort_policy_named
from resilience.abort.watch import RunWatch
from resilience.abort.window import History, Sample, Seen, allowance, chance

POLICY = POLICIES[CONSERVATIVE]


def account(good=0, **rejected):
    made = Account(read=good + sum(rejected.values()), new=good)
    made.rejected.update(rejected)
    return made


def run(chunks, policy=POLICY):
    """(trigger, chunk) of the stop, chunks counted from 1; None if the run goes on."""
    watch, total = RunWatch(policy), Account()
    for look, chunk in enumerate(chunks, start=1):
        total.add(chunk)
        watch.record(chunk)
        found = watch.verdict(total, look=look)
        if found is not None:
            return found[0].id, look
    return None


def one_trigger(**figures):
    return AbortPolicy(id="made", triggers=(Trigger(id="t", unit="row", **figures),), cluster=1, risk=0.9)


# ------------------------------------------------------------------ named policies


def test_policies_are_found_by_their_stable_id():
    assert all(abort_policy_named(policy_id).id == policy_id for policy_id in POLICIES)
    with pytest.raises(ConfigError, match=CONSERVATIVE):
        abort_policy_named("no-such-policy")


def test_off_never_stops():
    assert run([account(price_format=10_000)] * 5, POLICIES["off"]) is None


def test_a_minimum_that_no_window_reaches_is_refused():
    with pytest.raises(pydantic.ValidationError):
        Trigger(id="t", unit="row", window=10, min_operations=11)


def test_every_reason_that_counts_as_unstated_exists():
    assert set(REASONS) > UNSTATED


# ------------------------------------------------------------------ rows


def test_a_list_whose_first_two_hundred_rows_fail_for_one_cause_stops_there():
    assert run([account(price_not_a_number=100)] * 5) == ("first_rows", 2)


def test_for_several_causes_it_takes_a_full_window():
    assert run([account(price_not_a_number=50, row_ragged=50)] * 8) == ("failure_rate", 5)


def test_a_run_with_one_good_row_is_no_longer_at_its_start():
    assert run([account(1), *[account(price_not_a_number=100)] * 8]) == ("failure_rate", 6)


def test_fewer_rows_than_the_minimum_decide_nothing():
    assert run([account(price_not_a_number=100, row_ragged=99)] * 2) is None


def test_rows_without_a_stated_price_are_neither_good_nor_bad():
    assert run([account(10, price_missing=2_000)] * 20) is None
    assert run([account(**dict.fromkeys(UNSTATED, 500))] * 20) is None


def test_ninety_sound_chunks_do_not_hide_what_comes_behind_them():
    trigger, chunk = run([*[account(100)] * 90, *[account(price_format=100)] * 10])
    assert trigger == "failure_rate"
    assert 90 + 3 <= chunk <= 90 + 5


def test_exactly_half_is_not_more_than_half():
    policy = one_trigger(window=100, min_operations=100)
    assert run([account(50, price_format=50)], policy) is None
    assert run([account(49, price_format=51)], policy) == ("t", 1)


def test_all_of_a_window_is_possible_to_ask_for():
    policy = one_trigger(window=100, min_operations=100, threshold=1)
    assert run([account(1, price_format=99)], policy) is None
    assert run([account(price_format=100)], policy) == ("t", 1)


def test_what_could_be_chance_does_not_stop_a_run():
    """Six of ten where one of ten fails anyway: once in seven thousand windows, and a run has many."""
    careful = AbortPolicy(
        id="made", triggers=(Trigger(id="t", unit="row", window=10, min_operations=10),), cluster=1, risk=0.004
    )
    assert run([account(4, price_format=6)], careful) == ("t", 1)
    assert run([*[account(10)] * 20, account(4, price_format=6)], careful) is None
    assert run([*[account(10)] * 20, account(price_format=10)], careful) == ("t", 21)


def test_failed_chunks_are_counted_as_such():
    chunks = [*[account(40)] * 4, *[account(19, price_format=21)] * 8]
    policy = AbortPolicy(id="made", triggers=(Trigger(id="c", unit="chunk", window=10, min_operations=10),))
    assert run(chunks, policy) == ("c", 11)
    assert run(chunks[:9], policy) is None
    assert run([*chunks[:4], *[account(20, price_format=20)] * 8], policy) is None


def test_of_several_triggers_the_one_of_the_highest_priority_counts():
    figures = {"unit": "row", "window": 10, "min_operations": 10}
    policy = AbortPolicy(
        id="made", cluster=1,
        triggers=(Trigger(id="low", priority=1, **figures), Trigger(id="high", priority=2, **figures)),
    )  # fmt: skip
    assert run([account(price_format=10)], policy) == ("high", 1)


def test_items_are_good_whatever_became_of_them():
    chunk = Account(new=10, changed=10, unchanged=10)
    chunk.held["band"] = 10
    chunk.ignored.update(duplicate=10, stale=10, blank=1_000)
    chunk.rejected["price_format"] = 59
    policy = one_trigger(window=100, min_operations=100)
    assert run([chunk], policy) is None
    chunk.rejected["price_format"] = 61
    assert run([chunk], policy) == ("t", 1)


def test_corrections_of_earlier_chunks_never_make_a_count_negative():
    chunk = Account(read=0, new=-5)
    chunk.rejected["price_format"] = -1
    assert run([chunk], one_trigger(window=1, min_operations=1)) is None


# ------------------------------------------------------------------ windows and chance


def test_a_window_is_made_of_whole_samples():
    history = History()
    assert history.window(10) == Seen(0, 0)
    assert history.window(10).rate == 0
    for sample in (Sample(6, 6), Sample(0, 0), Sample(6, 0), Sample(6, 3)):
        history.add(sample)
    assert history.window(6) == Seen(6, 3)
    assert history.window(7) == Seen(12, 3)
    assert history.window(1_000) == Seen(18, 9)


def test_the_rows_since_the_last_success_are_known():
    history = History()
    assert history.last_run().total == 0
    for sample in (Sample(5, 5), Sample(5, 4), Sample(3, 3), Sample(4, 4)):
        history.add(sample)
    assert history.last_run() == Seen(7, 7)


@pytest.mark.parametrize(
    ("failed", "trend"),
    [
        ([5], "unknown"),
        ([10, 10, 13, 13], "increasing"),
        ([10, 10, 12, 12], "steady"),
        ([10, 10, 7, 7], "decreasing"),
        ([0, 0], "steady"),
        ([0, 1], "increasing"),
    ],
)
def test_the_recent_half_is_held_against_the_older_one(failed, trend):
    history = History()
    for count in failed:
        history.add(Sample(100, count))
    assert history.trend() == trend


@given(st.integers(1, 60), st.integers(0, 60), st.floats(0.01, 0.9))
def test_chance_is_the_upper_tail_of_the_binomial_distribution(total, failed, background):
    failed = min(failed, total)
    exact = sum(comb(total, k) * background**k * (1 - background) ** (total - k) for k in range(failed, total + 1))
    assert chance(total, failed, background=background, cluster=1) == pytest.approx(min(exact, 1), rel=1e-6)


def test_what_fails_together_counts_once():
    assert chance(400, 200, background=0.1, cluster=40) == chance(10, 5, background=0.1, cluster=1)


def test_a_very_long_window_is_no_trouble():
    assert chance(2_000_000, 1_900_000, background=0.1, cluster=1) == 0.0


@given(st.integers(1, 2_000), st.floats(1e-6, 0.5))
def test_all_looks_together_spend_no_more_than_the_risk(looks, risk):
    assert sum(allowance(risk, look) for look in range(1, looks + 1)) < risk


# ------------------------------------------------------------------ the promised figures, on a cut of the simulation


def test_an_interval_holds_what_was_counted():
    low, high = interval(3, 100)
    assert 0 < low < 0.03 < high < 0.1
    assert interval(0, 1_000)[0] == 0
    assert interval(10, 10)[1] == 1


@pytest.mark.parametrize("setting", [Setting(20_000, 100, 20), Setting(5_000, 500, 5), Setting(1_000, 100, 1)], ids=str)
def test_sound_lists_go_on_and_broken_ones_stop(setting):
    runs, rng = 60, np.random.default_rng(7)
    assert false_aborts(POLICY, setting, runs, rng) / runs < FALSE_LIMIT
    gone, delays = missed(POLICY, setting, runs, 0.9, rng)
    assert gone / runs < MISSED_LIMIT
    assert np.median(delays) <= 4 * max(500, setting.chunk)
