"""Levels, relief, the trend of memory, and when a worker is started anew."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError, ResourcesExhausted
from contracts.outcome import Snooze
from resilience.resource.guard import BETWEEN, RELIEF_PAUSE, ResourceWatch, relieve
from resilience.resource.monitor import Snapshot
from resilience.resource.thresholds import (
    FEWEST_ROWS,
    HIGHEST,
    THRESHOLDS,
    Level,
    ResourceThreshold,
    assess,
    smaller,
    threshold_named,
)
from resilience.resource.trend import FEWEST, LEAK, SHORTEST, WARM_UP, Growth
from resilience.retry.policy import POLICIES
from resilience.settle import settle

MB = 1_000_000
NOW = datetime(2026, 11, 21, tzinfo=UTC)
CALM = Snapshot(NOW, 100 * MB, 1_000 * MB, "container", 100 * MB, 5.0, 10_000 * MB, 10.0, 20, 1_000, 5, 1, 1, 10)


class Process:
    """A made-up process under a watch."""

    def __init__(self, policy="production", patience=600.0):
        self.now = 0.0
        self.seen = CALM
        self.looks = self.recycled = 0
        self.relieved = []
        self.watch = ResourceWatch(
            self.look,
            threshold_named(policy),
            recycle=self.recycle,
            patience=patience,
            relieve=self.relieved.append,
            seconds=lambda: self.now,
        )

    def look(self):
        self.looks += 1
        return self.seen

    def recycle(self):
        self.recycled += 1

    def at(self, second, *, memory=None, own=None, **members):
        """A look at that second, with memory in percent of the limit."""
        self.now = second
        if memory is not None:
            members["memory_used"] = round(self.seen.memory_limit * memory / 100)
            members["own"] = members["memory_used"]
        if own is not None:
            members["own"] = own
        self.seen = replace(self.seen, **members)
        self.watch.look()


# ------------------------------------------------------------------ thresholds


def test_thresholds_are_found_by_their_stable_id():
    assert all(threshold_named(one).id == one for one in THRESHOLDS)
    with pytest.raises(ConfigError, match="production"):
        threshold_named("none")


def test_levels_that_do_not_rise_are_refused():
    with pytest.raises(pydantic.ValidationError):
        ResourceThreshold(id="x", gentle=90, moderate=85)


@pytest.mark.parametrize(
    ("percent", "level"),
    [(0, 0), (79.9, 0), (80, 1), (84.9, 1), (85, 2), (90, 3), (94.9, 3), (95, 4), (250, 4)],
)
def test_the_levels_of_production_begin_at_80_85_90_and_95(percent, level):
    assert THRESHOLDS["production"].level_of(percent) == level


@given(st.floats(0, 200), st.sampled_from(Level))
def test_a_level_ends_five_points_below_where_it_began(percent, before):
    threshold = THRESHOLDS["production"]
    level = threshold.level_of(percent, before=before)
    assert level >= threshold.level_of(percent)
    if level > threshold.level_of(percent):
        assert level <= before
        assert percent >= threshold.begins(level) - 5


def test_nothing_is_started_anew_for_a_full_disk_or_pool():
    levels = assess(dict.fromkeys(HIGHEST, 100.0), THRESHOLDS["production"], before={}).levels
    assert levels == HIGHEST
    assert levels["disk"] < Level.RECYCLE > levels["pool"]


@pytest.mark.parametrize(
    ("rows", "level", "size"),
    [
        (15_000, Level.CALM, 15_000),
        (15_000, Level.GENTLE, 15_000),
        (15_000, Level.MODERATE, 7_500),
        (15_000, Level.AGGRESSIVE, 3_750),
        (15_000, Level.RECYCLE, 3_750),
        (2_000, Level.AGGRESSIVE, FEWEST_ROWS),
        (200, Level.AGGRESSIVE, 200),
    ],
)
def test_chunks_shrink_with_the_memory_that_is_left(rows, level, size):
    assert smaller(rows, level) == size


# ------------------------------------------------------------------ the watch


def test_a_calm_process_is_left_alone():
    process = Process()
    process.at(1_000)
    process.watch.check(None)
    assert (process.relieved, process.recycled) == ([], 0)
    assert process.watch.document()["levels"] == {}
    assert process.watch.resize(15_000) == 15_000


def test_before_the_first_look_nothing_is_known():
    assert Process().watch.document() == {}


def test_soft_levels_relieve_and_make_chunks_smaller(capsys):
    process = Process()
    process.at(1_000, memory=86)
    process.watch.check(None)
    assert process.relieved == [Level.MODERATE]
    assert process.watch.resize(15_000) == 7_500
    assert process.watch.document()["levels"] == {"memory": "moderate"}
    process.at(1_001, memory=91)
    assert process.relieved == [Level.MODERATE, Level.AGGRESSIVE]
    process.at(1_002, memory=50)
    assert process.watch.resize(15_000) == 15_000
    assert process.recycled == 0
    assert capsys.readouterr().err.count("resource.short") == 2


def test_the_same_relief_is_given_once_a_minute():
    process = Process()
    for second in (0, 1, RELIEF_PAUSE - 1, RELIEF_PAUSE):
        process.at(second, memory=81)
    assert process.relieved == [Level.GENTLE] * 2


def test_a_full_process_is_started_anew_once_and_its_runs_end_behind_their_chunk():
    process = Process()
    process.at(0, memory=20)
    process.at(1_000, memory=96)
    process.at(1_001, memory=97)
    assert process.recycled == 1
    with pytest.raises(ResourcesExhausted) as caught:
        process.watch.check(None)
    assert caught.value.context["measure"] == "memory"
    ended = settle(caught.value, attempt=1, max_retries=3, policy=POLICIES["ingest"], now=NOW, random=lambda: 0.5)
    assert isinstance(ended, Snooze)
    assert (ended.at, ended.reason) == (NOW, "resources_exhausted")
    assert ended.failure.context["snapshot"]["levels"] == {"memory": "recycle"}


def test_where_others_fill_the_machine_a_worker_goes_on_with_small_chunks():
    process = Process()
    process.at(0, memory=20)
    process.at(1_000, memory=99, own=250 * MB)
    process.watch.check(None)
    assert process.recycled == 0
    assert process.watch.resize(15_000) == 3_750


def test_a_young_process_is_not_started_anew():
    process = Process()
    process.at(0, memory=20)
    process.at(599, memory=99)
    assert process.recycled == 0
    process.at(600)
    assert process.recycled == 1


def test_descriptors_that_run_out_need_no_gain_in_memory():
    process = Process()
    process.at(700, descriptors=960)
    assert process.recycled == 1


def test_to_observe_is_to_do_nothing():
    process = Process("observe")
    process.at(1_000, memory=99)
    process.watch.check(None)
    assert (process.relieved, process.recycled) == ([], 0)
    assert process.watch.resize(15_000) == 15_000
    assert process.watch.document()["levels"] == {"memory": "recycle"}


def test_a_run_looks_only_so_often():
    process = Process()
    for process.now in (1.0, BETWEEN - 0.1, BETWEEN, BETWEEN + 1, 2 * BETWEEN):
        process.watch.check(None)
    assert process.looks == 2


def test_recovery_is_told_once(capsys):
    import structlog

    from observability.logging import configure

    configure(level="INFO")
    try:
        process = Process()
        for second, memory in ((0, 81), (1, 78), (2, 70), (3, 60)):
            process.at(second, memory=memory)
        assert capsys.readouterr().err.count("resource.recovered") == 1
    finally:
        structlog.reset_defaults()


@pytest.mark.parametrize("level", [Level.GENTLE, Level.MODERATE, Level.AGGRESSIVE])
def test_relief_works_in_this_very_process(level):
    relieve(level)


def test_relief_works_without_malloc_trim(monkeypatch):
    monkeypatch.setattr("resilience.resource.guard.ctypes.CDLL", lambda _: object())
    relieve(Level.AGGRESSIVE)


# ------------------------------------------------------------------ growth


def grown(size, *, until=3_600, every=30):
    growth = Growth(0.0)
    for second in range(0, until + 1, every):
        growth.add(float(second), round(size(second)))
    return growth.trend()


def test_steady_growth_is_a_leak():
    trend = grown(lambda second: 200 * MB + LEAK * 1.5 * second / 3_600)
    assert trend.leak
    assert trend.per_hour == pytest.approx(LEAK * 1.5, rel=0.01)
    assert trend.certainty > 0.99


@pytest.mark.parametrize(
    "size",
    [
        lambda second: 200 * MB,
        lambda second: 200 * MB + LEAK * 0.5 * second / 3_600,
        lambda second: (200 + 300 * (second % 60 != 0)) * MB,
        lambda second: (200 if second > WARM_UP else second / WARM_UP * 200) * MB,
    ],
    ids=["flat", "slow", "up and down", "warming up"],
)
def test_what_does_not_grow_steadily_is_no_leak(size):
    assert not grown(size).leak


def test_a_trend_needs_samples_and_time():
    assert grown(lambda second: second * MB, until=int(WARM_UP + SHORTEST) - 30) is None
    assert grown(lambda second: second * MB, until=int(WARM_UP) + 100, every=5) is None
    assert FEWEST * 30 <= SHORTEST


def test_a_leak_is_told_once_an_hour(capsys):
    process = Process("observe")
    for second in range(0, 4_400, 30):
        process.at(second, own=100 * MB + second * MB)
    assert capsys.readouterr().err.count("resource.grows") == 1


def test_a_settlement_for_want_of_memory_has_no_wait():
    assert ResourcesExhausted(retry_after=timedelta(0)).retry_after == timedelta(0)
