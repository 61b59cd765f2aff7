"""What operators set for queues, suppliers, parsers and sources."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Float, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.models.columns import Moment, Now


class Pause(Base):
    """Tasks of it are not started while it stands and `until` has not passed."""

    __tablename__ = "pauses"
    __table_args__ = (CheckConstraint("kind IN ('queue', 'supplier', 'parser', 'source')", name="kind"),)

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    reason: Mapped[str] = mapped_column(Text, server_default=text("''"))
    paused_by: Mapped[str] = mapped_column(String(120))
    until: Mapped[Moment | None]
    """NULL = until it is resumed."""
    stop_running: Mapped[bool] = mapped_column(server_default=text("false"))
    """Running tasks stop behind their chunk, too."""
    paused_at: Mapped[Now]


class Limit(Base):
    """How much of a queue, a parser or a source may run in the whole fleet; NULL = any number."""

    __tablename__ = "limits"
    __table_args__ = (
        CheckConstraint("kind IN ('queue', 'parser', 'source')", name="kind"),
        CheckConstraint("concurrency > 0", name="concurrency"),
        CheckConstraint("rate_calls > 0", name="calls"),
        CheckConstraint("rate_seconds > 0", name="seconds"),
        CheckConstraint("max_waiting > 0", name="waiting"),
        CheckConstraint("(rate_calls IS NULL) = (rate_seconds IS NULL)", name="rate"),
    )

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    concurrency: Mapped[int | None]
    rate_calls: Mapped[int | None]
    """Starts in rate_seconds."""
    rate_seconds: Mapped[float | None] = mapped_column(Float(53))
    max_waiting: Mapped[int | None]
    """Of a queue: producers are refused beyond."""
    full_at: Mapped[Moment | None]
    """The rate's bucket as one number: when all of it will be free again."""
    changed_by: Mapped[str] = mapped_column(String(120))
    changed_at: Mapped[Now]
