"""Every question that a run would ask of a list before its first row, and how it is settled beforehand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cli.command import command, filled
from cli.mapping_view import held_lines
from cli.order import Wishes, understanding_words
from cli.problems import exit_of
from cli.question_view import tell_range
from cli.screen import Screen
from cli.text import line
from contracts.errors import ListDoubtful, NeedsAnswer

if TYPE_CHECKING:
    from contracts.catalog import Shapes, StoredProfile
    from pipeline.drift.absorb import LastList
    from pipeline.open import Opened

FIELDS = {"price_column": "price", "key": "sku", "name": "name"}
"""What is in doubt -> the field of the column that a person may name."""


async def last_list(shapes: Shapes, supplier: str, stored: StoredProfile | None) -> LastList | None:
    """None for a supplier of whom nothing was loaded yet."""
    from pipeline.drift.absorb import LastList
    from pipeline.understanding.shape import Shape

    if stored is None:
        return None
    shape = Shape.read(await shapes.newest(supplier, ""))
    return LastList(shape, partial(shapes.prices, supplier))


async def doubt(
    read: Opened, stored: StoredProfile | None, *, supplier: str, shapes: Shapes | None, stale: bool = False
) -> ListDoubtful | None:
    """What is asked of a list that was opened, and of a `stale` one less. Without `shapes` nothing is known of the
    supplier."""
    import numpy as np

    from config.profiles import SupplierProfile
    from contracts.store import Known
    from pipeline.gate import stop_if_all_moved
    from pipeline.unreadable import stop_if_unreadable

    profile = None if stored is None else SupplierProfile.model_validate(stored.document)
    digest = read.source.sha256
    try:
        await stop_if_unreadable(read.sample, read.plan.understanding, profile=profile, sha256=digest)
        if shapes is not None and not stale:
            nothing = np.empty(0, dtype=np.int64)
            await stop_if_all_moved(
                read.reading,
                read.plan,
                lookup=partial(shapes.prices, supplier),
                known=Known(nothing, nothing),
                profile=profile,
                sha256=digest,
            )
    except ListDoubtful as found:
        return found
    return None


def show_question(screen: Screen, source: str, wishes: Wishes, error: NeedsAnswer) -> int:
    """What is known of a list that is not understood yet, the answers, and the command that takes one. Machines get
    the problem: the error is raised again."""
    error.context["next"] = settling(source, wishes, error)[0]
    if not screen.human:
        raise error
    screen.say(*held_lines(source, error.context.get("table") or {}, error.question))
    if error.question is None:
        screen.note(f"Error: {line(error.message)}")
    propose(screen, source, wishes, error)
    return exit_of(error)


def propose(screen: Screen, source: str, wishes: Wishes, error: NeedsAnswer) -> None:
    """The last lines of a list that would be held."""
    tell_range(screen, error.question)
    screen.next(*settling(source, wishes, error))


def settling(source: str, wishes: Wishes, error: NeedsAnswer) -> list[str]:
    """Commands that settle the question before the list is imported; the first answer is the likeliest."""
    words: list[Any] = ["map", source, *understanding_words(wishes)]
    saved = ["--save"] if wishes.supplier != "-" else []
    if error.question is not None and error.question.options:
        return [command(*words, "--answer", 1, *saved)]
    if error.question is not None and (field := FIELDS.get(error.question.code)):
        # Which column it is only a person can say.
        return [command(*words, "--set") + f" {field}=COLUMN" + "".join(f" {word}" for word in saved)]
    known = {"FILE": source} | ({"SUPPLIER": wishes.supplier} if saved else {})
    return [filled(error.next_step, known)]
