"""Held prices, as the in-memory twin of the loader remembers them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from contracts.band import Amount

Key = tuple[str, str]
"""Supplier id and code."""


@dataclass(slots=True)
class HeldPrice:
    """One row of held_rows."""

    task_key: int
    source_row: int
    old: Amount
    new: Amount
    as_of: datetime
    reason: str
    status: str = "open"
    superseded_by: int | None = None


@dataclass(slots=True)
class Holds:
    """By item, then by the task that held it."""

    rows: dict[Key, dict[int, HeldPrice]] = field(default_factory=dict)

    def open(self, key: Key, held: HeldPrice) -> None:
        self.rows.setdefault(key, {})[held.task_key] = held

    def supersede(self, key: Key, *, by: int) -> None:
        """Closes what is open of an item."""
        for held in self.rows.get(key, {}).values():
            if held.status == "open":
                held.status, held.superseded_by = "superseded", by

    def forget(self, key: Key, task_key: int) -> str | None:
        """Takes out what this task held of an item; answers why it was held."""
        held = self.rows.get(key, {}).pop(task_key, None)
        return None if held is None else held.reason

    def undo(self, supplier_id: str, task_key: int) -> None:
        """As if the task had never run."""
        for (supplier, _), of_item in self.rows.items():
            if supplier != supplier_id:
                continue
            of_item.pop(task_key, None)
            for held in of_item.values():
                if held.superseded_by == task_key:
                    held.status, held.superseded_by = "open", None
