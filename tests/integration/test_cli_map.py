"""`pricemill map`: what is shown of a list, what is asked, what is remembered of the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Installation

TWO_PRICES = "SKU;Name;Net price;Gross price\n" + "".join(f"A-{n};Thing {n};{n}.00;{n}.19\n" for n in range(1, 30))
MESSY = (
    "Price list of Nordwind\n\nSKU;Name;Old price;Price\n"
    + "".join(f"A-{n};Thing {n};{n}.50;{n}.20\n" for n in range(1, 30))
    + "A-99;Thing 99;call;call\nTotal;;;435.00\n"
)


@pytest.fixture
def alone(tmp_path: Path) -> Installation:
    """Without any server."""
    return Installation(tmp_path / "alone", database_url="postgresql://x@/x?host=/nowhere", redis_url="unix:///nowhere")


@pytest.fixture
def pricemill(database_url: str, redis_url: str, tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data", database_url=database_url, redis_url=redis_url)


def a_list(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_totals_readings_and_what_was_not_taken_are_shown(alone: Installation, tmp_path: Path) -> None:
    shown = alone.inside("map", a_list(tmp_path, MESSY)).out
    for part in ("34 rows: 29 items", "1 header", "1 total", "1 rejected", "1.20 → 1.20", "Not taken"):
        assert part in shown
    assert any("Old price" in text and "as price" in text for text in shown.splitlines())


def test_a_list_that_would_be_held_shows_the_question_with_numbered_answers(
    alone: Installation, tmp_path: Path
) -> None:
    path = a_list(tmp_path, TWO_PRICES)
    answer = alone.inside("map", path)
    assert answer.code == 5
    assert "29 prices from 1 to 29" in answer.out
    assert "  2. the price is in “Gross price”" in answer.out
    assert answer.err.splitlines()[-1].startswith("Next: pricemill map")
    problem = alone.inside("map", path, "--json")
    assert (problem.code, problem.out) == (5, "")
    assert [option["patch"] for option in problem.problem["question"]["options"]] == [
        {"mapping": {"price": "Net price"}},
        {"mapping": {"price": "Gross price"}},
    ]


@pytest.mark.parametrize("option", ["--set", "--map"])
def test_a_column_that_is_named_is_taken(alone: Installation, tmp_path: Path, option: str) -> None:
    answer = alone.inside("map", a_list(tmp_path, TWO_PRICES), option, "price=Gross price", "--json")
    assert [column["header"] for column in answer.json["columns"] if column["field"] == "price"] == ["Gross price"]


def test_an_answer_shows_the_list_as_it_would_be_read_then(alone: Installation, tmp_path: Path) -> None:
    path = a_list(tmp_path, TWO_PRICES)
    answer = alone.inside("map", path, "--answer", "2", "--json")
    assert [column["header"] for column in answer.json["columns"] if column["field"] == "price"] == ["Gross price"]
    assert alone.inside("map", path, "--answer", "3").code == 2
    assert alone.inside("map", a_list(tmp_path, MESSY), "--answer", "1").code == 2


@pytest.mark.parametrize("said", [("--answer", "1"), ("--set", "price=Net price")])
def test_what_is_saved_holds_for_the_suppliers_next_list(
    pricemill: Installation, tmp_path: Path, said: tuple[str, str]
) -> None:
    path = a_list(tmp_path, TWO_PRICES)
    assert pricemill.inside("map", path, "--supplier", "Nordwind").code == 5
    saved = pricemill.inside("map", path, "--supplier", "Nordwind", *said, "--save")
    assert (saved.code, "profile of Nordwind: v1" in saved.err) == (0, True)
    again = pricemill.inside("map", path, "--supplier", "Nordwind", "--json")
    assert (again.code, again.json["profile_version"]) == (0, 1)
    assert [column["header"] for column in again.json["columns"] if column["field"] == "price"] == ["Net price"]


def test_nothing_is_saved_without_a_supplier_or_without_anything_to_say(alone: Installation, tmp_path: Path) -> None:
    path = a_list(tmp_path, MESSY)
    assert alone.inside("map", path, "--set", "price=Price", "--save").code == 2
    assert alone.inside("map", path, "--supplier", "Nordwind", "--save").code == 2
