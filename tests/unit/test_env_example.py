"""`.env.example` names every setting with its true default, and everything docker-compose.yml asks for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import AliasChoices

from config.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"^(?P<off># )?(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)$")


class Entry(NamedTuple):
    value: str
    commented_out: bool
    explanation: str


def entries() -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    explanation = ""
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines():
        if match := LINE.match(line):
            assert match["name"] not in found, f"{match['name']} stands there twice"
            found[match["name"]] = Entry(match["value"], match["off"] is not None, explanation)
        else:
            explanation = line.removeprefix("# ") if line.startswith("# ") else ""
    return found


def variable(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"PRICEMILL_{field.upper()}"


@pytest.fixture
def defaults(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable(field), raising=False)
    return Settings(_env_file=None)


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_is_explained_with_its_default(
    field: str, defaults: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = variable(field)
    entry = entries()[name]
    default = getattr(defaults, field)
    assert entry.commented_out, f"{name} would override the default of later versions"
    assert entry.explanation, f"{name} is not explained"
    if not entry.value:
        assert default in (None, "", ())
        return
    monkeypatch.setenv(name, entry.value.replace("~", str(Path.home()), 1))
    assert getattr(Settings(_env_file=None), field) == default


def test_nothing_is_named_that_nobody_reads() -> None:
    compose = "".join((ROOT / name).read_text("utf-8") for name in ("docker-compose.yml", "deploy/monitoring.yml"))
    asked_by_compose = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", compose))
    read_by_settings = {variable(field) for field in Settings.model_fields}
    assert set(entries()) == asked_by_compose | read_by_settings


def test_defaults_of_compose_are_those_of_the_example() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for name, default in re.findall(r"(?<!\$)\$\{([A-Z0-9_]+):-([^}]*)\}", compose):
        assert entries()[name] == entries()[name]._replace(value=default, commented_out=True)


def test_what_has_no_default_is_left_to_fill_in() -> None:
    to_fill_in = {name for name, entry in entries().items() if not entry.commented_out}
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert to_fill_in == set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+):\?", compose))
    assert all(entries()[name].value == "" for name in to_fill_in)
