"""The statements of the rescue: what a dead worker held, what nobody started in time, what should be sent."""

from __future__ import annotations

from db.ledger_controls_sql import LIMITING, ROOM, UNFINISHED, WAITING, paused

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

_HEADS = f"""
WITH RECURSIVE heads AS (
  (SELECT supplier_name, id FROM tasks WHERE {UNFINISHED} ORDER BY supplier_name, id LIMIT 1)
   UNION ALL
  SELECT following.* FROM heads, LATERAL (
    SELECT o.supplier_name, o.id FROM tasks o
     WHERE o.{UNFINISHED} AND o.supplier_name > heads.supplier_name ORDER BY o.supplier_name, o.id LIMIT 1) following)
"""
_MAY_START = f"""
t.{WAITING} AND t.run_at <= now() AND (t.dispatched_at IS NULL OR t.dispatched_at < now() - $2::interval)
      AND NOT EXISTS (SELECT FROM tasks o WHERE o.supplier_name = t.supplier_name AND o.status = 'running')
      AND NOT {paused("t")}
"""
_ORDER = "t.dispatched_at IS NOT NULL, t.priority DESC, t.dispatched_at, t.run_at"
_SENT = "RETURNING id, task_id, epoch, priority, NULL::timestamptz AS at"

DUE = f"""{_HEADS}
UPDATE tasks SET dispatched_at = now()
 WHERE id IN (
   SELECT t.id FROM heads JOIN tasks t USING (id) WHERE {_MAY_START}
    ORDER BY {_ORDER} LIMIT $1 FOR NO KEY UPDATE OF t SKIP LOCKED)
{_SENT}
"""
"""Only the oldest unfinished task of a supplier can be due. The heads are found by stepping through
ix_tasks_unfinished supplier by supplier, so the cost grows with the suppliers that wait, not with their tasks."""

DUE_WITHIN_LIMITS = f"""{_HEADS},
due AS (
  SELECT t.id, t.queue, t.parser_type, t.source, row_number() OVER (ORDER BY {_ORDER}) AS place
    FROM heads JOIN tasks t USING (id) WHERE {_MAY_START}),
ranked AS (
  SELECT id, place, queue, parser_type, source, row_number() OVER (PARTITION BY queue ORDER BY place) AS of_queue,
         row_number() OVER (PARTITION BY parser_type ORDER BY place) AS of_parser,
         row_number() OVER (PARTITION BY source ORDER BY place) AS of_source
    FROM due),
room AS MATERIALIZED (SELECT l.kind, l.name, {ROOM} AS room FROM limits l WHERE {LIMITING}),
fit AS (
  SELECT id FROM ranked d
   WHERE NOT EXISTS (
     SELECT FROM room r WHERE (r.kind = 'queue' AND r.name = d.queue AND r.room < d.of_queue)
        OR (r.kind = 'parser' AND r.name = d.parser_type AND r.room < d.of_parser)
        OR (r.kind = 'source' AND r.name = d.source AND r.room < d.of_source))
   ORDER BY place LIMIT $1)
UPDATE tasks SET dispatched_at = now()
 WHERE id IN (SELECT t.id FROM tasks t WHERE t.id IN (SELECT id FROM fit) FOR NO KEY UPDATE OF t SKIP LOCKED)
{_SENT}
"""
"""As DUE, and no more of anything limited than may start now: what is sent beyond would come back refused."""

LIMITED = f"SELECT EXISTS (SELECT FROM limits l WHERE {LIMITING})"
