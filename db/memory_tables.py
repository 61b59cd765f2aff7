"""What the in-memory twins remember, in the shape of the tables."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from contracts.account import Account
from contracts.controls import Limit, Pause
from contracts.fleet import Wish
from contracts.outcome import Failure
from contracts.store import ClaimKey
from db import ledger_documents as documents

WAITING = ("queued", "retryable")
UNFINISHED = (*WAITING, "running")


@dataclass(slots=True)
class TaskRow:
    """One row of the table `tasks`."""

    id: int
    task_id: str
    idempotency_key: str | None
    supplier_name: str
    message: str
    """JSON text, so that the twin is not kinder than PostgreSQL."""
    priority: int
    max_retries: int
    as_of: datetime
    expires_at: datetime | None
    run_at: datetime
    parser_type: str = "csv"
    queue: str = "default"
    source: str | None = None
    superseded_by: str | None = None
    slices: int = 0
    status: str = "queued"
    epoch: int = 0
    attempt: int = 0
    crashes: int = 0
    dispatched_at: datetime | None = None
    cancel_requested: bool = False
    worker: str | None = None
    lease_until: datetime | None = None
    result: dict[str, Any] | None = None
    finished_at: datetime | None = None

    def classes(self) -> list[tuple[str, str]]:
        """What pauses and limits may call it."""
        own = {"queue": self.queue, "supplier": self.supplier_name, "parser": self.parser_type, "source": self.source}
        return [(kind, name) for kind, name in own.items() if name is not None]

    def known(self, now: datetime) -> dict[str, Any]:
        """What a repeated registration is told."""
        return {
            "id": self.id,
            "task_id": self.task_id,
            "idempotency_key": self.idempotency_key,
            "epoch": self.epoch,
            "priority": self.priority,
            "waiting": self.status in WAITING,
            "at": self.run_at if self.run_at > now else None,
        }


@dataclass(slots=True)
class AttemptRow:
    epoch: int
    attempt: int
    worker: str
    started_at: datetime
    start_sequence: int
    outcome: str | None = None
    error: dict[str, Any] | None = None


@dataclass(slots=True)
class LetterRow:
    task_key: int | None
    task_id: str | None
    supplier_name: str | None
    message: dict[str, Any]
    error: dict[str, Any]
    category: str
    code: str
    reason: str
    attempts: int
    last_checkpoint: dict[str, Any] | None = None
    sha256: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "open"
    closed_by: str | None = None
    close_reason: str | None = None


@dataclass(slots=True)
class WorkerRow:
    started_at: datetime
    heartbeat_at: datetime
    host: str = ""
    pid: int = 0
    slots: int = 0
    state: str = "working"
    asked: Wish | None = None
    busy: int = 0
    snapshot: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Tables:
    """What the twin remembers; open to the in-memory loader and to tests."""

    tasks: dict[int, TaskRow] = field(default_factory=dict)
    attempts: dict[int, list[AttemptRow]] = field(default_factory=dict)
    checkpoints: dict[int, dict[int, dict[str, Any]]] = field(default_factory=dict)
    """By task key, then by sequence."""
    letters: list[LetterRow] = field(default_factory=list)
    workers: dict[str, WorkerRow] = field(default_factory=dict)
    pauses: dict[tuple[str, str], Pause] = field(default_factory=dict)
    """By kind and name, as limits."""
    limits: dict[tuple[str, str], Limit] = field(default_factory=dict)
    full_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """When the rate's bucket of a limit is full again."""

    def held(self, key: ClaimKey) -> TaskRow | None:
        row = self.tasks.get(key.task_key)
        return row if row is not None and row.status == "running" and row.epoch == key.epoch else None

    def of(self, supplier_name: str) -> list[TaskRow]:
        """Unfinished tasks in order of registration."""
        return [row for row in self.tasks.values() if row.supplier_name == supplier_name and row.status in UNFINISHED]

    def first(self, supplier_name: str) -> TaskRow | None:
        return next(iter(self.of(supplier_name)), None)

    def running(self, supplier_name: str) -> bool:
        return any(row.status == "running" for row in self.of(supplier_name))

    def newest(self, task_key: int) -> dict[str, Any] | None:
        """The newest sealed checkpoint."""
        sealed = self.checkpoints.get(task_key)
        return sealed[max(sealed)] if sealed else None

    def counted(self, task_key: int) -> dict[str, Any]:
        """The account of the newest checkpoint, rejected and held as sums."""
        newest = self.newest(task_key)
        if newest is None:
            return documents.NOTHING_READ
        account = Account.from_document(newest["account"])
        return account.document() | {"rejected": account.rejected.total(), "held": account.held.total()}

    def kill(self, row: TaskRow, failure: Failure, *, attempts: int, now: datetime) -> None:
        """Dead, with its letter."""
        message = orjson.loads(row.message)
        row.status, row.finished_at = "dead", now
        row.result = documents.failed_result(message, failure, attempt=attempts, now=now)
        letter = documents.letter(message, failure, attempts=attempts)
        self.letters.append(
            LetterRow(
                **letter._asdict() | {"message": orjson.loads(letter.message), "error": orjson.loads(letter.error)},
                task_key=row.id,
                task_id=row.task_id,
                supplier_name=row.supplier_name,
                last_checkpoint=self.newest(row.id),
            )
        )

    def bury(self, raw: str, failure: Failure) -> bool:
        """A letter for what never was a task, once."""
        task_id, supplier, message, error, category, code, reason, digest = documents.buried(raw, failure)
        if any(letter.sha256 == digest and letter.status == "open" for letter in self.letters):
            return False
        self.letters.append(
            LetterRow(
                task_key=None,
                task_id=task_id,
                supplier_name=supplier,
                message=orjson.loads(message),
                error=orjson.loads(error),
                category=category,
                code=code,
                reason=reason,
                attempts=0,
                sha256=digest,
            )
        )
        return True

    def forget_dispatch(self, suppliers: Iterable[str]) -> None:
        """Makes the next sweep send what stands first there now."""
        for supplier in suppliers:
            first = self.first(supplier)
            if first is not None and first.status in WAITING:
                first.dispatched_at = None
