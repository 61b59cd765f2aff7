-- Takes back what a task loaded. $1 supplier, $2 task key, $3 when. Only prices that still hold are taken back; the
-- history keeps the task's rows and gets one of key -$2 for each price that holds again.
WITH wrote AS MATERIALIZED (
  SELECT i.id, b.price, b.currency, b.price_basis, b.task_key, b.source_row, b.as_of,
         h.id = (SELECT max(n.id) FROM price_history n
                  WHERE n.supplier_item_id = i.id AND n.task_key > 0 AND NOT EXISTS (
                    SELECT FROM tasks t WHERE t.id = n.task_key AND t.reverted_at IS NOT NULL)) AS holds
    FROM supplier_items i
    JOIN price_history h ON h.supplier_item_id = i.id AND h.task_key = $2
    LEFT JOIN LATERAL (before_task()) b ON true
   WHERE i.supplier_id = $1
), restored AS (
  UPDATE supplier_items i
     SET current_price = w.price, currency = w.currency, price_basis = w.price_basis, task_key = w.task_key,
         source_row = w.source_row, as_of = w.as_of, fingerprint = NULL, updated_at = $3
    FROM wrote w WHERE i.id = w.id AND w.holds AND w.price IS NOT NULL
), recorded AS (
  INSERT INTO price_history (supplier_item_id, task_key, source_row, price, currency, price_basis, as_of)
  SELECT id, -$2, source_row, price, currency, price_basis, as_of FROM wrote WHERE holds AND price IS NOT NULL
), withdrawn AS (
  UPDATE supplier_items i SET withdrawn_at = $3, fingerprint = NULL, updated_at = $3
    FROM wrote w WHERE i.id = w.id AND w.holds AND w.price IS NULL
)
SELECT count(*) FILTER (WHERE holds AND price IS NOT NULL) AS restored,
       count(*) FILTER (WHERE holds AND price IS NULL) AS withdrawn,
       count(*) FILTER (WHERE NOT holds) AS left_alone
  FROM wrote
