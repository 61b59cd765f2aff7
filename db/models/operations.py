"""What operators look at: rejected rows, dead letters, workers."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.models.columns import BigKey, Json, Moment, Now, Sha256, UuidKey

_OPEN = "status = 'open'"


class ParsingLog(Base):
    """Hot. One row for each rejected row of a source and reason."""

    __tablename__ = "parsing_logs"
    __table_args__ = (
        UniqueConstraint("task_id", "row_number", "error_type", postgresql_nulls_not_distinct=True),
        Index("ix_parsing_logs_supplier_id", "supplier_id"),
        Index("ix_parsing_logs_error_type", "error_type"),
        Index("ix_parsing_logs_created_at", "created_at", postgresql_using="brin"),
    )

    id: Mapped[BigKey]
    task_id: Mapped[str] = mapped_column(String(255))
    supplier_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("suppliers.id", ondelete="SET NULL"))
    error_type: Mapped[str] = mapped_column(String(100))
    """A reason of contracts/reasons.py."""
    error_message: Mapped[str] = mapped_column(Text)
    row_number: Mapped[int | None]
    field: Mapped[str | None] = mapped_column(String(100))
    value: Mapped[str | None] = mapped_column(Text)
    row_data: Mapped[list[str | None] | None] = mapped_column(JSONB)
    created_at: Mapped[Now]
    taken_up_by: Mapped[str | None] = mapped_column(String(255))
    """Id of the task that dealt with the row later: it is loaded, or stands rejected under that task."""
    taken_up_at: Mapped[Moment | None]


class DeadLetterRow(Base):
    """At most one is open for a task; messages that never were a task are told apart by their SHA-256."""

    __tablename__ = "dead_letters"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'replayed', 'discarded')", name="status"),
        Index(
            "ux_dead_letters_open",
            "task_key",
            unique=True,
            postgresql_where=text(f"{_OPEN} AND task_key IS NOT NULL"),
        ),
        Index(
            "ux_dead_letters_raw",
            "message_sha256",
            unique=True,
            postgresql_where=text(f"{_OPEN} AND task_key IS NULL"),
        ),
        Index("ix_dead_letters_created_at", "created_at", postgresql_where=text(_OPEN)),
    )

    id: Mapped[UuidKey]
    task_key: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("tasks.id", ondelete="CASCADE"))
    task_id: Mapped[str | None] = mapped_column(String(255))
    supplier_name: Mapped[str | None] = mapped_column(String(255))
    message: Mapped[Json]
    """Redacted; {"raw": "..."} when it is not JSON."""
    error: Mapped[Json]
    category: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int]
    last_checkpoint: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(String(10), server_default=text("'open'"))
    created_at: Mapped[Now]
    closed_at: Mapped[Moment | None]
    closed_by: Mapped[str | None] = mapped_column(String(120))
    close_reason: Mapped[str | None] = mapped_column(Text)
    message_sha256: Mapped[Sha256 | None]


class Worker(Base):
    """Registry and heartbeat."""

    __tablename__ = "workers"
    __table_args__ = (
        CheckConstraint("state IN ('working', 'draining', 'recycling', 'lost')", name="state"),
        CheckConstraint("asked IN ('drain', 'recycle')", name="asked"),
    )

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    version: Mapped[str] = mapped_column(String(40))
    slots: Mapped[int]
    started_at: Mapped[Now]
    heartbeat_at: Mapped[Now]
    state: Mapped[str] = mapped_column(String(10), server_default=text("'working'"))
    asked: Mapped[str | None] = mapped_column(String(10))
    """What an operator wants of it; its heartbeat reads it."""
    busy: Mapped[int] = mapped_column(server_default=text("0"))
    """Slots in use at the last heartbeat."""
    snapshot: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """What the process used at the last heartbeat."""
