"""`pricemill queues` and `suppliers pause` as a shell sees them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.pauses import moment
from cli.problems import Usage
from tests.support import ops_seed as seed
from tests.support.cli import Installation

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


@pytest.fixture
def pricemill(database_url: str, redis_url: str, tmp_path: Path) -> Installation:
    asyncio.run(seed.fill(database_url))
    return Installation(tmp_path, database_url=database_url, redis_url=redis_url)


def test_a_queue_is_listed_with_its_flow_and_what_is_held_back(pricemill: Installation) -> None:
    (queue,) = pricemill.inside("queues", "list", "--json").json["items"]
    assert (queue["name"], queue["waiting"], queue["active"], queue["paused_by"]) == ("default", 2, 1, None)
    assert queue["oldest_seconds"] > 0
    answer = pricemill.inside("suppliers", "pause", "Delta", "--until", "2h", "--reason", "they send twice")
    assert answer.code == 0, answer.err
    (queue,) = pricemill.inside("queues", "list", "--json").json["items"]
    assert (queue["held_back"], queue["oldest_seconds"]) == (2, None)
    shown = pricemill.inside("queues", "list").out
    assert "supplier Delta  2 held back until" in shown
    assert "they send twice" in shown
    assert pricemill.inside("suppliers", "resume", "Delta").code == 0
    assert pricemill.inside("suppliers", "resume", "Delta").code == 5


def test_a_paused_queue_says_so(pricemill: Installation) -> None:
    assert pricemill.inside("queues", "pause", "default", "--running").code == 0
    assert "paused by" in pricemill.inside("queues", "list").out
    assert pricemill.inside("queues", "resume", "default").code == 0


def test_limits_are_set_one_by_one_and_taken_away(pricemill: Installation) -> None:
    assert pricemill.inside("queues", "set", "bulk", "--concurrency", "4").code == 0
    assert pricemill.inside("queues", "set", "bulk", "--rate", "30/m").code == 0
    assert pricemill.inside("queues", "set", "--source", "Prices.Example", "--concurrency", "1").code == 0
    shown = pricemill.inside("queues", "list").out
    assert "4 at once, 30 in 1m00s" in shown
    assert "source prices.example  1 at once" in shown
    assert pricemill.inside("queues", "set", "bulk", "--concurrency", "off", "--rate", "off").code == 0
    assert [one["name"] for one in pricemill.inside("queues", "list", "--json").json["items"]] == ["default"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("set", "bulk"),
        ("set", "bulk", "--rate", "fast"),
        ("set", "bulk", "--concurrency", "0"),
        ("set", "Bulk Queue", "--concurrency", "1"),
        ("set", "--parser", "csv", "--max-waiting", "5"),
        ("pause",),
        ("pause", "bulk", "--parser", "csv"),
        ("pause", "bulk", "--until", "soon"),
    ],
)
def test_what_cannot_be_meant_is_refused(pricemill: Installation, wrong: tuple[str, ...]) -> None:
    assert pricemill.inside("queues", *wrong).code == 2


def test_an_end_is_a_span_an_hour_or_a_time_with_its_zone() -> None:
    assert moment("90m", NOW) == datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert moment("03:15", NOW) == datetime(2026, 11, 21, 3, 15, tzinfo=UTC)
    assert moment("2026-11-21T01:00:00+02:00", NOW) == datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
    for wrong in ("2026-11-21T01:00:00", "2026-01-01T00:00:00Z", "0m", "25:00"):
        with pytest.raises(Usage):
            moment(wrong, NOW)


def test_status_shows_the_queues_once_there_is_something_to_tell(pricemill: Installation) -> None:
    assert "QUEUE" not in pricemill.inside("status").out
    pricemill.inside("queues", "pause", "default", "--reason", "quota")
    shown = pricemill.inside("status").out
    assert "‖ default" in shown
    assert "Paused   2 held back" in shown
    document = pricemill.inside("status", "--json").json
    assert (document["held_back"], document["due"]) == (2, 0)
    assert document["queues"][0]["reason"] == "quota"


def test_a_task_is_snoozed(pricemill: Installation) -> None:
    assert pricemill.inside("tasks", "snooze", seed.QUEUED, "--for", "2h").code == 0
    assert pricemill.inside("tasks", "snooze", seed.RUNNING, "--for", "2h").code == 5
    assert pricemill.inside("tasks", "snooze", seed.QUEUED).code == 2
