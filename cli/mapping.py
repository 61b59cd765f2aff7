"""`pricemill map`: how a file is understood, column by column."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.exits import Exit
from cli.mapping_view import held_lines, understood_lines
from cli.order import Wishes, mapping_of
from cli.problems import Usage, exit_of
from cli.screen import Screen
from cli.text import line
from contracts.errors import NeedsAnswer

if TYPE_CHECKING:
    from config.settings import Settings
    from contracts.catalog import StoredProfile
    from workers.app import App

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("map")
def map_file(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FILE|URL")],
    *,
    supplier: Annotated[str | None, typer.Option(help="Read it with this supplier's profile.")] = None,
    currency: Annotated[str | None, typer.Option(metavar="EUR")] = None,
    decimal: Annotated[str | None, typer.Option(metavar=",|.")] = None,
    sheet: Annotated[str | None, typer.Option()] = None,
    column: Annotated[
        list[str],
        typer.Option("--map", "--set", metavar="FIELD=COLUMN", help="Header, letter or zero-based index; repeatable."),
    ] = [],  # noqa: B006
    answer: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Take answer N to the question that is shown.")
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Remember --set, --answer and the like in the supplier's profile.")
    ] = False,
    parser: Annotated[str | None, typer.Option()] = None,
) -> int:
    """How a file is understood, with certainty and reason, and what else was considered; exit 5 with the question and
    its answers if a person must decide. Needs no database, unless --supplier is given."""
    screen: Screen = ctx.obj
    wishes = Wishes(supplier or "-", sheet, currency, decimal, tuple(column), parser=parser)
    settings = context.load_settings()
    said = _said(wishes)
    if save and supplier is None:
        raise Usage("--save needs --supplier: whose profile is meant?")
    if save and not said and answer is None:
        raise Usage(
            "there is nothing to save: say what is meant with --set, --answer, --decimal, --currency or --sheet"
        )
    if supplier is None:
        return asyncio.run(_map(screen, settings, source, wishes, None, answer=answer))[0]

    async def with_profile(opened: App) -> int:
        stored = await opened.profiles.newest(supplier)
        code, patch = await _map(screen, settings, source, wishes, stored, answer=answer)
        if save and code == Exit.DONE:
            await _save(screen, opened, supplier, [patch, said])
        elif save:
            screen.note("! nothing was saved, because the list would still be held")
        return code

    return context.run(with_profile, settings=settings)


def _said(wishes: Wishes) -> dict[str, Any]:
    """What the options say, as a merge patch for a profile."""
    patch: dict[str, Any] = {}
    if wishes.mapping:
        patch["mapping"] = mapping_of(wishes.mapping)
    if wishes.decimal:
        patch["numbers"] = {"decimal": wishes.decimal}
    if wishes.currency:
        patch["currency"] = wishes.currency
    if wishes.sheet:
        patch["read"] = {"sheet": wishes.sheet}
    return patch


async def _map(
    screen: Screen, settings: Settings, source: str, wishes: Wishes, stored: StoredProfile | None, *, answer: int | None
) -> tuple[int, dict[str, Any]]:
    """The exit code, and the patch of the answer that was taken."""
    try:
        await _show(screen, settings, source, wishes, stored)
    except NeedsAnswer as error:
        if answer is None:
            return _held(screen, source, wishes, error), {}
        options = () if error.question is None else error.question.options
        if answer > len(options):
            raise Usage(f"there is no answer {answer}: the question has {len(options)}") from None
        option = options[answer - 1]
    else:
        if answer is not None:
            raise Usage("this list raises no question that could be answered")
        return Exit.DONE, {}
    screen.note(f"Answer {answer}: {line(option.label)}")
    try:
        await _show(screen, settings, source, wishes, _amended(stored, dict(option.patch)))
    except NeedsAnswer as error:
        return _held(screen, source, wishes, error), {}
    return Exit.DONE, dict(option.patch)


def _amended(stored: StoredProfile | None, patch: dict[str, Any]) -> StoredProfile:
    from config.profiles import SupplierProfile, amend
    from contracts.catalog import StoredProfile as Stored

    profile = None if stored is None else SupplierProfile.model_validate(stored.document)
    return Stored(0 if stored is None else stored.version, amend(profile, patch).document())


async def _show(screen: Screen, settings: Settings, source: str, wishes: Wishes, stored: StoredProfile | None) -> None:
    """Raises NeedsAnswer before anything is shown."""
    from cli.dry_run import judge
    from cli.reading import opened_list
    from pipeline.understanding.describe import reading_of

    async with opened_list(settings, source, wishes, stored) as (handed, read):
        account = (await judge(read)).account
        document = {
            "source": handed.name,
            "description": read.reading.description.document(),
            **read.plan.understanding.document(),
            "account": account.document(),
        }
        readings = [reading_of(column, read.plan.understanding) for column in read.plan.understanding.columns]
        for column, reading in zip(document["columns"], readings, strict=True):
            column["reading"] = reading
    screen.answer(document, lambda: understood_lines(document, account))
    for note in document["description"]["notes"]:
        screen.note(f"  {line(note)}")
    for warning in document["warnings"]:
        screen.note(f"! {line(warning)}")
    name = "NAME" if wishes.supplier == "-" else line(wishes.supplier)
    screen.next(f"pricemill import {line(source)!r} --supplier {name!r} --check")


def _held(screen: Screen, source: str, wishes: Wishes, error: NeedsAnswer) -> int:
    """Machines get the problem with its question; people see what is known already."""
    if not screen.human:
        raise error
    screen.say(*held_lines(source, error.context.get("table") or {}, error.question))
    if error.question is None:
        screen.note(f"Error: {line(error.message)}")
    named = "" if wishes.supplier == "-" else f" --supplier {line(wishes.supplier)!r}"
    if error.question is not None and error.question.options:
        screen.next(f"pricemill map {line(source)!r}{named} --answer 1" + (" --save" if named else ""))
    else:
        screen.next(line(error.next_step))
    return exit_of(error)


async def _save(screen: Screen, opened: App, supplier: str, patches: list[dict[str, Any]]) -> None:
    from config.profiles import SupplierProfile, amend

    newest = await opened.profiles.newest(supplier)
    profile = None if newest is None else SupplierProfile.model_validate(newest.document)
    for patch in patches:
        profile = amend(profile, patch)
    assert profile is not None
    version = await opened.profiles.add(supplier, profile.document(), created_by=context.actor())
    screen.note(f"Saved in the profile of {line(supplier)}: v{version}")
