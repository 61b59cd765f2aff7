"""From what a person typed to the one thing that is meant: tasks and suppliers."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from cli.command import command
from cli.problems import NotFound, Usage

if TYPE_CHECKING:
    from db.reports import Reports

SHORTEST = 13
"""Characters of a task id that lists show at least: its time to the millisecond."""


async def one_task(reports: Reports, text: str) -> str:
    """The whole id. Raises NotFound, or Usage if several begin like this."""
    found = await reports.find_tasks(text)
    if not found:
        raise NotFound(f"there is no task {text!r}", next=command("tasks", "list"))
    if len(found) > 1:
        raise Usage(f"several tasks begin with {text!r}; give more of the id", next=command("tasks", "list"))
    return found[0]


async def one_supplier(reports: Reports, name: str) -> str:
    """The name as it is stored. Raises NotFound with the nearest one."""
    if await reports.supplier(name) is not None:
        return name
    names = await reports.supplier_names()
    folded = {known.casefold(): known for known in names}
    near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    hint = f"; did you mean {folded[near[0]]!r}?" if near else ""
    raise NotFound(f"there is no supplier {name!r}{hint}", next=command("suppliers", "list"))


def short_ids(ids: list[str]) -> dict[str, str]:
    """The shortest beginnings, of at least 13 characters, that tell these ids apart."""
    ordered = sorted(set(ids))
    shown = {}
    for place, one in enumerate(ordered):
        neighbours = ordered[max(place - 1, 0) : place] + ordered[place + 1 : place + 2]
        shared = max((_shared(one, other) for other in neighbours), default=0)
        shown[one] = one[: max(SHORTEST, shared + 1)]
    return shown


def _shared(one: str, other: str) -> int:
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
