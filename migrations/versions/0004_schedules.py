"""Schedules and what became of their slots, watched files, the rhythm of suppliers.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE schedules (
      id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT schedules_pkey PRIMARY KEY,
      name varchar(80) NOT NULL CONSTRAINT schedules_name_key UNIQUE
        CONSTRAINT schedules_name_check CHECK (name ~ '^[a-z0-9][a-z0-9_-]*$'),
      plan jsonb NOT NULL,
      enabled boolean DEFAULT true NOT NULL,
      through timestamptz NOT NULL,
      next_at timestamptz,
      paused_at timestamptz,
      paused_until timestamptz,
      pause_reason text DEFAULT ''::text NOT NULL,
      created_by varchar(120) NOT NULL,
      created_at timestamptz DEFAULT now() NOT NULL,
      updated_at timestamptz DEFAULT now() NOT NULL)
    """,
    "CREATE INDEX ix_schedules_next_at ON schedules (next_at) WHERE enabled",
    """
    CREATE TABLE schedule_firings (
      schedule_id bigint NOT NULL
        CONSTRAINT schedule_firings_schedule_id_fkey REFERENCES schedules ON DELETE CASCADE,
      slot timestamptz NOT NULL,
      state varchar(10) NOT NULL
        CONSTRAINT schedule_firings_state_check CHECK (state IN ('started', 'caught_up', 'missed', 'skipped')),
      first_slot timestamptz,
      slots integer DEFAULT 1 NOT NULL CONSTRAINT schedule_firings_slots_check CHECK (slots > 0),
      due_at timestamptz NOT NULL,
      at timestamptz DEFAULT now() NOT NULL,
      task_id varchar(255),
      reason text DEFAULT ''::text NOT NULL,
      CONSTRAINT schedule_firings_pkey PRIMARY KEY (schedule_id, slot))
    """,
    "CREATE INDEX ix_schedule_firings_task_id ON schedule_firings (task_id) WHERE task_id IS NOT NULL",
    """
    CREATE TABLE watched_files (
      path text CONSTRAINT watched_files_pkey PRIMARY KEY,
      signature varchar(80) NOT NULL,
      sha256 char(64),
      version integer NOT NULL,
      task_id varchar(255),
      problem text,
      at timestamptz DEFAULT now() NOT NULL)
    """,
    "ALTER TABLE suppliers ADD COLUMN expected_every interval, ADD COLUMN expected_tolerance numeric(6, 2)",
    "CREATE INDEX ix_tasks_completed ON tasks (supplier_name, finished_at) WHERE status = 'completed'",
)
BACK: tuple[str, ...] = (
    "DROP INDEX ix_tasks_completed",
    "ALTER TABLE suppliers DROP COLUMN expected_every, DROP COLUMN expected_tolerance",
    "DROP TABLE watched_files",
    "DROP TABLE schedule_firings",
    "DROP TABLE schedules",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in BACK:
        op.get_bind().exec_driver_sql(statement)
