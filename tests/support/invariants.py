"""What must hold in every database, as queries that find what breaks it: none may return a row."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

UNFINISHED = "status IN ('queued', 'running', 'retryable')"

AT_ANY_MOMENT: Mapping[str, str] = {
    "I2 a task without a state that fits its times": f"""
    SELECT task_id FROM tasks WHERE (finished_at IS NULL) <> ({UNFINISHED})
    """,
    "I2 a completed task that did not complete exactly once": """
    SELECT t.task_id FROM tasks t
     WHERE (t.status = 'completed')::int
           <> (SELECT count(*) FROM task_attempts a WHERE a.task_key = t.id AND a.outcome = 'completed')
    """,
    "I6 rows logged differ from those of the newest checkpoint": """
    SELECT t.task_id FROM tasks t
      JOIN LATERAL (SELECT document->'account'->'rejected' AS rejected FROM checkpoints c WHERE c.task_key = t.id
                     ORDER BY sequence DESC LIMIT 1) newest ON true
     WHERE (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(newest.rejected))
           <> (SELECT count(*) FROM parsing_logs l WHERE l.task_id = t.task_id)
    """,
    "I6 more history of a task than items it made or changed": """
    SELECT t.task_id FROM tasks t
      JOIN LATERAL (SELECT document->'account' AS account FROM checkpoints c WHERE c.task_key = t.id
                     ORDER BY sequence DESC LIMIT 1) newest ON true
     WHERE (newest.account->>'new')::int + (newest.account->>'changed')::int
           < (SELECT count(*) FROM price_history h WHERE h.task_key = t.id
                AND NOT EXISTS (SELECT FROM held_rows o WHERE o.task_key = t.id
                                   AND o.supplier_item_id = h.supplier_item_id))
    """,
    "I6 a gap between checkpoints": """
    SELECT task_key FROM checkpoints GROUP BY task_key HAVING max(sequence) - min(sequence) + 1 <> count(*)
    """,
    "I8 a task that runs without worker or lease, or has one without running": """
    SELECT task_id FROM tasks
     WHERE (status = 'running') <> (lease_until IS NOT NULL) OR (status = 'running') <> (worker IS NOT NULL)
    """,
    "I8 an attempt that is open though its task is not its": """
    SELECT a.id FROM task_attempts a JOIN tasks t ON t.id = a.task_key
     WHERE (a.outcome IS NULL) <> (t.status = 'running' AND t.epoch = a.epoch)
    """,
    "I9 rows logged differ from rows rejected": """
    SELECT t.task_id FROM tasks t
     WHERE t.status = 'completed'
       AND (t.result->'statistics'->>'failed_rows')::int
           <> (SELECT count(*) FROM parsing_logs l WHERE l.task_id = t.task_id)
    """,
    "I9 an account that does not balance": """
    SELECT t.task_id FROM tasks t, LATERAL (SELECT t.result->'statistics' AS s) one
     WHERE t.status = 'completed'
       AND (s->>'total_rows')::int
           <> (s->>'new')::int + (s->>'changed')::int + (s->>'unchanged')::int + (s->>'failed_rows')::int
              + (s->>'held')::int + (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(s->'ignored'))
    """,
    "I10 two history rows of one item and task": """
    SELECT supplier_item_id FROM price_history GROUP BY supplier_item_id, task_key HAVING count(*) > 1
    """,
    "I10 neighbouring history rows with the same price": """
    SELECT supplier_item_id FROM (
      SELECT supplier_item_id, price, currency, price_basis,
             lag(ROW(price, currency, price_basis)) OVER w AS before
        FROM price_history WINDOW w AS (PARTITION BY supplier_item_id ORDER BY as_of, id)) h
     WHERE before = ROW(price, currency, price_basis)
    """,
    "I10 current price is not the newest of the history": """
    SELECT i.id FROM supplier_items i
      LEFT JOIN LATERAL (SELECT price, currency, price_basis FROM price_history h WHERE h.supplier_item_id = i.id
                          ORDER BY as_of DESC, id DESC LIMIT 1) n ON true
     WHERE (n.price, n.currency, n.price_basis) IS DISTINCT FROM (i.current_price, i.currency, i.price_basis)
    """,
    "I11 an item that is newer than its supplier's newest list": """
    SELECT i.id FROM supplier_items i JOIN suppliers s ON s.id = i.supplier_id
     WHERE s.applied_as_of IS NULL OR i.as_of > s.applied_as_of
    """,
    "I12 two tasks of one supplier that run": """
    SELECT supplier_name FROM tasks WHERE status = 'running' GROUP BY supplier_name HAVING count(*) > 1
    """,
    "I15 dead tasks without exactly one open dead letter": """
    SELECT t.task_id FROM tasks t
     WHERE (t.status = 'dead') <> (1 = (SELECT count(*) FROM dead_letters d
                                         WHERE d.task_key = t.id AND d.status = 'open'))
    """,
    "I15 an open dead letter without its error": """
    SELECT id FROM dead_letters WHERE status = 'open' AND (code = '' OR reason = '' OR error->>'code' IS NULL)
    """,
    "I18 an attempt that failed without its error": """
    SELECT id FROM task_attempts WHERE outcome IN ('retry', 'dead') AND error->>'code' IS NULL
    """,
    "I18 an attempt that succeeded with an error": """
    SELECT id FROM task_attempts WHERE outcome = 'completed' AND error IS NOT NULL
    """,
    "rows held differ from rows counted as held": """
    SELECT t.task_id FROM tasks t
     WHERE t.status = 'completed' AND (t.result->'statistics'->>'held')::int
           <> (SELECT count(*) FROM held_rows h WHERE h.task_key = t.id)
    """,
    "a held price that is applied": """
    SELECT h.id FROM held_rows h JOIN price_history p USING (supplier_item_id, task_key) WHERE h.status <> 'approved'
    """,
    "an item with an open hold that a list could pass unread": """
    SELECT i.id FROM held_rows h JOIN supplier_items i ON i.id = h.supplier_item_id
     WHERE h.status = 'open' AND i.fingerprint IS NOT NULL
    """,
    "items without a supplier": """
    SELECT i.id FROM supplier_items i LEFT JOIN suppliers s ON s.id = i.supplier_id WHERE s.id IS NULL
    """,
    "items or history without a task": """
    SELECT i.id FROM supplier_items i LEFT JOIN tasks t ON t.id = i.task_key WHERE t.id IS NULL
    UNION ALL
    SELECT h.id FROM price_history h LEFT JOIN tasks t ON t.id = h.task_key WHERE t.id IS NULL
    """,
    "history without an item": """
    SELECT h.id FROM price_history h LEFT JOIN supplier_items i ON i.id = h.supplier_item_id WHERE i.id IS NULL
    """,
}
"""Hold while tasks run, too: what they speak of is committed together."""

AT_REST: Mapping[str, str] = {
    "I2 a task that has not ended": f"SELECT task_id FROM tasks WHERE {UNFINISHED}",
}
"""Hold when nothing is left to do."""


async def broken_invariants(url: str, *, at_rest: bool = False) -> dict[str, int]:
    """How many rows break each invariant, all seen at one moment; empty when all hold."""
    wanted = {**AT_ANY_MOMENT, **(AT_REST if at_rest else {})}
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            counts = {name: len(await connection.fetch(query)) for name, query in wanted.items()}
    finally:
        await connection.close()
    return {name: count for name, count in counts.items() if count}
