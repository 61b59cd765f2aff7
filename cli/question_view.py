"""A question for which a list is held, with its numbered answers, and the command that takes one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.command import command
from cli.screen import Screen
from cli.text import line
from contracts.questions import Question

if TYPE_CHECKING:
    from db.reports_questions import HeldList


def question_lines(question: Question) -> Iterator[str]:
    """The sentence and the numbered answers."""
    yield f"Question  {line(question.sentence)}"
    for number, option in enumerate(question.options, 1):
        yield f"  {number}. {line(option.label)}"
        if option.consequence:
            yield f"     {line(option.consequence)}"
    if not question.options:
        yield "          There is no ready answer; the supplier's profile can give one."


def propose_answer(screen: Screen, held: HeldList) -> None:
    """The first answer is the likeliest. Where none is ready, the profile can be amended from the list itself."""
    options = held.question.options
    if options:
        tell_range(screen, held.question)
        screen.next(command("held", "answer", held.task_id, 1))
    else:
        screen.next(command("map", held.location, "--supplier", held.supplier))


def tell_range(screen: Screen, question: Question | None) -> None:
    """Which numbers could stand in the place of the 1 that was proposed."""
    if question is not None and len(question.options) > 1:
        screen.note(f"Any of the answers 1 to {len(question.options)} can be taken.")
