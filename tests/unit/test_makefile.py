"""How `make` finds a Python, and what it says when there is none that will do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

STUB = """#!/bin/sh
# Pretends to be Python {version}; {modules} the modules that a virtual environment needs.
case "$2" in
  *"import venv"*) exit {without_venv} ;;
  *"version_info"*) exec {python} -c "$(echo "$2" | sed 's/sys.version_info/({version})/')" ;;
  venv) echo "$0" > "$4.made_by" ;;
esac
"""


def stub(directory: Path, name: str, version: str, *, with_venv: bool = True) -> None:
    text = STUB.format(
        version=version,
        modules="has" if with_venv else "lacks",
        without_venv=0 if with_venv else 1,
        python=sys.executable,
    )
    (directory / name).write_text(text)
    (directory / name).chmod(0o755)


def make(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Builds an environment below `directory`, with nothing on the PATH but the stubs there and two tools."""
    tools = directory / "tools"
    tools.mkdir()
    for tool in ("sed", "sh"):
        found = shutil.which(tool)
        assert found
        (tools / tool).symlink_to(found)
    made = shutil.which("make")
    assert made
    return subprocess.run(
        [made, f"VENV={directory}/venv", *arguments, f"{directory}/venv/bin/python"],
        cwd=ROOT,
        env={"PATH": f"{directory}:{tools}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def chosen(directory: Path) -> str:
    return Path((directory / "venv.made_by").read_text().strip()).name


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ({"python3": "3, 11"}, "python3"),
        ({"python3": "3, 12", "python3.11": "3, 11"}, "python3"),
        ({"python3": "3, 9", "python3.11": "3, 11"}, "python3.11"),
        ({"python3": "3, 13", "python3.12": "3, 12"}, "python3.12"),
        ({"python3": "3, 14"}, "python3"),
        ({"python3": "3, 10", "python3.13": "3, 13"}, "python3.13"),
    ],
)
def test_the_python_that_needs_no_compiler_is_preferred(present: dict[str, str], expected: str, tmp_path: Path) -> None:
    for name, version in present.items():
        stub(tmp_path, name, version)
    result = make(tmp_path)
    assert result.returncode == 0, result.stderr
    assert chosen(tmp_path) == expected


def test_a_named_python_is_used(tmp_path: Path) -> None:
    stub(tmp_path, "python3", "3, 11")
    stub(tmp_path, "mine", "3, 12")
    assert make(tmp_path, "PYTHON=mine").returncode == 0
    assert chosen(tmp_path) == "mine"


def test_without_the_venv_module_make_says_what_to_install(tmp_path: Path) -> None:
    stub(tmp_path, "python3", "3, 11", with_venv=False)
    result = make(tmp_path)
    assert result.returncode != 0
    assert "apt install python3-venv" in result.stderr


@pytest.mark.parametrize("present", [{}, {"python3": "3, 10"}])
def test_without_a_new_enough_python_make_says_so(present: dict[str, str], tmp_path: Path) -> None:
    for name, version in present.items():
        stub(tmp_path, name, version)
    result = make(tmp_path)
    assert result.returncode != 0
    assert "Python 3.11 or newer is needed" in result.stderr


def test_help_lists_every_target_with_a_sentence() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    for target in ("setup", "demo", "test", "check", "bench", "lock", "clean"):
        assert f"make {target} " in listed
