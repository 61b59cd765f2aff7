"""The first tables: catalogue, prices, ledger, operations.

Revision: 0001, the first.

Three foreign keys that would be checked row by row are left out of the hot tables, because each costs as much as
the insert itself. What they would promise is kept by statements instead: deletes cascade by triggers that see all
deleted rows at once, and rows of an unknown supplier are refused once per statement.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TYPE product_status AS ENUM ('draft','active','archived')
    """,
    """
    CREATE TYPE task_status AS ENUM ('queued','running','retryable','completed','dead','cancelled')
    """,
    """
    CREATE TABLE suppliers (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      name varchar(255) NOT NULL UNIQUE CHECK (btrim(name) <> ''),
      source_type varchar(50) NOT NULL,
      contact_email varchar(255),
      metadata jsonb NOT NULL DEFAULT '{}',
      applied_as_of timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now())
    """,
    """
    CREATE INDEX ix_suppliers_source_type ON suppliers (source_type)
    """,
    """
    CREATE TABLE supplier_profiles (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      supplier_id uuid NOT NULL REFERENCES suppliers ON DELETE CASCADE,
      version int NOT NULL CHECK (version > 0),
      document jsonb NOT NULL,
      created_by varchar(120) NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      UNIQUE (supplier_id, version))
    """,
    """
    CREATE TABLE categories (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      name varchar(255) NOT NULL CHECK (btrim(name) <> ''),
      parent_id uuid REFERENCES categories ON DELETE CASCADE CHECK (parent_id <> id),
      created_at timestamptz NOT NULL DEFAULT now(),
      UNIQUE NULLS NOT DISTINCT (name, parent_id))
    """,
    """
    CREATE INDEX ix_categories_parent_id ON categories (parent_id)
    """,
    """
    CREATE TABLE products (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      internal_sku varchar(100) NOT NULL UNIQUE,
      name varchar(500) NOT NULL,
      gtin varchar(14),
      category_id uuid REFERENCES categories ON DELETE SET NULL,
      status product_status NOT NULL DEFAULT 'draft',
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now())
    """,
    """
    CREATE INDEX ix_products_category_id ON products (category_id)
    """,
    """
    CREATE INDEX ix_products_status ON products (status)
    """,
    """
    CREATE INDEX ix_products_name ON products (name varchar_pattern_ops)
    """,
    """
    CREATE UNIQUE INDEX ux_products_gtin ON products (gtin) WHERE gtin IS NOT NULL
    """,
    """
    CREATE TABLE supplier_items (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      supplier_id uuid NOT NULL,
      product_id uuid REFERENCES products ON DELETE SET NULL,
      category_id uuid,
      key_hash bigint NOT NULL,
      fingerprint bigint,
      supplier_sku varchar(255) NOT NULL CHECK (supplier_sku <> ''),
      name varchar(500) NOT NULL,
      current_price numeric(18,6) NOT NULL CHECK (current_price >= 0 AND current_price < 'NaN'),
      currency char(3) NOT NULL,
      price_basis numeric(18,6) NOT NULL DEFAULT 1 CHECK (price_basis > 0),
      unit varchar(40),
      gtin varchar(14),
      characteristics jsonb NOT NULL DEFAULT '{}',
      as_of timestamptz NOT NULL,
      task_key bigint NOT NULL,
      source_row int NOT NULL,
      last_ingested_at timestamptz NOT NULL DEFAULT now(),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      UNIQUE (supplier_id, supplier_sku))
    """,
    """
    CREATE INDEX ix_supplier_items_product_id ON supplier_items (product_id) WHERE product_id IS NOT NULL
    """,
    """
    CREATE INDEX ix_supplier_items_gtin ON supplier_items (gtin) WHERE gtin IS NOT NULL
    """,
    """
    CREATE INDEX ix_supplier_items_current_price ON supplier_items (current_price)
    """,
    """
    CREATE INDEX ix_supplier_items_last_ingested_at ON supplier_items USING brin (last_ingested_at)
    """,
    """
    CREATE INDEX ix_supplier_items_characteristics ON supplier_items USING gin (characteristics jsonb_path_ops)
    """,
    """
    CREATE TABLE price_history (
      id bigint GENERATED ALWAYS AS IDENTITY,
      supplier_item_id bigint NOT NULL,
      task_key bigint NOT NULL,
      source_row int NOT NULL,
      price numeric(18,6) NOT NULL CHECK (price >= 0 AND price < 'NaN'),
      currency char(3) NOT NULL,
      price_basis numeric(18,6) NOT NULL DEFAULT 1,
      as_of timestamptz NOT NULL,
      recorded_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (supplier_item_id, task_key))
    """,
    """
    CREATE INDEX ix_price_history_recorded_at ON price_history USING brin (recorded_at)
    """,
    """
    CREATE TABLE parsing_logs (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      task_id varchar(255) NOT NULL,
      supplier_id uuid REFERENCES suppliers ON DELETE SET NULL,
      error_type varchar(100) NOT NULL,
      error_message text NOT NULL,
      row_number int,
      field varchar(100),
      value text,
      row_data jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      UNIQUE NULLS NOT DISTINCT (task_id, row_number, error_type))
    """,
    """
    CREATE INDEX ix_parsing_logs_supplier_id ON parsing_logs (supplier_id)
    """,
    """
    CREATE INDEX ix_parsing_logs_error_type ON parsing_logs (error_type)
    """,
    """
    CREATE INDEX ix_parsing_logs_created_at ON parsing_logs USING brin (created_at)
    """,
    """
    CREATE TABLE tasks (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      task_id varchar(255) NOT NULL UNIQUE,
      idempotency_key varchar(255) UNIQUE,
      parser_type varchar(50) NOT NULL,
      supplier_name varchar(255) NOT NULL,
      message jsonb NOT NULL,
      priority smallint NOT NULL DEFAULT 1,
      status task_status NOT NULL DEFAULT 'queued',
      epoch int NOT NULL DEFAULT 0,
      attempt int NOT NULL DEFAULT 0,
      crashes int NOT NULL DEFAULT 0,
      max_retries int NOT NULL DEFAULT 3,
      as_of timestamptz NOT NULL,
      run_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz,
      dispatched_at timestamptz,
      cancel_requested boolean NOT NULL DEFAULT false,
      worker varchar(255),
      lease_until timestamptz,
      source_sha256 char(64),
      config_version varchar(64),
      result jsonb,
      enqueued_at timestamptz NOT NULL DEFAULT now(),
      started_at timestamptz,
      finished_at timestamptz,
      CHECK ((status = 'running') = (lease_until IS NOT NULL)))
    """,
    """
    CREATE UNIQUE INDEX ux_tasks_one_running_per_supplier ON tasks (supplier_name) WHERE status = 'running'
    """,
    """
    CREATE INDEX ix_tasks_unfinished ON tasks (supplier_name, id) WHERE status IN ('queued','running','retryable')
    """,
    """
    CREATE INDEX ix_tasks_due ON tasks (run_at) WHERE status IN ('queued','retryable')
    """,
    """
    CREATE INDEX ix_tasks_expiry ON tasks (expires_at)
      WHERE expires_at IS NOT NULL AND status IN ('queued','retryable')
    """,
    """
    CREATE INDEX ix_tasks_lease ON tasks (lease_until) WHERE status = 'running'
    """,
    """
    CREATE INDEX ix_tasks_finished_at ON tasks (finished_at) WHERE finished_at IS NOT NULL
    """,
    """
    CREATE TABLE task_attempts (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      task_key bigint NOT NULL REFERENCES tasks ON DELETE CASCADE,
      epoch int NOT NULL, attempt int NOT NULL,
      worker varchar(255) NOT NULL,
      started_at timestamptz NOT NULL DEFAULT now(),
      finished_at timestamptz,
      outcome varchar(20),
      error jsonb,
      start_sequence int NOT NULL DEFAULT 0,
      UNIQUE (task_key, epoch))
    """,
    """
    CREATE TABLE checkpoints (
      task_key bigint NOT NULL REFERENCES tasks ON DELETE CASCADE,
      sequence int NOT NULL CHECK (sequence > 0),
      epoch int NOT NULL,
      document jsonb NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (task_key, sequence))
    """,
    """
    CREATE TABLE dead_letters (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      task_key bigint REFERENCES tasks ON DELETE CASCADE,
      task_id varchar(255),
      supplier_name varchar(255),
      message jsonb NOT NULL,
      error jsonb NOT NULL,
      category varchar(40) NOT NULL, code varchar(80) NOT NULL,
      reason text NOT NULL,
      attempts int NOT NULL,
      last_checkpoint jsonb,
      status varchar(10) NOT NULL DEFAULT 'open' CHECK (status IN ('open','replayed','discarded')),
      created_at timestamptz NOT NULL DEFAULT now(),
      closed_at timestamptz, closed_by varchar(120), close_reason text,
      message_sha256 char(64))
    """,
    """
    CREATE UNIQUE INDEX ux_dead_letters_open ON dead_letters (task_key) WHERE status = 'open' AND task_key IS NOT NULL
    """,
    """
    CREATE UNIQUE INDEX ux_dead_letters_raw ON dead_letters (message_sha256) WHERE status = 'open' AND task_key IS NULL
    """,
    """
    CREATE INDEX ix_dead_letters_created_at ON dead_letters (created_at) WHERE status = 'open'
    """,
    """
    CREATE TABLE workers (
      name varchar(255) PRIMARY KEY, host varchar(255) NOT NULL, pid int NOT NULL, version varchar(40) NOT NULL,
      slots int NOT NULL, started_at timestamptz NOT NULL DEFAULT now(), heartbeat_at timestamptz NOT NULL DEFAULT now())
    """,
)

