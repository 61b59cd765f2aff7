"""`pricemill suppliers profile`, against a real database and a real Redis."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.changing_lists import Book, book, repriced
from tests.support.cli import Installation


@pytest.fixture
def pricemill(database_url: str, redis_url: str, tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data", database_url=database_url, redis_url=redis_url)


def load(pricemill: Installation, made: Book, folder: Path, stem: str) -> str:
    answer = pricemill.inside("import", made.write(folder, stem), "--supplier", "Nordwind", "--json")
    assert answer.code == 0, answer.err
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    task: str = answer.json["task_id"]
    return task


def state(pricemill: Installation, task: str) -> str:
    told: str = pricemill.inside("tasks", "show", task, "--json").json["task"]["state"]
    return told


def test_the_first_answer_is_taken_and_the_list_is_loaded(pricemill: Installation, tmp_path: Path) -> None:
    first = book("en", seed=1)
    load(pricemill, first, tmp_path, "first")
    changed = repriced(first, seed=2).changed("price", header="Kondition B7")
    task = load(pricemill, changed, tmp_path, "second")
    assert state(pricemill, task) == "dead"

    unasked = pricemill.inside("suppliers", "profile", "accept", "Nordwind")
    assert unasked.code == 2
    assert "“Kondition B7” replaces “Price”" in unasked.err
    taken = pricemill.inside("suppliers", "profile", "accept", "Nordwind", "--yes", "--json")
    assert (taken.json["task_id"], taken.json["version"], taken.json["started"]) == (task, 2, True)
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    assert state(pricemill, task) == "completed"

    changes = pricemill.inside("suppliers", "profile", "diff", "Nordwind", "--json").json["changes"]
    assert {"member": "mapping.price", "old": "Price", "new": "Kondition B7"} in changes
    again = pricemill.inside("suppliers", "profile", "accept", "Nordwind", "--yes", "--json")
    assert (again.code, again.problem["next"]) == (3, "pricemill held list")


def test_a_column_that_was_absorbed_makes_a_version_that_a_person_can_see(
    pricemill: Installation, tmp_path: Path
) -> None:
    first = book("de", seed=1)
    load(pricemill, first, tmp_path, "first")
    task = load(pricemill, repriced(first, seed=2).changed("price", header="Einzelpreis"), tmp_path, "second")
    assert state(pricemill, task) == "completed"
    shown = pricemill.inside("suppliers", "profile", "show", "Nordwind", "--json").json
    assert (shown["version"], shown["document"]["mapping"]["price"]) == (2, "Einzelpreis")
    assert [one["created_by"] for one in shown["history"]] == ["pricemill", "pricemill"]
    told = pricemill.inside("suppliers", "profile", "diff", "Nordwind", "1", "2").out
    assert "column of price: “Preis” became “Einzelpreis”" in told


def test_a_profile_is_shown_exported_checked_and_taken_back_by_version(pricemill: Installation, tmp_path: Path) -> None:
    load(pricemill, book("en", seed=1), tmp_path, "first")
    file = tmp_path / "profile.json"
    assert pricemill.inside("suppliers", "profile", "export", "Nordwind", file).code == 0
    document = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(document | {"currency": "EUR"}), encoding="utf-8")
    checked = pricemill.inside("suppliers", "profile", "import", "Nordwind", file, "--check", "--json").json
    assert checked == {"valid": True, "changes": [{"member": "currency", "old": None, "new": "EUR"}]}
    assert pricemill.inside("suppliers", "profile", "import", "Nordwind", file).code == 0
    assert pricemill.inside("suppliers", "profile", "revert", "Nordwind", "1", "--json").json["version"] == 3
    newest = pricemill.inside("suppliers", "profile", "export", "Nordwind").out
    assert json.loads(newest) == document
    second = pricemill.inside("suppliers", "profile", "show", "Nordwind", "--version", "2", "--json").json
    assert second["document"]["currency"] == "EUR"
    missing = pricemill.inside("suppliers", "profile", "show", "Nordwind", "--version", "9", "--json")
    assert (missing.code, missing.problem["detail"]) == (3, "'Nordwind' has no profile v9; the newest is v3")
