"""The ledger: tasks, the history of their attempts and their checkpoints."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.models.columns import BigKey, Json, Moment, Now, Sha256

TASK_STATUS = Enum("queued", "running", "retryable", "completed", "dead", "cancelled", name="task_status")

_UNFINISHED = "status IN ('queued', 'running', 'retryable')"
_WAITING = "status IN ('queued', 'retryable')"
_RUNNING = "status = 'running'"


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("task_id"),
        UniqueConstraint("idempotency_key"),
        CheckConstraint("(status = 'running') = (lease_until IS NOT NULL)", name="lease"),
        Index("ux_tasks_one_running_per_supplier", "supplier_name", unique=True, postgresql_where=text(_RUNNING)),
        Index("ix_tasks_unfinished", "supplier_name", "id", postgresql_where=text(_UNFINISHED)),
        Index("ix_tasks_due", "run_at", postgresql_where=text(_WAITING)),
        Index("ix_tasks_expiry", "expires_at", postgresql_where=text(f"expires_at IS NOT NULL AND {_WAITING}")),
        Index("ix_tasks_lease", "lease_until", postgresql_where=text(_RUNNING)),
        Index("ix_tasks_completed", "supplier_name", "finished_at", postgresql_where=text("status = 'completed'")),
        Index("ix_tasks_finished_at", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )

    id: Mapped[BigKey]
    """The task key."""
    task_id: Mapped[str] = mapped_column(String(255))
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    parser_type: Mapped[str] = mapped_column(String(50))
    supplier_name: Mapped[str] = mapped_column(String(255))
    message: Mapped[Json]
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    status: Mapped[str] = mapped_column(TASK_STATUS, server_default=text("'queued'::task_status"))
    epoch: Mapped[int] = mapped_column(server_default=text("0"))
    """Fencing token: +1 at every claim and every replay."""
    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    """Counted attempts: a snooze, a release, a shutdown and a lost worker give theirs back."""
    crashes: Mapped[int] = mapped_column(server_default=text("0"))
    """Deaths of the worker since the last checkpoint progress."""
    max_retries: Mapped[int] = mapped_column(server_default=text("3"))
    as_of: Mapped[Moment]
    run_at: Mapped[Now]
    expires_at: Mapped[Moment | None]
    dispatched_at: Mapped[Moment | None]
    """Last handed to the queue in this epoch."""
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    worker: Mapped[str | None] = mapped_column(String(255))
    lease_until: Mapped[Moment | None]
    source_sha256: Mapped[Sha256 | None]
    config_version: Mapped[str | None] = mapped_column(String(64))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    enqueued_at: Mapped[Now]
    started_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]
    reverted_at: Mapped[Moment | None]
    """When what it loaded was taken back; it never runs again."""
    reverted: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """By whom, why, and how many items."""
    queue: Mapped[str] = mapped_column(String(63), server_default=text("'default'"))
    source: Mapped[str | None] = mapped_column(String(255))
    """Host of the address, or google_sheets:CREDENTIAL; NULL for files and for what release 0.1 registered."""
    superseded_by: Mapped[str | None] = mapped_column(String(255))
    """Id of the newer version of the list, which ran instead."""
    slices: Mapped[int] = mapped_column(server_default=text("0"))
    """How often it gave its slot to another supplier."""


class TaskAttempt(Base):
    """Never deleted with a replay."""

    __tablename__ = "task_attempts"
    __table_args__ = (
        UniqueConstraint("task_key", "epoch"),
        Index("ix_task_attempts_lost", "worker", postgresql_where=text("outcome = 'lost'")),
    )

    id: Mapped[BigKey]
    task_key: Mapped[int] = mapped_column(BigInteger, ForeignKey("tasks.id", ondelete="CASCADE"))
    epoch: Mapped[int]
    attempt: Mapped[int]
    worker: Mapped[str] = mapped_column(String(255))
    started_at: Mapped[Now]
    finished_at: Mapped[Moment | None]
    outcome: Mapped[str | None] = mapped_column(String(20))
    """completed retry snooze released paused yielded dead discarded cancelled lost"""
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    start_sequence: Mapped[int] = mapped_column(server_default=text("0"))
    """Checkpoint sequence when it began: a higher one later is progress."""


class CheckpointRow(Base):
    __tablename__ = "checkpoints"
    __table_args__ = (CheckConstraint("sequence > 0", name="sequence"),)

    task_key: Mapped[int] = mapped_column(BigInteger, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    document: Mapped[Json]
    """Sealed: its checksum is inside."""
    created_at: Mapped[Now]
