"""The frame of the command line: manners, tables, texts, errors."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from decimal import Decimal

import pytest

from cli import problems, text
from cli.exits import Exit
from cli.finding import short_ids
from cli.manners import BadManners, Manners, Surroundings, take
from cli.screen import Screen, pick
from cli.table import Column, render
from contracts import errors

TERMINAL = Surroundings(stdin_tty=True, stdout_tty=True, stderr_tty=True, environ={"TERM": "xterm"})
PIPE = Surroundings(stdin_tty=False, stdout_tty=False, stderr_tty=False, environ={})


@pytest.mark.parametrize(
    ("argv", "around", "expected", "rest"),
    [
        (["status"], PIPE, Manners(), ["status"]),
        (["status"], TERMINAL, Manners(colour=True, bar=True, terminal=True, asks=True), ["status"]),
        (["--json", "status"], PIPE, Manners(form="json"), ["status"]),
        (["status", "--jsonl"], PIPE, Manners(form="jsonl"), ["status"]),
        (["tasks", "list", "--fields", "a, b"], PIPE, Manners(fields=("a", "b")), ["tasks", "list"]),
        (["tasks", "--fields=a", "list"], PIPE, Manners(fields=("a",)), ["tasks", "list"]),
        (["status", "-q"], PIPE, Manners(quiet=True), ["status"]),
        (["x", "--no-color"], TERMINAL, Manners(bar=True, terminal=True, asks=True), ["x"]),
        (["x", "--no-progress"], TERMINAL, Manners(colour=True, terminal=True, asks=True), ["x"]),
        (["x", "--json"], TERMINAL, Manners(form="json", terminal=True), ["x"]),
        (["import", "f", "--wait", "--yes"], PIPE, Manners(), ["import", "f", "--wait=forever", "--yes"]),
        (["import", "f", "--wait=5m"], PIPE, Manners(), ["import", "f", "--wait=5m"]),
        (["import", "--", "--json", "-q"], PIPE, Manners(), ["import", "--", "--json", "-q"]),
    ],
)
def test_common_options_are_taken_wherever_they_stand(
    argv: list[str], around: Surroundings, expected: Manners, rest: list[str]
) -> None:
    assert take(argv, around) == (expected, rest)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_the_environment_may_refuse_colours(variables: dict[str, str]) -> None:
    around = Surroundings(stdin_tty=True, stdout_tty=True, stderr_tty=True, environ=variables)
    assert take(["x"], around)[0].colour is False


def test_fields_without_names_are_bad_manners() -> None:
    with pytest.raises(BadManners):
        take(["status", "--fields"], PIPE)


COLUMNS = [Column("SKU", lambda row: row[0], least=4), Column("PRICE", lambda row: row[1], right=True)]


def test_columns_are_aligned_by_terminal_cells_without_tabs() -> None:
    lines = render(COLUMNS, [("NW-1", "1.00"), ("電線", "12.50")])
    assert lines == ["SKU   PRICE", "NW-1   1.00", "電線  12.50"]
    assert {text.width(line) for line in lines} == {11}


def test_only_columns_that_may_lose_cells_are_shortened_to_fit() -> None:
    assert render(COLUMNS, [("ABCDEFGHIJ", "1.00")], fit=13) == ["SKU     PRICE", "ABCDE…   1.00"]
    assert render(COLUMNS, [("ABCDEFGHIJ", "1.00")]) == ["SKU         PRICE", "ABCDEFGHIJ   1.00"]
    assert render(COLUMNS, [("ABCDEFGHIJ", "123456789")], fit=5)[1] == "ABC…  123456789"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "-"),
        (0.04, "0.0s"),
        (11.84, "11.8s"),
        (48, "48s"),
        (702, "11m42s"),
        (11_100, "3h05m"),
        (187_200, "2d04h"),
    ],
)
def test_durations_are_told_by_their_two_largest_units(seconds: float | None, told: str) -> None:
    assert text.duration(seconds) == told


@pytest.mark.parametrize(
    ("price", "currency", "told"),
    [
        (Decimal(13), "EUR", "13.00 EUR"),
        (Decimal("0.123400"), "EUR", "0.1234 EUR"),
        (Decimal("1234567.5"), "XXX", "1,234,567.50"),
        (Decimal("1E+3"), "USD", "1,000.00 USD"),
        (Decimal("999999999999.999999"), "EUR", "999,999,999,999.999999 EUR"),
        (None, "EUR", "-"),
    ],
)
def test_money_keeps_every_digit(price: Decimal | None, currency: str, told: str) -> None:
    assert text.money(price, currency) == told


@pytest.mark.parametrize(("spelt", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("2h", 7200), ("0", 0)])
def test_spans_are_read(spelt: str, seconds: int) -> None:
    assert text.span(spelt) == timedelta(seconds=seconds)


@pytest.mark.parametrize("spelt", ["", "m", "-5", "5 weeks", "nan", "1e9h"])
def test_nonsense_is_no_span(spelt: str) -> None:
    with pytest.raises(ValueError):
        text.span(spelt)


@pytest.mark.parametrize("hostile", ["a\x1b[31mb", "a\x1b]0;title\x07b", "a\rb\nc", "a\u202eb", "a\x00b"])
def test_supplier_text_cannot_steer_the_terminal(hostile: str) -> None:
    shown = text.line(hostile)
    assert shown.isprintable()
    assert shown.startswith("a")


def test_short_ids_tell_the_listed_ids_apart() -> None:
    ids = ["019a4000-0000-7000-8000-000000000001", "019a4000-0000-7000-8000-000000000002", "019b"]
    short = short_ids(ids)
    assert len(set(short.values())) == 3
    assert all(one.startswith(short[one]) for one in ids)
    assert short_ids(["019a4000-0000-7000-8000-000000000001"]) == {
        "019a4000-0000-7000-8000-000000000001": "019a4000-0000"
    }


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (problems.Usage("x"), Exit.USAGE, 400),
        (problems.NotFound("x"), Exit.NOT_FOUND, 404),
        (errors.SourceMissing("x"), Exit.NOT_FOUND, 404),
        (errors.StateConflict("x"), Exit.REFUSED, 409),
        (errors.ContractViolation("x"), Exit.REFUSED, 422),
        (errors.ProfileInvalid("x"), Exit.REFUSED, 422),
        (errors.SourceNotAllowed("x"), Exit.REFUSED, 403),
        (errors.DatabaseUnavailable("x"), Exit.UNREACHABLE, 503),
        (errors.QueueUnavailable("x"), Exit.UNREACHABLE, 503),
        (problems.WaitedTooLong(), Exit.TIMED_OUT, 504),
        (problems.Failed("x"), Exit.FAILED, 500),
        (errors.SourceUnavailable("x"), Exit.FAILED, 500),
    ],
)
def test_every_error_has_one_exit_code_and_one_status(error: errors.PricemillError, code: Exit, status: int) -> None:
    assert problems.exit_of(error) == code
    assert problems.document(error)["status"] == status


def test_a_violation_names_each_pointer() -> None:
    error = errors.ContractViolation("bad", violations=(("/priority", "is no priority"), ("", "lacks task_id")))
    assert problems.document(error)["errors"] == [
        {"pointer": "/priority", "detail": "is no priority"},
        {"pointer": "", "detail": "lacks task_id"},
    ]
    assert "  /priority: is no priority" in problems.lines(error)


def screen(**manners: object) -> tuple[Screen, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Screen(Manners(**manners), out, err), out, err


def test_json_keeps_stderr_empty_and_stdout_to_one_object() -> None:
    shown, out, err = screen(form="json")
    shown.say("not for machines")
    shown.note("a hint")
    shown.list([{"a": 1, "b": Decimal("2.50")}], [], empty="none", following="7")
    assert json.loads(out.getvalue()) == {"items": [{"a": 1, "b": "2.50"}], "next": "7"}
    assert err.getvalue() == ""


def test_jsonl_gives_one_object_a_line_with_the_chosen_members() -> None:
    shown, out, _ = screen(form="jsonl", fields=("b", "c.d"))
    shown.list([{"a": 1, "b": 2, "c": {"d": 3}}, {"a": 4}], [], empty="none")
    assert [json.loads(text) for text in out.getvalue().splitlines()] == [{"b": 2, "c.d": 3}, {"b": None, "c.d": None}]


def test_fields_choose_columns_for_people_too() -> None:
    shown, out, _ = screen(fields=("name", "n"))
    shown.list([{"name": "x\x1b[2J", "n": None}], COLUMNS, empty="none")
    assert out.getvalue().splitlines() == ["NAME  N", "x     -"]


def test_an_empty_list_is_told_on_stderr_only() -> None:
    shown, out, err = screen()
    shown.list([], COLUMNS, empty="No tasks.")
    assert (out.getvalue(), err.getvalue()) == ("", "No tasks.\n")


def test_quiet_leaves_out_hints_but_not_data_or_errors() -> None:
    shown, out, err = screen(quiet=True)
    shown.next("pricemill status")
    shown.say("data")
    shown.problem({}, ["Error: x"])
    assert (out.getvalue(), err.getvalue()) == ("data\n", "Error: x\n")


def test_members_are_picked_by_dotted_names() -> None:
    assert pick({"a": {"b": [1]}}, ["a.b", "a.c", "z"]) == {"a.b": [1], "a.c": None, "z": None}
