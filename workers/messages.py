"""Reads what stands in Redis: a delivery of ours, or a whole queue message from a producer that has only Redis."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import orjson

from contracts.errors import ContractViolation
from contracts.outcome import Failure
from contracts.schema import parse_task
from contracts.task import ParseTask
from observability.redaction import redact, redact_text
from workers.delivery import JOB

STRAY: Final = "stray"
"""Name of the arq function for whatever is no delivery."""
MAX_MESSAGE_BYTES: Final = 1_000_000
KEPT_CHARACTERS: Final = 100_000
"""Of a message that is buried; the rest of a longer one is cut off."""
_BIGINT: Final = 2**63 - 1
_INT: Final = 2**31 - 1


def decode_job(raw: bytes) -> dict[str, Any]:
    """arq's job_deserializer: what is not exactly a delivery of ours becomes a job `stray` that carries the bytes.
    Never raises, so nothing that lies in Redis can end in arq's error path, which forgets what it could not read."""
    try:
        job = orjson.loads(raw)
        function, arguments, named = job["f"], job["a"], job["k"]
        task_key, task_id, epoch, priority = arguments
        whole = all(type(number) is int for number in (task_key, epoch, priority))
        fits = whole and 0 < task_key <= _BIGINT and 0 <= epoch <= _INT and 0 <= priority <= 2
        if function == JOB and not named and fits and type(task_id) is str and 0 < len(task_id) <= 255:
            return {"t": None, "f": JOB, "a": [task_key, task_id, epoch, priority], "k": {}, "et": 0}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        pass
    return {"t": None, "f": STRAY, "a": [raw], "k": {}, "et": 0}


def read_message(raw: bytes) -> ParseTask:
    """The task of a whole queue message. One without a task id gets an id made of its bytes, so that the same
    message is the same task however often it is read. Raises ContractViolation."""
    if len(raw) > MAX_MESSAGE_BYTES:
        raise ContractViolation(f"the message has {len(raw)} bytes; {MAX_MESSAGE_BYTES} are allowed")
    try:
        document = orjson.loads(raw)
    except ValueError as error:
        raise ContractViolation(f"the message is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise ContractViolation("the message is not a JSON object")
    if "task_id" not in document:
        document["task_id"] = f"sha256-{hashlib.sha256(raw).hexdigest()}"
    return parse_task(document)


def legible(raw: bytes) -> str:
    """A message as text that any store takes: no NUL, no surrogates, secrets out, at most 100,000 characters."""
    text = raw[: KEPT_CHARACTERS * 4].decode(errors="backslashreplace").replace("\x00", "\\x00")
    if len(raw) <= MAX_MESSAGE_BYTES:
        try:
            text = orjson.dumps(redact(orjson.loads(raw))).decode()
        except (ValueError, TypeError, RecursionError):
            text = redact_text(text)
    return text[:KEPT_CHARACTERS]


def failure_of(violation: ContractViolation) -> Failure:
    """Why a message was buried."""
    return Failure(
        code=violation.code,
        category=violation.category,
        disposition=violation.disposition,
        message=redact_text(violation.message),
        next_step=violation.next_step,
        context={"violations": [[where, redact_text(what)] for where, what in violation.violations]},
        exception=f"{type(violation).__module__}.{type(violation).__qualname__}",
    )
