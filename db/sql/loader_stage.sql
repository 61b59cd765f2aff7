-- One chunk's items on their way to the tables, one table a connection. kind: 0 as it comes, 1 written even if
-- nothing differs (its key stands more than once in the chunk), 2 replaces what an earlier chunk of the task wrote.
CREATE TEMP TABLE IF NOT EXISTS loader_stage (
  n int NOT NULL,
  kind smallint NOT NULL,
  fingerprint bigint,
  key_hash bigint NOT NULL,
  sku text NOT NULL,
  name text NOT NULL,
  price numeric NOT NULL,
  currency text NOT NULL,
  price_basis numeric NOT NULL,
  unit text,
  gtin text,
  category_id uuid,
  characteristics jsonb NOT NULL
);
