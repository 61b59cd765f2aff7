"""The tree of errors; every leaf says what may be done about it.

PricemillError
├── ConfigError          something was set up wrong (permanent)
│   └── UnknownParser, ProfileInvalid, ScheduleInvalid, CredentialRefused
├── ValidationError      a document or a file is not what it must be (permanent)
│   ├── NeedsAnswer      a person must decide; the list is held with its question
│   │   └── HeaderNotFound, MappingIncomplete, PriceFormatAmbiguous, ListDoubtful, RunAborted
│   ├── ContractViolation, SourceUnreadable
│   ├── SourceTooLarge, SourceRefused, SourceChanged, ParserDied, AccountMismatch
├── DependencyError      something we call did not answer well
│   ├── SourceUnavailable, DatabaseUnavailable, QueueUnavailable, QueueFull, TimeLimitExceeded (transient)
│   ├── SourceThrottled  (snooze)
│   └── SourceMissing, SourceForbidden (permanent)
├── LifecycleError       the run may not go on, though nothing is wrong with it
│   ├── LeaseLost (discard), ResourcesExhausted (snooze), RunCancelled (discard)
│   ├── RunReleased (snooze)
│   │   └── RunPaused, RunYielded
│   └── StateConflict    (permanent)
└── SecurityError        (permanent)
    └── SourceNotAllowed

The docstring of a leaf is its default message. `code` is stable, snake case, and stands in dead
letters, results and problems; `next_step` tells a person what to do.
"""

from __future__ import annotations

from typing import Any

from contracts.errors_base import Disposition, PricemillError
from contracts.questions import Question

__all__ = ["Disposition", "PricemillError"]
"""Besides the tree itself."""


class ConfigError(PricemillError):
    """the configuration cannot be used"""

    category = "Config"


class UnknownParser(ConfigError):
    """there is no parser of that name"""

    next_step = "use one of the parsers listed in the message, or install the package that provides it"


class ProfileInvalid(ConfigError):
    """the supplier profile cannot be used"""

    next_step = "pricemill suppliers profile show SUPPLIER"


class ScheduleInvalid(ConfigError):
    """the schedule cannot be used"""

    next_step = "pricemill schedules show NAME; pricemill schedules add --replace puts another in its place"


class CredentialRefused(ConfigError):
    """the source does not accept the credential"""

    next_step = "make a new key for the account named in the message, put it in the place of the old one, and try again"


class ValidationError(PricemillError):
    """the input is not valid"""

    category = "Validation"


class ContractViolation(ValidationError):
    """a document does not fit its schema"""

    next_step = "correct the fields named by their JSON pointers and enqueue again"

    def __init__(
        self, message: str | None = None, /, *, violations: tuple[tuple[str, str], ...] = (), **context: Any
    ) -> None:
        super().__init__(message, **context)
        self.violations = violations
        """(JSON pointer, sentence) per violation."""


class SourceUnreadable(ValidationError):
    """the file cannot be read as what it claims to be"""

    next_step = "open the file yourself; ask the supplier for a new copy"


class NeedsAnswer(ValidationError):
    """a person must decide how this list is to be read"""

    next_step = "pricemill held show TASK lists the answers; pricemill held answer TASK NUMBER takes one"

    def __init__(self, message: str | None = None, /, *, question: Question | None = None, **context: Any) -> None:
        if question is not None:
            context["question"] = question.document()
        super().__init__(message or (None if question is None else question.sentence), **context)
        self.question = question
        """None if there is no ready answer; the list is held all the same."""


class HeaderNotFound(NeedsAnswer):
    """no header row was found"""

    next_step = (
        "pricemill map FILE shows what was seen and the ready answers; name columns with --map price=COLUMN, or answer "
        "for a task with pricemill held answer TASK NUMBER"
    )


class MappingIncomplete(NeedsAnswer):
    """required columns are missing"""

    next_step = (
        "pricemill map FILE shows the columns and the ready answers; name columns with --map price=COLUMN, or answer "
        "for a task with pricemill held answer TASK NUMBER"
    )


