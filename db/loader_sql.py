"""The loader's statements: what is short stands here, what is long in db/sql/loader_*.sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final


def _file(name: str) -> str:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


STAGE: Final = _file("loader_stage")
FIRST: Final = _file("loader_first")
HELD: Final = _file("loader_held")
BEFORE: Final = _file("loader_before")


def with_parts(name: str) -> str:
    """A statement with what several have in common written out: a function in the database would be called per row."""
    return _file(name).replace("held_reason()", f"\n{HELD}").replace("before_task()", f"\n{BEFORE}")


MERGE: Final = with_parts("loader_merge")
REPEAT: Final = with_parts("loader_repeat")
UNDO: Final = with_parts("loader_undo")
REDESCRIBE: Final = _file("loader_redescribe")
FORGET_HELD: Final = "DELETE FROM held_rows WHERE supplier_id = $1 AND task_key = $2"
REOPEN_HELD: Final = """
WITH again AS (
  UPDATE held_rows h SET status = 'open', superseded_by = NULL, closed_at = NULL
   WHERE h.supplier_id = $1 AND h.superseded_by = $2 AND h.status = 'superseded'
     AND NOT EXISTS (SELECT FROM held_rows o WHERE o.supplier_item_id = h.supplier_item_id AND o.status = 'open')
  RETURNING h.supplier_item_id)
UPDATE supplier_items i SET fingerprint = NULL FROM again WHERE i.id = again.supplier_item_id
"""
TAKE_BACK: Final = (UNDO, REDESCRIBE, FORGET_HELD, REOPEN_HELD)
"""In this order, each with the supplier and the task's key: as if the task had never run."""

SUPPLIER: Final = """
INSERT INTO suppliers (name, source_type) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET source_type = excluded.source_type, updated_at = now()
  WHERE suppliers.source_type <> excluded.source_type
"""
SUPPLIER_STATE: Final = """
SELECT s.id::text AS id, s.applied_as_of,
       EXISTS (SELECT FROM supplier_items i WHERE i.supplier_id = s.id) AS stocked,
       coalesce((SELECT max(sequence) FROM checkpoints WHERE task_key = $2), 0) AS sequence
  FROM suppliers s WHERE s.name = $1
"""

ONE_ITEM_A_KEY: Final = "supplier_items_supplier_id_supplier_sku_key"

FENCE: Final = """
UPDATE tasks SET lease_until = clock_timestamp() + $3 WHERE id = $1 AND epoch = $2 AND status = 'running' RETURNING id
"""
# A statement of its own: FENCE may have waited for another transaction of this task, and only what is read after
# that wait is sure to show what it committed.
NEWEST: Final = "SELECT sequence, document FROM checkpoints WHERE task_key = $1 ORDER BY sequence DESC LIMIT 1"

PIN_CATEGORIES: Final = """
SELECT count(*) FROM (SELECT FROM categories WHERE id = ANY ($1::uuid[]) FOR KEY SHARE) AS pinned
"""

_FINISH: Final = """
WITH held AS ({held}), logged AS (
  INSERT INTO parsing_logs
    (task_id, supplier_id, row_number, error_type, error_message, field, value, row_data)
  SELECT $5::text, $4::uuid, r.* FROM held,
    unnest($8::int[], $9::text[], $10::text[], $11::text[], $12::text[], $13::jsonb[]) AS r
), trimmed AS (
  DELETE FROM checkpoints USING held WHERE task_key = $1::bigint AND sequence <= $3::int - 10
), applied AS (
  UPDATE suppliers SET applied_as_of = $6, updated_at = now() FROM held
   WHERE $6::timestamptz IS NOT NULL AND suppliers.id = $4 AND (applied_as_of IS NULL OR applied_as_of < $6)
)
INSERT INTO checkpoints (task_key, epoch, sequence, document)
SELECT $1, $2::int, $3, $7::jsonb FROM held RETURNING sequence
"""
FINISH: Final = _FINISH.format(held="SELECT 1 AS one")
"""The last statement of a chunk's transaction, behind its fence."""
WHOLE: Final = _FINISH.format(
    held="""
  UPDATE tasks SET lease_until = clock_timestamp() + $14 WHERE id = $1 AND epoch = $2 AND status = 'running'
     AND $15::int = (SELECT coalesce(max(sequence), 0) FROM checkpoints WHERE task_key = $1) RETURNING id AS one"""
)
"""A whole chunk without items, fence and all; no row if the fence fails. Had the fence to wait for a transaction that
stored this checkpoint, then ONE_CHECKPOINT_A_SEQUENCE is violated."""
ONE_CHECKPOINT_A_SEQUENCE: Final = "checkpoints_pkey"

FORGET_LOGS: Final = "DELETE FROM parsing_logs WHERE task_id = $1"
FORGET_CHECKPOINTS: Final = "DELETE FROM checkpoints WHERE task_key = $1"
EVERY_PLAN: Final = """
SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on;
SET LOCAL enable_bitmapscan = on; SET LOCAL enable_material = on;
SET LOCAL work_mem = '64MB'; SET LOCAL statement_timeout = 0
"""
SESSION: Final[dict[str, Any]] = {
    "application_name": "pricemill-loader",
    # The planner knows nothing of a temporary table that is filled and emptied all the time: left alone it reads
    # the whole of supplier_items for each chunk. One index probe a row is right at any size.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    # Plans are made anew for each chunk (1 ms): one made while the table was empty would be kept for good.
    "plan_cache_mode": "force_custom_plan",
    # A crash of the server may take the last chunks back, checkpoints and all, never a part of one; the attempt that
    # then finds an older checkpoint than its own stops, and the next goes on from there. The ledger's own commit at
    # the end of the task waits for the disk, and with it everything that came before.
    "synchronous_commit": "off",
    "temp_buffers": "32MB",
    "work_mem": "32MB",
}

OF_A_CHUNK: Final = (FENCE, NEWEST, PIN_CATEGORIES, FIRST, MERGE, REPEAT, FINISH, WHOLE)
"""What runs inside the transaction of a chunk."""
