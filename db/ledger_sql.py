"""The statements of the ledger: each changes a state under its guard, in one round trip."""

from __future__ import annotations

from db.ledger_controls_sql import UNFINISHED, WAITING, limited, paused
from db.ledger_supersede import OUTDATED

# Two calls with the same tasks in opposite orders would wait for each other; those with several tasks take turns.
# Asked with EXISTS, the planner reads all that waits into a hash table, for each task that is handed in by itself.
REGISTER = f"""
WITH turn AS MATERIALIZED (SELECT CASE WHEN cardinality($1::text[]) > 1 THEN pg_advisory_xact_lock(7410213003) END)
INSERT INTO tasks (task_id, idempotency_key, parser_type, supplier_name, message, priority, max_retries, as_of,
                   expires_at, queue, source, dispatched_at)
SELECT task_id, idempotency_key, parser_type, supplier_name, message::jsonb, priority, max_retries,
       coalesce(as_of, now()), expires_at, queue, source,
       CASE WHEN $10::boolean AND row_number() OVER (PARTITION BY supplier_name ORDER BY position) = 1
             AND (SELECT o.id FROM tasks o
                   WHERE o.supplier_name = given.supplier_name AND o.{UNFINISHED} LIMIT 1) IS NULL
            THEN now() END
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::int[],
              $8::timestamptz[], $9::timestamptz[], $11::text[], $12::text[]) WITH ORDINALITY
       AS given(task_id, idempotency_key, parser_type, supplier_name, message, priority, max_retries, as_of,
                expires_at, queue, source, position)
 ORDER BY position
ON CONFLICT DO NOTHING
RETURNING id, task_id, dispatched_at IS NOT NULL AS first
"""

KNOWN = f"""
SELECT id, task_id, idempotency_key, epoch, priority, {WAITING} AS waiting,
       CASE WHEN run_at > now() THEN run_at END AS at
  FROM tasks WHERE task_id = ANY ($1::text[]) OR idempotency_key = ANY ($2::text[])
"""

# A delivery that comes early by the rounding of a clock is taken; 100 ms is less than any back-off.
# The status stands as text, which no partial index knows: else the planner may step through one instead of the
# primary key.
CLAIM = f"""
WITH claimed AS (
  UPDATE tasks t
     SET status = 'running', epoch = t.epoch + 1, attempt = t.attempt + 1, worker = $4,
         lease_until = clock_timestamp() + $5::interval, started_at = coalesce(t.started_at, now()),
         dispatched_at = NULL
   WHERE t.id = $1 AND t.task_id = $2 AND t.epoch = $3 AND t.status::text IN ('queued', 'retryable')
     AND t.run_at <= now() + interval '100 milliseconds' AND (t.expires_at IS NULL OR t.expires_at > now())
     AND NOT EXISTS (SELECT FROM tasks o WHERE o.supplier_name = t.supplier_name AND o.{UNFINISHED} AND o.id < t.id)
     AND NOT EXISTS (SELECT FROM tasks o WHERE o.supplier_name = t.supplier_name AND o.status = 'running')
     AND NOT {paused("t")} AND ($6::boolean OR NOT {limited("t")})
     AND NOT ($7::boolean AND t.epoch = 0 AND {OUTDATED})
  RETURNING t.id, t.epoch, t.attempt, t.as_of, t.message, t.queue,
            greatest(extract(epoch FROM now() - t.run_at), 0)::float8 AS waited_seconds),
opened AS (
  INSERT INTO task_attempts (task_key, epoch, attempt, worker, started_at, start_sequence)
  SELECT id, epoch, attempt, $4, clock_timestamp(),
         coalesce((SELECT max(sequence) FROM checkpoints WHERE task_key = $1), 0)
    FROM claimed)
SELECT epoch, attempt, as_of, queue, waited_seconds, message::text AS message,
       ARRAY(SELECT document::text FROM checkpoints WHERE task_key = $1 ORDER BY sequence DESC LIMIT 10) AS checkpoints
  FROM claimed
"""

WHY_NOT = f"""
SELECT {UNFINISHED} AS unfinished, {WAITING} AS waiting, epoch, coalesce(expires_at <= now(), false) AS expired,
       run_at > now() + interval '100 milliseconds' AS early, {paused("tasks")} AS paused,
       {limited("tasks")} AS limited, $3::boolean AND epoch = 0 AND {OUTDATED.replace("t.", "tasks.")} AS outdated,
       EXISTS (SELECT FROM tasks o WHERE o.supplier_name = tasks.supplier_name AND o.id <> tasks.id AND o.{UNFINISHED}
                  AND (o.id < tasks.id OR o.status = 'running')) AS blocked
  FROM tasks WHERE id = $1 AND task_id = $2
"""

