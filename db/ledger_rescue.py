"""The statements of the rescue: what a dead worker held, what nobody started in time, what should be sent."""

from __future__ import annotations

from db.ledger_sql import UNFINISHED, WAITING

ONE_SWEEP = "SELECT pg_try_advisory_xact_lock(7410213002)"


def _lost(those: str) -> str:
    # A worker that was heard of after the lease ran out did not die: PostgreSQL was away, or an answer was lost.
    return f"""
WITH lost AS (
  SELECT t.id, t.epoch, t.crashes, t.cancel_requested,
         coalesce((SELECT max(c.sequence) FROM checkpoints c WHERE c.task_key = t.id), 0)
           > coalesce(a.start_sequence, 0) AS progress,
         EXISTS (SELECT FROM workers w WHERE w.name = t.worker AND w.heartbeat_at > t.lease_until
                    AND w.started_at <= a.started_at) AS alive
    FROM tasks t LEFT JOIN task_attempts a ON a.task_key = t.id AND a.epoch = t.epoch
   WHERE t.status = 'running' AND {those}
   ORDER BY t.lease_until LIMIT $1 FOR NO KEY UPDATE OF t SKIP LOCKED),
judged AS (
  SELECT id, epoch, CASE WHEN progress THEN 0 WHEN alive THEN crashes ELSE crashes + 1 END AS crashes,
         cancel_requested,
         NOT progress AND NOT alive AND crashes + 1 >= $2 AND NOT cancel_requested AS poison
    FROM lost),
closed AS (
  UPDATE task_attempts a SET finished_at = now(), outcome = 'lost'
    FROM judged j WHERE a.task_key = j.id AND a.epoch = j.epoch)
UPDATE tasks t
   SET status = CASE WHEN j.poison THEN 'dead' WHEN j.cancel_requested THEN 'cancelled' ELSE 'queued' END::task_status,
       crashes = j.crashes, attempt = greatest(t.attempt - 1, 0), lease_until = NULL, worker = NULL, run_at = now(),
       dispatched_at = NULL, finished_at = CASE WHEN j.poison OR j.cancel_requested THEN now() END
  FROM judged j WHERE t.id = j.id
RETURNING t.id, t.task_id, t.epoch, t.priority, NULL::timestamptz AS at, t.status::text, t.supplier_name,
          t.message::text, j.crashes AS attempts
"""


LOST = _lost("t.lease_until < now()")
GIVE_BACK = _lost("t.worker IN (SELECT name FROM workers WHERE host = $3 AND pid = $4)")

FORGET_WORKERS = "DELETE FROM workers WHERE heartbeat_at < now() - interval '1 day'"

EXPIRED = f"""
UPDATE tasks t SET status = 'dead', finished_at = now()
 WHERE t.id IN (SELECT id FROM tasks WHERE {WAITING} AND expires_at IS NOT NULL AND expires_at <= now()
                 ORDER BY expires_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING t.id, t.status::text, t.supplier_name, t.message::text, t.attempt AS attempts
"""

SET_RESULT = "UPDATE tasks SET result = $2::jsonb WHERE id = $1"

DUE = f"""
WITH RECURSIVE heads AS (
  (SELECT supplier_name, id FROM tasks WHERE {UNFINISHED} ORDER BY supplier_name, id LIMIT 1)
   UNION ALL
  SELECT following.* FROM heads, LATERAL (
    SELECT o.supplier_name, o.id FROM tasks o
     WHERE o.{UNFINISHED} AND o.supplier_name > heads.supplier_name ORDER BY o.supplier_name, o.id LIMIT 1) following)
UPDATE tasks SET dispatched_at = now()
 WHERE id IN (
   SELECT t.id FROM heads JOIN tasks t USING (id)
    WHERE t.{WAITING} AND t.run_at <= now() AND (t.dispatched_at IS NULL OR t.dispatched_at < now() - $2::interval)
      AND NOT EXISTS (SELECT FROM tasks o WHERE o.supplier_name = t.supplier_name AND o.status = 'running')
    ORDER BY t.dispatched_at IS NOT NULL, t.priority DESC, t.dispatched_at, t.run_at
    LIMIT $1 FOR NO KEY UPDATE OF t SKIP LOCKED)
RETURNING id, task_id, epoch, priority, NULL::timestamptz AS at
"""
"""Only the oldest unfinished task of a supplier can be due. The heads are found by stepping through
ix_tasks_unfinished supplier by supplier, so the cost grows with the suppliers that wait, not with their tasks."""
