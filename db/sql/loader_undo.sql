-- Takes back what earlier attempts of a task wrote, for a task that starts over. $1 supplier, $2 task key.
-- Items that a later task has written since are left alone. What cannot be restored (name, characteristics) is
-- written anew when the task meets the row again: without a fingerprint nothing matches it unread.
WITH mine AS MATERIALIZED (
  SELECT i.id, b.price, b.currency, b.price_basis
    FROM supplier_items i
    LEFT JOIN LATERAL (
      SELECT h.price, h.currency, h.price_basis FROM price_history h
       WHERE h.supplier_item_id = i.id AND h.task_key <> $2 ORDER BY h.as_of DESC, h.id DESC LIMIT 1) b ON true
   WHERE i.supplier_id = $1 AND i.task_key = $2
), gone AS (
  DELETE FROM supplier_items i USING mine WHERE i.id = mine.id AND mine.price IS NULL
), restored AS (
  UPDATE supplier_items i
     SET current_price = mine.price, currency = mine.currency, price_basis = mine.price_basis, fingerprint = NULL
    FROM mine WHERE i.id = mine.id AND mine.price IS NOT NULL
)
DELETE FROM price_history h USING mine WHERE h.supplier_item_id = mine.id AND h.task_key = $2 AND mine.price IS NOT NULL