HEARTBEAT = """
INSERT INTO workers (name, host, pid, version, slots) VALUES ($1, '', 0, '', 0)
ON CONFLICT (name) DO UPDATE SET heartbeat_at = now()
"""

# A row locked by a chunk transaction is skipped: that transaction prolongs the lease itself.
RENEW = f"""
WITH beat AS ({HEARTBEAT.replace("$1", "$3")}),
free AS (
  SELECT t.id FROM tasks t JOIN unnest($1::bigint[], $2::int[]) AS held(id, epoch) USING (id)
   WHERE t.epoch = held.epoch AND t.status = 'running'
   ORDER BY t.id FOR NO KEY UPDATE OF t SKIP LOCKED)
UPDATE tasks t SET lease_until = greatest(t.lease_until, clock_timestamp() + $4::interval)
  FROM free WHERE t.id = free.id
RETURNING t.id, t.epoch
"""

HELD = """
SELECT t.id, t.epoch, t.cancel_requested
  FROM tasks t JOIN unnest($1::bigint[], $2::int[]) AS held(id, epoch) USING (id, epoch)
 WHERE t.status = 'running'
"""

_OUTCOME = "(SELECT outcome FROM task_attempts WHERE task_key = $1 AND epoch = $2) AS outcome"
"""Read from the snapshot: the outcome that stood before this statement; tells a repetition from a lost lease."""

_GUARD = "id = $1 AND epoch = $2 AND status = 'running'"

COMPLETE = f"""
WITH newest AS (
  SELECT document->'account' AS account FROM checkpoints WHERE task_key = $1 ORDER BY sequence DESC LIMIT 1),
counted AS (
  SELECT coalesce((
    SELECT jsonb_build_object(
             'read', account->'read', 'new', account->'new', 'changed', account->'changed',
             'unchanged', account->'unchanged', 'ignored', account->'ignored',
             'rejected', (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(account->'rejected')),
             'held', (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(account->'held')))
      FROM newest), $5::jsonb) AS account),
done AS (
  UPDATE tasks t
     SET status = 'completed', result = $3::jsonb, finished_at = now(), lease_until = NULL, worker = NULL,
         source_sha256 = coalesce($6, t.source_sha256), config_version = coalesce($7, t.config_version)
    FROM counted
   WHERE t.id = $1 AND t.epoch = $2 AND t.status = 'running' AND counted.account = $4::jsonb
  RETURNING t.id),
closed AS (
  UPDATE task_attempts SET finished_at = now(), outcome = 'completed'
   WHERE task_key = (SELECT id FROM done) AND epoch = $2)
SELECT (SELECT id FROM done) IS NOT NULL AS done, EXISTS (SELECT FROM tasks WHERE {_GUARD}) AS held,
       (SELECT account::text FROM counted) AS account, {_OUTCOME}
"""

# A task that an operator wants stopped does not wait for another attempt.
PUT_BACK = f"""
WITH done AS (
  UPDATE tasks
     SET status = CASE WHEN cancel_requested THEN 'cancelled' ELSE $3::task_status END,
         finished_at = CASE WHEN cancel_requested THEN now() END,
         run_at = now() + $6::interval, attempt = greatest(attempt - $7::int, 0),
         slices = slices + CASE WHEN $4 = 'yielded' THEN 1 ELSE 0 END,
         lease_until = NULL, worker = NULL, dispatched_at = NULL
   WHERE {_GUARD}
  RETURNING id, status),
closed AS (
  UPDATE task_attempts
     SET finished_at = now(), error = $5::jsonb,
         outcome = CASE WHEN (SELECT status FROM done) = 'cancelled' THEN 'cancelled' ELSE $4::text END
   WHERE task_key = (SELECT id FROM done) AND epoch = $2)
SELECT (SELECT id FROM done) IS NOT NULL AS done, {_OUTCOME}
"""

END = f"""
WITH done AS (
  UPDATE tasks
     SET status = $3::task_status, finished_at = now(), lease_until = NULL, worker = NULL, result = $6::jsonb
   WHERE {_GUARD}
  RETURNING id, attempt),
closed AS (
  UPDATE task_attempts SET finished_at = now(), outcome = $4, error = $5::jsonb
   WHERE task_key = (SELECT id FROM done) AND epoch = $2)
SELECT (SELECT id FROM done) IS NOT NULL AS done, (SELECT attempt FROM done) AS attempt, {_OUTCOME}
"""

