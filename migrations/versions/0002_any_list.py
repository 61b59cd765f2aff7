"""What lists are compared with, what is held for a person, and what became of rejected rows.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


LIST_SHAPES = (
    """
    CREATE TABLE list_shapes (
      supplier_id uuid NOT NULL REFERENCES suppliers ON DELETE CASCADE,
      list_name varchar(255) NOT NULL DEFAULT '',
      task_key bigint NOT NULL REFERENCES tasks ON DELETE CASCADE,
      as_of timestamptz NOT NULL,
      document jsonb NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (supplier_id, list_name, task_key))
    """,
    """
    CREATE INDEX ix_list_shapes_task_key ON list_shapes (task_key)
    """,
)


def upgrade() -> None:
    """Adds only: the previous version of the workers runs against it."""
    for statement in LIST_SHAPES:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE list_shapes")