RULES = (
    # Categories: no cycle among parents. The lock makes two moves that would close a circle together take turns.
    """
    CREATE FUNCTION categories_refuse_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('pricemill.categories', 0));
      END IF;
      IF EXISTS (
        WITH RECURSIVE above(id) AS (
          SELECT NEW.parent_id
          UNION
          SELECT c.parent_id FROM categories c JOIN above USING (id) WHERE c.parent_id IS NOT NULL)
        SELECT FROM above WHERE id = NEW.id)
      THEN
        RAISE EXCEPTION 'a category cannot lie below itself'
          USING ERRCODE = 'check_violation', TABLE = 'categories', CONSTRAINT = 'categories_no_cycle';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER categories_no_cycle BEFORE INSERT OR UPDATE OF parent_id, id ON categories
      FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION categories_refuse_cycle()
    """,
    # Products: draft <-> active -> archived; archived is final; only drafts can be deleted.
    """
    CREATE FUNCTION products_keep_lifecycle() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' AND NEW.status IN ('draft', 'active')
        OR TG_OP = 'DELETE' AND OLD.status = 'draft'
        OR TG_OP = 'UPDATE' AND (OLD.status, NEW.status) IN
          (('draft', 'draft'), ('active', 'active'), ('archived', 'archived'),
           ('draft', 'active'), ('active', 'draft'), ('active', 'archived'))
      THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
      END IF;
      RAISE EXCEPTION 'a product cannot go from % to %',
          CASE TG_OP WHEN 'INSERT' THEN 'nothing' ELSE OLD.status::text END,
          CASE TG_OP WHEN 'DELETE' THEN 'deleted' ELSE NEW.status::text END
        USING ERRCODE = 'check_violation', TABLE = 'products', CONSTRAINT = 'products_lifecycle';
    END $$
    """,
    """
    CREATE TRIGGER products_lifecycle BEFORE INSERT OR DELETE OR UPDATE OF status ON products
      FOR EACH ROW EXECUTE FUNCTION products_keep_lifecycle()
    """,
    # Hot tables: what row-wise foreign keys would do, once per statement.
    """
    CREATE FUNCTION supplier_items_need_supplier() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      wanted uuid[];
      found int;
    BEGIN
      SELECT array_agg(DISTINCT supplier_id) INTO wanted FROM fresh;
      PERFORM FROM suppliers WHERE id = ANY (wanted) FOR KEY SHARE;
      GET DIAGNOSTICS found = ROW_COUNT;
      IF found < cardinality(wanted) THEN
        RAISE EXCEPTION 'an item of an unknown supplier'
          USING ERRCODE = 'foreign_key_violation', TABLE = 'supplier_items', CONSTRAINT = 'supplier_items_supplier';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER supplier_items_supplier AFTER INSERT ON supplier_items
      REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION supplier_items_need_supplier()
    """,
    """
    CREATE FUNCTION suppliers_take_items_along() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      DELETE FROM supplier_items USING gone WHERE supplier_items.supplier_id = gone.id;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER suppliers_deleted AFTER DELETE ON suppliers
      REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION suppliers_take_items_along()
    """,
    """
    CREATE FUNCTION supplier_items_take_history_along() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      DELETE FROM price_history USING gone WHERE price_history.supplier_item_id = gone.id;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER supplier_items_deleted AFTER DELETE ON supplier_items
      REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION supplier_items_take_history_along()
    """,
    """
    CREATE FUNCTION categories_leave_items() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE supplier_items SET category_id = NULL FROM gone WHERE supplier_items.category_id = gone.id;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER categories_deleted AFTER DELETE ON categories
      REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION categories_leave_items()
    """,
)


def upgrade() -> None:
    for statement in (*TABLES, *RULES):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for table in (
        "workers", "dead_letters", "checkpoints", "task_attempts", "tasks", "parsing_logs", "price_history",
        "supplier_items", "products", "categories", "supplier_profiles", "suppliers",
    ):
        op.get_bind().exec_driver_sql(f"DROP TABLE {table}")
    for function in (
        "categories_refuse_cycle", "products_keep_lifecycle", "suppliers_take_items_along",
        "supplier_items_take_history_along", "supplier_items_need_supplier", "categories_leave_items",
    ):
        op.get_bind().exec_driver_sql(f"DROP FUNCTION {function}()")
    for kind in ("task_status", "product_status"):
        op.get_bind().exec_driver_sql(f"DROP TYPE {kind}")
