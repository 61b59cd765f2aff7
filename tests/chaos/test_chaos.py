"""A small cut of `make chaos`: two seeds of faults, and a stride of the messages at which a worker is killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tables import Tables
from tests.chaos.lists import orders, write_lists
from tests.chaos.site import QUICK, Servers, servers
from tests.chaos.storm import Weather, run_seed, undisturbed
from tests.chaos.sweep import sweep

pytestmark = pytest.mark.acceptance

ROWS = 900
BRIEF = Weather(faults=6, between=(0.3, 2.0), chunk_seconds=0.1, environment=QUICK)
STRIDE = 47
"""Without a common divisor with what repeats from chunk to chunk."""


@pytest.fixture(scope="module")
def own_servers() -> Iterator[Servers]:
    with servers() as both:
        yield both


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lists")
    write_lists(folder, rows=ROWS)
    return folder


@pytest.fixture(scope="module")
def calm() -> Tables:
    """What the first seed found out about the undisturbed run."""
    return {}


@pytest.mark.parametrize("seed", [1, 2])
async def test_random_faults_end_in_the_tables_of_an_undisturbed_run(
    own_servers: Servers, lists: Path, calm: Tables, tmp_path: Path, seed: int
) -> None:
    tasks = orders(lists)
    if not calm:
        calm.update(await undisturbed(own_servers, lists, tmp_path / "calm", tasks))
    outcome = await run_seed(
        own_servers, seed, calm=calm, lists=lists, home=tmp_path / "storm", tasks=tasks, weather=BRIEF
    )
    assert outcome.wrong == [], "\n".join([*outcome.faults, outcome.logs])
    assert outcome.faults


async def test_a_worker_killed_before_or_behind_a_message_changes_nothing(own_servers: Servers, tmp_path: Path) -> None:
    swept = await sweep(own_servers, tmp_path, every=STRIDE)
    assert swept.wrong == []
    assert swept.left == 0
    assert len(swept.killed) >= swept.messages // STRIDE
