-- Merges what is staged. $1 supplier, $2 task key, $3 as_of, $4 stale (then unknown items only).
-- One writer per supplier is what the fence guarantees, so the old rows that are read here are the newest.
WITH incoming AS MATERIALIZED (
  SELECT s.*, o.id AS old_id,
         o.id IS NOT NULL AND (o.current_price, o.currency, o.price_basis)
           IS DISTINCT FROM (s.price, s.currency::bpchar, s.price_basis) AS repriced,
         o.id IS NOT NULL AND NOT $4 AND (s.kind = 1 OR (o.fingerprint, o.key_hash)
           IS DISTINCT FROM (s.fingerprint, s.key_hash)) AS written,
         o.id IS NOT NULL AND (o.name, o.category_id, o.unit, o.gtin, o.characteristics)
           IS DISTINCT FROM (s.name, s.category_id, s.unit, s.gtin, s.characteristics) AS described
    FROM loader_stage s
    -- LIMIT keeps the planner from joining any other way than by one probe of the unique index a row.
    LEFT JOIN LATERAL (SELECT * FROM supplier_items i WHERE i.supplier_id = $1 AND i.supplier_sku = s.sku LIMIT 1) o
      ON true
   WHERE s.kind < 2 OR o.id IS NULL
), fresh AS (
  INSERT INTO supplier_items
    (supplier_id, category_id, key_hash, fingerprint, supplier_sku, name, current_price, currency, price_basis,
     unit, gtin, characteristics, as_of, task_key, source_row)
  SELECT $1, category_id, key_hash, fingerprint, sku, name, price, currency, price_basis,
         unit, gtin, characteristics, $3, $2, n
    FROM incoming WHERE old_id IS NULL ORDER BY sku
  RETURNING id, current_price, currency, price_basis, source_row
), rewritten AS (
  UPDATE supplier_items i
     SET category_id = n.category_id, key_hash = n.key_hash, fingerprint = n.fingerprint, name = n.name,
         current_price = n.price, currency = n.currency, price_basis = n.price_basis, unit = n.unit,
         gtin = n.gtin, characteristics = n.characteristics, as_of = $3, task_key = $2, source_row = n.n,
         last_ingested_at = now(),
         updated_at = CASE WHEN n.repriced OR n.described THEN now() ELSE i.updated_at END
    FROM incoming n
   WHERE i.id = n.old_id AND NOT $4 AND (n.written OR n.repriced OR n.described)
  RETURNING i.id, i.current_price, i.currency, i.price_basis, i.source_row, n.repriced
), history AS (
  INSERT INTO price_history (supplier_item_id, task_key, source_row, price, currency, price_basis, as_of)
  SELECT id, $2, source_row, current_price, currency, price_basis, $3 FROM fresh
   UNION ALL
  SELECT id, $2, source_row, current_price, currency, price_basis, $3 FROM rewritten WHERE repriced
)
SELECT count(*) FILTER (WHERE old_id IS NULL) AS new,
       count(*) FILTER (WHERE repriced) AS changed,
       count(*) FILTER (WHERE old_id IS NOT NULL AND NOT repriced) AS unchanged
  FROM incoming
