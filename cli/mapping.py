"""`pricemill map`: how a file is understood, column by column."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.asking import doubt, last_list, show_question
from cli.command import command
from cli.exits import Exit
from cli.mapping_view import understood_lines
from cli.order import Wishes, mapping_of, understanding_words
from cli.problems import Usage
from cli.screen import Screen
from cli.text import line
from contracts.errors import NeedsAnswer

if TYPE_CHECKING:
    from cli.hand_in import HandedIn
    from config.settings import Settings
    from contracts.catalog import Shapes, StoredProfile
    from contracts.questions import Option
    from pipeline.open import Opened
    from workers.app import App

Save = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Keeps the patch of an answer, and what the options say, in the supplier's profile."""

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
        list[str] | None,
        typer.Option("--map", "--set", metavar="FIELD=COLUMN", help="Header, letter or zero-based index; repeatable."),
    ] = None,
    answer: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Take answer N to the question that is shown.")
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Remember --set, --answer and the like in the supplier's profile.")
    ] = False,
    parser: Annotated[str | None, typer.Option()] = None,
) -> int:
    """How a file is understood, with certainty and reason, and what else was considered; exit 5 with the question and
    its answers if a person must decide. With --supplier it is read with that supplier's profile and held against what
    is stored; without, no database is needed."""
    screen: Screen = ctx.obj
    wishes = Wishes(supplier or "-", sheet, currency, decimal, tuple(column or ()), parser=parser)
    settings = context.load_settings()
    said = _said(wishes)
    if save and supplier is None:
        raise Usage("--save needs --supplier: whose profile is meant?")
    if save and not said and answer is None:
        raise Usage(
            "there is nothing to save: say what is meant with --set, --answer, --decimal, --currency or --sheet"
        )
    if supplier is None:
        context.quiet_logs()
        return asyncio.run(_map(screen, _List(settings, source, wishes), answer))

    async def with_profile(opened: App) -> int:
        stored = await opened.profiles.newest(supplier)
        the_list = _List(settings, source, wishes, stored, opened.shapes)
        return await _map(
            screen, the_list, answer, save=partial(_save, screen, opened, supplier, said) if save else None
        )

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


@dataclass(frozen=True, slots=True)
class _List:
    """A list, and what is known of its supplier if one is named."""

    settings: Settings
    source: str
    wishes: Wishes
    stored: StoredProfile | None = None
    shapes: Shapes | None = None

    def amended(self, patch: Mapping[str, Any]) -> _List:
        from config.profiles import SupplierProfile, amend
        from contracts.catalog import StoredProfile as Stored

        before = self.stored
        profile = None if before is None else SupplierProfile.model_validate(before.document)
        document = amend(profile, patch).document()
        return replace(self, stored=Stored(0 if before is None else before.version, document))


async def _map(screen: Screen, the_list: _List, answer: int | None, *, save: Save | None = None) -> int:
    """The exit code. What is said and answered is saved as soon as nothing is asked, or something else."""
    patch: Mapping[str, Any] = {}
    try:
        if answer is None:
            await _show(screen, the_list)
        else:
            option = await _taken(the_list, answer)
            screen.note(f"Answer {answer}: {line(option.label)}")
            if not option.patch:
                screen.note("That is no way to read it: nothing is saved, and the list is not to be imported.")
                return Exit.DONE
            patch = option.patch
            await _show(screen, the_list.amended(patch))
    except NeedsAnswer as error:
        if save is not None and patch:
            await save(patch)
        elif save is not None:
            screen.note("! nothing was saved, because the list would still be held")
        return show_question(screen, the_list.source, the_list.wishes, error)
    if save is not None:
        await save(patch)
    name = "NAME" if the_list.wishes.supplier == "-" else the_list.wishes.supplier
    wishes = replace(the_list.wishes, supplier=name)
    screen.next(command("import", the_list.source, *understanding_words(wishes), "--check"))
    return Exit.DONE


async def _taken(the_list: _List, answer: int) -> Option:
    """One of the answers to the question that this list raises. Raises Usage if there is none of that number."""
    try:
        async with _read(the_list):
            pass
    except NeedsAnswer as error:
        options = () if error.question is None else error.question.options
        if answer > len(options):
            raise Usage(f"there is no answer {answer}: the question has {len(options)}") from None
        return options[answer - 1]
    raise Usage("this list raises no question that could be answered")


@asynccontextmanager
async def _read(the_list: _List) -> AsyncIterator[tuple[HandedIn, Opened]]:
    """Raises NeedsAnswer where a run would."""
    from cli.reading import opened_list

    supplier, stored, shapes = the_list.wishes.supplier, the_list.stored, the_list.shapes
    last = None if shapes is None else await last_list(shapes, supplier, stored)
    async with opened_list(the_list.settings, the_list.source, the_list.wishes, stored, last=last) as (handed, read):
        if error := await doubt(read, stored, supplier=supplier, shapes=shapes):
            raise error
        yield handed, read


async def _show(screen: Screen, the_list: _List) -> None:
    """Raises NeedsAnswer before anything is shown."""
    from cli.dry_run import judge
    from pipeline.understanding.describe import reading_of

    async with _read(the_list) as (handed, read):
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


async def _save(
    screen: Screen, opened: App, supplier: str, said: Mapping[str, Any], answered: Mapping[str, Any]
) -> None:
    from config.profiles import SupplierProfile, amend

    newest = await opened.profiles.newest(supplier)
    profile = None if newest is None else SupplierProfile.model_validate(newest.document)
    profile = amend(amend(profile, answered), said)
    version = await opened.profiles.add(supplier, profile.document(), created_by=context.actor())
    screen.note(f"Saved in the profile of {line(supplier)}: v{version}")
