-- Merges staged rows whose key an earlier chunk of this task had already (policy: the last row of a key wins), so that
-- tables and account become what they would be had the list held the last row only. Parameters as in loader_merge.sql.
-- `mine` = the history row this task wrote; `before` = the price that held when the task began.
WITH incoming AS MATERIALIZED (
  SELECT s.*, i.id AS item_id, m.task_key IS NOT NULL AS mine, b.price IS NOT NULL AS before,
         (b.price, b.currency, b.price_basis) IS DISTINCT FROM (s.price, s.currency::bpchar, s.price_basis) AS repriced,
         (i.name, i.category_id, i.unit, i.gtin, i.characteristics, i.current_price, i.currency, i.price_basis)
           IS DISTINCT FROM
         (s.name, s.category_id, s.unit, s.gtin, s.characteristics, s.price, s.currency::bpchar, s.price_basis) AS differs
    FROM loader_stage s
    JOIN LATERAL (SELECT * FROM supplier_items o WHERE o.supplier_id = $1 AND o.supplier_sku = s.sku LIMIT 1) i
      ON true
    LEFT JOIN price_history m ON m.supplier_item_id = i.id AND m.task_key = $2
    LEFT JOIN LATERAL (
      SELECT h.price, h.currency, h.price_basis FROM price_history h
       WHERE h.supplier_item_id = i.id AND h.task_key <> $2 ORDER BY h.as_of DESC, h.id DESC LIMIT 1) b ON true
   WHERE s.kind = 2 AND m.source_row IS DISTINCT FROM s.n
), written AS (
  SELECT * FROM incoming WHERE NOT ($4 AND before)
), items AS (
  UPDATE supplier_items i
     SET category_id = n.category_id, key_hash = n.key_hash, fingerprint = n.fingerprint, name = n.name,
         current_price = n.price, currency = n.currency, price_basis = n.price_basis, unit = n.unit,
         gtin = n.gtin, characteristics = n.characteristics, as_of = $3, task_key = $2, source_row = n.n,
         last_ingested_at = now(), updated_at = CASE WHEN n.differs THEN now() ELSE i.updated_at END
    FROM written n WHERE i.id = n.item_id
), replaced AS (
  UPDATE price_history h
     SET source_row = n.n, price = n.price, currency = n.currency, price_basis = n.price_basis
    FROM written n WHERE h.supplier_item_id = n.item_id AND h.task_key = $2 AND n.mine AND n.repriced
), withdrawn AS (
  DELETE FROM price_history h
   USING written n WHERE h.supplier_item_id = n.item_id AND h.task_key = $2 AND n.mine AND NOT n.repriced
), added AS (
  INSERT INTO price_history (supplier_item_id, task_key, source_row, price, currency, price_basis, as_of)
  SELECT item_id, $2, n, price, currency, price_basis, $3 FROM written WHERE NOT mine AND repriced
)
SELECT count(*) AS repeats,
       count(*) FILTER (WHERE before AND repriced AND NOT mine AND NOT $4)
         - count(*) FILTER (WHERE before AND mine AND NOT repriced AND NOT $4) AS changed
  FROM incoming
