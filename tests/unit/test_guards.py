"""Guards return, or raise what ends the attempt."""

from datetime import timedelta

import pytest

from contracts.errors import LeaseLost, RunCancelled, RunPaused, RunReleased, RunYielded, TimeLimitExceeded
from resilience.guard import CancelGuard, LeaseGuard, PauseGuard, StoppingGuard, TimeLimitGuard, YieldGuard


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (StoppingGuard, RunReleased),
        (PauseGuard, RunPaused),
        (YieldGuard, RunYielded),
        (CancelGuard, RunCancelled),
        (LeaseGuard, LeaseLost),
    ],
)
def test_a_guard_raises_once_its_flag_is_set(kind, error):
    flag = [False]
    guard = kind(lambda: flag[0])
    guard.check(None)
    flag[0] = True
    with pytest.raises(error):
        guard.check(None)


def test_the_time_limit_counts_from_the_making_of_the_guard():
    now = [100.0]
    guard = TimeLimitGuard(timedelta(seconds=10), seconds=lambda: now[0])
    now[0] = 109.9
    guard.check(None)
    now[0] = 110.0
    with pytest.raises(TimeLimitExceeded, match="10 s"):
        guard.check(None)
