"""Schedules, what became of their slots, and the files of watched folders."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.models.columns import BigKey, Json, Moment, Now, Sha256


class ScheduleRow(Base):
    __tablename__ = "schedules"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("name ~ '^[a-z0-9][a-z0-9_-]*$'", name="name"),
        Index("ix_schedules_next_at", "next_at", postgresql_where=text("enabled")),
    )

    id: Mapped[BigKey]
    name: Mapped[str] = mapped_column(String(80))
    plan: Mapped[Json]
    """contracts.schedule.SchedulePlan."""
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    through: Mapped[Moment]
    """Every slot up to here is decided."""
    next_at: Mapped[Moment | None]
    """When the next slot is due, jitter included."""
    paused_at: Mapped[Moment | None]
    paused_until: Mapped[Moment | None]
    pause_reason: Mapped[str] = mapped_column(Text, server_default=text("''::text"))
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[Now]
    updated_at: Mapped[Now]


class ScheduleFiring(Base):
    """One row for each slot that was started; neighbours that were missed or skipped for one reason share one. The
    key is what lets a slot fire once in the fleet."""

    __tablename__ = "schedule_firings"
    __table_args__ = (
        CheckConstraint("state IN ('started', 'caught_up', 'missed', 'skipped')", name="state"),
        CheckConstraint("slots > 0", name="slots"),
        Index("ix_schedule_firings_task_id", "task_id", postgresql_where=text("task_id IS NOT NULL")),
    )

    schedule_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    slot: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    first_slot: Mapped[Moment | None]
    slots: Mapped[int] = mapped_column(server_default=text("1"))
    due_at: Mapped[Moment]
    at: Mapped[Now]
    task_id: Mapped[str | None] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text, server_default=text("''::text"))


class WatchedFile(Base):
    """What was last seen at a place in a watched folder."""

    __tablename__ = "watched_files"

    path: Mapped[str] = mapped_column(Text, primary_key=True)
    """supplier/name, below the folder."""
    signature: Mapped[str] = mapped_column(String(80))
    """Size and times of the file: as long as they stay, it is not read again."""
    sha256: Mapped[Sha256 | None]
    version: Mapped[int]
    """How many different contents this place has had."""
    task_id: Mapped[str | None] = mapped_column(String(255))
    problem: Mapped[str | None] = mapped_column(Text)
    """Why it could not be handed in."""
    at: Mapped[Now]
