"""The catalogue of metrics: every family that a worker exports, its labels, and what their values may be."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from contracts.errors import PricemillError
from contracts.reasons import REASONS

PREFIX: Final = "pricemill_"
OTHER: Final = "other"
"""Stands for every label value that is not known, or comes when the cap of its label is reached."""


def _categories(kind: type[PricemillError] = PricemillError) -> Iterator[str]:
    yield kind.category.lower()
    for child in kind.__subclasses__():
        yield from _categories(child)


CATEGORIES: Final = (*sorted({*_categories(), "bug"}), "question")
"""Of what ended an attempt. A list that is held with a question is a dead letter that nobody needs to repair."""

KNOWN: Final = MappingProxyType(
    {
        "abort": ("bad_chunks", "lease_lost", "manual", "reject_ratio", "resource", "shutdown", "time_limit"),
        "bucket": ("new", "changed", "unchanged", "held", "rejected", "ignored"),
        "category": CATEGORIES,
        "cause": ("swept",),
        "component": ("postgresql", "redis"),
        "fire": ("started", "skipped", "missed", "caught_up"),
        "freshness": ("fresh", "late", "never", "paused"),
        "origin": ("api", "cli", "inbox", "replay", "schedule", "script", "ui", "watch"),
        "reject": tuple(REASONS),
        "restart": ("asked", "descriptors", "disk", "memory", "pool"),
        "result": ("written", "restored", "discarded", "corrupt"),
        "settled": ("completed", "partial", "held", "retried", "snoozed", "dead", "discarded"),
        "slot": ("busy", "idle"),
        "stage": ("fetch", "read", "parse", "validate", "load"),
        "status": ("healthy", "unhealthy"),
        "task": ("queued", "running", "retryable", "scheduled"),
        "worker": ("online", "draining", "lost"),
    }
)
"""The closed sets of label values, by the name under which a family uses them."""

CAPS: Final = MappingProxyType({"queue": 50, "parser": 50, "schedule": 200, "module": 60, "source": 20, "code": 30})
"""Most values of a label whose values nobody knows beforehand; any label that stands here neither nor in a closed set
may have ten."""

FAST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WAIT: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
RUN: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)


class Family(NamedTuple):
    """One metric with all its series."""

    name: str
    """As it is exported, without the prefix: counters end in _total, others in their unit."""
    kind: Literal["counter", "gauge", "histogram", "info"]
    sentence: str
    labels: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    """For each label the closed set of KNOWN that it takes its values from; "" = open, with a cap."""
    of: Literal["worker", "fleet"] = "worker"
    """worker: what this process did or is, to be summed. fleet: what PostgreSQL says, alike on every worker: never
    summed but taken once with `max by`."""
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        return PREFIX + self.name


_ALL: Final = (
    # What waits.
    Family(
        "queue_tasks",
        "gauge",
        "Tasks in the ledger by queue and state; queued are due, scheduled are not yet.",
        ("queue", "state"),
        ("", "task"),
        "fleet",
    ),
    Family(
        "queue_oldest_age_seconds",
        "gauge",
        "Age of the oldest task that is due and not started; 0 if none is. Deferred and paused tasks do not count.",
        ("queue",),
        ("",),
        "fleet",
    ),
    Family(
        "queue_wait_limit_seconds", "gauge", "Longest wait that is wanted of a due task.", ("queue",), ("",), "fleet"
    ),
    Family("queue_paused", "gauge", "1 while the queue is paused.", ("queue",), ("",), "fleet"),
    Family("queue_wait_seconds", "histogram", "Time from due to started.", ("queue",), ("",), buckets=WAIT),
    # What is done.
    Family(
        "tasks_enqueued_total",
        "counter",
        "Tasks registered by this process; what commands and scripts register is seen by the depth only.",
        ("queue", "origin"),
        ("", "origin"),
    ),
    Family(
        "tasks_settled_total",
        "counter",
        "Attempts settled; partial = completed with rejected rows, held = a question holds the list.",
        ("queue", "parser", "outcome"),
        ("", "", "settled"),
    ),
    Family(
        "task_duration_seconds",
        "histogram",
        "Duration of one attempt, from claim to settlement.",
        ("parser", "outcome"),
        ("", "settled"),
        buckets=RUN,
    ),
    Family(
        "task_retries_total",
        "counter",
        "Retries granted, by the category of the error.",
        ("queue", "parser", "category"),
        ("", "", "category"),
    ),
    Family(
        "task_aborts_total",
        "counter",
        "Attempts that were stopped though their list could have been read further.",
        ("parser", "reason"),
        ("", "abort"),
    ),
    Family("checkpoints_total", "counter", "Checkpoints by what became of them.", ("result",), ("result",)),
    Family(
        "tasks_rescued_total",
        "counter",
        "Deliveries that the sweep sent: Redis had forgotten them, a lease had expired, or a time had come.",
        ("queue", "cause"),
        ("", "cause"),
    ),
    # Rows.
    Family("rows_read_total", "counter", "Physical rows of committed chunks.", ("parser",), ("",)),
    Family(
        "rows_total",
        "counter",
        "Rows of committed chunks by bucket. Sums to pricemill_rows_read_total.",
        ("parser", "outcome"),
        ("", "bucket"),
    ),
    Family(
        "row_errors_total",
        "counter",
        "Rejected rows by the stage that found the reason, and the reason.",
        ("parser", "stage", "category"),
        ("", "stage", "reject"),
    ),
    Family(
        "stage_duration_seconds",
        "histogram",
        "Duration of one stage for one chunk; of fetching, for one source.",
        ("stage", "module"),
        ("stage", ""),
        buckets=FAST,
    ),
    Family("source_bytes_total", "counter", "Bytes of sources fetched.", ("parser",), ("",)),
    Family("price_changes_held_total", "counter", "Price changes held for a person.", ("reason",), ("",)),
    # Dead letters.
    Family(
        "dead_letters",
        "gauge",
        "Open dead letters; those of category question are lists that wait for an answer.",
        ("queue", "category"),
        ("", "category"),
        "fleet",
    ),
    Family("dead_letters_oldest_age_seconds", "gauge", "Age of the oldest open dead letter; 0 if none.", of="fleet"),
    Family(
        "tasks_dead_lettered_total",
        "counter",
        "Tasks that this worker ended as dead letters.",
        ("queue", "category"),
        ("", "category"),
    ),
    # Sources.
    Family(
        "source_requests_total",
        "counter",
        "Requests to suppliers and Google by HTTP status; error = no answer.",
        ("source", "code"),
        ("", ""),
    ),
    Family(
        "source_request_duration_seconds",
        "histogram",
        "Duration of one request, without reading the body of a download.",
        ("source",),
        ("",),
        buckets=(*FAST, 30.0, 60.0),
    ),
    # Workers.
    Family("workers", "gauge", "Workers by state.", ("state",), ("worker",), "fleet"),
    Family("worker_slots", "gauge", "Task slots of this worker.", ("state",), ("slot",)),
    Family("worker_memory_limit_bytes", "gauge", "Memory limit of the container, where it has one."),
    Family(
        "worker_recycles_total",
        "counter",
        "Times that this worker gave its tasks back to be started anew, by what ran short.",
        ("reason",),
        ("restart",),
    ),
    # Schedules.
    Family(
        "schedule_next_run_timestamp_seconds",
        "gauge",
        "Next slot of a schedule that is on and not paused.",
        ("schedule",),
        ("",),
        "fleet",
    ),
    Family(
        "schedule_last_success_timestamp_seconds",
        "gauge",
        "When the newest task of a schedule was completed, if one was.",
        ("schedule",),
        ("",),
        "fleet",
    ),
    Family(
        "schedule_fires_total",
        "counter",
        "Slots of schedules by what this worker made of them.",
        ("schedule", "result"),
        ("", "fire"),
    ),
    Family(
        "suppliers",
        "gauge",
        "Suppliers with an expected rhythm, by whether their last list is younger than that.",
        ("freshness",),
        ("freshness",),
        "fleet",
    ),
    # Health.
    Family(
        "health_status",
        "gauge",
        "What this worker sees of the servers it needs; 1 for the current status.",
        ("component", "optional", "status"),
        ("component", "", "status"),
    ),
    Family("ready", "gauge", "1 while this worker hears from PostgreSQL and Redis."),
    Family("build_info", "info", "What runs here.", ("version", "python"), ("", "")),
)

FAMILIES: Final = MappingProxyType({family.name: family for family in _ALL})
"""By name without the prefix, in the order of the documentation."""
