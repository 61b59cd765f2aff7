"""Commands that change something, against a real database and a real Redis."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cli.examine import CHECKS
from tests.support import ops_seed as seed
from tests.support.cli import Installation

LIST = "Art.-Nr.;Bezeichnung;Preis EUR\nA-1;Kabel;12,50\nA-2;Klemme;1,99\nA-3;Feder;auf Anfrage\n"


@pytest.fixture
def pricemill(database_url: str, redis_url: str, tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data", database_url=database_url, redis_url=redis_url)


@pytest.fixture
def price_list(tmp_path: Path) -> Path:
    path = tmp_path / "liste.csv"
    path.write_bytes(LIST.encode("cp1252"))
    return path


def ask(url: str, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    async def rows() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()

    return asyncio.run(rows())


def message(number: int, **members: Any) -> str:
    document = {
        "schema_version": "2.0",
        "task_id": f"task-{number}",
        "parser_type": "csv",
        "supplier_name": f"Supplier {number}",
        "source_config": {"file_path": "/lists/a.csv"},
    }
    return json.dumps({**document, **members})


def test_a_list_is_imported_worked_on_and_explained(
    pricemill: Installation, database_url: str, price_list: Path
) -> None:
    accepted = pricemill("import", price_list, "--supplier", "Nordwind", "--as-of", "2026-11-01", "--json")
    assert (accepted.code, accepted.err) == (0, "")
    task = accepted.json["task_id"]
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    detail = pricemill.inside("tasks", "show", task[:18], "--json").json
    assert detail["task"]["state"] == "completed"
    assert detail["account"] == seed.account(4, new=2, rejected={"price_on_request": 1}, ignored={"header": 1})
    [row] = pricemill.inside("rejected", "list", "--task", task, "--json").json["items"]
    assert (row["row"], row["value"], row["code"]) == (4, "auf Anfrage", "price_on_request")
    price = pricemill.inside("explain", "price", "Nordwind", "A-1", "--json").json
    assert (price["item"]["price"], price["origin"]["row"]) == ("12.500000", 2)
    assert price["origin"]["cells"] == ["A-1", "Kabel", "12,50"]
    again = pricemill.inside("import", price_list, "--supplier", "Nordwind", "--json")
    assert again.json["same_bytes_as"] == task
    assert ask(database_url, "SELECT count(*) FROM supplier_items") == [(2,)]


def test_people_read_what_will_become_of_a_list_before_and_what_became_of_it(
    pricemill: Installation, price_list: Path
) -> None:
    judged = pricemill.inside("import", price_list, "--supplier", "Nordwind", "--check")
    assert "Check     4 rows: 2 items would be loaded, nothing was written" in judged.out
    accepted = pricemill.inside("import", price_list, "--supplier", "Nordwind", "--key", "november")
    assert accepted.out.splitlines()[0].startswith("Source    liste.csv  1 kB  sha256 ")
    assert pricemill.inside("worker", "--burst", "--concurrency", "2").code == 0
    known = pricemill.inside("import", price_list, "--supplier", "Nordwind", "--key", "november", "--wait")
    assert known.code == 6
    assert "          4 rows: 2 new, 1 rejected, 1 ignored\n" in known.out
    assert "Rejected 1: Preis EUR “auf Anfrage” says there is no fixed price (row 4)" in known.out
    assert "Next: pricemill rejected groups --task " in known.err


def test_doctor_finds_a_working_installation_well(pricemill: Installation) -> None:
    answer = pricemill.inside("doctor")
    assert answer.code == 0
    assert [text.split()[:2] for text in answer.out.splitlines()] == [["✔", name] for name in CHECKS]


def test_waiting_without_any_worker_runs_out_and_the_work_goes_on(pricemill: Installation, price_list: Path) -> None:
    answer = pricemill.inside("import", price_list, "--supplier", "Nordwind", "--wait=0.2s", "--json")
    assert answer.code == 124
    assert answer.problem["code"] == "waited_too_long"
    [task] = pricemill.inside("tasks", "list", "--json").json["items"]
    assert task["state"] == "queued"


def test_check_judges_every_row_and_writes_nothing(
    pricemill: Installation, database_url: str, price_list: Path
) -> None:
    answer = pricemill.inside("import", price_list, "--supplier", "Nordwind", "--check", "--json")
    assert answer.code == 6
    assert answer.json["account"] == seed.account(4, new=2, rejected={"price_on_request": 1}, ignored={"header": 1})
    assert [item["price"] for item in answer.json["items"]] == ["12.50", "1.99"]
    assert answer.json["rejected"][0]["first"]["row_number"] == 4
    assert ask(database_url, "SELECT (SELECT count(*) FROM tasks) + (SELECT count(*) FROM suppliers)") == [(0,)]
    assert not (pricemill.data_dir / "inbox").exists()


def test_a_list_that_cannot_be_understood_is_refused_by_check_with_its_question(
    pricemill: Installation, tmp_path: Path
) -> None:
    path = tmp_path / "two-prices.csv"
    path.write_text("sku;name;x;y\nA;Kabel;foo;bar\n", encoding="utf-8")
    answer = pricemill.inside("import", path, "--supplier", "Nordwind", "--check", "--json")
    assert answer.code == 5
    assert answer.problem["next"]


def test_map_shows_field_certainty_and_reason_without_any_server(tmp_path: Path, price_list: Path) -> None:
    alone = Installation(
        tmp_path / "alone", database_url="postgresql://x@/x?host=/nowhere", redis_url="unix:///nowhere"
    )
    answer = alone.inside("map", price_list, "--json")
    assert answer.code == 0
    fields = {column["header"]: column["field"] for column in answer.json["columns"]}
    assert fields == {"Art.-Nr.": "sku", "Bezeichnung": "name", "Preis EUR": "price"}
    shown = alone.inside("map", price_list).out.splitlines()
    assert shown[0] == "liste.csv  CSV, semicolon, UTF-8, header in row 1."
    assert "Prices    decimal comma" in shown[-2]


def test_good_tasks_are_accepted_and_bad_lines_named(pricemill: Installation) -> None:
    lines = [message(1), "", message(2, priority="urgent"), "{", message(3)]
    answer = pricemill("enqueue", "-", stdin="\n".join(lines))
    assert answer.code == 6
    assert answer.out == "2 tasks accepted\n"
    told = answer.err.splitlines()
    assert any(text.startswith("line 3: /priority: ") for text in told)
    assert any(text.startswith("line 4: ") for text in told)
    assert len([text for text in told if text.startswith("line ")]) == 2
    listed = pricemill.inside("tasks", "list", "--jsonl", "--fields", "task_id").out.splitlines()
    assert [json.loads(text)["task_id"] for text in listed] == ["task-3", "task-1"]


def test_a_task_handed_in_twice_is_known(pricemill: Installation, tmp_path: Path) -> None:
    path = tmp_path / "task.json"
    path.write_text(message(1), encoding="utf-8")
    assert pricemill.inside("enqueue", path, "--dry-run", "--json").json == {"valid": 1, "refused": []}
    assert pricemill.inside("enqueue", path, "--json").json["accepted"] == 1
    answer = pricemill.inside("enqueue", path, "--json")
    assert (answer.code, answer.json["accepted"], answer.json["known"]) == (0, 0, 1)


def test_nothing_accepted_is_exit_5(pricemill: Installation, tmp_path: Path) -> None:
    path = tmp_path / "task.json"
    path.write_text('{"task_id": "x"}', encoding="utf-8")
    answer = pricemill.inside("enqueue", path, "--json")
    assert answer.code == 5
    assert answer.json["refused"][0]["line"] == 1


def test_no_task_at_all_is_exit_5_and_said(pricemill: Installation) -> None:
    answer = pricemill("enqueue", "-", stdin="\n\n")
    assert answer.code == 5
    assert "no task to read" in answer.err


def test_an_unknown_parser_is_named_with_those_there_are(pricemill: Installation, price_list: Path) -> None:
    answer = pricemill.inside("import", price_list, "--supplier", "Nord", "--parser", "nope")
    assert answer.code == 2
    assert "csv" in answer.err


def test_tasks_are_cancelled_and_started_again(pricemill: Installation, database_url: str) -> None:
    asyncio.run(seed.fill(database_url))
    assert pricemill.inside("tasks", "cancel", seed.QUEUED, "--dry-run").code == 0
    answer = pricemill.inside("tasks", "cancel", seed.QUEUED, "--reason", "wrong list", "--json")
    assert (answer.code, answer.json) == (0, {"tasks": {seed.QUEUED: "cancelled"}})
    assert pricemill.inside("tasks", "cancel", seed.FIRST).code == 5
    refused = pricemill.inside("tasks", "retry", seed.FIRST, "--json")
    assert (refused.code, refused.problem["code"]) == (5, "state_conflict")
    again = pricemill.inside("tasks", "retry", seed.QUEUED, "--json")
    assert (again.code, again.json) == (0, {"retried": [seed.QUEUED], "delivered": True})
    assert ask(database_url, "SELECT status::text FROM tasks WHERE task_id = $1", seed.QUEUED) == [("queued",)]


@pytest.mark.parametrize("outcome", ["released", "snooze", "cancelled", "discarded"])
def test_an_attempt_that_ended_without_a_failure_says_why(
    pricemill: Installation, database_url: str, outcome: str
) -> None:
    asyncio.run(seed.fill(database_url))
    change = "UPDATE task_attempts SET outcome = $1, error = $2 WHERE worker = 'ingest-01'"
    ask(database_url, change, outcome, json.dumps({"reason": "the worker shuts down"}))
    shown = pricemill.inside("tasks", "show", seed.RUNNING)
    assert shown.code == 0
    assert f"{outcome} on ingest-01: the worker shuts down" in shown.out


def test_dead_letters_are_retried_by_cause_and_discarded_one_by_one(pricemill: Installation, database_url: str) -> None:
    asyncio.run(seed.fill(database_url))
    dry = pricemill.inside("dead", "retry", "--cause", "header_not_found", "--dry-run", "--json")
    assert (dry.code, dry.json["would_retry"]) == (0, 1)
    answer = pricemill.inside("dead", "retry", "--cause", "header_not_found", "--yes", "--reason", "profile", "--json")
    assert (answer.code, answer.json) == (0, {"retried": 1, "not_a_task": 0, "delivered": True})
    gone = pricemill.inside("dead", "discard", seed.NOT_A_TASK[:8], "--json")
    assert gone.code == 2  # both dead letters begin like this
    gone = pricemill.inside("dead", "discard", seed.NOT_A_TASK, "--reason", "no order", "--json")
    assert (gone.code, gone.json) == (0, {"discarded": 1})
    rows = ask(database_url, "SELECT status, close_reason FROM dead_letters ORDER BY created_at")
    assert rows == [("discarded", "no order"), ("replayed", "profile")]
    assert pricemill.inside("status", "--json").json["dead"] == 0


def test_a_dead_letter_is_found_by_its_task(pricemill: Installation, database_url: str) -> None:
    asyncio.run(seed.fill(database_url))
    shown = pricemill.inside("dead", "show", seed.DEAD, "--json")
    assert shown.json["letter"]["id"] == seed.DEAD_LETTER
    assert (
        "Remedy    pricemill map /lists/tarifa.xlsx shows what was seen"
        in pricemill.inside("dead", "show", seed.DEAD_LETTER).out
    )


def test_a_profile_goes_out_and_in_as_a_new_version(pricemill: Installation, tmp_path: Path, database_url: str) -> None:
    asyncio.run(seed.fill(database_url))
    path = tmp_path / "profile.json"
    path.write_text('{"schema_version": "1.0", "currency": "EUR", "mapping": {"price": "EK"}}', encoding="utf-8")
    assert pricemill.inside("suppliers", "profile", "import", "Nordwind", path, "--dry-run").code == 0
    answer = pricemill.inside("suppliers", "profile", "import", "Nordwind", path, "--json")
    assert answer.json == {"supplier": "Nordwind", "version": 2}
    exported = pricemill.inside("suppliers", "profile", "export", "Nordwind").out
    assert json.loads(exported) == json.loads(path.read_text(encoding="utf-8"))
    path.write_text('{"schema_version": "1.0", "currency": "euro"}', encoding="utf-8")
    refused = pricemill.inside("suppliers", "profile", "import", "Nordwind", path, "--json")
    assert (refused.code, refused.problem["code"]) == (5, "profile_invalid")
    assert "/currency" in refused.problem["detail"]


def test_the_database_goes_up_and_down_only_when_asked_twice(blank_url: str, redis_url: str, tmp_path: Path) -> None:
    pricemill = Installation(tmp_path, database_url=blank_url, redis_url=redis_url)
    missing = pricemill.inside("status", "--json")
    assert (missing.code, missing.problem["next"]) == (5, "pricemill db upgrade")
    assert pricemill.inside("db", "check", "--json").code == 5
    assert pricemill.inside("db", "upgrade", "--json").json["before"] is None
    assert pricemill.inside("db", "check").code == 0
    assert pricemill.inside("db", "downgrade", "base").code == 2
    unknown = pricemill.inside("db", "downgrade", "no_such_revision", "--yes", "--json")
    assert (unknown.code, unknown.problem["code"]) == (5, "config_error")
    assert "no_such_revision" in unknown.problem["detail"]
    assert pricemill.inside("db", "downgrade", "base", "--yes", "--json").json["now"] is None
    assert pricemill.inside("status").code == 5


def test_an_interrupted_wait_leaves_the_task_in_the_queue(
    pricemill: Installation, database_url: str, price_list: Path
) -> None:
    pricemill.data_dir.mkdir()
    waiting = subprocess.Popen(
        [sys.executable, "-m", "cli", "import", str(price_list), "--supplier", "Nordwind", "--wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=pricemill.data_dir,
        env=pricemill.environment(),
    )
    assert waiting.stdout is not None
    told = [waiting.stdout.readline() for _ in range(2)]
    assert told[1].startswith("Task ")
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert "Tasks that were accepted stay in the queue" in err
    assert ask(database_url, "SELECT status::text FROM tasks") == [("queued",)]
