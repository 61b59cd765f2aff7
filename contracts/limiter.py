"""The port to a rate limit that a fleet may share."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol


class RateLimiter(Protocol):
    async def take(self, key: str, cost: int = 1) -> timedelta:
        """Takes from the budget and returns zero, or takes nothing and returns how long to wait."""
        ...


class Unlimited:
    """The limiter of an installation that sets no limit."""

    async def take(self, key: str, cost: int = 1) -> timedelta:
        return timedelta(0)
