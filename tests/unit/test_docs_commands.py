"""Every `pricemill` command line that a document or an error message shows is understood."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.__main__ import COMMANDS
from cli.manners import HELP
from contracts.errors import PricemillError
from contracts.reasons import REASONS

ROOT = Path(__file__).resolve().parents[2]
ANYWHERE = set(re.findall(r"(?<!\w)--?[a-z][a-z-]*", HELP)) | {"--help"}
ENDS = {"|", "<", ">", "&&", ";", "#"}


def complaint(shown: str) -> str | None:
    """What is wrong with a command line that begins behind `pricemill`; None if it is understood."""
    words = shlex.split(shown, comments=True)
    words = words[: next((at for at, word in enumerate(words) if word in ENDS), len(words))]
    if words in (["--version"], ["--help"], []) or words == ["COMMAND", "--help"]:
        return None
    if words[0] not in COMMANDS:
        return f"there is no command {words[0]}"
    command: Any = typer.main.get_command(import_module(COMMANDS[words[0]][0]).app)
    known = set(ANYWHERE)
    for word in words[1:]:
        inner = getattr(command, "commands", None)
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            if name not in known | {option for param in command.params for option in param.opts}:
                return f"there is no option {name}"
        elif inner is not None and word.isupper():
            return None
        elif inner is not None:
            if word not in inner:
                return f"there is no {words[0]} {word}"
            command = inner[word]
    return None


def tree(error: type[PricemillError]) -> Iterator[type[PricemillError]]:
    yield error
    for child in error.__subclasses__():
        yield from tree(child)


def shown_in_pages() -> list[tuple[str, str]]:
    pages = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "docker-compose.yml"])
    lines = re.compile(
        r"^(?:\$ |.*&& )?(?:docker compose exec (?:-T )?\w+ )?(?:\.venv/bin/)?pricemill ([a-z-].*)$", re.MULTILINE
    )
    inline = re.compile(r"`(?:\.venv/bin/)?pricemill ([a-z-][^`\n]*)`")
    return [
        (page.relative_to(ROOT).as_posix(), match)
        for page in pages
        for pattern in (lines, inline)
        for match in pattern.findall(page.read_text(encoding="utf-8"))
    ]


def shown_in_messages() -> list[tuple[str, str]]:
    texts = [(error.__name__, error.next_step) for error in tree(PricemillError)]
    texts += [(reason.code, reason.fix) for reason in REASONS.values()]
    return [
        (where, match)
        for where, text in texts
        for match in re.findall(r"pricemill ((?:[a-z]+ )*[a-z]+(?: [A-Z]+)+)", text)
    ]


def test_documents_show_commands_that_exist() -> None:
    shown = shown_in_pages()
    assert shown
    assert [f"{page}: pricemill {text}: {why}" for page, text in shown if (why := complaint(text))] == []


def test_errors_and_reasons_name_commands_that_exist() -> None:
    shown = shown_in_messages()
    assert shown
    assert [f"{where}: pricemill {text}: {why}" for where, text in shown if (why := complaint(text))] == []


@pytest.mark.parametrize(
    "text", ["no-such-command", "tasks juggle", "tasks list --no-such-option", "map FILE --sheets"]
)
def test_a_command_that_does_not_exist_is_noticed(text: str) -> None:
    assert complaint(text)


@pytest.mark.parametrize("text", ["status --json", "dead list | head", "map FILE", "tasks show ID", "--version"])
def test_a_command_that_exists_is_not_complained_about(text: str) -> None:
    assert complaint(text) is None
