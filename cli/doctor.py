"""`pricemill doctor`: whether this installation can work."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated

import typer

from cli import context
from cli.examine import CHECKS, Patient
from cli.exits import Exit
from cli.problems import Usage
from cli.screen import Screen
from cli.text import line, plural
from contracts.errors import PricemillError

app = typer.Typer(add_completion=False, rich_markup_mode=None)

SECONDS = 30.0
"""One check may take so long; starting an embedded server for the first time takes five."""


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    good: bool
    told: str
    next: str = ""


@app.command()
def doctor(
    ctx: typer.Context,
    only: Annotated[str | None, typer.Option(help=f"Of {', '.join(CHECKS)}; separated by commas.")] = None,
) -> int:
    """Settings, PostgreSQL and its migrations, Redis, workers, credentials, clock, disk. Exit 1 if one fails."""
    screen: Screen = ctx.obj
    chosen = [name.strip() for name in only.split(",")] if only else list(CHECKS)
    if wrong := [name for name in chosen if name not in CHECKS]:
        raise Usage(f"there is no check {wrong[0]!r}; there are {', '.join(CHECKS)}")
    findings = asyncio.run(_examine(chosen))
    bad = [finding for finding in findings if not finding.good]
    screen.answer({"healthy": not bad, "checks": findings}, lambda: [_line(screen, finding) for finding in findings])
    if bad:
        screen.note(f"{len(bad)} of {plural(len(findings), 'check')} failed.")
    screen.next(next((finding.next for finding in bad if finding.next), "pricemill status"))
    return Exit.FAILED if bad else Exit.DONE


def _line(screen: Screen, finding: Finding) -> str:
    mark = screen.paint("✔", "green") if finding.good else screen.paint("✖", "red")
    return f"{mark} {finding.check:<11} {line(finding.told)}"


async def _examine(names: list[str]) -> list[Finding]:
    try:
        settings = context.load_settings()
    except PricemillError as error:
        return [Finding("settings", good=False, told=error.message, next=error.next_step)]
    async with AsyncExitStack() as servers:
        patient = Patient(settings, servers)
        return [await _one(name, patient) for name in names]


async def _one(name: str, patient: Patient) -> Finding:
    try:
        async with asyncio.timeout(SECONDS):
            return Finding(name, good=True, told=await CHECKS[name](patient))
    except TimeoutError:
        return Finding(name, good=False, told=f"no answer within {SECONDS:.0f} s")
    except PricemillError as error:
        return Finding(name, good=False, told=error.message, next=error.context.get("next") or error.next_step)
