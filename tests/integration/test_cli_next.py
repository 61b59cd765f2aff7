"""Whatever command is proposed can be copied and works: with the real file, supplier, task and answer in it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.cli import Answer, Installation

ITEMS = [f"A-{number:03d},Part {number},{number + 1}.50" for number in range(60)]
JUMPS = ["A-000,Part 0,999", *ITEMS[1:]]
ALL_TIMES_100 = [f"A-{number:03d},Part {number},{100 * number + 150}" for number in range(60)]
TWO_PRICES = ["Code;Name;Net price;Gross price", *(f"B-{n};Thing {n};{n}.00;{n}.19" for n in range(1, 30))]
BROKEN = [
    "Code;Name;Price EUR",
    *(f"C-{n};Thing {n};{n},50" for n in range(1, 30)),
    "C-30;Letter;1O,50",
    "C-31;Free;0,00",
]
WORKS = {0, 5, 6}
"""Done, or a question or a finding is told; not a command that is misunderstood (2) or names what is not there (3)."""


@pytest.fixture
def pricemill(database_url: str, redis_url: str, tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data", database_url=database_url, redis_url=redis_url)


def a_file(folder: Path, name: str, rows: list[str], header: str | None = "SKU,Name,Price EUR") -> Path:
    path = folder / name
    path.write_text("\n".join([*([header] if header else []), *rows]) + "\n", encoding="utf-8")
    return path


def accepted(pricemill: Installation, path: Path, supplier: str, day: int) -> str:
    done = pricemill.inside("import", path, "--supplier", supplier, "--as-of", f"2026-03-{day:02d}", "--json")
    assert done.code == 0, done.err
    task: str = done.json["task_id"]
    return task


def proposed(answer: Answer) -> Iterator[list[str]]:
    """The words behind `pricemill` of each command that is proposed."""
    for text in answer.err.splitlines():
        for mark in ("Next: ", "  or: ", "More: "):
            if text.startswith(f"{mark}pricemill "):
                yield shlex.split(text.removeprefix(mark))[1:]


def test_every_proposed_command_works_when_it_is_copied(pricemill: Installation, tmp_path: Path) -> None:
    first = a_file(tmp_path, "first list.csv", ITEMS)
    accepted(pricemill, first, "Acme & Sons", 1)
    jumped = accepted(pricemill, a_file(tmp_path, "2.csv", JUMPS), "Acme & Sons", 2)
    all_moved = a_file(tmp_path, "moved (100).csv", ALL_TIMES_100)
    two_prices = a_file(tmp_path, "two prices.csv", TWO_PRICES, None)
    asked = accepted(pricemill, two_prices, "Bolt's", 1)
    mended = accepted(pricemill, a_file(tmp_path, "broken.csv", BROKEN, None), "Cee", 1)
    message = {"task_id": "gone", "parser_type": "csv", "supplier_name": "Dee", "schema_version": "2.0"}
    gone = tmp_path / "gone.json"
    gone.write_text(json.dumps(message | {"source_config": {"file_path": str(pricemill.data_dir / "inbox/none.csv")}}))
    assert pricemill.inside("enqueue", gone).code == 0
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    [letter] = [one for one in pricemill.inside("dead", "list", "--json").json["items"] if one["supplier"] == "Dee"]
    situations: list[Sequence[str | Path]] = [
        ["status"],
        ["why"],
        *[("why", subject) for subject in (jumped, asked, mended, "gone", "Bolt's", "Acme & Sons")],
        ["tasks", "list"],
        ["tasks", "list", "--supplier", "Acme & Sons", "--limit", "1"],
        *[("tasks", "show", task) for task in (jumped, asked, mended, "gone")],
        ["suppliers", "list"],
        ["suppliers", "show", "Acme & Sons", "--limit=2"],
        ["suppliers", "profile", "show", "Acme & Sons"],
        ["suppliers", "profile", "export", "Acme & Sons", "profile.json"],
        ["suppliers", "profile", "import", "Acme & Sons", "profile.json"],
        ["explain", "price", "Acme & Sons", "A-001"],
        ["explain", "price", "Acme & Sons", "Z-999"],
        ["dead", "groups"],
        ["dead", "list"],
        ["dead", "list", "--limit", "1"],
        ["dead", "retry", "--cause", "source_missing", "--dry-run"],
        ["rejected", "list", "--limit", "1"],
        ["rejected", "list", "--task", mended],
        ["rejected", "groups"],
        ["rejected", "groups", "--task", mended],
        ["held", "list"],
        ["held", "show", asked],
        ["held", "approve", "A-777"],
        ["map", first],
        ["map", two_prices],
        ["map", two_prices, "--supplier", "New & Old"],
        ["import", first, "--supplier", "Fresh", "--check", "--currency", "EUR"],
        ["import", two_prices, "--supplier", "New", "--check"],
        ["import", two_prices, "--supplier", "Newer", "--decimal", ".", "--check"],
        ["import", all_moved, "--supplier", "Acme & Sons", "--check"],
        ["import", all_moved, "--supplier", "Acme & Sons"],
        ["rejected", "fix", "--task", mended, "--cause", "price_zero", "--set", "rules.zero_price=accept", "--check"],
        ["rejected", "fix", "--task", mended, "--cause", "price_zero", "--set", "rules.zero=accept", "--check"],
        ["held", "show", jumped],
        ["held", "answer", asked, "1"],
        ["dead", "show", letter["id"]],
        ["tasks", "revert", jumped],
        ["tasks", "list", "--state", "cancelled"],
    ]
    tried = 0
    for situation in situations:
        commands = list(proposed(pricemill.inside(*situation)))
        for words in commands:
            assert not {"FILE", "SUPPLIER", "TASK", "NUMBER", "SKU", "LETTER"} & set(words), (situation, words)
            answer = pricemill.inside(*words, *(["--burst"] if words[0] == "worker" else []))
            if answer.code == 2 and "add --yes" in answer.err:  # a terminal asks
                answer = pricemill.inside(*words, "--yes")
            assert answer.code in WORKS, (situation, words, answer.err)
            tried += 1
    assert tried >= len(situations)


def test_a_list_that_would_be_held_is_settled_by_the_proposed_commands_alone(
    pricemill: Installation, tmp_path: Path
) -> None:
    path = a_file(tmp_path, "two prices.csv", TWO_PRICES, None)
    checked = pricemill.inside("import", path, "--supplier", "Bolt & Co", "--check")
    assert checked.code == 5
    assert "  2. the price is in “Gross price”" in checked.out
    assert "would be loaded" not in checked.out
    [settled] = proposed(checked)
    saved = pricemill.inside(*settled)
    assert (settled[0], saved.code) == ("map", 0)
    [again] = proposed(saved)
    good = pricemill.inside(*again)
    assert (again[0], good.code) == ("import", 0), good.out
    assert "29 items would be loaded" in good.out
    [load] = proposed(good)
    assert "--check" not in load
    assert pricemill.inside(*load).code == 0
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    assert pricemill.inside("why", "Bolt & Co").code == 0


def test_who_waits_for_a_list_that_is_held_gets_the_question_and_its_answers(
    pricemill: Installation, tmp_path: Path
) -> None:
    path = a_file(tmp_path, "two prices.csv", TWO_PRICES, None)
    assert pricemill.inside("import", path, "--supplier", "Acme", "--key", "k").code == 0
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    waited = pricemill.inside("import", path, "--supplier", "Acme", "--key", "k", "--wait")
    assert waited.code == 5
    assert "  2. the price is in “Gross price”\n     29 prices from 1.19 to 29.19" in waited.out
    [settled] = proposed(waited)
    assert settled[:2] == ["held", "answer"]
    assert pricemill.inside(*settled, "--yes").code == 0
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    assert pricemill.inside("import", path, "--supplier", "Acme", "--key", "k", "--wait").code == 0


def test_a_list_that_moved_as_a_whole_is_held_by_the_check_and_settled_before_it_is_imported(
    pricemill: Installation, tmp_path: Path
) -> None:
    accepted(pricemill, a_file(tmp_path, "1.csv", ITEMS), "Acme", 1)
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    path = a_file(tmp_path, "2.csv", ALL_TIMES_100)
    checked = pricemill.inside("import", path, "--supplier", "Acme", "--check")
    assert checked.code == 5
    assert "nothing would be loaded before a person has answered" in checked.out
    assert "  2. the prices are per 100 now" in checked.out
    asked = pricemill.inside("import", path, "--supplier", "Acme", "--check", "--json")
    assert (asked.code, len(asked.json["plan"]["answers"])) == (5, 3)
    saved = pricemill.inside("map", path, "--supplier", "Acme", "--answer", "2", "--save")
    assert saved.code == 0, saved.err
    judged = pricemill.inside("import", path, "--supplier", "Acme", "--check", "--json").json["plan"]
    assert (judged["otherwise"], judged["question"], judged["shapes"]) == (len(ITEMS), None, [])


def test_an_answer_that_leaves_another_question_is_kept_and_the_next_one_is_asked(
    pricemill: Installation, tmp_path: Path
) -> None:
    rows = ["Code;Name;Net price;Gross price", *(f"B-{n};Thing {n};{n}.234;{n}.567" for n in range(1, 30))]
    path = a_file(tmp_path, "two questions.csv", rows, None)
    first = pricemill.inside("map", path, "--supplier", "Acme", "--answer", "1", "--save")
    assert first.code == 5
    assert "profile of Acme: v1" in first.err
    [following] = proposed(first)
    second = pricemill.inside(*following)
    assert (second.code, "profile of Acme: v2" in second.err) == (0, True)


def test_an_answer_not_to_load_a_list_saves_nothing(pricemill: Installation, tmp_path: Path) -> None:
    accepted(pricemill, a_file(tmp_path, "1.csv", ITEMS), "Acme", 1)
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    path = a_file(tmp_path, "2.csv", ALL_TIMES_100)
    refused = pricemill.inside("map", path, "--supplier", "Acme", "--answer", "3", "--save")
    assert (refused.code, "nothing is saved" in refused.err) == (0, True)
    assert pricemill.inside("suppliers", "profile", "show", "Acme", "--json").json["version"] == 1


def test_a_currency_that_is_stated_at_last_is_told_as_that(pricemill: Installation, tmp_path: Path) -> None:
    path = a_file(tmp_path, "1.csv", ITEMS, "SKU,Name,Price")
    accepted(pricemill, path, "Acme", 1)
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    answer = pricemill.inside("import", path, "--supplier", "Acme", "--currency", "EUR", "--check")
    assert answer.code == 0
    assert f"Plan      {len(ITEMS)} with their currency stated at last\n" in answer.out
    assert "another quantity" not in answer.out
