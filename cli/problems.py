"""Errors as a person or a program meets them: one problem object, one exit code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.command import filled
from cli.exits import Exit
from cli.text import line
from contracts.errors import (
    ContractViolation,
    DatabaseUnavailable,
    NeedsAnswer,
    PricemillError,
    QueueUnavailable,
    SourceMissing,
    StateConflict,
    ValidationError,
)

TYPE = "https://pricemill.example/problems/"


class NotFound(PricemillError):
    """there is no such thing"""

    category = "Validation"


class Usage(PricemillError):
    """the command cannot be understood"""

    category = "Validation"


class WaitedTooLong(PricemillError):
    """the wait ran out; the work goes on"""


class Failed(PricemillError):
    """it did not work"""


_EXITS: tuple[tuple[type[PricemillError], Exit, int], ...] = (
    (Usage, Exit.USAGE, 400),
    (NotFound, Exit.NOT_FOUND, 404),
    (SourceMissing, Exit.NOT_FOUND, 404),
    (WaitedTooLong, Exit.TIMED_OUT, 504),
    (DatabaseUnavailable, Exit.UNREACHABLE, 503),
    (QueueUnavailable, Exit.UNREACHABLE, 503),
    (StateConflict, Exit.REFUSED, 409),
    (Failed, Exit.FAILED, 500),
    (ValidationError, Exit.REFUSED, 422),
)


def exit_of(error: PricemillError) -> Exit:
    """By the class; configuration and security refuse, everything unnamed failed."""
    for kind, code, _ in _EXITS:
        if isinstance(error, kind):
            return code
    return Exit.REFUSED if error.category in {"Config", "Security"} else Exit.FAILED


def document(error: PricemillError, known: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The problem+json object (RFC 9457 with `code` and `next`). `known` = what FILE, SUPPLIER and TASK stand for."""
    status = next((status for kind, _, status in _EXITS if isinstance(error, kind)), 500)
    if status == 500 and error.category in {"Config", "Security"}:
        status = 422 if error.category == "Config" else 403
    problem: dict[str, Any] = {
        "type": TYPE + error.code,
        "title": " ".join((type(error).__doc__ or "").split()),
        "status": status,
        "code": error.code,
        "detail": error.message,
        "next": filled(error.context.get("next") or error.next_step, known or {}),
    }
    if isinstance(error, ContractViolation):
        problem["errors"] = [{"pointer": pointer, "detail": sentence} for pointer, sentence in error.violations]
    if isinstance(error, NeedsAnswer) and error.question is not None:
        problem["question"] = error.question.document()
    return problem


def lines(error: PricemillError, known: Mapping[str, object] | None = None) -> list[str]:
    """The same for people."""
    problem = document(error, known)
    told = [f"Error: {line(problem['detail'])}"]
    told += [f"  {line(one['pointer'] or '/')}: {line(one['detail'])}" for one in problem.get("errors", ())]
    for number, option in enumerate(problem.get("question", {}).get("options", ()), 1):
        told.append(f"  {number}. {line(option['label'])}: {line(option['consequence'])}")
    if problem["next"]:
        told.append(f"Next: {line(problem['next'])}")
    return told
