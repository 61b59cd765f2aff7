"""The limit: the same result by psql and set-based SQL alone, as fast as we can make PostgreSQL do it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from time import perf_counter

# One statement for all three imports. Hash joins over the whole list, jit off, casts instead of regular expressions,
# rows in key order, and only what differs from the stored row is written. It neither validates text nor resumes.
LIMIT = """
\\set ON_ERROR_STOP on
SET jit = off; SET work_mem = '512MB'; SET temp_buffers = '512MB'; SET synchronous_commit = off;
CREATE TEMP TABLE raw (n int GENERATED ALWAYS AS IDENTITY, sku text, name text, category text, price text,
  currency text, stock text, brand text, colour text, weight text, material text);
{copy}
ANALYZE raw;
BEGIN;
INSERT INTO suppliers (name, source_type) VALUES ('limit', 'csv') ON CONFLICT DO NOTHING;
INSERT INTO categories (name) SELECT DISTINCT category FROM raw WHERE category <> '' ON CONFLICT DO NOTHING;
WITH supplier AS MATERIALIZED (SELECT id FROM suppliers WHERE name = 'limit'),
judged AS (
  SELECT r.*, CASE WHEN sku IS NULL THEN 'sku_missing' WHEN name IS NULL THEN 'name_missing'
                   WHEN price IS NULL THEN 'price_missing'
                   WHEN NOT pg_input_is_valid(price, 'numeric') THEN 'price_not_a_number'
                   WHEN price LIKE '-%' THEN 'price_negative' END AS fault
    FROM raw r
), incoming AS MATERIALIZED (
  SELECT j.n, j.sku, j.name, j.price::numeric(18,6) AS price, j.currency, c.id AS category_id,
         jsonb_object(ARRAY['stock','brand','colour','weight','material'],
                      ARRAY[j.stock, j.brand, j.colour, j.weight, j.material]) AS characteristics,
         o.id AS old_id, o.current_price AS old_price, o.currency AS old_currency
    FROM judged j CROSS JOIN supplier s LEFT JOIN categories c ON c.name = j.category AND c.parent_id IS NULL
    LEFT JOIN supplier_items o ON o.supplier_id = s.id AND o.supplier_sku = j.sku
   WHERE j.fault IS NULL
     AND (o.id IS NULL OR (o.current_price, o.currency::text, o.name::text, o.category_id, o.characteristics)
       IS DISTINCT FROM (j.price::numeric(18,6), j.currency, j.name, c.id,
         jsonb_object(ARRAY['stock','brand','colour','weight','material'],
                      ARRAY[j.stock, j.brand, j.colour, j.weight, j.material])))
), fresh AS (
  INSERT INTO supplier_items (supplier_id, category_id, key_hash, fingerprint, supplier_sku, name, current_price,
                              currency, characteristics, as_of, task_key, source_row)
  SELECT s.id, category_id, hashtextextended(sku, 0), n, sku, name, price, currency, characteristics, now(),
         {task}, n
    FROM incoming CROSS JOIN supplier s WHERE old_id IS NULL ORDER BY sku
  RETURNING id, current_price, currency, source_row
), rewritten AS (
  UPDATE supplier_items i
     SET name = n.name, category_id = n.category_id, current_price = n.price, currency = n.currency,
         characteristics = n.characteristics, as_of = now(), task_key = {task}, source_row = n.n,
         last_ingested_at = now(), updated_at = now()
    FROM (SELECT * FROM incoming WHERE old_id IS NOT NULL ORDER BY old_id) n
   WHERE i.id = n.old_id
  RETURNING i.id, i.current_price, i.currency, i.source_row,
            (n.old_price, n.old_currency) IS DISTINCT FROM (i.current_price, i.currency) AS repriced
), history AS (
  INSERT INTO price_history (supplier_item_id, task_key, source_row, price, currency, as_of)
  SELECT id, {task}, source_row, current_price, currency, now() FROM fresh
   UNION ALL SELECT id, {task}, source_row, current_price, currency, now() FROM rewritten WHERE repriced
), logged AS (
  INSERT INTO parsing_logs (task_id, supplier_id, error_type, error_message, row_number, field, value, row_data)
  SELECT '{task}', s.id, fault, fault, n + 1, fault, price, to_jsonb(ARRAY[sku, name, category, price, currency,
         stock, brand, colour, weight, material])
    FROM judged CROSS JOIN supplier s WHERE fault IS NOT NULL
)
SELECT count(*) FROM incoming;
COMMIT;
"""

# One line for psql.
COPY = (
    "\\copy raw (sku, name, category, price, currency, stock, brand, colour, weight, material)"
    " FROM '{file}' (FORMAT csv, HEADER)"
)


def load(psql: Path, url: str, file: Path, *, task: int) -> float:
    """Seconds that psql takes for the whole list. CalledProcessError if a statement fails."""
    started = perf_counter()
    subprocess.run(
        [str(psql), url, "-X", "-q"], input=LIMIT.format(copy=COPY.format(file=file), task=task), text=True, check=True,
        capture_output=True,
    )  # fmt: skip
    return perf_counter() - started
