-- What the supplier's items were called before the task $2 described them anew; $1 supplier. Items that a later task
-- has described since keep what they have, and what was before goes to that task's record.
WITH mine AS MATERIALIZED (
  DELETE FROM item_descriptions d USING supplier_items i
   WHERE i.supplier_id = $1 AND d.supplier_item_id = i.id AND d.task_key = $2
  RETURNING d.*, (SELECT min(l.task_key) FROM item_descriptions l
                   WHERE l.supplier_item_id = d.supplier_item_id AND l.task_key > $2) AS later
), handed_on AS (
  UPDATE item_descriptions d
     SET name = m.name, category_id = m.category_id, unit = m.unit, gtin = m.gtin, characteristics = m.characteristics
    FROM mine m WHERE d.supplier_item_id = m.supplier_item_id AND d.task_key = m.later
)
UPDATE supplier_items i
   SET name = m.name, unit = m.unit, gtin = m.gtin, characteristics = m.characteristics, fingerprint = NULL,
       category_id = (SELECT c.id FROM categories c WHERE c.id = m.category_id), updated_at = now()
  FROM mine m WHERE i.id = m.supplier_item_id AND m.later IS NULL
