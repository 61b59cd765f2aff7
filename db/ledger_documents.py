"""What the ledgers write, as values: messages, results, dead letters; both twins use it."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import pydantic

from contracts.errors import ContractViolation, DatabaseUnavailable, Disposition
from contracts.outcome import Discard, Failure, Retry, Snooze
from contracts.queue import Delivery
from contracts.store import Registration
from contracts.task import DEFAULT_QUEUE, ErrorGroup, ParseTask, TaskResult
from db.storable import json_text
from observability.redaction import redact

LONGEST_RAW = 20_000
"""Characters of an unreadable message that are kept; its SHA-256 is of the whole."""

NOTHING_READ: dict[str, Any] = {
    "read": 0, "new": 0, "changed": 0, "unchanged": 0, "ignored": {}, "rejected": 0, "held": 0,
}  # fmt: skip

RELEASES = {"run_released": "released", "run_paused": "paused", "run_yielded": "yielded"}
"""Outcome of an attempt by the code of a Snooze that gave its slot up: for a shutdown, a pause, another supplier."""

EXPIRED = Failure(
    code="task_expired",
    category="Lifecycle",
    disposition=Disposition.PERMANENT,
    message="the task was not started before its expires_at",
    next_step="replay it if the list is still wanted; give later tasks more time",
)


class LedgerDepth(NamedTuple):
    """What waits and runs, and what lies dead."""

    queued: int
    retryable: int
    running: int
    dead: int
    """Open dead letters, messages that never were a task included."""
    oldest: float | None
    """Seconds for which the oldest due task has been waiting."""


def poison(crashes: int) -> Failure:
    return Failure(
        code="poison",
        category="Lifecycle",
        disposition=Disposition.PERMANENT,
        message=f"the worker died {crashes} times on this task without getting further",
        next_step="look at the source; replay it once the cause is known",
        context={"crashes": crashes},
    )


def unreadable(error: pydantic.ValidationError) -> Failure:
    fields = ["/" + "/".join(map(str, item["loc"])) for item in error.errors(include_input=False, include_url=False)]
    return Failure(
        code="contract_violation",
        category="Validation",
        disposition=Disposition.PERMANENT,
        message="the stored message is not a task of this version",
        next_step="enqueue the task again",
        context={"fields": fields[:20]},
    )


def dumps(document: object) -> str:
    return json_text(document)


def message_of(task: ParseTask) -> str:
    """The queue message as JSON text that PostgreSQL can keep, or ContractViolation."""
    try:
        # The queue stands in a column of its own: the previous release knows no such member and would bury the task.
        text = orjson.dumps(task.model_copy(update={"queue": None}).document()).decode()
    except (orjson.JSONEncodeError, ValueError) as error:
        raise ContractViolation(f"the message cannot be written as JSON: {error}", task_id=task.task_id) from error
    if "\\u0000" in text and _holds_nul(orjson.loads(text)):
        raise ContractViolation("the message holds a NUL character", task_id=task.task_id.replace("\0", ""))
    return text


def with_queue(message: dict[str, Any], queue: str) -> dict[str, Any]:
    """A message that was stored by message_of(), as it was handed in."""
    return message if queue == DEFAULT_QUEUE else message | {"queue": queue}


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))


def registrations(
    tasks: Sequence[ParseTask],
    created: Mapping[str, int],
    known: Sequence[Mapping[str, Any]],
    behind: Container[str] = (),
) -> list[Registration]:
    """One answer per task in order. `created`: task keys by id of what was inserted now; `known`: rows of tasks that
    hold one of the ids or idempotency keys; `behind`: ids of what stands behind an older task of its supplier. The
    first of two equal tasks in one call is the created one."""
    by_id = {row["task_id"]: row for row in known}
    by_key = {row["idempotency_key"]: row for row in known if row["idempotency_key"] is not None}
    answers = []
    unused = dict(created)
    for task in tasks:
        key = unused.pop(task.task_id, None)
        if key is not None:
            first = Delivery(key, task.task_id, 0, None, task.priority.rank)
            answers.append(Registration(task.task_id, key, True, first, task.task_id in behind))
            continue
        row = by_id.get(task.task_id) or by_key.get(task.idempotency_key)
        if row is None:
            raise DatabaseUnavailable("a task was deleted while it was registered again", task_id=task.task_id)
        delivery = None
        if row["waiting"]:
            delivery = Delivery(row["id"], row["task_id"], row["epoch"], row["at"], row["priority"])
        answers.append(Registration(row["task_id"], row["id"], created=False, delivery=delivery))
    return answers


def expected_account(result: TaskResult) -> tuple[dict[str, Any] | None, str]:
    """What the newest checkpoint must have counted (rejected and held as sums) or, if the result contradicts itself,
    None and the sentence that says how."""
    statistics = result.statistics
    if statistics is None:
        return NOTHING_READ, ""
    good = statistics.new + statistics.changed + statistics.unchanged
    if statistics.successful_rows != good:
        return None, f"{statistics.successful_rows} successful rows, but new, changed and unchanged are {good}"
    buckets = good + statistics.failed_rows + statistics.held + sum(statistics.ignored.values())
    if statistics.total_rows != buckets:
        return None, f"{statistics.total_rows} rows were read, but {buckets} accounted for"
    return {
        "read": statistics.total_rows,
        "new": statistics.new,
        "changed": statistics.changed,
        "unchanged": statistics.unchanged,
        "ignored": {reason: count for reason, count in statistics.ignored.items() if count},
        "rejected": statistics.failed_rows,
        "held": statistics.held,
    }, ""


def put_back(settlement: Retry | Snooze | Discard) -> tuple[str, str, dict[str, Any], int]:
    """(status, outcome of the attempt, its error, attempts to give back)."""
    match settlement:
        case Retry(failure=failure):
            return "retryable", "retry", failure.document(), 0
        case Snooze(reason=reason, failure=failure):
            error = {"reason": reason} if failure is None else failure.document()
            return "queued", RELEASES.get(reason, "snooze"), error, 1
        case Discard(reason=reason):
            return "queued", "discarded", {"reason": reason}, 1


def failed_result(message: Mapping[str, Any], failure: Failure, *, attempt: int, now: datetime) -> dict[str, Any]:
    """The task-result document of a dead task."""
    return TaskResult(
        task_id=str(message["task_id"]),
        status="failure",
        processed_at=now,
        errors=[ErrorGroup(error_type=failure.code, count=1, sample_message=failure.message)],
        retry_count=max(attempt - 1, 0),
    ).document()


class Letter(NamedTuple):
    """What of a dead letter is not in the task's row; message and error as JSON text."""

    message: str
    error: str
    category: str
    code: str
    reason: str
    attempts: int


def letter(message: Mapping[str, Any], failure: Failure, *, attempts: int) -> Letter:
    return Letter(
        dumps(redact(dict(message))),
        dumps(failure.document()),
        failure.category,
        failure.code,
        failure.message,
        attempts,
    )


def buried(raw: str, failure: Failure) -> tuple[str | None, str | None, str, str, str, str, str, str]:
    """task_id, supplier_name, message, error, category, code, reason, sha256 of a message that is no task."""
    digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
    document: dict[str, Any] | None = None
    try:
        parsed = orjson.loads(raw)
    except (orjson.JSONDecodeError, ValueError):
        parsed = None
    if isinstance(parsed, dict) and len(raw) <= LONGEST_RAW and not _holds_nul(parsed):
        document = parsed
    if document is None:
        kept = raw[:LONGEST_RAW].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        document = {"raw": kept}
    task_id, supplier = document.get("task_id"), document.get("supplier_name")
    return (
        task_id[:255] if isinstance(task_id, str) else None,
        supplier[:255] if isinstance(supplier, str) else None,
        dumps(redact(document)),
        dumps(failure.document()),
        failure.category,
        failure.code,
        failure.message,
        digest,
    )
