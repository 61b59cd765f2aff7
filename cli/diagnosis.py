"""What `pricemill why` tells: a cause, what shows it, what it does, what is safe to do about it and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.exits import Exit
from cli.screen import Screen

MARKS = {Exit.DONE: ("●", "green"), Exit.FINDINGS: ("▲", "yellow"), Exit.FAILED: ("✖", "red")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that can be done."""

    command: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause; every text is inert."""

    sentence: str
    code: Exit = Exit.FINDINGS
    evidence: tuple[str, ...] = ()
    effect: tuple[str, ...] = ()
    safe: tuple[Step, ...] = ()
    not_now: tuple[Step, ...] = ()


def lines(screen: Screen, findings: Sequence[Finding]) -> Iterator[str]:
    """The first one whole, of the others what they are and the first thing to do."""
    first, *others = findings
    mark, style = MARKS[first.code]
    yield f"{screen.paint(mark, style)} {screen.paint(first.sentence, 'bold')}"
    shown = [("Evidence", first.evidence), ("Effect", first.effect), ("Also", tuple(_short(one) for one in others))]
    steps = [("Safe", _steps(first.safe)), ("Not now", _steps(first.not_now))]
    for block in (shown, steps):
        if any(texts for _, texts in block):
            yield ""
        for title, texts in block:
            yield from (f"  {title if not number else '':<9}  {text}" for number, text in enumerate(texts))


def _short(finding: Finding) -> str:
    return finding.sentence + (f" ({finding.safe[0].command})" if finding.safe else "")


def _steps(steps: Sequence[Step]) -> tuple[str, ...]:
    wide = max((len(step.command) for step in steps), default=0)
    return tuple(f"{step.command:<{wide}}  {step.why}" for step in steps)
