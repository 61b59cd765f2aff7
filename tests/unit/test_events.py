"""The catalogue of events and the code say the same."""

import ast
import re
from pathlib import Path

import pytest

from contracts.failpoints import FAILPOINTS
from observability.events import CONTEXT, EVENTS

ROOT = Path(__file__).parents[2]
FOLDERS = ("contracts", "parsers", "pipeline", "resilience", "db", "config", "workers", "observability", "cli")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
NOT_FIELDS = {"exc_info", "stack_info"}


def calls():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield path.relative_to(ROOT), node


def logged():
    """(place, name, fields) of each `log.<level>("name", field=…)`."""
    for path, node in calls():
        function = node.func
        if (
            isinstance(function, ast.Attribute)
            and function.attr in LEVELS
            and isinstance(function.value, ast.Name)
            and function.value.id in {"log", "_log", "logger"}
        ):
            first = node.args[0] if node.args else None
            name = first.value if isinstance(first, ast.Constant) else None
            yield f"{path}:{node.lineno}", name, {keyword.arg for keyword in node.keywords} - NOT_FIELDS


def test_something_is_logged():
    assert sum(1 for _ in logged()) > 10


def test_every_event_in_the_code_stands_in_the_catalogue():
    assert [(place, name) for place, name, _ in logged() if name not in EVENTS] == []


def test_every_field_in_the_code_stands_in_the_catalogue():
    wrong = [
        (place, name, fields - {*EVENTS[name].fields, *CONTEXT})
        for place, name, fields in logged()
        if name in EVENTS and not fields <= {*EVENTS[name].fields, *CONTEXT}
    ]
    assert wrong == []


def test_every_event_of_the_catalogue_stands_in_the_code():
    assert set(EVENTS) - {name for _, name, _ in logged()} == set()


def test_names_are_dotted_and_lower_case():
    for name, event in EVENTS.items():
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", name)
        assert event.sentence
        assert len(set(event.fields)) == len(event.fields)


def test_the_catalogue_is_sorted():
    assert list(EVENTS) == sorted(EVENTS)


def passed_failpoints():
    for path, node in calls():
        if isinstance(node.func, ast.Name) and node.func.id == "failpoint" and path.name != "failpoints.py":
            assert isinstance(node.args[0], ast.Constant), path
            yield node.args[0].value


def test_every_failpoint_in_the_code_is_a_legal_one():
    assert set(passed_failpoints()) - set(FAILPOINTS) == set()


@pytest.mark.parametrize("name", FAILPOINTS)
def test_every_failpoint_is_passed_somewhere(name):
    assert name in set(passed_failpoints())
