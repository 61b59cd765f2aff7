"""Events become metrics: which, under which labels, and never at the cost of who logs them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.account import Account
from contracts.reasons import REASONS
from observability.events import CONTEXT, EVENTS
from observability.logging import bound_context, configure, get_logger, heard_by
from observability.metrics import Meters
from observability.metrics_catalogue import KNOWN
from observability.metrics_fold import ABORTS, STAGES, Fold

log = get_logger(__name__)


class Heard:
    def __init__(self) -> None:
        self.meters = Meters(parsers=("csv",))
        self.fold = Fold(self.meters)

    def value(self, name: str, **labels: str) -> float:
        wanted = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
        found = re.findall(rf"^pricemill_{name}{re.escape('{' + wanted + '}') if labels else ''} (\S+)$",
                           self.meters.text().decode(), flags=re.MULTILINE)  # fmt: skip
        return float(found[0]) if found else 0.0


@pytest.fixture
def heard() -> Iterator[Heard]:
    one = Heard()
    with heard_by(one.fold), bound_context(parser="csv"):
        yield one


def test_every_folded_event_and_field_stands_in_the_catalogue() -> None:
    asked: dict[str, set[str]] = {}

    class Asked(dict[str, object]):
        def __init__(self, event: str) -> None:
            self._names = asked.setdefault(event, set())

        def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
            self._names.add(name)
            return default

        def __contains__(self, name: object) -> bool:
            self._names.add(str(name))
            return True

    fold = Fold(Meters())
    for event in fold.events:
        fold(event, Asked(event))
    unknown = {
        event: names - {*EVENTS[event].fields, *CONTEXT, "queue"} for event, names in asked.items() if event in EVENTS
    }
    assert set(asked) <= set(EVENTS)
    assert {event: names for event, names in unknown.items() if names} == {}


def test_an_event_below_the_level_of_the_log_counts_all_the_same(heard: Heard) -> None:
    stream = io.StringIO()
    configure(level="ERROR", stream=stream)
    log.debug("source.requested", service="http", code="429", seconds=0.2)
    log.info("run.resumed", row=5, sequence=2)
    assert stream.getvalue() == ""
    assert heard.value("source_requests_total", code="429", source="http") == 1
    assert heard.value("checkpoints_total", result="restored") == 1


def test_a_chunk_counts_its_rows_by_bucket_and_its_rejects_by_reason(heard: Heard) -> None:
    account = Account(read=20, new=3, changed=4, unchanged=5)
    account.rejected.update({"price_format": 2, "row_ragged": 1})
    account.held["band"] = 2
    account.ignored.update({"header": 1, "blank": 2})
    assert account.balanced
    log.info("chunk.committed", sequence=1, rows=account.read, account=account.document(), seconds=0.3)
    buckets = {"new": 3, "changed": 4, "unchanged": 5, "rejected": 3, "held": 2, "ignored": 3}
    assert {name: heard.value("rows_total", outcome=name, parser="csv") for name in buckets} == buckets
    assert heard.value("rows_read_total", parser="csv") == sum(buckets.values())
    assert heard.value("row_errors_total", category="row_ragged", parser="csv", stage="read") == 1
    assert heard.value("row_errors_total", category="price_format", parser="csv", stage="validate") == 2
    assert heard.value("price_changes_held_total", reason="band") == 2
    assert heard.value("checkpoints_total", result="written") == 1


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"outcome": "completed", "status": "success"}, "completed"),
        ({"outcome": "completed", "status": "partial_success"}, "partial"),
        ({"outcome": "completed", "status": "failure"}, "partial"),
        ({"outcome": "retry", "category": "Dependency"}, "retried"),
        ({"outcome": "snooze", "code": "source_throttled"}, "snoozed"),
        ({"outcome": "deadletter", "category": "Validation", "asks": False}, "dead"),
        ({"outcome": "deadletter", "category": "Validation", "asks": True}, "held"),
        ({"outcome": "discard", "code": "run_cancelled"}, "discarded"),
    ],
)
def test_each_settlement_counts_as_its_outcome(heard: Heard, fields: dict[str, object], outcome: str) -> None:
    log.info("task.settled", seconds=1.5, **fields)
    assert heard.value("tasks_settled_total", outcome=outcome, parser="csv", queue="default") == 1
    assert heard.value("task_duration_seconds_count", outcome=outcome, parser="csv") == 1
    dead = {
        name: heard.value("tasks_dead_lettered_total", category=name, queue="default")
        for name in ("validation", "question")
    }
    assert dead == {"validation": float(outcome == "dead"), "question": float(outcome == "held")}
    retried = heard.value("task_retries_total", category="dependency", parser="csv", queue="default")
    assert retried == float(outcome == "retried")


def test_a_task_of_a_queue_that_was_never_seen_begins_its_counters_at_zero(heard: Heard) -> None:
    log.info("task.claimed", attempt=1, epoch=1, waited_seconds=2.0, queue="night")
    assert 'outcome="dead",parser="csv",queue="night"} 0.0' in heard.meters.text().decode()
    assert heard.value("queue_wait_seconds_sum", queue="night") == 2.0


def test_five_hundred_suppliers_make_no_series_of_their_own(heard: Heard) -> None:
    def work(number: int) -> None:
        account = {"new": 1, "rejected": {"price_format": 1}}
        with bound_context(supplier=f"supplier-{number}", task_id=f"task-{number}"):
            log.info("task.claimed", attempt=1, epoch=1, supplier=f"supplier-{number}", waited_seconds=0.1)
            log.info("source.fetched", source=f"list-{number}.csv", bytes=9, sha256="0", seconds=0.1)
            log.info("chunk.committed", sequence=1, rows=2, account=account, seconds=0.1)
            log.info("task.settled", outcome="completed", status="partial_success", seconds=0.2)

    work(0)
    before = len(heard.meters.text().splitlines())
    for number in range(1, 500):
        work(number)
    text = heard.meters.text().decode()
    assert len(text.splitlines()) == before
    assert not re.search(r"supplier-|task-\d|list-\d", text)
    assert heard.value("tasks_settled_total", outcome="partial", parser="csv", queue="default") == 500


def test_stopped_runs_count_by_why_they_were_stopped(heard: Heard) -> None:
    for code, reason in ABORTS.items():
        before = heard.value("task_aborts_total", parser="csv", reason=reason)
        log.info("task.settled", outcome="snooze", code=code, seconds=1)
        assert heard.value("task_aborts_total", parser="csv", reason=reason) == before + 1


def test_a_message_that_is_no_task_is_a_dead_letter(heard: Heard) -> None:
    log.warning("message.buried", size=3, reason="no JSON")
    assert heard.value("tasks_dead_lettered_total", category="validation", queue="default") == 1


@pytest.mark.parametrize(
    ("event", "fields", "reason"),
    [
        ("abort.triggered", {"trigger": "failed_chunks"}, "bad_chunks"),
        ("abort.triggered", {"trigger": "first_rows"}, "reject_ratio"),
        ("task.lease_lost", {"error": "x"}, "lease_lost"),
    ],
)
def test_what_stops_a_run_from_outside_counts_by_its_reason(
    heard: Heard, event: str, fields: dict[str, object], reason: str
) -> None:
    heard.fold(event, {"parser": "csv", **fields})
    assert heard.value("task_aborts_total", parser="csv", reason=reason) == 1


def test_slots_of_a_schedule_count_by_what_became_of_them(heard: Heard) -> None:
    log.info("schedule.fired", schedule="daily", slot="x", state="started")
    log.info("schedule.skipped", schedule="daily", slot="x", slots=3, reason="paused")
    log.warning("schedule.backlog", schedule="daily", caught_up=1, missed=4, first=None, last=None)
    log.info("schedule.fired", schedule="daily", slot="x", state="caught_up")
    counts = {result: heard.value("schedule_fires_total", result=result, schedule="daily") for result in KNOWN["fire"]}
    assert counts == {"started": 1, "skipped": 3, "missed": 4, "caught_up": 1}
    assert heard.value("tasks_enqueued_total", origin="schedule", queue="default") == 2


@pytest.mark.parametrize(
    ("event", "fields", "reason"),
    [
        ("worker.recycled", {"worker": "w", "running": 0}, "asked"),
        ("resource.exhausted", {"measure": "memory"}, "memory"),
    ],
)
def test_a_worker_that_starts_anew_tells_why(heard: Heard, event: str, fields: dict[str, object], reason: str) -> None:
    heard.fold(event, fields)
    assert heard.value("worker_recycles_total", reason=reason) == 1


def test_stages_are_told_of_reasons_that_exist() -> None:
    assert set(STAGES) <= set(REASONS)


def test_nothing_is_heard_any_more_behind_the_block() -> None:
    one = Heard()
    with heard_by(one.fold):
        log.debug("run.resumed", row=1, sequence=1)
    log.debug("run.resumed", row=1, sequence=1)
    assert one.value("checkpoints_total", result="restored") == 1


RUBBISH = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dictionaries(st.text(), st.integers())
)


NAMES = (
    *("rows", "account", "seconds", "parse_seconds", "outcome", "code", "category", "parser", "queue", "service"),
    *("bytes", "waited_seconds", "deliveries", "tasks", "status", "asks"),
)


@given(event=st.sampled_from(sorted(Fold(Meters()).events)), fields=st.dictionaries(st.sampled_from(NAMES), RUBBISH))
def test_whatever_an_event_carries_nothing_is_raised(event: str, fields: dict[str, object]) -> None:
    Fold(Meters(parsers=("csv",)))(event, fields)
