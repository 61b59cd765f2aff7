"""What a command prints, in the form that was asked for: data on stdout, everything else on stderr."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import orjson

from cli.command import command
from cli.manners import Manners
from cli.table import Column, render

STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Screen:
    """Two streams and the manners of this call."""

    def __init__(self, manners: Manners, out: TextIO, err: TextIO, argv: Sequence[str] = ()) -> None:
        self.manners = manners
        self.out = out
        self.err = err
        self.argv = argv
        """What was called, without `pricemill`."""
        self.known: dict[str, object] = {}
        """What FILE, SUPPLIER and TASK stand for in the next step of an error, as soon as a command knows it."""

    @property
    def human(self) -> bool:
        return self.manners.form == "human"

    def paint(self, text: str, *styles: str) -> str:
        """With colours, if stdout is a terminal that wants them. The text must be inert already."""
        if not self.manners.colour:
            return text
        return f"\x1b[{';'.join(STYLES[style] for style in styles)}m{text}\x1b[0m"

    def say(self, *lines: str) -> None:
        """Lines for people on stdout; silent when JSON was asked for."""
        if self.human:
            for text in lines:
                self.out.write(text + "\n")
            self.out.flush()

    def note(self, text: str) -> None:
        """A remark on stderr: progress, a warning."""
        if self.human and not self.manners.quiet:
            self.err.write(text + "\n")
            self.err.flush()

    def next(self, command: str, *others: str) -> None:
        """The next useful command, or several of which one is; the last thing a person sees. Made by
        cli.command.command, so that each can be copied."""
        self.note(f"Next: {command}")
        for other in others:
            self.note(f"  or: {other}")

    def again(self, *without: str) -> str:
        """This call without these flags, to be copied."""
        return command(*(word for word in self.argv if word not in without))

    def more(self, option: str, cursor: str | None) -> None:
        """Says how to see the next page, if there is one."""
        if cursor is None:
            return
        words = list(self.argv)
        for place, word in enumerate(words):
            if word == option or word.startswith(f"{option}="):
                del words[place : place + (2 if word == option else 1)]
                break
        self.note(f"More: {command(*words, option, cursor)}")

    def answer(self, value: Any, lines: Callable[[], Iterable[str]]) -> None:
        """One thing: an object for machines, lines for people."""
        if self.human and not self.manners.fields:
            self.say(*lines())
        else:
            document = plain(value)
            if self.manners.fields and isinstance(document, dict):
                document = pick(document, self.manners.fields)
            if self.human:
                self.say(*(f"{_text(member)}" for member in document.values()))
            else:
                self._write(document)

    def list(
        self,
        items: Sequence[Any],
        columns: Sequence[Column],
        *,
        empty: str,
        following: str | None = None,
    ) -> None:
        """Several things of one kind. `following` is the cursor of the next page."""
        fields = self.manners.fields
        if self.human:
            if fields:
                columns = [Column(name.upper(), _member(name)) for name in fields]
                items = [plain(item) for item in items]
            if not items:
                self.note(empty)
                return
            fit = shutil.get_terminal_size().columns if self.manners.terminal else None
            titles, *rows = render(columns, items, fit=fit)
            self.say(self.paint(titles, "dim"), *rows)
            return
        documents = [pick(plain(item), fields) if fields else plain(item) for item in items]
        if self.manners.form == "jsonl":
            for document in documents:
                self._write(document)
        else:
            self._write({"items": documents, "next": following})

    def problem(self, document: Mapping[str, Any], lines: Iterable[str]) -> None:
        """An error, always on stderr: one object, or lines."""
        if self.human:
            self.err.write("".join(text + "\n" for text in lines))
        else:
            self.err.write(dumps(dict(document)) + "\n")
        self.err.flush()

    def _write(self, document: Any) -> None:
        self.out.write(dumps(document) + "\n")
        self.out.flush()


def dumps(document: Any) -> str:
    return orjson.dumps(document, default=_default).decode()


def plain(value: Any) -> Any:
    """JSON-ready members: dataclasses become objects, money stays text."""
    if is_dataclass(value) and not isinstance(value, type):
        return orjson.loads(orjson.dumps(asdict(value), default=_default))
    return orjson.loads(orjson.dumps(value, default=_default))


def pick(document: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Only these members; `a.b` reaches into an object, what is not there is null."""
    return {name: _reach(document, name) for name in fields}


def _reach(document: Any, name: str) -> Any:
    for part in name.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def _member(name: str) -> Callable[[Any], str]:
    return lambda document: _text(_reach(document, name))


def _text(value: Any) -> str:
    from cli.text import line

    if value is None:
        return "-"
    return line(dumps(value) if isinstance(value, dict | list) else value)


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise TypeError(type(value).__name__)
