"""Fetches a source, and at once again where a moment later may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Final

from contracts.parser import Parser, Source
from contracts.task import ParseTask
from resilience.retry.call import retry_call, worth_a_call

QUICK: Final = 5.0
"""Seconds from the first request within which a failure is tried again here. What took longer is left to the task: its
next attempt waits longer, and another worker may do."""


async def fetch(
    parser: Parser,
    task: ParseTask,
    spool: Path,
    *,
    retry: Callable[..., Awaitable[Source]] = retry_call,
    seconds: Callable[[], float] = monotonic,
) -> Source:
    """Raises what parser.fetch raises."""
    ends = seconds() + QUICK
    return await retry(
        lambda: parser.fetch(task, spool),
        name="source.fetch",
        worth=lambda error: seconds() < ends and worth_a_call(error),
    )
