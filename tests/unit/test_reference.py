"""The reference pages say what the code says."""

import pytest

from contracts.errors import PricemillError
from contracts.reasons import REASONS
from docs import generate
from docs.generate import PAGES, outdated, page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name):
    assert name not in outdated(), "run python -m docs.generate"


def test_no_page_is_left_over():
    assert set(outdated()) <= set(PAGES)


def test_pages_hold_what_they_are_about():
    assert all(f"`{code}`" in page("reasons.md") for code in REASONS)
    assert all(f"`{kind().code}`" not in page("errors.md") for kind in PricemillError.__subclasses__())
    assert "| `lease_lost` | Lifecycle | discard |" in page("errors.md")
    assert "`DATABASE_URL`" in page("settings.md")


def test_every_setting_says_what_it_means():
    rows = [line for line in page("settings.md").splitlines() if line.startswith("| `")]
    assert rows
    assert [row for row in rows if row.endswith("|  |")] == []


def test_tables_are_tables():
    for name in PAGES:
        lines = page(name).splitlines()
        for number, line in enumerate(lines):
            if line.startswith("|---"):
                assert lines[number - 1].count("|") == line.count("|")


def test_no_path_of_this_machine_is_written_down(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert str(tmp_path) not in page("settings.md")


def test_checking_writes_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    (tmp_path / "gone.md").write_text("old")
    assert generate.main(["--check"]) == 1
    assert "gone.md" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["gone.md"]
    assert generate.main([]) == 0
    assert {path.name for path in tmp_path.iterdir()} == set(PAGES)
    assert generate.main(["--check"]) == 0
