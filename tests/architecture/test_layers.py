"""The layer rule of .importlinter holds here, and would be noticed if it were broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import LAYERED, ROOT


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", command], cwd=directory, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_layer_rule_holds() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def empty_layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of the same folders under the same rule, without any import."""
    directory = tmp_path_factory.mktemp("layers")
    shutil.copy(ROOT / ".importlinter", directory)
    for folder in LAYERED:
        (directory / folder).mkdir()
        (directory / folder / "__init__.py").touch()
        (directory / folder / "one.py").touch()
        (directory / folder / "two.py").touch()
    return directory


def test_a_tree_without_imports_passes(empty_layers: Path) -> None:
    assert lint(empty_layers).returncode == 0


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("contracts", "observability"),
        ("observability", "db"),
        ("db", "resilience"),
        ("parsers", "db"),
        ("resilience", "parsers"),
        ("config", "pipeline"),
        ("config", "db"),
        ("pipeline", "parsers"),
        ("pipeline", "workers"),
        ("workers", "cli"),
    ],
)
def test_a_forbidden_import_is_noticed(empty_layers: Path, importer: str, imported: str) -> None:
    file = empty_layers / importer / "one.py"
    file.write_text(f"import {imported}.one\n")
    try:
        assert lint(empty_layers).returncode == 1
    finally:
        file.write_text("")


def test_a_cycle_inside_a_folder_is_noticed(empty_layers: Path) -> None:
    files = {empty_layers / "db" / "one.py": "import db.two\n", empty_layers / "db" / "two.py": "import db.one\n"}
    for file, text in files.items():
        file.write_text(text)
    try:
        assert lint(empty_layers).returncode == 1
    finally:
        for file in files:
            file.write_text("")
