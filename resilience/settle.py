"""Turns what ended an attempt into the one Settlement that is recorded."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import pydantic

from contracts.errors import (
    ContractViolation,
    Disposition,
    PricemillError,
    RunCancelled,
    RunPaused,
    RunReleased,
    RunYielded,
)
from contracts.outcome import DeadLetter, Discard, Failure, Retry, Settlement, Snooze
from observability.inert import inert
from observability.redaction import redact, redact_text
from resilience.retry.backoff import MAX_RETRY_AFTER, delay
from resilience.retry.classifier import RATE_LIMITED, Verdict, classify
from resilience.retry.policy import RetryPolicy

INFRASTRUCTURE_WAIT: Final = timedelta(seconds=5)
"""± 50 %: work goes on within 10 s after PostgreSQL or Redis are back, and not all of it at once."""
LONGEST_INFRASTRUCTURE_WAIT: Final = timedelta(seconds=60)
_GIVEN_UP: Final = frozenset(kind().code for kind in (RunReleased, RunPaused, RunYielded))
"""The task is due again at once: what made it give its slot up also decides when it gets another."""
_MESSAGE: Final = 1_000
_BEFORE: Final = 4_000
_CONTEXT_TEXT: Final = 500
_CONTEXT_ITEMS: Final = 50
_CONTEXT_DEPTH: Final = 6


def settle(
    error: BaseException,
    *,
    attempt: int,
    max_retries: int,
    policy: RetryPolicy,
    now: datetime,
    random: Callable[[], float],
) -> Settlement:
    """How the attempt that met `error` ends. Pure: same arguments, same answer. `attempt` is 1 for the first call;
    a transient error is tried again while attempt <= max_retries (the task's figure, which wins over the policy's;
    the policy gives the delays). Errors of PostgreSQL and Redis, throttling and a shutdown never use up an attempt."""
    if not isinstance(error, Exception):  # cancelled, interrupted: the process goes down, the task goes on elsewhere
        return Snooze(at=now, reason=RunReleased().code)
    verdict = classify(error)
    failure = _failure(error, verdict)
    if verdict.disposition is Disposition.DISCARD:
        return Discard(reason=verdict.code, cancelled=verdict.code == RunCancelled().code)
    if verdict.infrastructure:
        wait = verdict.retry_after or INFRASTRUCTURE_WAIT * (0.5 + random())
        return Snooze(at=now + min(wait, LONGEST_INFRASTRUCTURE_WAIT), reason=verdict.code, failure=failure)
    if verdict.disposition is Disposition.SNOOZE:
        return _snooze(verdict, failure, now=now, random=random, policy=policy)
    if verdict.disposition is Disposition.TRANSIENT and attempt <= max_retries:
        wait = delay(policy, max(attempt, 1), random=random, retry_after=verdict.retry_after)
        return Retry(at=now + wait, failure=failure)
    return DeadLetter(failure)


def failure_from(error: BaseException) -> Failure:
    """The error as it is kept: redacted, one line, storable as JSON, without traceback and without input values of a
    failed validation."""
    return _failure(error, classify(error))


def _snooze(
    verdict: Verdict, failure: Failure, *, now: datetime, random: Callable[[], float], policy: RetryPolicy
) -> Snooze:
    if verdict.code in _GIVEN_UP:
        return Snooze(at=now, reason=verdict.code)
    wait = verdict.retry_after
    if wait is None:
        wait = RATE_LIMITED * (1 + policy.jitter * (2 * random() - 1))
    return Snooze(at=now + min(max(wait, timedelta(0)), MAX_RETRY_AFTER), reason=verdict.code, failure=failure)


def _failure(error: BaseException, verdict: Verdict) -> Failure:
    kind = type(error)
    context: dict[str, Any] = {}
    if isinstance(error, PricemillError):
        message = error.message
        context = dict(error.context)
        if isinstance(error, ContractViolation) and error.violations:
            context["violations"] = [list(violation) for violation in error.violations]
    elif isinstance(error, pydantic.ValidationError):
        # str(error) would show the values.
        found = error.errors(include_input=False, include_context=False, include_url=False)
        message = "; ".join(f"{'/'.join(map(str, item['loc'])) or 'document'}: {item['msg']}" for item in found)
    else:
        text = str(error)
        message = f"{kind.__name__}: {text}" if text else kind.__name__
    if verdict.retry_after is not None:
        context["retry_after_seconds"] = round(verdict.retry_after.total_seconds(), 3)
    return Failure(
        code=verdict.code,
        category=verdict.category,
        disposition=verdict.disposition,
        message=_cut(redact_text(inert(message[:_BEFORE])), _MESSAGE),
        next_step=verdict.next_step,
        context=_storable(redact(_pruned(context))),
        exception=f"{kind.__module__}.{kind.__qualname__}",
    )


def _pruned(value: Any, depth: int = 0) -> Any:
    """Bounded before anything costly looks at it; more is left than is kept, so that no secret is cut in two."""
    if isinstance(value, str):
        return value[:_BEFORE]
    if depth > _CONTEXT_DEPTH and isinstance(value, dict | list | tuple):
        return "…"
    if isinstance(value, dict):
        return {name: _pruned(item, depth + 1) for name, item in islice(value.items(), _CONTEXT_ITEMS)}
    if isinstance(value, list | tuple):
        return [_pruned(item, depth + 1) for item in value[:_CONTEXT_ITEMS]]
    return value


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _storable(value: Any) -> Any:
    """JSON that PostgreSQL takes: no NUL, no surrogates, no NaN, bounded."""
    if isinstance(value, str):
        return _cut(inert(value), _CONTEXT_TEXT)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return _cut(str(value), 40) if value.bit_length() < 10_000 else "a very large number"
    if isinstance(value, dict):
        return {_cut(inert(name), 100): _storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value
