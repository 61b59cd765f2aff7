"""`pricemill db`: brings the tables up to date, back, or holds them against the code."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli import context
from cli.exits import Exit
from cli.options import DryRun
from cli.problems import Usage
from cli.screen import Screen

if TYPE_CHECKING:
    from db.engine import Revision

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback()
def database() -> None:
    """The database: its revision, and whether it is what the code expects."""


@contextmanager
def database_url() -> Iterator[str]:
    """Of the settings, or of the embedded server, which runs at least that long."""
    settings = context.load_settings()
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    from db import embedded

    with embedded.start(settings.data_dir) as server:
        yield server.url


@app.command()
def upgrade(ctx: typer.Context, dry_run: DryRun = False) -> int:
    """To the newest revision. Doing it again changes nothing."""
    screen: Screen = ctx.obj
    from db import engine

    with database_url() as url:
        before = asyncio.run(engine.check(url))
        if not dry_run and not before.at_head:
            asyncio.run(engine.upgrade(url))
    answer = {"before": before.current, "now": before.current if dry_run else before.head, "dry_run": dry_run}
    if before.at_head:
        told = f"At the newest revision ({before.head}) already."
    else:
        told = f"{'Would upgrade' if dry_run else 'Upgraded'} from {before.current or 'nothing'} to {before.head}."
    screen.answer(answer, lambda: [told])
    screen.next("pricemill doctor")
    return Exit.DONE


@app.command()
def downgrade(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(help="The revision to go back to; base removes every table.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: data of later revisions is lost.")] = False,
    dry_run: DryRun = False,
) -> int:
    """Back to an earlier revision. Data that only later revisions can hold is lost."""
    screen: Screen = ctx.obj
    from db import engine

    with database_url() as url:
        before = asyncio.run(engine.check(url))
        sentence = f"downgrade from {before.current or 'nothing'} to {revision} and lose what later revisions hold"
        if dry_run:
            screen.answer({"before": before.current, "to": revision, "dry_run": True}, lambda: [f"Would {sentence}."])
            return Exit.DONE
        if not yes:
            _ask(screen, sentence, revision)
        asyncio.run(engine.downgrade(url, revision))
        after = asyncio.run(engine.check(url))
    answer = {"before": before.current, "now": after.current, "dry_run": False}
    screen.answer(answer, lambda: [f"Downgraded from {before.current or 'nothing'} to {after.current or 'nothing'}."])
    screen.next("pricemill db check")
    return Exit.DONE


def _ask(screen: Screen, sentence: str, revision: str) -> None:
    if not screen.manners.asks:
        raise Usage(f"{sentence}: add --yes to do it, or --dry-run to see it")
    screen.err.write(f"{sentence}.\nType {revision} to go on: ")
    screen.err.flush()
    if input().strip() != revision:
        raise typer.Abort


@app.command()
def check(ctx: typer.Context) -> int:
    """Revision and drift. Exit 5 if the tables are not what the code expects."""
    screen: Screen = ctx.obj
    from db import engine

    with database_url() as url:
        found = asyncio.run(engine.check(url))
    good = found.at_head and not found.drift
    screen.answer({**found._asdict(), "at_head": found.at_head}, lambda: _lines(found))
    screen.next("pricemill doctor" if good else "pricemill db upgrade")
    return Exit.DONE if good else Exit.REFUSED


def _lines(found: Revision) -> Iterator[str]:
    if not found.at_head:
        yield f"At {found.current or 'nothing'}; the newest revision is {found.head}."
        return
    yield f"At the newest revision ({found.head})."
    for difference in found.drift:
        yield f"  differs: {difference}"
