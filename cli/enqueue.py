"""`pricemill enqueue`: hands in queue messages, one or many."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from cli import context
from cli.command import command
from cli.exits import Exit
from cli.problems import NotFound
from cli.screen import Screen
from cli.text import line, plural
from contracts.errors import ContractViolation

if TYPE_CHECKING:
    from contracts.task import ParseTask

app = typer.Typer(add_completion=False, rich_markup_mode=None)

BATCH = 5_000
"""Tasks handed in at once."""
SHOWN = 20
"""Refused lines told to a person one by one."""


@app.command()
def enqueue(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="TASK.json|-", help="One task, or one a line (JSON lines); - is stdin.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every task, hand in none.")] = False,
) -> int:
    """Hand in tasks. What fits its schema is accepted, the rest is named with line and pointer: exit 6, or 5 if
    nothing could be accepted."""
    screen: Screen = ctx.obj
    if dry_run:
        return _check(screen, file)

    async def hand_in(opened: Any) -> int:
        refused: list[dict[str, Any]] = []
        answers: list[Any] = []
        with _opened(file) as stream:
            for batch in _batches(stream, refused):
                answers += await opened.producer.enqueue_many(batch)
        return _report(screen, answers, refused)

    return context.run(hand_in)


def _check(screen: Screen, file: str) -> int:
    refused: list[dict[str, Any]] = []
    with _opened(file) as stream:
        good = sum(len(batch) for batch in _batches(stream, refused))
    screen.answer({"valid": good, "refused": refused}, lambda: [f"{plural(good, 'task')} valid, {len(refused)} not."])
    _tell(screen, refused)
    return _exit(screen, good, refused)


def _report(screen: Screen, answers: list[Any], refused: list[dict[str, Any]]) -> int:
    created = sum(answer.created for answer in answers)
    late = sum(not answer.delivered for answer in answers)
    document = {
        "accepted": created,
        "known": len(answers) - created,
        "refused": refused,
        "delivery_delayed": late,
        "tasks": [{"task_id": one.task_id, "created": one.created} for one in answers],
    }
    if screen.manners.form == "jsonl":
        screen.list(document["tasks"], [], empty="")
    else:
        screen.answer(document, lambda: _lines(answers, created))
    _tell(screen, refused)
    if late:
        screen.note(f"Redis is away: {plural(late, 'task')} accepted, delivered when it is back.")
    if answers:
        screen.next(command("tasks", "show", answers[0].task_id) if len(answers) == 1 else command("status"))
    return _exit(screen, len(answers), refused)


def _exit(screen: Screen, good: int, refused: list[dict[str, Any]]) -> int:
    if not good and not refused:
        screen.note("There was no task to read: one JSON document, or one a line, is expected.")
        return Exit.REFUSED
    return Exit.DONE if not refused else Exit.FINDINGS if good else Exit.REFUSED


def _lines(answers: list[Any], created: int) -> Iterator[str]:
    if len(answers) == 1:
        yield f"{line(answers[0].task_id)}  {'accepted' if created else 'was known already'}"
        return
    known = len(answers) - created
    yield f"{plural(created, 'task')} accepted" + (f", {known:,} known already" if known else "")


def _tell(screen: Screen, refused: list[dict[str, Any]]) -> None:
    """Which lines were refused and why, on stderr."""
    if not screen.human:
        return
    for one in refused[:SHOWN]:
        for error in one["errors"]:
            screen.err.write(f"line {one['line']}: {line(error['pointer'] or '/')}: {line(error['detail'])}\n")
    if len(refused) > SHOWN:
        screen.err.write(f"… and {plural(len(refused) - SHOWN, 'more line')}; --json lists all\n")


def _opened(file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise NotFound(f"{file}: {error.strerror}") from error


def _batches(stream: BinaryIO, refused: list[dict[str, Any]]) -> Iterator[list[ParseTask]]:
    """Valid tasks in the order of the file; the others are appended to `refused`."""
    batch: list[ParseTask] = []
    for number, raw in _messages(stream):
        task = _parsed(number, raw, refused)
        if task is not None:
            batch.append(task)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _messages(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(line number, JSON text). A first line that is no whole JSON value makes the file one document."""
    import orjson

    first = b""
    number = 0
    for raw in stream:
        number += 1
        if raw.strip():
            first = raw
            break
    if not first:
        return
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        rest = stream.read()
        try:
            document = orjson.loads(first + rest)
        except orjson.JSONDecodeError:
            # Neither one document nor a good first line: lines it is, so that each is named.
            yield number, first
            yield from _lines_of(rest.split(b"\n"), number)
            return
        if isinstance(document, list):
            yield from ((place, orjson.dumps(one)) for place, one in enumerate(document, number))
        else:
            yield number, first + rest
        return
    yield number, first
    yield from _lines_of(stream, number)


def _lines_of(lines: Any, before: int) -> Iterator[tuple[int, bytes]]:
    return ((number, raw) for number, raw in enumerate(lines, before + 1) if raw.strip())


def _parsed(number: int, raw: bytes, refused: list[dict[str, Any]]) -> ParseTask | None:
    from contracts.schema import parse_task

    try:
        return parse_task(raw)
    except ContractViolation as error:
        violations = error.violations or (("", error.message),)
        refused.append({"line": number, "errors": [{"pointer": where, "detail": why} for where, why in violations]})
        return None
