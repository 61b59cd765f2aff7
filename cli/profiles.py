"""`pricemill suppliers profile`: how a supplier's lists are read, version by version."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.command import command
from cli.confirm import agree
from cli.exits import Exit
from cli.finding import one_supplier
from cli.options import DryRun, Yes
from cli.problems import NotFound, Usage
from cli.profile_changes import Change, changes
from cli.screen import Screen, plain
from cli.text import line, stamp

if TYPE_CHECKING:
    from contracts.catalog import StoredProfile
    from workers.app import App

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="SUPPLIER")]
Number = Annotated[int | None, typer.Option("--version", min=1, metavar="N", help="Not the newest but this one.")]
ALIKE = ["The two say the same."]


@app.callback()
def profiles() -> None:
    """How a supplier's lists are read; versions are added, never changed."""


@app.command("show")
def show_profile(ctx: typer.Context, supplier: Name, version: Number = None) -> int:
    """The newest version, who made it, and which came before."""
    screen: Screen = ctx.obj

    async def present(opened: App) -> int:
        name, stored = await _stored(opened, supplier, version)
        history = await opened.profiles.history(name)
        answer = {
            "supplier": name,
            "version": stored.version,
            "document": stored.document,
            "history": [one._asdict() for one in history],
        }

        def lines() -> list[str]:
            made = [f"v{one.version}  {stamp(one.created_at)}  {line(one.created_by)}" for one in history[:10]]
            body = [_indented(text) for text in _text(stored.document).splitlines()]
            return [f"{line(name)}, profile v{stored.version}", *body, "", *made]

        screen.answer(answer, lines)
        if stored.version > 1:
            screen.next(_profile("diff", name, stored.version - 1, stored.version))
        else:
            screen.next(_profile("export", name, "profile.json"))
        return Exit.DONE

    return context.run(present)


@app.command()
def diff(
    ctx: typer.Context,
    supplier: Name,
    old: Annotated[int | None, typer.Argument(min=1, help="A version; the one before the newest.")] = None,
    new: Annotated[int | None, typer.Argument(min=1, help="A version; the newest.")] = None,
) -> int:
    """What one version says otherwise than another."""
    screen: Screen = ctx.obj

    async def compare(opened: App) -> int:
        name, later = await _stored(opened, supplier, new)
        before = old or max(later.version - 1, 1)
        _, earlier = await _stored(opened, supplier, before)
        found = changes(earlier.document, later.document)
        answer = {"supplier": name, "old": earlier.version, "new": later.version, "changes": plain(found)}
        title = f"{line(name)}, profile v{earlier.version} to v{later.version}"
        screen.answer(answer, lambda: [title, *_sentences(found)])
        return Exit.DONE

    return context.run(compare)


@app.command("export")
def export_profile(
    ctx: typer.Context,
    supplier: Name,
    file: Annotated[str, typer.Argument(help="Where to, or - for stdout.")] = "-",
    version: Number = None,
) -> int:
    """A version as JSON: edit it, then `profile import`."""
    screen: Screen = ctx.obj

    async def export(opened: App) -> int:
        name, stored = await _stored(opened, supplier, version)
        text = _text(stored.document) + "\n"
        if file == "-":
            screen.out.write(text)
            screen.next(_profile("export", name, "profile.json"))
        else:
            _write(file, text)
            screen.note(f"{line(name)}: profile v{stored.version} is in {line(file)}")
            screen.next(_profile("import", name, file, "--check"))
        return Exit.DONE

    return context.run(export)


@app.command("import")
def import_profile(
    ctx: typer.Context,
    supplier: Name,
    file: Annotated[str, typer.Argument(help="A profile as JSON, or - for stdin.")],
    check: Annotated[
        bool, typer.Option("--check", "--dry-run", help="Show what would change, change nothing.")
    ] = False,
) -> int:
    """Adds a version. It holds for the next list; what is loaded stays as it is."""
    screen: Screen = ctx.obj
    document = _read(file)

    async def add(opened: App) -> int:
        from config.profiles import load_profile

        # Stored as it was handed in, without what was never set: most specific wins, and silence is not a choice.
        checked = load_profile(document).document()
        newest = await opened.profiles.newest(supplier)
        found = changes({} if newest is None else newest.document, checked)
        if check:
            screen.answer(
                {"valid": True, "changes": plain(found)}, lambda: ["The profile is valid.", *_sentences(found)]
            )
            return Exit.DONE
        version = await opened.profiles.add(supplier, checked, created_by=context.actor())
        answer = {"supplier": supplier, "version": version}
        screen.answer(answer, lambda: [f"{line(supplier)}: profile v{version}", *_sentences(found)])
        screen.next(_profile("show", supplier))
        return Exit.DONE

    return context.run(add)


