"""Fixed columns for people: aligned, tab-free, shortened only to fit a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cli.text import shorten, width

GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    cell: Callable[[Any], str]
    """The text of one item, already inert."""
    right: bool = False
    least: int = 0
    """Cells this column may be shortened to on a narrow terminal; 0 = never shortened."""


def render(columns: Sequence[Column], items: Sequence[Any], *, fit: int | None = None) -> list[str]:
    """The title line and one line per item; at most `fit` cells wide where shortening can do that."""
    texts = [[column.title for column in columns], *([column.cell(item) for column in columns] for item in items)]
    widths = [max(width(row[place]) for row in texts) for place in range(len(columns))]
    if fit is not None:
        _squeeze(columns, widths, fit)
    return [_line(columns, row, widths) for row in texts]


def _squeeze(columns: Sequence[Column], widths: list[int], fit: int) -> None:
    """Takes cells from the widest column that may lose some, until the line fits or none may."""
    while sum(widths) + len(GAP) * (len(widths) - 1) > fit:
        wide = [place for place, column in enumerate(columns) if column.least and widths[place] > column.least]
        if not wide:
            return
        widths[max(wide, key=lambda place: widths[place])] -= 1


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> str:
    cells = []
    for column, text, cells_wide in zip(columns, row, widths, strict=True):
        fitted = shorten(text, cells_wide)
        padding = " " * (cells_wide - width(fitted))
        cells.append(padding + fitted if column.right else fitted + padding)
    return GAP.join(cells).rstrip()
