"""Queues, pauses, limits and the registry of workers.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # A constant default rewrites no row; what the previous release registers is of the queue `default`.
    """
    ALTER TABLE tasks
      ADD COLUMN queue varchar(63) NOT NULL DEFAULT 'default',
      ADD COLUMN source varchar(255),
      ADD COLUMN superseded_by varchar(255),
      ADD COLUMN slices int NOT NULL DEFAULT 0
    """,
    """
    ALTER TABLE workers
      ADD COLUMN state varchar(10) NOT NULL DEFAULT 'working'
        CHECK (state IN ('working','draining','recycling','lost')),
      ADD COLUMN asked varchar(10) CHECK (asked IN ('drain','recycle')),
      ADD COLUMN busy int NOT NULL DEFAULT 0,
      ADD COLUMN snapshot jsonb
    """,
    """
    CREATE INDEX ix_task_attempts_lost ON task_attempts (worker) WHERE outcome = 'lost'
    """,
    """
    CREATE TABLE pauses (
      kind varchar(10) NOT NULL CHECK (kind IN ('queue','supplier','parser','source')),
      name varchar(255) NOT NULL,
      reason text NOT NULL DEFAULT '',
      paused_by varchar(120) NOT NULL,
      until timestamptz,
      stop_running boolean NOT NULL DEFAULT false,
      paused_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (kind, name))
    """,
    """
    CREATE TABLE limits (
      kind varchar(10) NOT NULL CHECK (kind IN ('queue','parser','source')),
      name varchar(255) NOT NULL,
      concurrency int CHECK (concurrency > 0),
      rate_calls int CHECK (rate_calls > 0),
      rate_seconds double precision CHECK (rate_seconds > 0),
      max_waiting int CHECK (max_waiting > 0),
      full_at timestamptz,
      changed_by varchar(120) NOT NULL,
      changed_at timestamptz NOT NULL DEFAULT now(),
      CHECK ((rate_calls IS NULL) = (rate_seconds IS NULL)),
      PRIMARY KEY (kind, name))
    """,
)
BACK: tuple[str, ...] = (
    "DROP TABLE limits",
    "DROP TABLE pauses",
    "DROP INDEX ix_task_attempts_lost",
    "ALTER TABLE workers DROP COLUMN state, DROP COLUMN asked, DROP COLUMN busy, DROP COLUMN snapshot",
    "ALTER TABLE tasks DROP COLUMN queue, DROP COLUMN source, DROP COLUMN superseded_by, DROP COLUMN slices",
)


def upgrade() -> None:
    """Adds only: the previous version of the workers runs against it."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in BACK:
        op.get_bind().exec_driver_sql(statement)
