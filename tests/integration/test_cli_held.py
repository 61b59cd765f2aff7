"""Questions answered, prices approved, lists taken back: from the command line, with real servers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Answer, Installation

ITEMS = [f"A-{number:03d},Part {number},{number + 1}.50" for number in range(60)]


@pytest.fixture
def pricemill(database_url: str, redis_url: str, tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data", database_url=database_url, redis_url=redis_url)


def loaded(pricemill: Installation, rows: list[str], day: int = 1) -> str:
    """The id of the task that was worked on."""
    path = pricemill.data_dir.parent / f"list-{day}.csv"
    path.write_text("\n".join(["SKU,Name,Price EUR", *rows]) + "\n")
    done = pricemill.inside("import", path, "--supplier", "Acme", "--as-of", f"2026-03-{day:02d}", "--json")
    assert done.code == 0, done.err
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    task: str = done.json["task_id"]
    return task


def shown(pricemill: Installation, task: str) -> Any:
    return pricemill.inside("tasks", "show", task, "--json").json


def price(pricemill: Installation, sku: str) -> str:
    found: str = pricemill.inside("explain", "price", "Acme", sku, "--json").json["item"]["price"]
    return found


def times_hundred() -> list[str]:
    return [f"{sku},{name},{int(float(price) * 100)}" for sku, name, price in (row.split(",") for row in ITEMS)]


def in_dollars(pricemill: Installation, day: int) -> Answer:
    path = pricemill.data_dir.parent / f"dollars-{day}.csv"
    path.write_text("\n".join(["SKU,Name,Price USD", *ITEMS]) + "\n")
    return pricemill.inside("import", path, "--supplier", "Acme", "--as-of", f"2026-03-{day:02d}", "--json")


def test_a_list_of_which_all_prices_moved_alike_waits_and_is_let_through_once(pricemill: Installation) -> None:
    loaded(pricemill, ITEMS)
    task = loaded(pricemill, times_hundred(), 2)
    assert shown(pricemill, task)["task"]["state"] == "dead"
    assert price(pricemill, "A-000") == "1.500000"
    status = pricemill.inside("status", "--json")
    assert (status.code, status.json["dead"], status.json["held_lists"]) == (6, 0, 1)
    [one] = pricemill.inside("held", "list", "--json").json["lists"]
    assert (one["task_id"], one["question"]["code"]) == (task, "whole_list")
    assert "100 times" in one["question"]["sentence"]
    assert pricemill.inside("held", "answer", task, "9", "--yes").code == 2
    assert pricemill.inside("held", "answer", task, "1", "--yes", "--json").json["version"] == 2
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    detail = shown(pricemill, task)
    assert (detail["task"]["state"], detail["account"]["changed"]) == ("completed", len(ITEMS))
    assert price(pricemill, "A-000") == "150.000000"
    assert loaded(pricemill, ITEMS, 3)
    assert pricemill.inside("held", "list", "--json").json["lists"][0]["question"]["code"] == "whole_list"


def test_a_list_that_moved_because_it_is_per_hundred_now_is_loaded_so(pricemill: Installation) -> None:
    loaded(pricemill, ITEMS)
    task = loaded(pricemill, times_hundred(), 2)
    labels = [
        option["label"] for option in pricemill.inside("held", "show", task, "--json").json["question"]["options"]
    ]
    number = labels.index("the prices are per 100 now") + 1
    assert pricemill.inside("held", "answer", task, str(number), "--yes").code == 0
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    assert shown(pricemill, task)["account"]["changed"] == len(ITEMS)
    item = pricemill.inside("explain", "price", "Acme", "A-000", "--json").json["item"]
    assert (item["price"], item["price_basis"]) == ("150.000000", "100.000000")


def test_a_list_in_another_currency_waits_and_can_be_refused(pricemill: Installation) -> None:
    loaded(pricemill, ITEMS)
    task = in_dollars(pricemill, 2).json["task_id"]
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0
    question = pricemill.inside("held", "show", task, "--json").json["question"]
    last = len(question["options"])
    assert question["options"][-1]["label"] == "do not load this list"
    assert pricemill.inside("held", "answer", task, str(last), "--yes", "--json").json["version"] is None
    assert pricemill.inside("held", "list", "--json").json["lists"] == []
    assert shown(pricemill, task)["task"]["state"] == "dead"
    assert pricemill.inside("status", "--json").json["held_lists"] == 0


def test_prices_that_jump_are_listed_approved_and_rejected(pricemill: Installation) -> None:
    loaded(pricemill, ITEMS)
    task = loaded(pricemill, ["A-000,Part 0,999", "A-001,Part 1,888", "A-002,Part 2,777", *ITEMS[3:]], 2)
    detail = shown(pricemill, task)
    assert detail["account"]["held"] == {"price_jump": 3}
    prices = pricemill.inside("held", "list", "--json").json["prices"]
    assert [(row["sku"], row["old_price"], row["price"], row["row"]) for row in prices] == [
        ("A-000", "1.500000", "999.000000", 2),
        ("A-001", "2.500000", "888.000000", 3),
        ("A-002", "3.500000", "777.000000", 4),
    ]
    assert pricemill.inside("held", "approve").code == 2
    assert pricemill.inside("held", "approve", "A-999").code == 3
    unasked = pricemill.inside("held", "approve", "A-000", "--json")
    assert (unasked.code, unasked.problem["code"], price(pricemill, "A-000")) == (2, "usage", "1.500000")
    assert pricemill.inside("held", "approve", "A-000", "--yes", "--json").json == {"decided": 1, "outdated": 0}
    assert pricemill.inside("held", "reject", "--task", task, "--dry-run", "--json").json["would_reject"] == 2
    assert pricemill.inside("held", "reject", "A-001", "--yes", "--json").json["decided"] == 1
    assert pricemill.inside("held", "approve", "--all", "--yes", "--json").json["decided"] == 1
    assert [price(pricemill, sku) for sku in ("A-000", "A-001", "A-002")] == ["999.000000", "2.500000", "777.000000"]
    assert pricemill.inside("held", "list", "--json").json == {"lists": [], "prices": [], "next": None}
    assert "Held     0 lists, 0 prices" in pricemill.inside("status").out


def test_a_profile_may_widen_the_band_or_take_it_away(pricemill: Installation, tmp_path: Path) -> None:
    loaded(pricemill, ITEMS)
    profile = pricemill.inside("suppliers", "profile", "show", "Acme", "--json").json["document"]
    for day, (band, held) in enumerate((({"up": "3", "down": "3"}, 1), ("off", 0)), 2):
        path = tmp_path / "profile.json"
        path.write_text(json.dumps(profile | {"rules": {"price_band": band}}))
        assert pricemill.inside("suppliers", "profile", "import", "Acme", path).code == 0
        task = loaded(pricemill, ["A-000,Part 0,6.00", *ITEMS[1:]], day)
        assert shown(pricemill, task)["account"]["held"] == ({"price_jump": 1} if held else {})


def test_missing_and_returned_items_are_counted_and_a_cut_list_is_marked(pricemill: Installation) -> None:
    loaded(pricemill, ITEMS)
    cut = shown(pricemill, loaded(pricemill, ITEMS[:20], 2))["result"]
    assert cut["statistics"]["missing"] == 40
    assert any("may be cut" in warning for warning in cut["warnings"])
    back = shown(pricemill, loaded(pricemill, ["B-1,New,1.00", *ITEMS], 3))["result"]["statistics"]
    assert (back["missing"], back["returned"], back["new"]) == (0, 40, 1)
    assert price(pricemill, "A-050") == "51.500000"


def test_a_list_is_taken_back_and_the_history_shows_both(pricemill: Installation) -> None:
    loaded(pricemill, ITEMS)
    task = loaded(pricemill, ["A-000,Part 0,2.00", "Z-1,New,7.00", *ITEMS[1:]], 2)
    assert pricemill.inside("tasks", "revert", task).code == 2
    would = pricemill.inside("tasks", "revert", task, "--dry-run", "--json").json
    assert (would["restored"], would["withdrawn"], price(pricemill, "A-000")) == (1, 1, "2.000000")
    done = pricemill.inside("tasks", "revert", task, "--yes", "--reason", "wrong file", "--json")
    assert (done.code, done.json["restored"], done.json["withdrawn"]) == (0, 1, 1)
    explained = pricemill.inside("explain", "price", "Acme", "A-000", "--json").json
    assert explained["item"]["price"] == "1.500000"
    assert [change["event"] for change in explained["history"]] == ["restored", "taken_back", "loaded"]
    assert explained["origin"]["task_id"] != task
    assert "wrong file" in pricemill.inside("tasks", "show", task).out
    assert pricemill.inside("suppliers", "show", "Acme", "--json").code == 0
    again = loaded(pricemill, ["A-000,Part 0,2.00", "Z-1,New,7.00", *ITEMS[1:]], 2)
    assert shown(pricemill, again)["account"]["new"] == 1
    assert price(pricemill, "A-000") == "2.000000"
    assert pricemill.inside("tasks", "revert", task, "--yes").code == 0
    assert price(pricemill, "A-000") == "2.000000"
