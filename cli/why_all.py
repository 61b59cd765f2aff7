"""Why lists are not loaded: of the whole installation, or of one supplier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cli.command import command
from cli.diagnosis import Finding, Step
from cli.exits import Exit
from cli.safety import AFTER_ANSWER, YES, safe_to_retry
from cli.text import age, duration, line, plural, stamp

if TYPE_CHECKING:
    from db.reports_errors import DeadGroup
    from db.reports_questions import HeldList
    from db.reports_why import Pause, Retrying, Waiting

LATE_SECONDS = 120.0
"""A free task that has been due for longer is late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the ledger says of all suppliers, or of one."""

    now: datetime
    supplier: str | None
    waiting: Waiting
    alive: int
    """Workers."""
    running: int
    held_prices: int
    pauses: Sequence[Pause] = ()
    retrying: Sequence[Retrying] = ()
    dead: Sequence[DeadGroup] = ()
    questions: Sequence[HeldList] = ()
    last_task: str | None = None
    """Of the supplier."""


def explain(seen: Seen) -> list[Finding]:
    """Pure; the worst first, and one that says so if nothing is wrong."""
    found = [*_workers(seen), *_late(seen), *_retrying(seen), *_dead(seen), *_questions(seen)]
    found += [*_prices(seen), *_pauses(seen)]
    return found or [_well(seen)]


def _scope(seen: Seen) -> list[object]:
    return [] if seen.supplier is None else ["--supplier", seen.supplier]


def _of(seen: Seen, suppliers: int) -> str:
    return "" if seen.supplier is not None else f"{plural(suppliers, 'supplier')}; "


def _wait(number: int) -> str:
    return "waits" if number == 1 else "wait"


def _whose(seen: Seen) -> str:
    return "" if seen.supplier is None else f" of {line(seen.supplier)}"


def _workers(seen: Seen) -> Iterator[Finding]:
    if seen.alive or not seen.waiting.free:
        return
    late, free = seen.waiting.oldest_seconds or 0.0, seen.waiting.free
    yield Finding(
        sentence=f"No worker is alive; {plural(free, 'due task')}{_whose(seen)} {_wait(free)}.",
        code=Exit.FAILED if late > LATE_SECONDS else Exit.FINDINGS,
        evidence=(f"The oldest is due for {duration(late)}.",),
        effect=("Nothing is loaded; what is accepted stays in the ledger.",),
        safe=(Step(command=command("worker"), why="works on this machine until it is stopped"),),
    )


def _late(seen: Seen) -> Iterator[Finding]:
    late, free = seen.waiting.oldest_seconds or 0.0, seen.waiting.free
    if not seen.alive or late <= LATE_SECONDS:
        return
    yield Finding(
        sentence=f"{plural(free, 'task')}{_whose(seen)} {_wait(free)} for a slot, the oldest for {duration(late)}.",
        evidence=(f"{plural(seen.alive, 'worker')} alive, {plural(seen.running, 'task')} running.",),
        safe=(Step(command=command("workers", "list"), why="who works on what, and which slots are free"),),
    )


def _retrying(seen: Seen) -> Iterator[Finding]:
    blocked = seen.waiting.blocked
    behind = f"{plural(blocked, 'task')} {_wait(blocked)} behind an older list of the same supplier."
    for one in seen.retrying:
        told = "is tried again by itself" if one.count == 1 else "are tried again by themselves"
        yield Finding(
            sentence=f"{plural(one.count, 'task')}{_whose(seen)} failed and {told}: {line(one.message)} ({one.code}).",
            evidence=(f"{_of(seen, one.suppliers)}the next try is at {stamp(one.next_at)}.",),
            effect=(behind,) if blocked else (),
            safe=(Step(command=command("why", one.task_id), why="what its tries ended with"),),
        )


def _dead(seen: Seen) -> Iterator[Finding]:
    for group in seen.dead:
        helps = safe_to_retry(group.code, group.category, group.disposition, asks=group.asks)
        if helps == AFTER_ANSWER:
            continue  # told as a question
        retry = Step(
            command=command("dead", "retry", "--cause", group.code, *_scope(seen)),
            why="starts them again behind what they reached" if helps == YES else f"safe to retry: {helps}",
        )
        show = Step(command=command("dead", "list", "--cause", group.code, *_scope(seen)), why="each with its reason")
        gone = f"{plural(group.count, 'task')}{_whose(seen)} {'was' if group.count == 1 else 'were'} given up"
        since = f"the oldest {age(group.oldest, seen.now)} ago, the newest {age(group.newest, seen.now)} ago"
        yield Finding(
            sentence=f"{gone}: {line(group.reason)} ({group.code}).",
            evidence=(f"{_of(seen, group.suppliers)}{since}.",),
            effect=("What they had committed stays; newer lists of their suppliers do not wait for them.",),
            safe=(retry, show) if helps == YES else (show,),
            not_now=() if helps == YES else (retry,),
        )


def _questions(seen: Seen) -> Iterator[Finding]:
    if not seen.questions:
        return
    first = seen.questions[-1]
    number = len(seen.questions)
    yield Finding(
        sentence=f"{plural(number, 'list')}{_whose(seen)} {_wait(number)} for an answer.",
        evidence=tuple(
            f"{line(one.supplier)}, {line(one.source)}, since {stamp(one.since)}: {line(one.question.sentence)}"
            for one in seen.questions[:5]
        ),
        effect=("Nothing of them is loaded before.",),
        safe=(Step(command=command("held", "show", first.task_id), why="the answers, each with what it would store"),),
    )


def _prices(seen: Seen) -> Iterator[Finding]:
    if not seen.held_prices:
        return
    yield Finding(
        sentence=f"{plural(seen.held_prices, 'price')}{_whose(seen)} {_wait(seen.held_prices)} for a decision.",
        effect=("The rest of their lists is loaded; these items keep the prices that they had.",),
        safe=(Step(command=command("held", "list", *_scope(seen)), why="what holds, and what the list says"),),
    )


def _pauses(seen: Seen) -> Iterator[Finding]:
    for pause in seen.pauses:
        until = f" until {stamp(pause.until)}" if pause.until else ""
        because = f": {line(pause.reason)}" if pause.reason else ""
        yield Finding(
            sentence=f"The {pause.kind} {line(pause.name)} is paused{until} by {line(pause.by)}{because}.",
            evidence=(
                f"{plural(seen.waiting.paused, 'task')}{_whose(seen)} {_wait(seen.waiting.paused)} because of pauses.",
            ),
            effect=("Their attempts are not used up meanwhile.",),
        )


def _well(seen: Seen) -> Finding:
    if seen.supplier is not None:
        last = (Step(command=command("why", seen.last_task), why="what became of the last list"),)
        return Finding(
            sentence=f"Nothing{_whose(seen)} waits for anybody.",
            code=Exit.DONE,
            safe=last if seen.last_task else (),
        )
    waiting = seen.waiting.free + seen.waiting.blocked + seen.waiting.later
    return Finding(
        sentence="Nothing is wrong: nothing waits too long, nothing is dead, nothing is held.",
        code=Exit.DONE,
        evidence=(
            f"{plural(seen.running, 'task')} running, {waiting:,} waiting, {plural(seen.alive, 'worker')} alive.",
        ),
        safe=(Step(command=command("status"), why="the numbers"),),
    )
