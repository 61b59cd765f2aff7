"""The command line as a process: its start, its pipes, and the demo in an installation of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.cli import ROOT, Installation


def test_the_version_is_answered_without_importing_anything_heavy() -> None:
    code = "import sys; sys.argv = ['pricemill', '--version']; from cli.__main__ import main; assert main() == 0; "
    code += "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    told, modules = done.stdout.splitlines()
    assert told == f"pricemill {version('pricemill')}"
    assert not {"typer", "rich", "sqlalchemy", "pydantic", "asyncio", "asyncpg", "arq", "numpy"} & set(modules.split())


def test_help_names_every_command(tmp_path: Path) -> None:
    answer = Installation(tmp_path)("--help")
    assert answer.code == 0
    for name in ("import", "enqueue", "worker", "status", "tasks", "dead", "rejected", "map", "suppliers", "explain"):
        assert f"\n  {name} " in answer.out
    assert Installation(tmp_path)().code == 2


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    words = f"{sys.executable} -m cli --help | head -1; {sys.executable} -m cli map liste.csv --jsonl 2>&1 | true"
    (tmp_path / "liste.csv").write_text("sku;name;price\nA;B;1.50\n", encoding="utf-8")
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=Installation(tmp_path).environment(),
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("Usage: pricemill")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own: as root PostgreSQL runs under another account, which the next pytest would shut out."""
    path = Path(tempfile.mkdtemp(prefix="pricemill-demo-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_the_demo_shows_the_whole_path_and_says_the_second_time_that_nothing_changed(folder: Path) -> None:
    pricemill = Installation(folder / "unused")
    first = pricemill("demo", "--data-dir", folder / "demo", "--json")
    assert (first.code, first.err) == (0, "")
    german, excel, october, november, broken = first.json["lists"]
    assert german["account"]["new"] == 478
    assert german["account"]["ignored"] == {"title": 2, "blank": 1, "header": 1, "total": 1}
    assert {row["value"] for row in german["rejected"]} == {"12,5O", "auf Anfrage"}
    assert (excel["account"]["new"], excel["account"]["ignored"]["section"]) == (179, 3)
    assert october["account"]["new"] == 100_000
    held = november["account"]["held"]
    assert set(held) == {"price_jump"}  # a few cheap items became several times dearer
    assert november["account"]["changed"] + november["account"]["unchanged"] + sum(held.values()) == 100_000
    assert november["changes"]
    assert (broken["state"], broken["dead"]["code"]) == ("dead", "source_unreadable")
    second = pricemill.inside("demo", "--data-dir", folder / "demo", "--no-progress")
    assert second.code == 0
    assert second.out.splitlines()[-1].startswith("Nothing changed: the same bytes, ")
    assert "\x1b" not in second.out + second.err
    path = folder / "klein.csv"
    path.write_text("sku;name;price\nA-1;Kabel;1.50\n", encoding="utf-8")
    alone = Installation(folder / "demo").inside("import", path, "--supplier", "Klein", "--currency", "EUR", "--wait")
    assert alone.code == 0
    assert "2 rows: 1 new, 1 ignored" in alone.out
