"""The delay before a retry: growth, jitter, cap, and what the other side asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import Final

from resilience.retry.policy import RetryPolicy

MAX_RETRY_AFTER: Final = timedelta(hours=24)
"""A longer wish is cut: a broken server must not park a task for years."""

fraction: Callable[[], float] = SystemRandom().random
"""The randomness of production, 0 <= x < 1; tests hand in their own."""


def delay(
    policy: RetryPolicy,
    retry_number: int,
    *,
    random: Callable[[], float] = fraction,
    retry_after: timedelta | None = None,
) -> timedelta:
    """The wait before retry `retry_number` (1 = the first). Jitter comes first, the cap holds afterwards; a longer
    `retry_after` wins over both, up to MAX_RETRY_AFTER. Raises ValueError for a retry number below 1."""
    if retry_number < 1:
        raise ValueError("retries are counted from 1")
    seconds = policy.base_delay
    if policy.growth == "linear":
        seconds *= retry_number
    elif policy.growth == "exponential" and policy.multiplier > 1:
        for _ in range(retry_number - 1):
            seconds *= policy.multiplier
            if seconds > policy.max_delay * 4:  # jitter of 1 at most doubles or removes; far above the cap is enough
                break
    seconds *= 1 + policy.jitter * (2 * random() - 1)
    wait = timedelta(seconds=min(seconds, policy.max_delay))
    if retry_after is None:
        return wait
    return max(wait, min(retry_after, MAX_RETRY_AFTER))


def parse_retry_after(value: str | None, *, now: datetime) -> timedelta | None:
    """A Retry-After header, in seconds or as an HTTP date; never negative. None if absent or unreadable."""
    text = (value or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), MAX_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(max(at - now, timedelta(0)), MAX_RETRY_AFTER)
