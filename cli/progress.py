"""How far the work has come: a live bar on a terminal, one line per 10 % elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cli.screen import Screen

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

UNKNOWN_STEP = 50_000
"""Rows between two lines where the total is not known."""


class Meter(Protocol):
    def show(self, rows: int, rejected: int) -> None:
        """Committed physical rows so far; never goes back but when a run starts over."""
        ...


@contextmanager
def meter(screen: Screen, total: int | None) -> Iterator[Meter]:
    """`total`: rows to expect, None if nobody knows. Everything goes to stderr; the bar is removed at the end."""
    if screen.manners.bar:
        with _bar(screen, total) as bar:
            yield bar
    else:
        yield _Lines(screen, total)


@dataclass(slots=True)
class _Lines:
    screen: Screen
    total: int | None
    told: int = 0
    since: float = 0.0

    def show(self, rows: int, rejected: int) -> None:
        now = time.monotonic()
        self.since = self.since or now
        speed = f"{rows / (now - self.since):,.0f}/s" if now - self.since > 0.5 else ""
        if self.total:
            step = min(10 * rows // self.total, 10)
            if step > self.told:
                self.told = step
                self.screen.note(f"load {10 * step}% {rows}/{max(self.total, rows)} rows {speed}".rstrip())
        elif rows // UNKNOWN_STEP > self.told:
            self.told = rows // UNKNOWN_STEP
            self.screen.note(f"load {rows} rows {speed}".rstrip())


@dataclass(slots=True)
class _Bar:
    progress: Progress
    task: TaskID
    total: int | None

    def show(self, rows: int, rejected: int) -> None:
        # The total is a count of lines: a little less than the rows where workbooks are among the lists.
        told = f"{rows:,}" + (f" / {max(self.total, rows):,}" if self.total else "") + " rows"
        bad = f"[yellow]{rejected:,} rejected[/]" if rejected else ""
        self.progress.update(self.task, completed=min(rows, self.total or rows), told=told, bad=bad)


@contextmanager
def _bar(screen: Screen, total: int | None) -> Iterator[_Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Task as Bar
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Bar) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f} rows/s" if speed else "", style="cyan")

    console = Console(file=screen.err, no_color=not screen.manners.colour, force_terminal=True)
    columns = (
        TextColumn("Load     "),
        BarColumn(bar_width=None, complete_style="cyan", finished_style="green"),
        TaskProgressColumn(),
        TextColumn("{task.fields[told]}"),
        Speed(),
        TextColumn("{task.fields[bad]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True, refresh_per_second=8, expand=True) as progress:
        yield _Bar(progress, progress.add_task("load", total=total, told="", bad=""), total)
