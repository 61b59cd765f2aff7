"""What is installed is what lies in the tree: no package and no data file is forgotten."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.architecture.source_tree import LAYERED, ROOT

FOLDERS = (*LAYERED, "migrations")
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]


def files(suffixes: set[str] | None = None) -> set[Path]:
    return {
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and (suffixes is None or path.suffix in suffixes)
    }


def test_every_folder_with_code_is_a_declared_package() -> None:
    with_code = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in files({".py"})}
    assert with_code == set(SETUPTOOLS["packages"])


def test_every_package_says_that_it_is_one() -> None:
    missing = {path.parent for path in files({".py"}) if not (path.parent / "__init__.py").exists()}
    assert missing == set()


def test_every_data_file_is_installed() -> None:
    installed = {
        path
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    assert {path for path in files() if path.suffix not in {".py", ".pyc"}} == installed
