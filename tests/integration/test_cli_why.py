"""`pricemill why`: the cause and what is safe, for a task, a supplier and the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_cli_changing import ask
from tests.integration.test_cli_next import ALL_TIMES_100, BROKEN, ITEMS, JUMPS, a_file, accepted
from tests.support.cli import Installation


@pytest.fixture
def pricemill(database_url: str, redis_url: str, tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data", database_url=database_url, redis_url=redis_url)


def worked(pricemill: Installation) -> None:
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0


def why(pricemill: Installation, *subject: str) -> tuple[int, Any]:
    answer = pricemill.inside("why", *subject, "--json")
    return answer.code, answer.json["findings"]


def test_nothing_is_wrong_with_an_empty_installation(pricemill: Installation) -> None:
    code, [finding] = why(pricemill)
    assert (code, finding["sentence"].startswith("Nothing is wrong")) == (0, True)
    assert pricemill.inside("why", "Nobody").code == 3


def test_a_task_waits_for_a_worker_and_a_younger_one_for_the_older(pricemill: Installation, tmp_path: Path) -> None:
    older = accepted(pricemill, a_file(tmp_path, "1.csv", ITEMS), "Acme", 1)
    younger = accepted(pricemill, a_file(tmp_path, "2.csv", JUMPS), "Acme", 2)
    code, [finding] = why(pricemill, older)
    assert code == 6
    assert "no worker is alive" in finding["sentence"]
    assert finding["effect"] == ["1 newer list of this supplier waits behind it."]
    code, [finding] = why(pricemill, younger)
    assert "1.csv, an older list of the same supplier" in finding["sentence"]
    assert finding["safe"][0]["command"] == f"pricemill why {older}"
    for subject in ((), ("Acme",)):
        code, found = why(pricemill, *subject)
        assert code == 6
        assert found[0]["sentence"].startswith("No worker is alive; 1 due task")


def test_a_failure_that_is_tried_again_says_when_and_how_often(
    pricemill: Installation, database_url: str, tmp_path: Path
) -> None:
    task = accepted(pricemill, a_file(tmp_path, "1.csv", ITEMS), "Acme", 1)
    ask(
        database_url,
        "UPDATE tasks SET status = 'retryable', attempt = 1, run_at = now() + interval '1 hour' WHERE task_id = $1",
        task,
    )
    ask(
        database_url,
        """INSERT INTO task_attempts (task_key, epoch, attempt, worker, started_at, finished_at, outcome, error)
           SELECT id, 1, 1, 'w-1', now(), now(), 'retry', '{"code": "source_unavailable", "message": "no answer"}'
             FROM tasks WHERE task_id = $1""",
        task,
    )
    code, [finding] = why(pricemill, task)
    assert code == 6
    assert "is tried again in" in finding["sentence"]
    assert "1 of 4 tries are used" in finding["sentence"]
    assert finding["evidence"][0].endswith("retry on w-1: no answer")
    code, [finding] = why(pricemill)
    assert finding["sentence"] == "1 task failed and is tried again by itself: no answer (source_unavailable)."


def test_a_pause_is_named_with_who_and_why(pricemill: Installation, database_url: str, tmp_path: Path) -> None:
    task = accepted(pricemill, a_file(tmp_path, "1.csv", ITEMS), "Acme", 1)
    ask(
        database_url,
        "INSERT INTO pauses (kind, name, reason, paused_by) VALUES ('supplier', 'Acme', 'wrong prices', 'dana')",
    )
    _, [finding] = why(pricemill, task)
    assert "waits because supplier Acme is paused" in finding["sentence"]
    assert finding["evidence"] == ["Paused by dana: wrong prices."]
    _, [finding] = why(pricemill, "Acme")
    assert finding["sentence"] == "The supplier Acme is paused by dana: wrong prices."


def test_a_question_is_told_with_every_answer_and_trying_again_is_not_safe(
    pricemill: Installation, tmp_path: Path
) -> None:
    accepted(pricemill, a_file(tmp_path, "1.csv", ITEMS), "Acme", 1)
    task = accepted(pricemill, a_file(tmp_path, "2.csv", ALL_TIMES_100), "Acme", 2)
    worked(pricemill)
    code, [finding] = why(pricemill, task)
    assert (code, finding["sentence"].startswith("2.csv of Acme waits for an answer since")) == (6, True)
    commands = [step["command"] for step in finding["safe"]]
    assert commands == [f"pricemill held answer {task} {number}" for number in (1, 2, 3)]
    assert [step["command"] for step in finding["not_now"]] == [f"pricemill tasks retry {task}"]
    assert why(pricemill, "Acme")[1][0]["sentence"] == "1 list of Acme waits for an answer."


def test_held_and_rejected_rows_are_told_until_they_are_dealt_with(pricemill: Installation, tmp_path: Path) -> None:
    accepted(pricemill, a_file(tmp_path, "1.csv", ITEMS), "Acme", 1)
    held = accepted(pricemill, a_file(tmp_path, "2.csv", JUMPS), "Acme", 2)
    rejected = accepted(pricemill, a_file(tmp_path, "3.csv", BROKEN, None), "Cee", 1)
    worked(pricemill)
    assert why(pricemill, held)[1][0]["sentence"] == "2.csv of Acme is loaded but for 1 price held."
    assert why(pricemill, rejected)[1][0]["sentence"] == "3.csv of Cee is loaded but for 2 rows rejected."
    assert why(pricemill)[1][0]["sentence"] == "1 price waits for a decision."
    assert pricemill.inside("held", "reject", "--task", held, "--yes").code == 0
    assert why(pricemill, held)[0] == 0
    assert why(pricemill)[0] == 0


def test_a_list_that_was_taken_back_says_when_and_by_whom_wherever_it_is_told(
    pricemill: Installation, tmp_path: Path
) -> None:
    accepted(pricemill, a_file(tmp_path, "1.csv", ITEMS), "Acme", 1)
    task = accepted(pricemill, a_file(tmp_path, "2.csv", ["A-000,Part 0,1.60", *ITEMS[1:]]), "Acme", 2)
    worked(pricemill)
    assert pricemill.inside("tasks", "revert", task, "--yes", "--reason", "wrong file").code == 0
    _, [finding] = why(pricemill, task)
    assert "was loaded and taken back" in finding["sentence"]
    shown = pricemill.inside("tasks", "show", task).out
    assert "completed (success), taken back since" in shown
    assert ": wrong file\n" in shown
    states = [text.split()[1] for text in pricemill.inside("tasks", "list").out.splitlines()[1:]]
    assert states == ["reverted", "completed"]
    again = pricemill.inside("tasks", "revert", task, "--yes")
    assert again.code == 0
    assert again.out.startswith("Nothing was changed: it was taken back already, at ")
    assert again.out.rstrip().endswith(": wrong file.")
    refused = pricemill.inside("tasks", "retry", task)
    assert (refused.code, "it never runs again" in refused.err) == (5, True)


def test_an_answer_that_is_given_twice_changes_nothing_and_another_one_is_refused(
    pricemill: Installation, tmp_path: Path
) -> None:
    accepted(pricemill, a_file(tmp_path, "1.csv", ITEMS), "Acme", 1)
    task = accepted(pricemill, a_file(tmp_path, "2.csv", ALL_TIMES_100), "Acme", 2)
    worked(pricemill)
    assert pricemill.inside("held", "answer", task, "2", "--yes").code == 0
    again = pricemill.inside("held", "answer", task, "2", "--yes")
    assert (again.code, again.out) == (0, "Nothing was changed: “the prices are per 100 now” was answered already.\n")
    other = pricemill.inside("held", "answer", task, "3", "--yes", "--json")
    assert (other.code, other.problem["code"]) == (5, "state_conflict")
