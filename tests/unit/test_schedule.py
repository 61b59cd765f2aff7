"""Slots of schedules: cron in time zones against a count of every minute, and what becomes of each slot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ScheduleInvalid
from contracts.schedule import GRACE, Decision, Firing, Pause, Schedule, SchedulePlan, Seen
from workers.schedule import STARTING, due_at, due_fires, next_due, slots, task_for

TASK = {"parser_type": "csv", "supplier_name": "Acme", "source_config": {"file_path": "acme.csv"}}
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

CHANGES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/Havana": ("2026-03-08", "2026-11-01"),  # at midnight
    "Africa/Cairo": ("2026-04-24", "2026-10-30"),  # the end of the day comes twice
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),  # by half an hour
    "Pacific/Chatham": ("2026-04-05", "2026-09-27"),  # 12:45 from UTC
    "Africa/Casablanca": ("2026-02-15", "2026-03-22"),  # winter time in Ramadan
    "Pacific/Apia": ("2011-12-30", "2011-12-30"),  # a day that never was
    "Asia/Kolkata": ("2026-03-29", "2026-10-25"),  # never changes
}


def plan(cron: str = "*/15 * * * *", zone: str = "UTC", **more: Any) -> SchedulePlan:
    return SchedulePlan.model_validate({"cron": cron, "zone": zone, "task": TASK} | more)


def schedule(
    cron: str = "*/15 * * * *", *, through: datetime = NOON, pause: Pause | None = None, **more: Any
) -> Schedule:
    return Schedule(1, "s", plan(cron, **more), enabled=True, through=through, next_at=None, pause=pause)


def until(decided: Schedule, now: datetime, **seen: Any) -> Decision:
    return due_fires(decided, Seen(now, **seen))


def states(decision: Decision) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in decision.firings:
        found[one.state] += one.slots
    return dict(found)


def up_to(end: datetime, found: Iterator[datetime]) -> list[datetime]:
    return list(takewhile(lambda slot: slot <= end, found))


def field(text: str, lowest: int, highest: int) -> set[int]:
    """The values of a cron field of numbers, steps, ranges and lists."""
    values: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        first = lowest if low == "*" else int(low)
        last = highest if low == "*" else int(high or low)
        values |= set(range(first, last + 1, int(step or 1)))
    return values


def by_counting(cron: str, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """Every minute of (begin, end] asked by itself, as cron(8) describes it."""
    minutes, hours = cron.split()[:2]
    wanted = {(hour, minute) for hour in field(hours, 0, 23) for minute in field(minutes, 0, 59)}
    elapsed = minutes.startswith("*") or hours.startswith("*")
    found = []
    instant = begin + MINUTE
    while instant <= end:
        local = instant.astimezone(zone)
        if elapsed:
            fires = (local.hour, local.minute) in wanted
        else:
            before = (instant - MINUTE).astimezone(zone)
            # What the clock on the wall shows for the first time, and what it jumped over just now.
            shown = before.replace(tzinfo=None) + MINUTE
            passed = []
            while shown <= local.replace(tzinfo=None):
                passed.append((shown.hour, shown.minute))
                shown += MINUTE
            fires = any(one in wanted for one in passed) and not _shown_before(instant, zone)
        if fires:
            found.append(instant)
        instant += MINUTE
    return found


def _shown_before(instant: datetime, zone: ZoneInfo) -> bool:
    local = instant.astimezone(zone).replace(tzinfo=None)
    return any((instant - back * MINUTE).astimezone(zone).replace(tzinfo=None) == local for back in range(30, 181, 30))


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize(
    "cron",
    [
        "30 2 * * *", "0 0 * * *", "15 1-3 * * *", "0,30 0,1,2,3 * * *", "59 23 * * *", "45 2,3 * * *", "0 12 * * *",
        "*/15 * * * *", "0 */2 * * *", "10 * * * *", "*/20 2 * * *", "30 */1 * * *", "* 0 * * *",
    ],
)  # fmt: skip
def test_slots_are_those_found_by_asking_every_minute(zone: str, cron: str) -> None:
    for day in CHANGES[zone]:
        begin = datetime.fromisoformat(day).replace(tzinfo=UTC) - 36 * HOUR
        end = begin + 96 * HOUR
        assert up_to(end, slots(plan(cron, zone), begin)) == by_counting(cron, ZoneInfo(zone), begin, end)


def test_a_daily_slot_fires_once_on_the_days_of_23_and_25_hours() -> None:
    spring = list(islice(slots(plan("30 2 * * *", "Europe/Berlin"), datetime(2026, 3, 28, 12, tzinfo=UTC)), 2))
    assert [slot.isoformat() for slot in spring] == ["2026-03-29T01:00:00+00:00", "2026-03-30T00:30:00+00:00"]
    autumn = list(islice(slots(plan("30 2 * * *", "Europe/Berlin"), datetime(2026, 10, 24, 12, tzinfo=UTC)), 2))
    assert [slot.isoformat() for slot in autumn] == ["2026-10-25T00:30:00+00:00", "2026-10-26T01:30:00+00:00"]


ZONES = st.sampled_from(sorted(CHANGES))
CRONS = st.builds(
    "{} {} * * {}".format,
    st.sampled_from(["0", "*", "30", "*/7", "5,35", "10-20/5"]),
    st.sampled_from(["*", "2", "0", "1-3", "*/6", "23"]),
    st.sampled_from(["*", "0", "1-5"]),
)
MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + minutes * MINUTE)


@given(CRONS, ZONES, MOMENTS)
def test_slots_ascend_and_go_on_alike_from_wherever_one_looks(cron: str, zone: str, after: datetime) -> None:
    found = list(islice(slots(plan(cron, zone), after), 40))
    assert all(earlier < later for earlier, later in pairwise([after, *found]))
    for place, slot in enumerate(found[:-1]):
        assert next(slots(plan(cron, zone), slot)) == found[place + 1]


POLICIES = st.fixed_dictionaries(
    {
        "catch_up": st.sampled_from(["skip", "latest", "all"]),
        "overlap": st.sampled_from(["skip", "queue", "cancel_running"]),
        "catch_up_runs": st.integers(1, 12),
        "catch_up_seconds": st.integers(60, 86_400),
        "jitter_seconds": st.integers(0, 900),
        "zone": ZONES,
    }
)


@settings(max_examples=60)
@given(CRONS, MOMENTS, st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=8), POLICIES)
def test_however_ticks_lie_each_slot_is_decided_once_and_catching_up_is_bounded(
    cron: str, begin: datetime, gaps: list[int], policy: dict[str, Any]
) -> None:
    one = schedule(cron, through=begin, **policy)
    most = policy["catch_up_runs"] if policy["catch_up"] == "all" else policy["catch_up"] == "latest"
    now, counted, started = begin, 0, []
    for gap in gaps:
        now += gap * MINUTE
        decision = until(one, now)
        caught = [firing for firing in decision.firings if firing.state == "caught_up"]
        assert len(caught) <= most
        assert all(firing.slot >= now - timedelta(seconds=policy["catch_up_seconds"]) for firing in caught)
        assert one.through <= decision.through <= now
        assert decision.next_at is None or decision.next_at > now
        counted += sum(firing.slots for firing in decision.firings)
        started += [firing.task.task_id for firing in decision.firings if firing.task is not None]
        one = replace(one, through=decision.through)
    assert len(set(started)) == len(started)
    assert counted == len(up_to(one.through, slots(one.plan, begin)))


def test_a_slot_within_its_grace_is_started_and_a_later_one_is_missed() -> None:
    daily = schedule("0 12 * * *", through=NOON - HOUR)
    assert states(until(daily, NOON + GRACE)) == {"started": 1}
    assert states(until(daily, NOON + GRACE + MINUTE)) == {"missed": 1}


def test_without_catch_up_an_hour_away_is_counted_as_missed() -> None:
    decision = until(schedule("*/10 * * * *"), NOON + HOUR + 7 * MINUTE)
    assert [(one.state, one.slots, one.first, one.slot) for one in decision.firings] == [
        ("missed", 6, NOON + 10 * MINUTE, NOON + 60 * MINUTE)
    ]
    assert decision.next_at == NOON + 70 * MINUTE


def test_catching_up_takes_the_newest_within_the_smaller_of_both_limits() -> None:
    now = NOON + 3 * HOUR + 7 * MINUTE
    by_window = until(schedule("*/10 * * * *", catch_up="all", overlap="queue"), now)
    assert states(by_window) == {"missed": 12, "caught_up": 6}
    by_runs = until(schedule("*/10 * * * *", catch_up="all", catch_up_runs=4, overlap="queue"), now)
    assert states(by_runs) == {"missed": 14, "caught_up": 4}
    assert [one.slot for one in by_runs.firings if one.task] == [
        NOON + minutes * MINUTE for minutes in (150, 160, 170, 180)
    ]
    latest = until(schedule("*/10 * * * *", catch_up="latest"), now)
    assert [one.slot for one in latest.firings if one.task] == [NOON + 3 * HOUR]


def test_latest_starts_nothing_more_where_a_slot_is_due_now() -> None:
    decision = until(schedule("*/10 * * * *", catch_up="latest"), NOON + 61 * MINUTE)
    assert states(decision) == {"missed": 5, "started": 1}


def test_the_end_of_a_long_absence_is_decided_in_slices_and_nothing_is_left_out() -> None:
    one = schedule("* * * * *", through=NOON - 40 * DAY, catch_up="all", overlap="queue")
    counted: Counter[str] = Counter()
    for _ in range(10):
        decision = until(one, NOON)
        counted.update(states(decision))
        if decision.next_at is not None and decision.next_at > NOON:
            break
        one = replace(one, through=decision.through)
    assert counted == {"started": 6, "caught_up": 10, "missed": 40 * 24 * 60 - 16}


def test_while_a_task_has_not_ended_its_schedule_skips_or_queues_or_puts_it_away() -> None:
    now = NOON + 15 * MINUTE
    (skipped,) = until(schedule(), now, unfinished=("old",)).firings
    assert (skipped.state, skipped.reason, skipped.task) == ("skipped", "old has not ended", None)
    assert states(until(schedule(overlap="queue"), now, unfinished=("old",))) == {"started": 1}
    replaced = until(schedule(overlap="cancel_running"), now, unfinished=("old",))
    assert (states(replaced), replaced.cancel) == ({"started": 1}, ("old",))


def test_of_several_slots_within_the_grace_one_is_started_unless_they_queue() -> None:
    now = NOON + 4 * MINUTE
    assert states(until(schedule("* * * * *"), now)) == {"started": 1, "skipped": 3}
    assert states(until(schedule("* * * * *", overlap="queue"), now)) == {"started": 4}
    newest = until(schedule("* * * * *", overlap="cancel_running"), now)
    assert [one.slot for one in newest.firings if one.task] == [now]


def test_slots_of_a_pause_are_skipped_with_its_reason_also_afterwards() -> None:
    pause = Pause(NOON + 20 * MINUTE, NOON + 50 * MINUTE, "stocktaking")
    decision = until(schedule("*/10 * * * *", pause=pause), NOON + 61 * MINUTE)
    assert [(one.state, one.slots, one.reason) for one in decision.firings] == [
        ("missed", 1, ""),
        ("skipped", 3, "paused: stocktaking"),
        ("missed", 1, ""),
        ("started", 1, ""),
    ]


def test_a_slot_that_was_decided_before_is_passed_over() -> None:
    decision = until(schedule(), NOON + 15 * MINUTE, taken=frozenset([NOON + 15 * MINUTE]))
    assert decision.firings == ()
    assert decision.through == NOON + 15 * MINUTE


def test_jitter_is_the_same_each_time_and_lets_no_slot_overtake_another() -> None:
    one = plan("*/5 * * * *", jitter_seconds=3600)
    due = [due_at("s", one, slot) for slot in islice(slots(one, NOON), 20)]
    assert due == [due_at("s", one, slot) for slot in islice(slots(one, NOON), 20)]
    assert len({moment - slot for moment, slot in zip(due, islice(slots(one, NOON), 20), strict=True)}) > 10
    assert until(schedule("*/5 * * * *", jitter_seconds=3600), NOON).firings == ()
    first = next_due("s", one, NOON)
    assert first == due[0]


def test_the_clock_set_back_starts_nothing_twice() -> None:
    one = schedule()
    decision = until(one, NOON + HOUR)
    one = replace(one, through=decision.through)
    assert until(one, NOON + 30 * MINUTE).firings == ()
    assert until(one, NOON - DAY).firings == ()


def test_a_template_may_name_the_day_of_its_slot_and_is_then_valid_as_of_it() -> None:
    dated = plan(zone="Asia/Tokyo", task=TASK | {"source_config": {"file_path": "acme/{date}.csv"}})
    slot = datetime(2026, 11, 20, 16, tzinfo=UTC)
    task = task_for("acme", dated, slot)
    assert task.source_config == {"file_path": "acme/2026-11-21.csv"}
    assert task.as_of == slot
    assert task.task_id == task.idempotency_key == "schedule-acme-20261120T160000Z"
    assert task_for("acme", plan(), slot).as_of is None
    assert task_for("acme", plan(), slot) == task_for("acme", plan(), slot)


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("61 * * * *", "UTC"), ("* * * *", "UTC"), ("0 0 31 2 *", "UTC"), ("* * * * * *", "UTC"),
        ("0 5 * * *", "Berlin"), ("0 5 * * *", "../etc/passwd"), ("0 25 * * *", "UTC"), ("every day at 5", "UTC"),
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_by_its_own_words(cron: str, zone: str) -> None:
    with pytest.raises(ScheduleInvalid) as refused:
        next_due("s", plan(cron, zone), NOON)
    assert cron in refused.value.message or zone in refused.value.message


def test_a_template_that_is_no_task_is_refused() -> None:
    with pytest.raises(ScheduleInvalid, match="file_path"):
        task_for("s", plan(task=TASK | {"source_config": {}}), NOON)


def test_states_that_start_a_task_carry_one() -> None:
    for one in until(schedule("* * * * *", catch_up="all", overlap="queue"), NOON + 2 * HOUR).firings:
        assert isinstance(one, Firing)
        assert (one.task is not None) == (one.state in STARTING)
