"""What changes while a person looks: progress, and the question before a bulk change."""

from __future__ import annotations

import io
import sys

import pytest

from cli.confirm import agree
from cli.manners import Manners
from cli.problems import Usage
from cli.progress import UNKNOWN_STEP, meter
from cli.screen import Screen


def screen(**manners: object) -> Screen:
    return Screen(Manners(**manners), io.StringIO(), io.StringIO())


def told(shown: Screen) -> str:
    assert isinstance(shown.err, io.StringIO)
    assert isinstance(shown.out, io.StringIO)
    assert shown.out.getvalue() == ""
    return shown.err.getvalue()


def test_without_a_terminal_each_tenth_is_one_line() -> None:
    shown = screen()
    with meter(shown, 1000) as progress:
        for rows in (0, 50, 100, 150, 420, 420, 1000, 1010):
            progress.show(rows, 0)
    assert [line.split()[:3] for line in told(shown).splitlines()] == [
        ["load", "10%", "100/1000"],
        ["load", "40%", "420/1000"],
        ["load", "100%", "1000/1000"],
    ]


def test_without_a_total_rows_are_told_now_and_then() -> None:
    shown = screen()
    with meter(shown, None) as progress:
        for rows in (10, UNKNOWN_STEP, UNKNOWN_STEP + 1, 2 * UNKNOWN_STEP):
            progress.show(rows, 0)
    assert [line.split()[1] for line in told(shown).splitlines()] == [str(UNKNOWN_STEP), str(2 * UNKNOWN_STEP)]


@pytest.mark.parametrize("manners", [{"quiet": True}, {"form": "json"}])
def test_quiet_and_json_show_no_progress(manners: dict[str, object]) -> None:
    shown = screen(**manners)
    with meter(shown, 10) as progress:
        progress.show(10, 0)
    assert told(shown) == ""


@pytest.mark.parametrize("total", [1000, None])
def test_on_a_terminal_a_bar_names_rows_and_rejects(total: int | None) -> None:
    shown = screen(bar=True)
    with meter(shown, total) as progress:
        progress.show(400, 3)
    assert "400" in told(shown)
    assert "3 rejected" in told(shown)


@pytest.mark.parametrize(("typed", "agreed"), [("3\n", True), ("y\n", False), ("\n", False), ("33\n", False)])
def test_a_bulk_change_wants_the_number_typed(monkeypatch: pytest.MonkeyPatch, typed: str, agreed: bool) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    shown = screen(asks=True)
    assert agree(shown, "discard 3 dead letters", count=3, yes=False) is agreed
    assert "Discard 3 dead letters.\nType 3 to go on: " in told(shown)


def test_yes_asks_nothing_and_nobody_to_ask_is_wrong_usage() -> None:
    assert agree(screen(), "discard 3 dead letters", count=3, yes=True)
    with pytest.raises(Usage):
        agree(screen(), "discard 3 dead letters", count=3, yes=False)
