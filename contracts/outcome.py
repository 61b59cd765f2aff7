"""How one attempt ends: exactly one Settlement, decided once, recorded once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.errors import Disposition
from contracts.task import TaskResult


@dataclass(frozen=True, slots=True)
class Failure:
    """One error as it is kept in attempts and dead letters (already redacted)."""

    code: str
    category: str
    disposition: Disposition
    message: str
    next_step: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    exception: str = ""
    """Qualified name of the exception class."""

    def document(self) -> dict[str, Any]:
        """The JSON object stored in the ledger."""
        return {
            "code": self.code,
            "category": self.category,
            "disposition": self.disposition.value,
            "message": self.message,
            "next": self.next_step,
            "context": self.context,
            "exception": self.exception,
        }


@dataclass(frozen=True, slots=True)
class Completed:
    """Every row is accounted for; result.status may still be partial_success."""

    result: TaskResult


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at a later time; the attempt counts."""

    at: datetime
    failure: Failure


@dataclass(frozen=True, slots=True)
class Snooze:
    """Come back at a later time; the attempt is given back (quota, shutdown, pause)."""

    at: datetime
    reason: str
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Nothing more is tried until a person replays it."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Discard:
    """This attempt writes nothing: the task is someone else's, or was cancelled."""

    reason: str
    cancelled: bool = False


Settlement = Completed | Retry | Snooze | DeadLetter | Discard
