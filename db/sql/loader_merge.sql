-- Merges what is staged. $1 supplier, $2 task key, $3 as_of, $4 stale (then unknown items only), $5 to $8 the band of
-- loader_held.sql. One writer per supplier is what the fence guarantees, so the old rows that are read here are the
-- newest. An item that was withdrawn is new again. A held row changes what is said of the item, never its price, and
-- leaves no fingerprint: the next list meets it again, and only such items can have an open hold.
WITH judged AS (
  SELECT s.*, o.id AS old_id, o.withdrawn_at IS NOT NULL AS returned, o.fingerprint IS NULL AS unprinted,
         o.current_price AS old_price, o.currency AS old_currency, o.price_basis AS old_basis,
         o.id IS NOT NULL AND (o.current_price, o.currency, o.price_basis)
           IS DISTINCT FROM (s.price, s.currency::bpchar, s.price_basis) AS moved,
         o.id IS NOT NULL AND NOT $4 AND (s.kind = 1 OR (o.fingerprint, o.key_hash)
           IS DISTINCT FROM (s.fingerprint, s.key_hash)) AS written,
         o.id IS NOT NULL AND (o.name, o.category_id, o.unit, o.gtin, o.characteristics)
           IS DISTINCT FROM (s.name, s.category_id, s.unit, s.gtin, s.characteristics) AS described
    FROM loader_stage s
    -- LIMIT keeps the planner from joining any other way than by one probe of the unique index a row.
    LEFT JOIN LATERAL (SELECT * FROM supplier_items i WHERE i.supplier_id = $1 AND i.supplier_sku = s.sku LIMIT 1) o
      ON true
   WHERE s.kind < 2 OR o.id IS NULL
  OFFSET 0
), incoming AS MATERIALIZED (
  SELECT *, CASE WHEN moved AND NOT returned AND NOT $4 THEN held_reason() END AS held FROM judged
), fresh AS (
  INSERT INTO supplier_items
    (supplier_id, category_id, key_hash, fingerprint, supplier_sku, name, current_price, currency, price_basis,
     unit, gtin, characteristics, as_of, task_key, source_row)
  SELECT $1, category_id, key_hash, fingerprint, sku, name, price, currency, price_basis,
         unit, gtin, characteristics, $3, $2, n
    FROM incoming WHERE old_id IS NULL ORDER BY sku
  RETURNING id, current_price, currency, price_basis, source_row
), described AS (
  INSERT INTO item_descriptions (supplier_item_id, task_key, name, category_id, unit, gtin, characteristics)
  SELECT i.id, $2, i.name, i.category_id, i.unit, i.gtin, i.characteristics
    FROM incoming n JOIN supplier_items i ON i.id = n.old_id
   WHERE n.described AND NOT n.returned AND NOT $4
  ON CONFLICT DO NOTHING
), rewritten AS (
  UPDATE supplier_items i
     SET category_id = n.category_id, key_hash = n.key_hash, name = n.name, unit = n.unit, gtin = n.gtin,
         characteristics = n.characteristics,
         fingerprint = CASE WHEN n.held IS NULL THEN n.fingerprint END,
         current_price = CASE WHEN n.held IS NULL THEN n.price ELSE n.old_price END,
         currency = CASE WHEN n.held IS NULL THEN n.currency::bpchar ELSE n.old_currency END,
         price_basis = CASE WHEN n.held IS NULL THEN n.price_basis ELSE n.old_basis END,
         as_of = $3, task_key = $2, source_row = n.n, last_ingested_at = now(), withdrawn_at = NULL,
         updated_at = CASE WHEN n.moved OR n.described THEN now() ELSE i.updated_at END
    FROM incoming n
   WHERE i.id = n.old_id AND (n.returned OR NOT $4 AND (n.written OR n.moved OR n.described))
  RETURNING i.id, i.current_price, i.currency, i.price_basis, i.source_row, n.returned OR n.moved AND n.held IS NULL AS priced
), history AS (
  INSERT INTO price_history (supplier_item_id, task_key, source_row, price, currency, price_basis, as_of)
  SELECT id, $2, source_row, current_price, currency, price_basis, $3 FROM fresh
   UNION ALL
  SELECT id, $2, source_row, current_price, currency, price_basis, $3 FROM rewritten WHERE priced
), superseded AS (
  UPDATE held_rows SET status = 'superseded', superseded_by = $2, closed_at = now()
   -- One probe a row here, too, and one for each hold that is found.
   WHERE id = ANY (ARRAY(
     SELECT h.id FROM incoming n
      CROSS JOIN LATERAL (SELECT o.id FROM held_rows o
                           WHERE o.supplier_item_id = n.old_id AND o.status = 'open' LIMIT 1) h
      WHERE n.unprinted AND NOT $4))
  RETURNING id
), holding AS (
  INSERT INTO held_rows
    (supplier_id, supplier_item_id, task_key, source_row, old_price, old_currency, old_basis,
     price, currency, price_basis, as_of, reason)
  SELECT $1, old_id, $2, n, old_price, old_currency, old_basis, price, currency, price_basis, $3, held FROM incoming
    -- The count has every older hold closed before a new one is opened: an item has one open hold at most.
   WHERE held IS NOT NULL AND (SELECT count(*) FROM superseded) IS NOT NULL
)
SELECT count(*) FILTER (WHERE old_id IS NULL OR returned) AS new,
       count(*) FILTER (WHERE moved AND NOT returned AND held IS NULL) AS changed,
       count(*) FILTER (WHERE old_id IS NOT NULL AND NOT returned AND NOT moved) AS unchanged,
       count(*) FILTER (WHERE held = 'price_jump') AS price_jump,
       count(*) FILTER (WHERE held = 'currency_changed') AS currency_changed,
       count(*) FILTER (WHERE held = 'basis_changed') AS basis_changed
  FROM incoming
