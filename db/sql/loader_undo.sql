-- Takes back what earlier attempts of a task wrote, for a task that starts over. $1 supplier, $2 task key.
-- Items that a later task has written since are left alone. Without a fingerprint nothing matches an item unread.
WITH mine AS MATERIALIZED (
  SELECT i.id, b.price, b.currency, b.price_basis,
         EXISTS (SELECT FROM price_history h WHERE h.supplier_item_id = i.id AND h.task_key <> $2) AS older
    FROM supplier_items i LEFT JOIN LATERAL (before_task()) b ON true
   WHERE i.supplier_id = $1 AND i.task_key = $2
), gone AS (
  DELETE FROM supplier_items i USING mine WHERE i.id = mine.id AND mine.price IS NULL AND NOT mine.older
), restored AS (
  UPDATE supplier_items i
     SET current_price = mine.price, currency = mine.currency, price_basis = mine.price_basis, fingerprint = NULL
    FROM mine WHERE i.id = mine.id AND mine.price IS NOT NULL
), withdrawn AS (
  UPDATE supplier_items i
     SET fingerprint = NULL, withdrawn_at = (
       SELECT max(t.reverted_at) FROM price_history h JOIN tasks t ON t.id = h.task_key WHERE h.supplier_item_id = i.id)
    FROM mine WHERE i.id = mine.id AND mine.price IS NULL AND mine.older
)
DELETE FROM price_history h USING mine WHERE h.supplier_item_id = mine.id AND h.task_key = $2 AND mine.older
