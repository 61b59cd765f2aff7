"""Folds events into metrics: one line of the log is log, event and metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

from observability.metrics import Meters
from observability.metrics_catalogue import OTHER
from observability.metrics_rows import GrowingBuckets

Fields = Mapping[str, Any]

ABORTS: Final = MappingProxyType(
    {
        "lease_lost": "lease_lost",
        "run_cancelled": "manual",
        "run_released": "shutdown",
        "time_limit_exceeded": "time_limit",
    }
)
"""Code of what ended an attempt → why it was stopped."""
OUTCOMES: Final = MappingProxyType(
    {"retry": "retried", "snooze": "snoozed", "deadletter": "dead", "discard": "discarded"}
)
"""Settlement → outcome; Completed is told apart by its result, a dead letter by its question."""
STAGES: Final = MappingProxyType(
    {
        "refused_by_database": "load",
        "row_ragged": "read",
        "row_too_large": "read",
        "row_unreadable": "read",
    }
)
"""Reason of a rejected row → the stage that finds it; all others are found by the validation."""


class Fold:
    """A listener of the log (observability/logging.py). Runs where the event is logged, often in the middle of a task:
    it never raises, and an event without the fields it needs counts as little as can be known of it."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._buckets: defaultdict[str, GrowingBuckets] = defaultdict(GrowingBuckets)
        self._one_at_a_time = Lock()
        self._folds: dict[str, Callable[[Fields], None]] = {
            "abort.triggered": self._stopped,
            "checkpoint.corrupt": lambda _: self._checkpoint("corrupt"),
            "checkpoint.not_used": lambda _: self._checkpoint("discarded"),
            "chunk.committed": self._chunk,
            "message.buried": lambda _: self._buried(),
            "resource.exhausted": lambda fields: self._recycled(_name(fields, "measure")),
            "run.resumed": lambda _: self._checkpoint("restored"),
            "schedule.backlog": self._backlog,
            "schedule.fired": self._fired,
            "schedule.skipped": self._skipped,
            "source.fetched": self._source,
            "source.requested": self._request,
            "task.claimed": self._claimed,
            "task.enqueued": self._enqueued,
            "task.lease_lost": lambda fields: self._abort(fields, "lease_lost"),
            "task.rescued": self._rescued,
            "task.settled": self._settled,
            "worker.recycled": lambda _: self._recycled("asked"),
        }

    @property
    def events(self) -> frozenset[str]:
        """Names of the events that count."""
        return frozenset(self._folds)

    def __call__(self, event: str, fields: Fields) -> None:
        fold = self._folds.get(event)
        if fold is not None:
            with self._one_at_a_time:
                fold(fields)

    def _checkpoint(self, result: str) -> None:
        self._meters.count("checkpoints_total", result=result)

    def _claimed(self, fields: Fields) -> None:
        queue, parser = _name(fields, "queue", "default"), _name(fields, "parser")
        self._meters.begin(queue=queue, parser=parser)
        if "waited_seconds" in fields:
            self._meters.observe("queue_wait_seconds", _number(fields, "waited_seconds"), queue=queue)

    def _enqueued(self, fields: Fields) -> None:
        queue, origin = _name(fields, "queue", "default"), _name(fields, "origin", "script")
        self._meters.count("tasks_enqueued_total", _number(fields, "tasks"), queue=queue, origin=origin)

    def _rescued(self, fields: Fields) -> None:
        queue = _name(fields, "queue", "default")
        self._meters.count("tasks_rescued_total", _number(fields, "deliveries"), queue=queue, cause="swept")

    def _source(self, fields: Fields) -> None:
        parser = _name(fields, "parser")
        self._meters.count("source_bytes_total", _number(fields, "bytes"), parser=parser)
        self._stage("fetch", parser, fields, "seconds")

    def _request(self, fields: Fields) -> None:
        source = _name(fields, "service")
        self._meters.count("source_requests_total", source=source, code=_name(fields, "code"))
        self._meters.observe("source_request_duration_seconds", _number(fields, "seconds"), source=source)

    def _chunk(self, fields: Fields) -> None:
        parser = _name(fields, "parser")
        self._checkpoint("written")
        self._meters.count("rows_read_total", _number(fields, "rows"), parser=parser)
        account = fields.get("account")
        if isinstance(account, Mapping):
            self._account(parser, account)
        self._stage("parse", parser, fields, "parse_seconds")
        self._stage("validate", "rules", fields, "validate_seconds")
        self._stage("load", "postgresql", fields, "seconds")

    def _account(self, parser: str, account: Mapping[str, Any]) -> None:
        rejected, held, ignored = (_counts(account.get(name)) for name in ("rejected", "held", "ignored"))
        rows = {name: int(_number(account, name, least=None)) for name in ("new", "changed", "unchanged")}
        rows |= {"rejected": sum(rejected.values()), "held": sum(held.values()), "ignored": sum(ignored.values())}
        for bucket, number in self._buckets[parser].grow(rows).items():
            self._meters.count("rows_total", number, parser=parser, outcome=bucket)
        for reason, number in rejected.items():
            stage = STAGES.get(reason, "validate")
            self._meters.count("row_errors_total", number, parser=parser, stage=stage, category=reason)
        for reason, number in held.items():
            self._meters.count("price_changes_held_total", number, reason=reason)

    def _settled(self, fields: Fields) -> None:
        queue, parser = _name(fields, "queue", "default"), _name(fields, "parser")
        category, outcome = _name(fields, "category").lower(), _name(fields, "outcome")
        if outcome == "completed":
            outcome = "completed" if fields.get("status") == "success" else "partial"
        elif outcome == "deadletter" and fields.get("asks"):
            outcome, category = "held", "question"
        else:
            outcome = OUTCOMES.get(outcome, outcome)
        self._meters.begin(queue=queue, parser=parser)
        self._meters.count("tasks_settled_total", queue=queue, parser=parser, outcome=outcome)
        if "seconds" in fields:
            self._meters.observe("task_duration_seconds", _number(fields, "seconds"), parser=parser, outcome=outcome)
        if outcome == "retried":
            self._meters.count("task_retries_total", queue=queue, parser=parser, category=category)
        if outcome in {"dead", "held"}:
            self._meters.count("tasks_dead_lettered_total", queue=queue, category=category)
        if (reason := ABORTS.get(_name(fields, "code"))) is not None:
            self._abort(fields, reason)

    def _buried(self) -> None:
        """What is no task has no queue."""
        self._meters.count("tasks_dead_lettered_total", queue="default", category="validation")

    def _abort(self, fields: Fields, reason: str) -> None:
        self._meters.count("task_aborts_total", parser=_name(fields, "parser"), reason=reason)

    def _stopped(self, fields: Fields) -> None:
        self._abort(fields, "bad_chunks" if "chunk" in _name(fields, "trigger") else "reject_ratio")

    def _recycled(self, reason: str) -> None:
        self._meters.count("worker_recycles_total", reason=reason)

    def _fired(self, fields: Fields) -> None:
        self._slots(fields, _name(fields, "state"), 1.0)

    def _skipped(self, fields: Fields) -> None:
        self._slots(fields, "skipped", _number(fields, "slots"))

    def _backlog(self, fields: Fields) -> None:
        self._slots(fields, "missed", _number(fields, "missed"))

    def _slots(self, fields: Fields, result: str, number: float) -> None:
        schedule = _name(fields, "schedule")
        self._meters.begin(schedule=schedule)
        self._meters.count("schedule_fires_total", number, schedule=schedule, result=result)
        if result in {"started", "caught_up"}:
            self._meters.count("tasks_enqueued_total", number, queue="default", origin="schedule")

    def _stage(self, stage: str, module: str, fields: Fields, name: str) -> None:
        if name in fields:
            self._meters.observe("stage_duration_seconds", _number(fields, name), stage=stage, module=module)


def _name(fields: Fields, name: str, default: str = OTHER) -> str:
    value = fields.get(name)
    return default if value is None else str(value)


def _number(fields: Fields, name: str, *, least: float | None = 0.0) -> float:
    """A finite number, not below `least`; 0 for anything else."""
    value = fields.get(name)
    if not isinstance(value, int | float) or value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124
        return 0.0
    return float(value) if least is None else max(float(value), least)


def _counts(value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {str(name): number for name, number in value.items() if isinstance(number, int)}
