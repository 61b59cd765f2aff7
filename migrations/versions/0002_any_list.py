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

# Three tables a list is judged and taken back by; hot ones, so without foreign keys to items: what a deleted item leaves
# goes with the trigger that takes its history along.
HELD = (
    """
    ALTER TABLE supplier_items ADD COLUMN withdrawn_at timestamptz
    """,
    """
    ALTER TABLE tasks ADD COLUMN reverted_at timestamptz, ADD COLUMN reverted jsonb
    """,
    """
    CREATE TABLE held_rows (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      supplier_id uuid NOT NULL,
      supplier_item_id bigint NOT NULL,
      task_key bigint NOT NULL,
      source_row int NOT NULL,
      old_price numeric(18,6) NOT NULL,
      old_currency char(3) NOT NULL,
      old_basis numeric(18,6) NOT NULL,
      price numeric(18,6) NOT NULL CHECK (price >= 0 AND price < 'NaN'),
      currency char(3) NOT NULL,
      price_basis numeric(18,6) NOT NULL CHECK (price_basis > 0),
      as_of timestamptz NOT NULL,
      reason varchar(40) NOT NULL,
      status varchar(10) NOT NULL DEFAULT 'open' CHECK (status IN ('open','approved','rejected','superseded')),
      held_at timestamptz NOT NULL DEFAULT now(),
      closed_at timestamptz,
      closed_by varchar(120),
      close_reason text,
      superseded_by bigint,
      UNIQUE (supplier_item_id, task_key))
    """,
    """
    CREATE UNIQUE INDEX ux_held_rows_open ON held_rows (supplier_item_id) WHERE status = 'open'
    """,
    """
    CREATE INDEX ix_held_rows_supplier_id ON held_rows (supplier_id, task_key)
    """,
    """
    CREATE TABLE item_descriptions (
      supplier_item_id bigint NOT NULL,
      task_key bigint NOT NULL,
      name varchar(500) NOT NULL,
      category_id uuid,
      unit varchar(40),
      gtin varchar(14),
      characteristics jsonb NOT NULL,
      PRIMARY KEY (supplier_item_id, task_key))
    """,
    """
    CREATE TABLE list_keys (
      supplier_id uuid NOT NULL REFERENCES suppliers ON DELETE CASCADE,
      list_name varchar(255) NOT NULL DEFAULT '',
      task_key bigint NOT NULL REFERENCES tasks ON DELETE CASCADE,
      as_of timestamptz NOT NULL,
      keys bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (supplier_id, list_name, task_key))
    """,
    # Hashes do not get shorter.
    """
    ALTER TABLE list_keys ALTER COLUMN keys SET STORAGE EXTERNAL
    """,
    """
    CREATE INDEX ix_list_keys_task_key ON list_keys (task_key)
    """,
    """
    CREATE OR REPLACE FUNCTION supplier_items_take_history_along() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      DELETE FROM price_history USING gone WHERE price_history.supplier_item_id = gone.id;
      DELETE FROM held_rows USING gone WHERE held_rows.supplier_item_id = gone.id;
      DELETE FROM item_descriptions USING gone WHERE item_descriptions.supplier_item_id = gone.id;
      RETURN NULL;
    END $$
    """,
)

TAKEN_UP = (
    """
    ALTER TABLE parsing_logs ADD COLUMN taken_up_by varchar(255), ADD COLUMN taken_up_at timestamptz
    """,
)

NOT_HELD = (
    """
    CREATE OR REPLACE FUNCTION supplier_items_take_history_along() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      DELETE FROM price_history USING gone WHERE price_history.supplier_item_id = gone.id;
      RETURN NULL;
    END $$
    """,
    "DROP TABLE list_keys",
    "DROP TABLE item_descriptions",
    "DROP TABLE held_rows",
    "ALTER TABLE tasks DROP COLUMN reverted_at, DROP COLUMN reverted",
    "ALTER TABLE supplier_items DROP COLUMN withdrawn_at",
)


def upgrade() -> None:
    """Adds only: the previous version of the workers runs against it."""
    for statement in (*LIST_SHAPES, *HELD, *TAKEN_UP):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE parsing_logs DROP COLUMN taken_up_by, DROP COLUMN taken_up_at")
    for statement in NOT_HELD:
        op.get_bind().exec_driver_sql(statement)
    op.get_bind().exec_driver_sql("DROP TABLE list_shapes")
