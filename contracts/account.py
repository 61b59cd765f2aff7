"""The row account: every physical row of a source ends in exactly one bucket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

IGNORED = ("title", "header", "blank", "section", "total", "note", "duplicate", "stale", "not_replayed")
"""Why a row may be ignored; `stale` = a newer list of this supplier was applied already; `not_replayed` = the task
takes up rejected rows of another one, and this row is none of them."""


@dataclass(slots=True)
class Account:
    """Counts of one chunk or of a whole run; addable."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)

    @property
    def accounted(self) -> int:
        """Rows that reached a bucket; equals `read` once a chunk is committed."""
        return (
            self.new + self.changed + self.unchanged + self.rejected.total() + self.held.total() + self.ignored.total()
        )

    @property
    def balanced(self) -> bool:
        return self.read == self.accounted

    def add(self, other: Account) -> None:
        """Adds another account in place (buckets may hold negative corrections, sums never do)."""
        self.read += other.read
        self.new += other.new
        self.changed += other.changed
        self.unchanged += other.unchanged
        for mine, theirs in (
            (self.rejected, other.rejected),
            (self.held, other.held),
            (self.ignored, other.ignored),
        ):
            for key, count in theirs.items():
                mine[key] += count

    def document(self) -> dict[str, Any]:
        """The JSON object kept in checkpoints and results."""
        return {
            "read": self.read,
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "rejected": {key: count for key, count in sorted(self.rejected.items()) if count},
            "held": {key: count for key, count in sorted(self.held.items()) if count},
            "ignored": {key: count for key, count in sorted(self.ignored.items()) if count},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Account:
        return cls(
            read=document["read"],
            new=document["new"],
            changed=document["changed"],
            unchanged=document["unchanged"],
            rejected=Counter(document["rejected"]),
            held=Counter(document["held"]),
            ignored=Counter(document["ignored"]),
        )
