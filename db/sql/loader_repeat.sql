-- Merges staged rows whose key an earlier chunk of this task had already (policy: the last row of a key wins), so that
-- tables and account become what they would be had the list held the last row only. Parameters as in loader_merge.sql.
-- `mine` = the history row this task wrote; `before` = the price that held when the task began; `was` and `becomes` =
-- the buckets of the row before and of this one.
WITH judged AS (
  SELECT s.*, i.id AS item_id, m.task_key IS NOT NULL AS mine, b.price IS NOT NULL AS before, h.reason AS was_held,
         b.price AS old_price, b.currency AS old_currency, b.price_basis AS old_basis,
         (b.price, b.currency, b.price_basis) IS DISTINCT FROM (s.price, s.currency::bpchar, s.price_basis) AS moved,
         (i.name, i.category_id, i.unit, i.gtin, i.characteristics)
           IS DISTINCT FROM (s.name, s.category_id, s.unit, s.gtin, s.characteristics) AS described
    FROM loader_stage s
    JOIN LATERAL (SELECT * FROM supplier_items o WHERE o.supplier_id = $1 AND o.supplier_sku = s.sku LIMIT 1) i
      ON true
    LEFT JOIN price_history m ON m.supplier_item_id = i.id AND m.task_key = $2
    LEFT JOIN held_rows h ON h.supplier_item_id = i.id AND h.task_key = $2
    LEFT JOIN LATERAL (before_task()) b ON true
   WHERE s.kind = 2 AND m.source_row IS DISTINCT FROM s.n
  OFFSET 0
), incoming AS MATERIALIZED (
  SELECT *, CASE WHEN before AND moved AND NOT $4 THEN held_reason() END AS held FROM judged
), written AS (
  SELECT *, moved AND held IS NULL AS repriced FROM incoming WHERE NOT ($4 AND before)
), described AS (
  INSERT INTO item_descriptions (supplier_item_id, task_key, name, category_id, unit, gtin, characteristics)
  SELECT i.id, $2, i.name, i.category_id, i.unit, i.gtin, i.characteristics
    FROM written n JOIN supplier_items i ON i.id = n.item_id WHERE n.described AND n.before
  ON CONFLICT DO NOTHING
), items AS (
  UPDATE supplier_items i
     SET category_id = n.category_id, key_hash = n.key_hash, name = n.name, unit = n.unit, gtin = n.gtin,
         characteristics = n.characteristics,
         fingerprint = CASE WHEN n.held IS NULL THEN n.fingerprint END,
         current_price = CASE WHEN n.held IS NULL THEN n.price ELSE n.old_price END,
         currency = CASE WHEN n.held IS NULL THEN n.currency::bpchar ELSE n.old_currency END,
         price_basis = CASE WHEN n.held IS NULL THEN n.price_basis ELSE n.old_basis END,
         as_of = $3, task_key = $2, source_row = n.n, last_ingested_at = now(),
         updated_at = CASE WHEN n.described OR n.moved OR n.mine THEN now() ELSE i.updated_at END
    FROM written n WHERE i.id = n.item_id
), replaced AS (
  UPDATE price_history h
     SET source_row = n.n, price = n.price, currency = n.currency, price_basis = n.price_basis
    FROM written n WHERE h.supplier_item_id = n.item_id AND h.task_key = $2 AND n.mine AND n.repriced
), unpriced AS (
  DELETE FROM price_history h
   USING written n WHERE h.supplier_item_id = n.item_id AND h.task_key = $2 AND n.mine AND NOT n.repriced
), added AS (
  INSERT INTO price_history (supplier_item_id, task_key, source_row, price, currency, price_basis, as_of)
  SELECT item_id, $2, n, price, currency, price_basis, $3 FROM written WHERE NOT mine AND repriced
), released AS (
  DELETE FROM held_rows h USING written n
   WHERE h.supplier_item_id = n.item_id AND h.task_key = $2 AND n.was_held IS NOT NULL AND n.held IS NULL
), holding AS (
  INSERT INTO held_rows
    (supplier_id, supplier_item_id, task_key, source_row, old_price, old_currency, old_basis,
     price, currency, price_basis, as_of, reason)
  SELECT $1, item_id, $2, n, old_price, old_currency, old_basis, price, currency, price_basis, $3, held
    FROM written WHERE held IS NOT NULL
  ON CONFLICT (supplier_item_id, task_key) DO UPDATE
     SET source_row = excluded.source_row, price = excluded.price, currency = excluded.currency,
         price_basis = excluded.price_basis, reason = excluded.reason, status = 'open', closed_at = NULL,
         closed_by = NULL, close_reason = NULL
), counted AS (
  SELECT coalesce(was_held, CASE WHEN mine THEN 'changed' ELSE 'unchanged' END) AS was,
         coalesce(held, CASE WHEN moved THEN 'changed' ELSE 'unchanged' END) AS becomes, before AND NOT $4 AS counts
    FROM incoming
)
SELECT count(*) AS repeats,
       count(*) FILTER (WHERE counts AND becomes = 'changed') - count(*) FILTER (WHERE counts AND was = 'changed')
         AS changed,
       count(*) FILTER (WHERE counts AND becomes = 'unchanged') - count(*) FILTER (WHERE counts AND was = 'unchanged')
         AS unchanged,
       count(*) FILTER (WHERE counts AND becomes = 'price_jump')
         - count(*) FILTER (WHERE counts AND was = 'price_jump') AS price_jump,
       count(*) FILTER (WHERE counts AND becomes = 'currency_changed')
         - count(*) FILTER (WHERE counts AND was = 'currency_changed') AS currency_changed,
       count(*) FILTER (WHERE counts AND becomes = 'basis_changed')
         - count(*) FILTER (WHERE counts AND was = 'basis_changed') AS basis_changed
  FROM counted
