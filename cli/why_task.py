"""Why a task is where it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cli.command import command
from cli.diagnosis import Finding, Step
from cli.exits import Exit
from cli.safety import YES, safe_to_retry
from cli.text import age, duration, line, plural, stamp
from contracts.account import Account

if TYPE_CHECKING:
    from db.reports_errors import DeadLetterDetail
    from db.reports_questions import HeldList
    from db.reports_tasks import TaskDetail
    from db.reports_why import Pause

ATTEMPTS = 3
"""Told one by one, the newest ones."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says about one task."""

    now: datetime
    detail: TaskDetail
    question: HeldList | None = None
    letter: DeadLetterDetail | None = None
    alike: int = 0
    """Open dead letters of the same cause, this one included."""
    pauses: tuple[Pause, ...] = ()
    blocker: TaskDetail | None = None
    behind: int = 0
    """Younger tasks of the supplier that wait."""
    alive: int = 0
    """Workers."""
    held: int = 0
    """Prices of it that wait for a decision."""
    rejected: int = 0
    """Rows of it that nobody has dealt with."""


def explain(known: Known) -> Finding:
    """Pure; the first reason that holds."""
    task = known.detail.task
    if known.question is not None:
        return _asks(known, known.question)
    return {
        "completed": _completed,
        "dead": _dead,
        "retryable": _waits,
        "queued": _waits,
        "running": _runs,
    }.get(task.state, _cancelled)(known)


def _named(known: Known) -> str:
    return f"{line(known.detail.task.source)} of {line(known.detail.task.supplier)}"


def _stored(known: Known) -> str:
    account = known.detail.account
    if account is None or not Account.from_document(account).read:
        return "No row of it is loaded."
    return f"What its first {account['read']:,} rows brought is committed and stays."


def _asks(known: Known, held: HeldList) -> Finding:
    task_id = known.detail.task.task_id
    options = held.question.options
    safe = [Step(command=command("held", "answer", task_id, n), why=line(o.label)) for n, o in enumerate(options, 1)]
    return Finding(
        sentence=f"{_named(known)} waits for an answer since {stamp(held.since)}.",
        evidence=(line(held.question.sentence),),
        effect=(_stored(known), "Newer lists of this supplier do not wait for it."),
        safe=tuple(safe)
        or (Step(command=command("map", held.location, "--supplier", held.supplier), why="shows what was seen"),),
        not_now=(Step(command=command("tasks", "retry", task_id), why="asks the same again"),),
    )


def _dead(known: Known) -> Finding:
    task, letter = known.detail.task, known.letter
    if letter is None:
        return Finding(
            sentence=f"{_named(known)} was given up, and its dead letter was discarded.",
            evidence=_attempts(known),
            effect=(_stored(known),),
            safe=(Step(command=command("tasks", "retry", task.task_id), why="starts it again behind what it reached"),),
        )
    one = letter.letter
    asks = "question" in (letter.error.get("context") or {})
    helps = safe_to_retry(one.code, one.category, letter.error.get("disposition"), asks=asks)
    retry = Step(
        command=command("dead", "retry", one.id),
        why="starts it again behind what it reached" if helps == YES else f"helps {helps}, else it ends the same way",
    )
    alike = (f"{known.alike - 1:,} other open dead letters have the same cause.",) if known.alike > 1 else ()
    show = Step(command=command("dead", "show", one.id), why="the whole message and error")
    return Finding(
        sentence=f"{_named(known)} was given up at {stamp(one.created_at)}: {line(one.reason)} ({one.code}).",
        evidence=(f"{plural(one.attempts, 'attempt')}.", *_attempts(known), *alike),
        effect=(_stored(known), "Newer lists of this supplier do not wait for it."),
        safe=(retry, show) if helps == YES else (show,),
        not_now=() if helps == YES else (retry,),
    )


def _attempts(known: Known) -> tuple[str, ...]:
    told = []
    for attempt in known.detail.attempts[:ATTEMPTS]:
        error = attempt.error or {}
        why = error.get("message") or error.get("reason")
        outcome = attempt.outcome or "running"
        told.append(
            f"{stamp(attempt.started_at)}  {outcome} on {line(attempt.worker)}" + (f": {line(str(why))}" if why else "")
        )
    return tuple(told)