DEAD_LETTER = """
INSERT INTO dead_letters (task_key, task_id, supplier_name, message, error, category, code, reason, attempts,
                          last_checkpoint)
SELECT id, task_id, supplier_name, $2::jsonb, $3::jsonb, $4, $5, $6, $7,
       (SELECT document FROM checkpoints WHERE task_key = tasks.id ORDER BY sequence DESC LIMIT 1)
  FROM tasks WHERE id = $1
ON CONFLICT DO NOTHING
"""

BURY = """
INSERT INTO dead_letters (task_id, supplier_name, message, error, category, code, reason, attempts, message_sha256)
VALUES ($1, $2, $3::jsonb, $4::jsonb, $5, $6, $7, 0, $8)
ON CONFLICT (message_sha256) WHERE status = 'open' AND task_key IS NULL DO NOTHING
RETURNING true
"""

FOLLOWING = f"""
SELECT id, task_id, epoch, priority, CASE WHEN run_at > now() THEN run_at END AS at
  FROM tasks
 WHERE {WAITING} AND id = ANY (ARRAY[
   (SELECT id FROM tasks WHERE supplier_name = $1 AND {UNFINISHED} ORDER BY id LIMIT 1), $2::bigint])
 ORDER BY id <> $2
"""
"""The task $2 (or NULL) where it waits, and the supplier's oldest unfinished task where it waits. A statement of its
own: in the snapshot of the one that ended a task, a task registered meanwhile and refused as blocked is not seen."""

SUPPLIERS_NEXT = f"""
UPDATE tasks SET dispatched_at = NULL
 WHERE {WAITING} AND dispatched_at IS NOT NULL AND id IN (
   SELECT (SELECT o.id FROM tasks o WHERE o.supplier_name = ended.name AND o.{UNFINISHED} ORDER BY o.id LIMIT 1)
     FROM unnest($1::text[]) AS ended(name))
"""
"""Makes the next sweep send what stood behind an ended task."""

DISPATCHED = """
UPDATE tasks SET dispatched_at = now()
 WHERE id IN (SELECT t.id FROM tasks t JOIN unnest($1::bigint[], $2::int[]) AS sent(id, epoch) USING (id, epoch)
               WHERE t.id = ANY ($1::bigint[]) AND t.status::text IN ('queued', 'retryable')
               ORDER BY t.id FOR NO KEY UPDATE OF t SKIP LOCKED)
"""
"""The keys are named twice, and the status as text, which no partial index knows: else the planner reads all that
waits instead of these few by their primary key."""

REPLAY = """
WITH again AS (
  SELECT id FROM tasks WHERE task_id = ANY ($1::text[]) AND status IN ('dead', 'cancelled') AND reverted_at IS NULL
   ORDER BY id FOR NO KEY UPDATE),
closed AS (
  UPDATE dead_letters d SET status = 'replayed', closed_at = now(), closed_by = $2, close_reason = $3
    FROM again WHERE d.task_key = again.id AND d.status = 'open')
UPDATE tasks t
   SET status = 'queued', epoch = t.epoch + 1, attempt = 0, crashes = 0, cancel_requested = false, run_at = now(),
       expires_at = CASE WHEN t.expires_at > now() THEN t.expires_at END, dispatched_at = NULL, finished_at = NULL,
       result = NULL, superseded_by = NULL
  FROM again WHERE t.id = again.id
RETURNING t.id, t.task_id, t.epoch, t.priority, NULL::timestamptz AS at
"""

DISCARD = """
UPDATE dead_letters SET status = 'discarded', closed_at = now(), closed_by = $2, close_reason = $3
 WHERE id = ANY ($1::uuid[]) AND status = 'open'
"""

CANCEL = f"""
UPDATE tasks
   SET status = CASE status WHEN 'running' THEN status ELSE 'cancelled' END,
       finished_at = CASE status WHEN 'running' THEN NULL ELSE now() END, cancel_requested = true
 WHERE task_id = $1 AND {UNFINISHED}
RETURNING status::text, supplier_name
"""

DEPTH = f"""
SELECT count(*) FILTER (WHERE status = 'queued') AS queued, count(*) FILTER (WHERE status = 'retryable') AS retryable,
       count(*) FILTER (WHERE status = 'running') AS running,
       (SELECT count(*) FROM dead_letters WHERE status = 'open') AS dead,
       extract(epoch FROM now() - min(run_at) FILTER (
         WHERE status <> 'running' AND run_at <= now() AND NOT {paused("tasks")}))::float8 AS oldest
  FROM tasks WHERE status IN ('queued', 'running', 'retryable')
"""
