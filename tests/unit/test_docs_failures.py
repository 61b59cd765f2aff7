"""The guide on failures names every usual event, and only events and figures that exist."""

import re
from pathlib import Path
from typing import get_args

from contracts.errors import Disposition
from observability.events import EVENTS
from resilience.checkpoint.seal import Corruption
from resilience.retry.classifier import verdict_of_status
from resilience.settle import INFRASTRUCTURE_WAIT

GUIDE = (Path(__file__).parents[2] / "docs/guides/when-something-fails.md").read_text(encoding="utf-8")
USUAL = {
    *("checkpoint_created", "checkpoint_loaded", "checkpoint_corrupted", "checkpoint_deleted"),
    *("retry_attempted", "retry_succeeded", "retry_exhausted", "permanent_failure"),
    *("threshold_breached", "threshold_recovered", "cleanup_initiated", "browser_restarted"),
    *("abort_evaluated", "abort_triggered", "abort_executed", "failure_pattern_detected"),
}


def rows():
    return {
        cells[0]: cells[1]
        for line in GUIDE.splitlines()
        if line.startswith("| ") and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 3
    }


def test_every_usual_event_has_its_line():
    assert set(rows()) >= USUAL


def test_every_event_that_is_named_is_one_of_ours():
    named = {name for usual in USUAL for name in re.findall(r"`([a-z]+\.[a-z_]+)`", rows()[usual])}
    assert named
    assert named <= set(EVENTS)


def test_every_kind_of_damage_is_named():
    assert all(f"`{kind}`" in GUIDE for kind in get_args(Corruption))


def test_the_statuses_that_are_tried_again_are_those_of_the_table():
    retried = [status for status in range(400, 600) if verdict_of_status(status).disposition is Disposition.TRANSIENT]
    assert retried == [408, 425, 500, 502, 503, 504, 507, 509, *range(520, 525)]
    assert "408, 425, 500, 502 to 504, 507, 509, 520 to 524" in GUIDE


def test_the_wait_for_a_server_is_the_one_that_is_told():
    least, most = (INFRASTRUCTURE_WAIT.total_seconds() * part for part in (0.5, 1.5))
    assert f"{least:g} to {most:g} s" in GUIDE