def _waits(known: Known) -> Finding:
    task = known.detail.task
    give_up = Step(command=command("tasks", "cancel", task.task_id), why="if this list is not wanted any more")
    behind = (f"{plural(known.behind, 'newer list')} of this supplier waits behind it.",) if known.behind else ()
    if known.pauses:
        pause = known.pauses[0]
        until = f" until {stamp(pause.until)}" if pause.until else ""
        because = f": {line(pause.reason)}" if pause.reason else ""
        return Finding(
            sentence=f"{_named(known)} waits because {pause.kind} {line(pause.name)} is paused{until}.",
            evidence=(f"Paused by {line(pause.by)}{because}.",),
            effect=("Attempts are not used up meanwhile.", *behind),
            safe=(give_up,),
        )
    if known.blocker is not None:
        return _blocked(known, known.blocker, give_up)
    if task.state == "retryable" or task.due_at > known.now:
        late = max((task.due_at - known.now).total_seconds(), 0)
        what = f"failed and is tried again in {duration(late)}" if task.state == "retryable" else "is not due yet"
        return Finding(
            sentence=f"{_named(known)} {what}, at {stamp(task.due_at)}; {task.attempt} of {task.tries} tries are used.",
            evidence=_attempts(known),
            effect=(_stored(known), *behind),
            safe=(give_up,),
            not_now=(Step(command="importing the same file again", why="the new task would wait behind this one"),),
        )
    if not known.alive:
        return Finding(
            sentence=f"{_named(known)} is due since {stamp(task.due_at)}, and no worker is alive.",
            effect=behind,
            safe=(Step(command=command("worker"), why="works on this machine until it is stopped"), give_up),
        )
    return Finding(
        sentence=f"{_named(known)} is due since {stamp(task.due_at)} and waits for a free slot.",
        evidence=(f"{plural(known.alive, 'worker')} alive.",),
        effect=behind,
        safe=(Step(command=command("workers", "list"), why="who works on what"), give_up),
    )


def _blocked(known: Known, blocker: TaskDetail, give_up: Step) -> Finding:
    task = blocker.task
    state = {
        "running": f"runs since {stamp(task.started_at)}",
        "retryable": f"failed {plural(task.attempt, 'time')} and is tried again at {stamp(task.due_at)}",
    }.get(task.state, f"is queued since {stamp(task.enqueued_at)}")
    return Finding(
        sentence=f"{_named(known)} waits for {line(task.source)}, an older list of the same supplier.",
        evidence=(f"Task {line(task.task_id)} {state}.", *_attempts(Known(known.now, blocker))[:1]),
        effect=("Lists of one supplier are loaded one after the other, so that no older price replaces a newer one.",),
        safe=(
            Step(command=command("why", task.task_id), why="what keeps the older one"),
            Step(command=command("tasks", "cancel", task.task_id), why="if the older list is not wanted any more"),
            give_up,
        ),
    )


def _runs(known: Known) -> Finding:
    task = known.detail.task
    rows = f"{task.rows:,} rows are committed" if task.rows else "no row is committed yet"
    return Finding(
        sentence=f"{_named(known)} is being loaded for {age(task.started_at, known.now)}.",
        code=Exit.DONE,
        evidence=(f"On {line(task.worker or '-')}; {rows}.",),
        safe=(Step(command=command("tasks", "show", task.task_id), why="how far it has come"),),
    )


def _cancelled(known: Known) -> Finding:
    task = known.detail.task
    return Finding(
        sentence=f"{_named(known)} was {task.state} at {stamp(task.finished_at)}.",
        evidence=_attempts(known),
        effect=(_stored(known),),
        safe=(Step(command=command("tasks", "retry", task.task_id), why="starts it again behind what it reached"),),
    )


def _completed(known: Known) -> Finding:
    detail = known.detail
    task_id = detail.task.task_id
    if detail.reverted_at is not None:
        done = detail.reverted or {}
        because = f": {line(done['reason'])}" if done.get("reason") else ""
        return Finding(
            sentence=f"{_named(known)} was loaded and taken back.",
            evidence=(f"At {stamp(detail.reverted_at)} by {line(done.get('by', '-'))}{because}.",),
            effect=("It never runs again; the same file can be imported anew.",),
            safe=(Step(command=command("tasks", "show", task_id), why="what it had loaded"),),
        )
    held, rejected = known.held, known.rejected
    if not held and not rejected:
        return Finding(
            sentence=f"{_named(known)} is loaded; nothing is wrong with it.",
            code=Exit.DONE,
            safe=(Step(command=command("suppliers", "show", detail.task.supplier), why="its items"),),
        )
    steps = [Step(command=command("held", "show", task_id), why="prices that wait for a decision")] if held else []
    if rejected:
        steps.append(
            Step(command=command("rejected", "groups", "--task", task_id), why="causes, and what would mend them")
        )
    parts = [f"{plural(held, 'price')} held"] * bool(held) + [f"{plural(rejected, 'row')} rejected"] * bool(rejected)
    return Finding(
        sentence=f"{_named(known)} is loaded but for {' and '.join(parts)}.",
        effect=("Every other row is loaded. The items of those rows keep the prices that they had.",),
        safe=tuple(steps),
    )
