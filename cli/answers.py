"""Answering the question for which a list is held: the supplier's profile is amended and the task starts again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli import context
from cli.command import command
from cli.problems import NotFound, Usage
from cli.text import stamp
from contracts.errors import StateConflict
from contracts.failpoints import failpoint

if TYPE_CHECKING:
    from db.reports import Reports
    from db.reports_questions import HeldList
    from workers.app import App


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an answer."""

    supplier: str
    task_id: str
    label: str
    version: int | None
    """Of the profile that holds the answer; None if the answer is not to load the list."""
    started: bool
    """False: the task was no longer dead, somebody else was faster."""
    delivered: bool
    """False: Redis is away; the sweep of the workers sends the task later."""


async def held_list(reports: Reports, *, supplier: str | None = None, task_id: str | None = None) -> HeldList:
    """The one list of a supplier, or of this id, that waits for an answer. Raises NotFound, or Usage if several do."""
    found = await reports.open_questions(supplier=supplier, task_id=task_id)
    if not found:
        what = f"task {task_id!r}" if task_id is not None else f"no list of {supplier!r}"
        told = f"{what} waits for no answer" if task_id is not None else f"{what} waits for an answer"
        raise NotFound(told, next=command("held", "list"))
    if len(found) > 1:
        raise Usage(
            f"{len(found)} lists of {supplier!r} wait for an answer; name the task", next=command("held", "list")
        )
    return found[0]


async def answered(app: App, task_id: str, number: int) -> Answered | None:
    """What became of this very answer if it was taken before, by a call that was interrupted perhaps. None if nothing
    was ever asked; raises StateConflict if another answer was taken."""
    from config.profiles import SupplierProfile, amend

    closed = await app.reports.closed_question(task_id)
    if closed is None or await app.reports.open_questions(task_id=task_id):
        return None
    held, options = closed.held, closed.held.question.options
    stored = await app.profiles.newest(held.supplier)
    profile = None if stored is None else SupplierProfile.model_validate(stored.document)
    option = options[number - 1] if 1 <= number <= len(options) else None
    taken = option is not None and (
        closed.status == "discarded" if not option.patch else amend(profile, option.patch) == profile
    )
    if option is None or not taken:
        told = f"the question about task {task_id} was answered otherwise, at {stamp(closed.at)} by {closed.by}"
        raise StateConflict(told, next=command("tasks", "show", task_id))
    version = stored.version if stored is not None and option.patch else None
    return Answered(held.supplier, task_id, option.label, version, started=False, delivered=True)


async def answer(app: App, held: HeldList, number: int, *, reason: str = "") -> Answered:
    """Takes one option, counted from 1. Raises Usage for a number that is none, ProfileInvalid for an answer that
    does not fit the profile as it is now. An option with an empty patch closes the task for good."""
    from config.profiles import SupplierProfile, amend

    options = held.question.options
    if not 1 <= number <= len(options):
        told = f"answer 1 to {len(options)}" if options else "there is no ready answer; import a profile instead"
        raise Usage(f"there is no answer {number}: {told}")
    option = options[number - 1]
    if not option.patch:
        letters = await app.reports.dead_letters_of([held.task_id])
        await app.ledger.discard(letters, actor=context.actor(), reason=reason or option.label)
        return Answered(held.supplier, held.task_id, option.label, None, started=False, delivered=True)
    stored = await app.profiles.newest(held.supplier)
    profile = None if stored is None else SupplierProfile.model_validate(stored.document)
    amended = amend(profile, option.patch)
    version = await app.profiles.add(held.supplier, amended.document(), created_by=context.actor())
    failpoint("answer.kept")
    deliveries = await app.ledger.replay([held.task_id], actor=context.actor(), reason=reason or option.label)
    failpoint("answer.replayed")
    delivered = await context.deliver(app, deliveries)
    return Answered(held.supplier, held.task_id, option.label, version, bool(deliveries), delivered)
