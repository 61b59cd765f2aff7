"""`import --check`: what a list would do to the prices that hold, before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Answer, Installation

ITEMS = [(f"A-{number:03d}", f"Part {number}", f"{number + 1}.50", f"{2 * number + 3}.10") for number in range(60)]
HEADER = "SKU,Name,Price EUR,Weight"


@pytest.fixture
def pricemill(database_url: str, redis_url: str, tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data", database_url=database_url, redis_url=redis_url)


def write(pricemill: Installation, rows: list[tuple[str, ...]], header: str = HEADER) -> Path:
    path = pricemill.data_dir.parent / "list.csv"
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")
    return path


def load(pricemill: Installation, rows: list[tuple[str, ...]], day: int) -> None:
    path = write(pricemill, rows)
    assert pricemill.inside("import", path, "--supplier", "Acme", "--as-of", f"2026-03-0{day}").code == 0
    assert pricemill.inside("worker", "--burst", "--quiet").code == 0


def check(pricemill: Installation, rows: list[tuple[str, ...]], *more: str, header: str = HEADER) -> Answer:
    return pricemill.inside("import", write(pricemill, rows, header), "--supplier", "Acme", "--check", *more)


def plan(pricemill: Installation, rows: list[tuple[str, ...]], header: str = HEADER) -> Any:
    return check(pricemill, rows, "--json", header=header).json["plan"]


def times(factor: float, rows: list[tuple[str, ...]] = ITEMS) -> list[tuple[str, ...]]:
    return [(sku, name, f"{float(price) * factor:.2f}", weight) for sku, name, price, weight in rows]


def test_every_item_of_a_list_is_in_one_part_of_the_plan(pricemill: Installation) -> None:
    load(pricemill, ITEMS, 1)
    load(pricemill, ITEMS[:50], 2)
    rows = [
        ("A-000", "Part 0", "1.65", "3.10"),
        ("A-001", "Part 1", "2.00", "5.10"),
        ("A-002", "Part 2", "350.00", "7.10"),
        ("A-003", "Part 3", "call", "9.10"),
        ("Z-1", "New", "5.00", "1.00"),
        *ITEMS[4:49],
        ITEMS[55],
        ("A-001", "Part 1", "3.00", "5.10"),
    ]
    answer = check(pricemill, rows, "--json")
    assert answer.code == 6
    found = answer.json["plan"]
    assert {name: found[name] for name in ("new", "up", "down", "unchanged", "held", "rejected", "ignored")} == {
        "new": 1,
        "up": 2,
        "down": 0,
        "unchanged": 46,
        "held": 1,
        "rejected": 1,
        "ignored": 2,
    }
    assert (found["missing"], found["missing_codes"], found["returned"]) == (1, ["A-049"], 1)
    assert found["held_reasons"] == {"price_jump": 1}
    assert {part["percent"]: part["items"] for part in found["histogram"] if part["items"]} == {
        "5 .. 20": 1,
        "20 .. 50": 1,
        ">= 100": 1,
    }
    assert next((move["sku"], move["held"]) for move in found["largest"]) == ("A-002", "price_jump")
    again = check(pricemill, rows)
    assert "1 new, 2 up, 46 unchanged, 1 held, 1 missing, 1 returned" in again.out
    assert pricemill.inside("tasks", "list", "--json").json["items"][0]["rows"] == 51


@pytest.mark.parametrize(
    ("factor", "told"),
    [(100, "100 times what they were"), (0.001, "a 1,000th of what they were"), (1.2, "the same +20 %")],
)
def test_what_happened_to_a_whole_list_is_called_by_name(pricemill: Installation, factor: float, told: str) -> None:
    rows = [(sku, name, f"{1000 * int(float(price))}.00", weight) for sku, name, price, weight in ITEMS]
    load(pricemill, rows, 1)
    found = plan(pricemill, times(factor, rows))
    assert any(told in sentence for sentence in found["shapes"])
    assert found["question"]


def test_another_currency_is_called_by_name(pricemill: Installation) -> None:
    load(pricemill, ITEMS, 1)
    found = plan(pricemill, times(1.08), header="SKU,Name,Price USD,Weight")
    assert any("are in USD that were in EUR, about 1.08 times" in sentence for sentence in found["shapes"])
    assert found["question"]


def test_swapped_columns_are_called_by_name(pricemill: Installation) -> None:
    load(pricemill, ITEMS, 1)
    swapped = [(sku, name, weight, price) for sku, name, price, weight in ITEMS]
    assert any("columns may be swapped: “weight”" in told.lower() for told in plan(pricemill, swapped)["shapes"])


def test_a_cut_list_is_called_by_name(pricemill: Installation) -> None:
    load(pricemill, ITEMS, 1)
    assert any("may be cut" in sentence for sentence in plan(pricemill, ITEMS[:10])["shapes"])


def test_an_older_list_would_change_nothing_that_is_known(pricemill: Installation) -> None:
    load(pricemill, ITEMS, 2)
    found = check(pricemill, times(1.5), "--json", "--as-of", "2026-03-01").json["plan"]
    assert (found["stale"], found["up"], found["shapes"]) == (len(ITEMS), 0, [])


def test_the_first_list_of_a_supplier_is_all_new(pricemill: Installation) -> None:
    answer = check(pricemill, ITEMS, "--json")
    assert (answer.code, answer.json["plan"]["new"], answer.json["plan"]["missing"]) == (0, len(ITEMS), None)
