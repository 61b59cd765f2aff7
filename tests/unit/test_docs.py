"""What the documents claim about the repository is true: links, paths, commands, settings, states."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from config.settings import Settings
from db.models.catalog import PRODUCT_STATUS
from db.models.tasks import TASK_STATUS

ROOT = Path(__file__).resolve().parents[2]
TOP = {path.name for path in ROOT.iterdir()}
GENERATED_OR_LOCAL = re.compile(r"^(var|build|credentials|lists)(/|$)")


@cache
def pages() -> dict[str, str]:
    found = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found}


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """The anchors of the headings, as forges make them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", without_code(text), flags=re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        found.add(words.strip().replace(" ", "-"))
    return found


def broken_links(page: str, text: str) -> list[str]:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            broken.append(f"{page}: {target}")
    return broken


def missing_paths(page: str, text: str) -> list[str]:
    """Paths of the repository named in backticks that are not there; {a,b} and * are understood."""
    missing = []
    for token in re.findall(r"`([\w./{},*-]+)`", without_code(text)):
        if "/" not in token or token.partition("/")[0] not in TOP or GENERATED_OR_LOCAL.match(token):
            continue
        head, _, choice = token.partition("{")
        inner, _, tail = choice.partition("}")
        names = [head + part + tail for part in inner.split(",")] if choice else [token]
        missing += [f"{page}: {name}" for name in names if not any(ROOT.glob(name.rstrip("/")))]
    return missing


def test_every_link_leads_somewhere() -> None:
    assert [link for page, text in pages().items() for link in broken_links(page, text)] == []


def test_every_path_that_is_named_exists() -> None:
    assert [path for page, text in pages().items() for path in missing_paths(page, text)] == []


def test_every_test_that_is_named_as_proof_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", pages()["docs/operations.md"])
    assert named
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert missing == []


@pytest.mark.parametrize("text", ["[x](nowhere.md)", "[x](LICENSE/nowhere)", "[x](README.md#no-such-heading)"])
def test_a_broken_link_is_noticed(text: str) -> None:
    assert broken_links("README.md", text)


@pytest.mark.parametrize("text", ["`contracts/nothing.py`", "`contracts/{task,nothing}.py`", "`db/nothing_*.py`"])
def test_a_missing_path_is_noticed(text: str) -> None:
    assert missing_paths("README.md", text)


def test_every_target_of_make_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, flags=re.MULTILINE))
    named = {
        (page, target)
        for page, text in pages().items()
        for target in re.findall(r"(?:^\$ |`)make ([a-z-]+)", text, flags=re.MULTILINE)
    }
    assert named
    assert {(page, target) for page, target in named if target not in targets} == set()


def test_every_target_of_make_that_help_lists_is_no_file() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile, flags=re.MULTILINE))
    phony = set(re.findall(r"^\.PHONY: (\S+)", makefile, flags=re.MULTILINE))
    assert listed
    assert listed <= phony


def test_every_setting_that_is_named_exists() -> None:
    known = {f"PRICEMILL_{field.upper()}" for field in Settings.model_fields} | {
        "PRICEMILL_FAILPOINTS",
        "PRICEMILL_SAMPLE_DATA",
        "PRICEMILL_IMAGE_TAG",
    }
    named = {(page, name) for page, text in pages().items() for name in re.findall(r"PRICEMILL_[A-Z_]*[A-Z]", text)}
    assert {(page, name) for page, name in named if name not in known} == set()


@pytest.mark.parametrize("page", sorted(page for page, text in pages().items() if blocks(text, "python")))
def test_python_in_documents_is_python(page: str) -> None:
    for block in blocks(pages()[page], "python"):
        compile(block, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def states(diagram: str) -> set[str]:
    return set(re.findall(r"^ +(\w+) -->", diagram, flags=re.MULTILINE)) | set(re.findall(r"--> (\w+)", diagram))


def test_diagrams_of_states_show_the_states_of_the_database() -> None:
    task, _, product = (states(diagram) for diagram in blocks(pages()["docs/state-machine.md"], "mermaid"))
    assert task == set(TASK_STATUS.enums)
    assert product == set(PRODUCT_STATUS.enums)


def test_decisions_are_numbered_listed_and_complete() -> None:
    decisions = sorted(path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
    numbers = [name[:4] for name in decisions]
    assert len(set(numbers)) == len(numbers), "two decisions have one number"
    index = pages()["docs/adr/README.md"]
    for name in decisions:
        text = pages()[f"docs/adr/{name}"]
        assert f"({name})" in index, f"{name} is not listed"
        assert re.match(rf"# {name[:4]} \S", text), f"{name} does not begin with its number"
        headings = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Rejected"], name


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    assert re.search(r"^## \[Unreleased\]$", pages()["CHANGELOG.md"], flags=re.MULTILINE)
