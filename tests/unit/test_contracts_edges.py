"""What the small values of contracts answer where nothing is set or nothing fits."""

import errno
from datetime import timedelta

import pytest

from contracts.clock import SystemClock
from contracts.errors import Disposition, SourceUnreadable
from contracts.limiter import Unlimited
from contracts.violations import _at
from resilience.retry.classifier import BUG, classify
from resilience.settle import failure_from


async def test_without_a_limit_nothing_waits():
    assert await Unlimited().take("google_sheets:main", 1_000) == timedelta(0)


async def test_the_clock_of_this_machine_sleeps_and_knows_its_zone():
    await SystemClock().sleep(0)
    assert SystemClock().now().utcoffset() == timedelta(0)


@pytest.mark.parametrize("path", [["a", "b"], [0], ["list", 3], ["list", "x"]])
def test_a_path_that_leads_nowhere_in_a_schema_is_an_empty_part(path):
    assert _at({"a": 1, "list": []}, path) == {}


def test_an_error_of_the_system_that_no_table_knows_is_a_defect_of_ours():
    verdict = classify(OSError(errno.ENOEXEC, "not known"))
    assert (verdict.category, verdict.disposition) == (BUG, Disposition.TRANSIENT)


@pytest.mark.parametrize(("number", "kept"), [(2**63, str(2**63)), (-(2**63), str(-(2**63))), (7, 7)])
def test_numbers_that_a_database_cannot_hold_are_kept_as_text(number, kept):
    assert failure_from(SourceUnreadable(number=number)).context == {"number": kept}


def test_a_number_that_python_would_not_write_out_is_told_as_such():
    assert failure_from(SourceUnreadable(number=10**5_000)).context == {"number": "a very large number"}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_floats_that_are_no_numbers_are_kept_as_text(number):
    assert failure_from(SourceUnreadable(number=number)).context == {"number": str(number)}
