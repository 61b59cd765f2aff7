"""Which dead letters are meant: named one by one, or by a filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.command import command
from cli.problems import NotFound, Usage

if TYPE_CHECKING:
    from db.reports import Reports
    from db.reports_errors import DeadLetterRow

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """Open dead letters of a cause, of a supplier, or all of them."""

    cause: str | None = None
    supplier: str | None = None
    everything: bool = False

    @property
    def empty(self) -> bool:
        return not (self.cause or self.supplier or self.everything)


async def choose(reports: Reports, names: Sequence[str], choice: Choice) -> list[DeadLetterRow]:
    """Raises Usage for neither names nor filter (or both), NotFound for a name that fits nothing."""
    if bool(names) == (not choice.empty):
        raise Usage("name dead letters, or choose them by --cause, --supplier or --all")
    if names:
        return [await _one(reports, name) for name in names]
    return await _by_filter(reports, choice)


async def _by_filter(reports: Reports, choice: Choice) -> list[DeadLetterRow]:
    from db.reports_errors import DeadFilter

    found: list[DeadLetterRow] = []
    cursor: str | None = None
    while True:
        page = await reports.dead_letters(
            DeadFilter(cause=choice.cause, supplier=choice.supplier, before=cursor, limit=PAGE)
        )
        found += page.items
        cursor = page.next
        if cursor is None:
            return found


async def _one(reports: Reports, name: str) -> DeadLetterRow:
    ids = await reports.find_dead_letters(name)
    if not ids:
        tasks = await reports.find_tasks(name)
        if len(tasks) == 1:
            ids = await reports.dead_letters_of(tasks)
        elif tasks:
            raise Usage(f"several tasks begin with {name!r}; give more of the id")
    if len(ids) > 1:
        raise Usage(f"several dead letters begin with {name!r}; give more of the id")
    detail = await reports.dead_letter(ids[0]) if ids else None
    if detail is None:
        raise NotFound(f"there is no dead letter {name!r}", next=command("dead", "list"))
    return detail.letter