class PriceFormatAmbiguous(NeedsAnswer):
    """the prices of this list can be read in two ways"""

    next_step = (
        "say which: --decimal , or --decimal . with pricemill import, or answer for a task with "
        "pricemill held answer TASK NUMBER"
    )


class ListDoubtful(NeedsAnswer):
    """the list differs from the supplier's last one in a way that no rule may decide"""


class RunAborted(NeedsAnswer):
    """too many rows of this list fail; it was stopped behind its last chunk"""


class SourceTooLarge(ValidationError):
    """the source is larger than allowed"""

    next_step = "raise the limit in the settings if the file is what you expect"


class SourceRefused(ValidationError):
    """the container of the file is not safe to open"""

    next_step = "do not open it; ask the supplier for a plain export"


class SourceChanged(ValidationError):
    """the source changed while the task was being worked on"""

    next_step = "import the new file as a new task"


class ParserDied(ValidationError):
    """the parser process died on this file"""

    next_step = "the file crashes its reader; ask the supplier for another format"


class AccountMismatch(ValidationError):
    """rows read and rows accounted for differ"""

    next_step = "this is a defect of Pricemill; keep the file and report it"


class DependencyError(PricemillError):
    """something we depend on failed"""

    category = "Dependency"


class SourceUnavailable(DependencyError):
    """the source did not answer"""

    disposition = Disposition.TRANSIENT
    next_step = "check that the address answers; pricemill tasks retry TASK tries again"


class TimeLimitExceeded(DependencyError):
    """the run took longer than allowed"""

    disposition = Disposition.TRANSIENT
    next_step = "raise PRICEMILL_TIME_LIMIT_SECONDS if lists of this size are expected; what was committed stays"


class DatabaseUnavailable(DependencyError):
    """PostgreSQL cannot be used at the moment"""

    disposition = Disposition.TRANSIENT
    next_step = "pricemill doctor shows what is missing; work goes on by itself once PostgreSQL answers"


class QueueUnavailable(DependencyError):
    """Redis cannot be used at the moment"""

    disposition = Disposition.TRANSIENT
    next_step = "pricemill doctor shows what is missing; accepted tasks are sent once Redis answers"


class QueueFull(DependencyError):
    """too many tasks are waiting"""

    disposition = Disposition.TRANSIENT
    next_step = "try again after the time named; more workers, or a higher PRICEMILL_MAX_WAITING, take more"


class SourceThrottled(DependencyError):
    """the source asks us to come back later"""

    disposition = Disposition.SNOOZE


class SourceMissing(DependencyError):
    """the source does not exist"""

    next_step = "check the path, the address or the sheet name"


class SourceForbidden(DependencyError):
    """the source refuses us"""

    next_step = "share the source with the account named in the message"


class LifecycleError(PricemillError):
    """the run may not go on"""


class LeaseLost(LifecycleError):
    """another worker holds this task now"""

    disposition = Disposition.DISCARD


class RunReleased(LifecycleError):
    """the worker shuts down; the task goes back"""

    disposition = Disposition.SNOOZE


class ResourcesExhausted(LifecycleError):
    """this worker has no memory or descriptors left; the task goes back"""

    disposition = Disposition.SNOOZE
    next_step = "nothing, if it happens now and then; else give the worker more, or lower PRICEMILL_CONCURRENCY"


class RunPaused(RunReleased):
    """its queue, supplier, parser or source was paused; the task goes back"""


class RunYielded(RunReleased):
    """other suppliers wait; the task goes on when it is its turn again"""


class RunCancelled(LifecycleError):
    """an operator cancelled the task"""

    disposition = Disposition.DISCARD


class StateConflict(LifecycleError):
    """the state does not allow this"""


class SecurityError(PricemillError):
    """not allowed"""

    category = "Security"


class SourceNotAllowed(SecurityError):
    """the source lies outside what this installation may read"""

    next_step = "put the file under one of the source roots, or have the root added to PRICEMILL_SOURCE_ROOTS"