@app.command()
def revert(ctx: typer.Context, supplier: Name, version: Annotated[int, typer.Argument(min=1, metavar="N")]) -> int:
    """Adds a version that says what version N said."""
    screen: Screen = ctx.obj

    async def add(opened: App) -> int:
        name, wanted = await _stored(opened, supplier, version)
        _, newest = await _stored(opened, supplier, None)
        found = changes(newest.document, wanted.document)
        added = await opened.profiles.add(name, wanted.document, created_by=context.actor())
        answer = {"supplier": name, "version": added, "as": version, "changes": plain(found)}
        screen.answer(answer, lambda: [f"{line(name)}: profile v{added}, as v{version}", *_sentences(found)])
        screen.next(_profile("show", name))
        return Exit.DONE

    return context.run(add)


@app.command()
def accept(
    ctx: typer.Context,
    supplier: Name,
    task: Annotated[str | None, typer.Argument(metavar="TASK", help="Where several lists wait.")] = None,
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Takes the first answer to the question for which a list of this supplier is held, and loads the list."""
    screen: Screen = ctx.obj

    async def take(opened: App) -> int:
        from cli.answers import answer, held_list
        from cli.finding import one_task

        name = await one_supplier(opened.reports, supplier)
        task_id = None if task is None else await one_task(opened.reports, task)
        held = await held_list(opened.reports, supplier=name, task_id=task_id)
        if not held.question.options:
            raise NotFound(
                f"{held.question.sentence}: there is no ready answer", next=command("dead", "show", held.task_id)
            )
        first = held.question.options[0]
        screen.note(line(held.question.sentence))
        screen.note(f"  1. {line(first.label)}: {line(first.consequence)}")
        if dry_run:
            screen.answer({"would_accept": first.label}, lambda: [f"Would accept: {line(first.label)}"])
            screen.next(screen.again("--dry-run"))
            return Exit.DONE
        if not agree(screen, "this answers the question and loads the list", count=1, yes=yes):
            return Exit.DONE
        done = await answer(opened, held, 1)
        screen.answer(
            done,
            lambda: [
                line(done.label) + (f": profile v{done.version}" if done.version else ""),
                f"{line(done.task_id)} starts again" if done.started else f"{line(done.task_id)} was started already",
            ],
        )
        screen.next(command("tasks", "show", done.task_id))
        return Exit.DONE

    return context.run(take)


def _profile(*words: object) -> str:
    return command("suppliers", "profile", *words)


async def _stored(opened: App, supplier: str, version: int | None) -> tuple[str, StoredProfile]:
    name = await one_supplier(opened.reports, supplier)
    newest = await opened.profiles.newest(name)
    if newest is None:
        raise NotFound(f"{name!r} has no profile yet", next=f"{command('import', '--supplier', name)} FILE")
    if version is None:
        return name, newest
    found = await opened.profiles.version(name, version)
    if found is None:
        raise NotFound(
            f"{name!r} has no profile v{version}; the newest is v{newest.version}",
            next=_profile("show", name),
        )
    return name, found


def _text(document: dict[str, Any]) -> str:
    import orjson

    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()


def _indented(text: str) -> str:
    """One line of indented JSON, inert, its indentation kept."""
    return text[: len(text) - len(text.lstrip())] + line(text)


def _sentences(found: list[Change]) -> list[str]:
    return [f"  {change.sentence}" for change in found] or ALIKE


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Usage(f"{file}: {error.strerror}") from error


def _read(file: str) -> dict[str, Any]:
    import orjson

    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise NotFound(f"{file}: {error.strerror}") from error
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Usage(f"{file} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise Usage(f"{file} holds no JSON object")
    return document
