"""Commands that decide something, killed at every step: called again, they end as one undisturbed call would."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from contracts.failpoints import FAILPOINTS, VARIABLE
from db.embedded import EmbeddedPostgres
from tests.acceptance.tables import broken_invariants
from tests.integration.test_cli_changing import ask
from tests.support.cli import PATIENCE, Installation

pytestmark = pytest.mark.acceptance

ITEMS = [f"A-{number:03d},Part {number},{number + 1}.50" for number in range(60)]
FIRST = ITEMS
JUMPS = ["A-000,Part 0,999", "A-001,Part 1,888", *ITEMS[2:]]
CHANGED = ["A-000,Part 0,2.00", "Z-1,New,7.00", *ITEMS[1:]]
BROKEN = [*ITEMS, "C-1,Letter,1O.50"]
ONE_PRICE = "SKU,Name,Price EUR"
TWO_PRICES = "SKU,Name,Net price,Gross price"
TWICE = [f"B-{number},Thing {number},{number}.00,{number}.19" for number in range(1, 30)]
MEND = ("--cause", "price_not_a_number")


@dataclass(frozen=True, slots=True)
class Case:
    """One supplier, the lists that are loaded, and what a person decides about the last of them."""

    lists: tuple[tuple[str, list[str]], ...]
    """(header, rows), one a day."""
    command: tuple[str, ...]
    """TASK stands for the task of the last list."""
    failpoints: tuple[str, ...]
    """Where it is killed, one call after the other."""


CASES = {
    "approve": Case(
        ((ONE_PRICE, FIRST), (ONE_PRICE, JUMPS)),
        ("held", "approve", "--task", "TASK"),
        ("hold.before_commit", "hold.committed"),
    ),
    "approve one": Case(
        ((ONE_PRICE, FIRST), (ONE_PRICE, JUMPS)),
        ("held", "approve", "A-000", "--supplier", "approve one"),
        ("hold.before_commit", "hold.committed"),
    ),
    "reject": Case(
        ((ONE_PRICE, FIRST), (ONE_PRICE, JUMPS)),
        ("held", "reject", "--task", "TASK"),
        ("hold.before_commit", "hold.committed"),
    ),
    "revert": Case(
        ((ONE_PRICE, FIRST), (ONE_PRICE, CHANGED)),
        ("tasks", "revert", "TASK"),
        ("revert.before_commit", "revert.ended"),
    ),
    "answer": Case(((TWO_PRICES, TWICE),), ("held", "answer", "TASK", "1"), ("answer.kept", "answer.replayed")),
    "mend": Case(
        ((ONE_PRICE, BROKEN),),
        ("rejected", "fix", "--task", "TASK", *MEND, "--letters"),
        ("fix.kept", "producer.registered"),
    ),
    "ignore": Case(
        ((ONE_PRICE, BROKEN),),
        ("rejected", "fix", "--task", "TASK", *MEND, "--value", "1O.50", "--ignore"),
        ("fix.kept", "producer.delivered"),
    ),
    "replay": Case(
        ((ONE_PRICE, BROKEN),),
        ("rejected", "replay", "--task", "TASK"),
        ("producer.registered",),
    ),
}
REPEATED = {"revert.before_commit": 2}
"""Passages of a failpoint in one call: taking back is tried first, to say what would become of the items."""

TABLES = {
    "items": """SELECT s.name, i.supplier_sku, i.name, i.current_price, i.currency, i.source_row,
                       i.withdrawn_at IS NULL
                  FROM supplier_items i JOIN suppliers s ON s.id = i.supplier_id ORDER BY 1, 2""",
    "history": """SELECT s.name, i.supplier_sku, h.price, h.source_row
                    FROM price_history h JOIN supplier_items i ON i.id = h.supplier_item_id
                    JOIN suppliers s ON s.id = i.supplier_id ORDER BY 1, 2, h.id""",
    "held": """SELECT s.name, h.source_row, h.status FROM held_rows h JOIN suppliers s ON s.id = h.supplier_id
                ORDER BY 1, 2, h.id""",
    "tasks": "SELECT supplier_name, status::text, reverted_at IS NULL FROM tasks ORDER BY 1, id",
    "letters": "SELECT supplier_name, status FROM dead_letters ORDER BY 1, created_at",
    "profiles": """SELECT s.name, p.version, p.document::text
                     FROM supplier_profiles p JOIN suppliers s ON s.id = p.supplier_id ORDER BY 1, 2""",
    "rejected": """SELECT t.supplier_name, l.row_number, l.error_type, l.taken_up_by IS NULL
                     FROM parsing_logs l JOIN tasks t ON t.task_id = l.task_id ORDER BY 1, 2, l.id""",
}


@pytest.fixture
def another_url(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """A second database, for the run that nobody disturbs."""
    name = f"calm_{uuid.uuid4().hex[:10]}"
    postgres.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.url_of(name)
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)")


def prepared(pricemill: Installation, folder: Path) -> dict[str, list[str]]:
    """All lists loaded; the commands by case."""
    tasks = {}
    for name, case in CASES.items():
        for day, (header, rows) in enumerate(case.lists, 1):
            path = folder / f"{name}-{day}.csv"
            path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
            done = pricemill.inside("import", path, "--supplier", name, "--as-of", f"2026-03-{day:02d}", "--json")
            assert done.code == 0, done.err
            tasks[name] = done.json["task_id"]
    worked(pricemill)
    return {
        name: [*(tasks[name] if word == "TASK" else word for word in case.command), "--yes"]
        for name, case in CASES.items()
    }


def worked(pricemill: Installation) -> None:
    """Until nothing waits any more, deliveries that were never sent included."""
    deadline = monotonic() + PATIENCE
    while True:
        assert pricemill.inside("worker", "--burst", "--quiet").code == 0
        waiting = pricemill.inside("tasks", "list", "--state", "queued", "--state", "running", "--json").json["items"]
        if not waiting:
            return
        assert monotonic() < deadline, waiting


def killed(pricemill: Installation, failpoint: str, arguments: list[str]) -> int:
    """The exit code of a process of its own that dies at the failpoint."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env={**pricemill.environment(), VARIABLE: f"{failpoint}=kill:{REPEATED.get(failpoint, 1)}"},
        cwd=pricemill.data_dir,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode


