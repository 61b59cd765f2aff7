"""How far a task has come: written in the transaction of the rows it describes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.account import Account
from contracts.rows import Cursor

CHECKPOINT_VERSION = "1.0.0"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state behind one committed chunk. The sealed document (resilience/checkpoint/seal.py) adds a
    SHA-256 over everything else."""

    task_id: str
    sequence: int
    """1 for the first chunk, then one more each; never reused within a task."""
    cursor: Cursor
    account: Account
    """Of all chunks so far."""
    source_sha256: str
    plan_fingerprint: str
    """A checkpoint of another source or plan is not resumed from."""

    def document(self) -> dict[str, Any]:
        return {
            "version": CHECKPOINT_VERSION,
            "task_id": self.task_id,
            "sequence": self.sequence,
            "cursor": self.cursor.document(),
            "account": self.account.document(),
            "source_sha256": self.source_sha256,
            "plan_fingerprint": self.plan_fingerprint,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Checkpoint:
        """Raises KeyError, TypeError or ValueError on a document of another shape."""
        return cls(
            task_id=document["task_id"],
            sequence=document["sequence"],
            cursor=Cursor(**document["cursor"]),
            account=Account.from_document(document["account"]),
            source_sha256=document["source_sha256"],
            plan_fingerprint=document["plan_fingerprint"],
        )
