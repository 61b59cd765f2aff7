"""The plan of a list as lines: counts, histogram, largest moves, and what happened to it as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from cli.held_view import told
from cli.plan import KINDS, LABELS, Plan
from cli.screen import Screen
from cli.text import line, plural
from contracts.band import HELD

WIDEST = 30
"""Cells of the longest bar."""


def plan_lines(screen: Screen, plan: Plan) -> Iterator[str]:
    parts = [f"{plan.kinds[kind]:,} {word}" for kind, word in KINDS.items() if plan.kinds[kind]]
    parts += [f"{plan.missing:,} missing"] if plan.missing else []
    parts += [f"{plan.returned:,} returned"] if plan.returned else []
    yield f"Plan      {', '.join(parts) or 'nothing'}"
    if plan.missing_codes:
        more = ", …" if (plan.missing or 0) > len(plan.missing_codes) else ""
        yield f"          Missing, kept as they are: {', '.join(map(line, plan.missing_codes))}{more}"
    for reason, number in plan.held.most_common():
        if number:
            yield f"          {screen.paint(f'Held {number:,}', 'yellow')}: {HELD[reason]}"
    for sentence in plan.shapes:
        yield f"          {screen.paint('Whole list', 'yellow')}: {line(sentence)}"
    if any(plan.bins):
        yield ""
        yield from _bars(plan)
    for number, (move, why) in enumerate(plan.largest):
        head = "Largest   " if not number else " " * 10
        held = f"  held: {why}" if why else ""
        yield f"{head}{line(move.sku)}  {told(*move.old)} → {told(*move.new)}{held}"


def _bars(plan: Plan) -> Iterator[str]:
    most = max(plan.bins)
    wide = max(map(len, LABELS)) + 2
    for label, number in zip(LABELS, plan.bins, strict=True):
        bar = "█" * (0 if not number else max(1, round(WIDEST * number / most)))
        yield f"{label + ' %':>{wide}}  {bar:<{WIDEST}}  {number:,}"
    yield f"{'':>{wide}}  {plural(sum(plan.bins), 'changed price')}"