def tables(url: str) -> dict[str, list[tuple[Any, ...]]]:
    return {name: ask(url, query) for name, query in TABLES.items()}


def test_every_failpoint_of_a_command_is_tried() -> None:
    tried = {failpoint for case in CASES.values() for failpoint in case.failpoints}
    assert {name for name in FAILPOINTS if name.startswith(("hold.", "revert.", "answer.", "fix."))} <= tried


def test_killed_commands_that_are_called_again_end_as_undisturbed_ones(
    database_url: str, another_url: str, redis_url: str, tmp_path: Path
) -> None:
    calm = Installation(tmp_path / "calm", database_url=another_url, redis_url=redis_url)
    for name, command in prepared(calm, tmp_path).items():
        assert calm.inside(*command).code == 0, name
    worked(calm)
    pricemill = Installation(tmp_path / "data", database_url=database_url, redis_url=redis_url)
    for name, command in prepared(pricemill, tmp_path).items():
        for failpoint in CASES[name].failpoints:
            assert killed(pricemill, failpoint, command) == -signal.SIGKILL, (name, failpoint)
        again = pricemill.inside(*command)
        assert (name, again.code) == (name, 0), again.err
    worked(pricemill)
    found, expected = tables(database_url), tables(another_url)
    for table, rows in expected.items():
        assert found[table] == rows, table
    # Not {}: what is said of prices and history there does not hold of a list that was taken back.
    assert asyncio.run(broken_invariants(database_url)) == asyncio.run(broken_invariants(another_url))
