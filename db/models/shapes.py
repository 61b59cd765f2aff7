"""What lists looked like, so that the next one of a supplier can be compared."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.models.columns import Json, Moment, Now


class ListShape(Base):
    """One row for each list that was loaded, the newest few of a supplier and list name."""

    __tablename__ = "list_shapes"
    __table_args__ = (Index("ix_list_shapes_task_key", "task_key"),)

    supplier_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("suppliers.id", ondelete="CASCADE"), primary_key=True)
    list_name: Mapped[str] = mapped_column(String(255), primary_key=True, server_default=text("''"))
    """'' = the supplier's only list."""
    task_key: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    as_of: Mapped[Moment]
    document: Mapped[Json]
    """pipeline/understanding/shape.py writes and reads it."""
    created_at: Mapped[Now]
