"""Tries one call again within seconds, where a whole new attempt at the task would be too much."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt

from contracts.clock import SystemClock
from contracts.errors import Disposition
from observability.logging import get_logger
from resilience.retry.backoff import delay, fraction
from resilience.retry.budget import RetryBudget
from resilience.retry.classifier import classify
from resilience.retry.policy import POLICIES, RetryPolicy

log = get_logger(__name__)
Result = TypeVar("Result")

_CLOCK: Final = SystemClock()
BUDGET: Final = RetryBudget()
"""All calls of this process together."""
LONGEST_WAIT: Final = timedelta(seconds=10)
"""What asks for a longer wait is no matter of a call: its error goes to the task, which is snoozed or retried."""


def worth_a_call(error: BaseException) -> bool:
    """Transient, and not asking for more patience than a call has."""
    verdict = classify(error)
    patient = verdict.retry_after is not None and verdict.retry_after > LONGEST_WAIT
    return verdict.disposition is Disposition.TRANSIENT and not patient


async def retry_call(
    operation: Callable[[], Awaitable[Result]],
    *,
    name: str,
    policy: RetryPolicy = POLICIES["call"],
    worth: Callable[[BaseException], bool] = worth_a_call,
    budget: RetryBudget = BUDGET,
    sleep: Callable[[float], Awaitable[None]] = _CLOCK.sleep,
    random: Callable[[], float] = fraction,
) -> Result:
    """Awaits operation(), at most policy.max_attempts times and not again once the budget is spent; raises its last
    error unchanged. The operation must be safe to repeat. `name` stands in the log."""
    budget.earn()

    def again(state: RetryCallState) -> bool:
        error = _error(state)
        if error is None or state.attempt_number >= policy.max_attempts or not worth(error):
            return False
        if budget.spend():
            return True
        log.warning("call.not_retried", call=name, attempt=state.attempt_number, kind=type(error).__name__)
        return False

    def wait(state: RetryCallState) -> float:
        error = _error(state)
        wish = None if error is None else classify(error).retry_after
        return min(delay(policy, state.attempt_number, random=random, retry_after=wish), LONGEST_WAIT).total_seconds()

    def note(state: RetryCallState) -> None:
        error = _error(state)
        log.info("call.retried", call=name, attempt=state.attempt_number, kind=type(error).__name__, error=str(error))

    attempts = AsyncRetrying(
        stop=stop_after_attempt(policy.max_attempts),
        wait=wait,
        retry=again,
        sleep=sleep,
        before_sleep=note,
        reraise=True,
    )

    async def call() -> Result:  # tenacity awaits only what is written as a coroutine function
        return await operation()

    return await attempts(call)


def _error(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()
