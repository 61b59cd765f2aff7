-- The merge of a chunk for a supplier that had no item when the run began: nothing to compare with, so nothing is
-- probed. $1 supplier, $2 task key, $3 as_of. The stages hand in each key once.
WITH fresh AS (
  INSERT INTO supplier_items
    (supplier_id, category_id, key_hash, fingerprint, supplier_sku, name, current_price, currency, price_basis,
     unit, gtin, characteristics, as_of, task_key, source_row)
  SELECT $1, category_id, key_hash, fingerprint, sku, name, price, currency, price_basis,
         unit, gtin, characteristics, $3, $2, n
    FROM loader_stage ORDER BY sku
  RETURNING id, current_price, currency, price_basis, source_row
), history AS (
  INSERT INTO price_history (supplier_item_id, task_key, source_row, price, currency, price_basis, as_of)
  SELECT id, $2, source_row, current_price, currency, price_basis, $3 FROM fresh
)
SELECT count(*) AS new, 0 AS changed, 0 AS unchanged FROM fresh
