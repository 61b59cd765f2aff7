"""Parsers are found by name, built in or plugged in, and loaded only when asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

import parsers
from contracts.errors import ConfigError, UnknownParser
from contracts.task import SOURCES
from parsers.resources import Resources


@pytest.fixture(autouse=True)
def looked_up_anew() -> Iterator[None]:
    parsers.plugged.cache_clear()
    yield
    parsers.plugged.cache_clear()


def plug(monkeypatch: pytest.MonkeyPatch, *plugged: tuple[str, str]) -> None:
    found = EntryPoints(EntryPoint(name, value, parsers.GROUP) for name, value in plugged)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: found.select(group=group))


@pytest.mark.parametrize("name", sorted(parsers.PARSERS))
def test_each_built_in_parser_answers_to_its_name_and_the_config_of_tasks(name: str) -> None:
    parser = parsers.get(name, Resources())
    assert parser.name == name
    assert parser.config is SOURCES[name]


def test_an_unknown_name_lists_what_exists() -> None:
    with pytest.raises(UnknownParser) as caught:
        parsers.get("stone_tablets", Resources())
    assert all(name in caught.value.message for name in parsers.PARSERS)


def test_a_plugged_in_parser_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, ("json_lines_too", "parsers.json_lines:JsonLinesParser"))
    assert "json_lines_too" in parsers.table()


def test_two_parsers_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, ("csv", "elsewhere:CsvParser"))
    with pytest.raises(ConfigError, match="elsewhere:CsvParser"):
        parsers.table()


def test_one_entry_point_seen_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, ("own", "own:Own"), ("own", "own:Own"))
    assert parsers.table()["own"] == "own:Own"


@pytest.mark.parametrize(
    "target",
    ["parsers.cutting:Dialect", "no_such_module:X", "parsers.cutting:Nothing", "parsers.delimited:DelimitedParser"],
)
def test_what_is_no_parser_of_that_name_is_refused(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    plug(monkeypatch, ("own", target))
    with pytest.raises(ConfigError, match="own"):
        parsers.get("own", Resources())


def test_importing_the_package_loads_no_reader_of_any_format() -> None:
    heavy = "{'pandas', 'gspread', 'openpyxl', 'python_calamine', 'xlrd', 'httpx', 'pydantic'}"
    code = f"import sys; sys.path.insert(0, sys.argv[1]); import parsers; print(sorted({heavy} & set(sys.modules)))"
    root = Path(parsers.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code, root], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
