"""The exit codes, the same for every command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    FAILED = 1
    USAGE = 2
    """Wrong usage, or a question could not be asked."""
    NOT_FOUND = 3
    REFUSED = 5
    """By state or validation."""
    FINDINGS = 6
    """Finished, with something to look at: rejected rows, degraded health."""
    UNREACHABLE = 7
    """PostgreSQL or Redis does not answer."""
    TIMED_OUT = 124
    """The wait ran out; the work goes on."""
    INTERRUPTED = 130
