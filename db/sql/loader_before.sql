-- The price that held for an item when the task $2 began; no row if it had none. A list that was taken back counts as
-- if it had never been loaded, and what its taking back wrote (negative keys) is a record only.
SELECT h.price, h.currency, h.price_basis, h.task_key, h.source_row, h.as_of FROM price_history h
 WHERE h.supplier_item_id = i.id AND h.task_key > 0 AND h.task_key <> $2
   AND NOT EXISTS (SELECT FROM tasks t WHERE t.id = h.task_key AND t.reverted_at IS NOT NULL)
 ORDER BY h.id DESC LIMIT 1
