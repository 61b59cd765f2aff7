"""The statements of schedules and their slots."""

from __future__ import annotations

from db.ledger_controls_sql import UNFINISHED

COLUMNS = "id, name, plan::text, enabled, through, next_at, paused_at, paused_until, pause_reason"

PUT = """
INSERT INTO schedules (name, plan, next_at, enabled, created_by, through) VALUES ($1, $2::jsonb, $3, $4, $5, now())
ON CONFLICT (name) DO NOTHING
RETURNING true
"""

CHANGE = """
UPDATE schedules
   SET plan = $2::jsonb, next_at = $3, enabled = $4, through = greatest(through, now()), updated_at = now()
 WHERE name = $1
RETURNING true
"""

GET = f"SELECT {COLUMNS} FROM schedules WHERE name = $1"

REMOVE = "DELETE FROM schedules WHERE name = $1 RETURNING true"

PAUSE = """
UPDATE schedules SET paused_at = now(), paused_until = $3, pause_reason = $2, updated_at = now() WHERE name = $1
RETURNING true
"""

RESUME = """
UPDATE schedules
   SET paused_until = CASE WHEN paused_at IS NOT NULL AND (paused_until IS NULL OR paused_until > now()) THEN now()
                           ELSE paused_until END,
       through = CASE WHEN enabled THEN through ELSE greatest(through, now()) END,
       next_at = CASE WHEN enabled THEN next_at ELSE $2 END, enabled = true, updated_at = now()
 WHERE name = $1
RETURNING true
"""

ONE_TICK = "SELECT pg_try_advisory_xact_lock(7410213010)"

# Locked, so that neither a person's change nor a tick without the advisory lock comes between reading and writing.
DUE = f"""
SELECT {COLUMNS} FROM schedules WHERE enabled AND next_at <= now() ORDER BY next_at LIMIT $1
FOR NO KEY UPDATE SKIP LOCKED
"""

SEEN = f"""
SELECT now() AS now,
       ARRAY(SELECT t.task_id FROM tasks t WHERE t.supplier_name = $2 AND t.{UNFINISHED}
                AND EXISTS (SELECT FROM schedule_firings f WHERE f.task_id = t.task_id AND f.schedule_id = $1)
              ORDER BY t.id) AS unfinished,
       ARRAY(SELECT slot FROM schedule_firings
              WHERE schedule_id = $1 AND slot > $3 AND slots = 1 ORDER BY slot) AS taken
"""

FIRING = """
INSERT INTO schedule_firings (schedule_id, slot, state, first_slot, slots, due_at, task_id, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING
RETURNING true
"""

DECIDED = "UPDATE schedules SET through = $2, next_at = $3 WHERE id = $1"

POSTPONE = "UPDATE schedules SET next_at = now() + interval '5 minutes' WHERE id = $1"

PRUNE = """
DELETE FROM schedule_firings WHERE (schedule_id, slot) IN (
  SELECT f.schedule_id, f.slot FROM schedules s
    CROSS JOIN LATERAL (SELECT schedule_id, slot FROM schedule_firings
                         WHERE schedule_id = s.id AND slot < now() - $1::interval ORDER BY slot LIMIT 10000) f)
"""
