"""Which of several queued versions of a list runs: the statement that ends the others."""

from __future__ import annotations

from db.ledger_controls_sql import WAITING


def _day(task: str) -> str:
    return f"({task}.as_of AT TIME ZONE 'UTC')::date"


def _at(task: str, *path: str) -> str:
    return f"coalesce({task}.message #>> '{{{','.join(path)}}}', '')"


_PLACE = ("file_path", "url", "sheet_url", "sheet_name")


def same_list(old: str, new: str) -> str:
    """Whether the task `new` brings a newer version of the list that `old` brings: both of the same supplier and not
    started; the same list by the name that was stated, or else by where it lies; valid from now on, or stated to be
    of the same day. What is stated to be of different days is history, and each of it counts."""
    listed = _at(old, "options", "list_name")
    place = " AND ".join(f"{_at(old, 'source_config', one)} = {_at(new, 'source_config', one)}" for one in _PLACE)
    known = f"concat({', '.join(_at(old, 'source_config', one) for one in _PLACE)}) <> ''"
    return f"""{new}.supplier_name = {old}.supplier_name AND {new}.{WAITING} AND {old}.{WAITING}
       AND {new}.epoch = 0 AND {old}.epoch = 0 AND ({new}.as_of, {new}.id) > ({old}.as_of, {old}.id)
       AND {listed} = {_at(new, "options", "list_name")} AND {old}.parser_type = {new}.parser_type
       AND ({listed} <> '' OR ({place} AND {known}))
       AND NOT {old}.message @? '$.options.replay_of' AND NOT {new}.message @? '$.options.replay_of'
       AND ({_day(old)} = {_day(new)} OR NOT ({old}.message ? 'as_of' OR {new}.message ? 'as_of'))"""


OUTDATED = f"""EXISTS (SELECT FROM tasks n WHERE n.supplier_name = t.supplier_name AND n.id > t.id
                AND {same_list("t", "n")})"""
"""Whether a newer version of the list of `t` waits. Asked of tasks that never ran."""

# The newest is locked: one that somebody cancels at this moment ends nobody.
SUPERSEDE = f"""
WITH head AS (SELECT * FROM tasks WHERE id = $1 AND epoch = $2),
newest AS (
  SELECT n.* FROM tasks n JOIN head t ON n.supplier_name = t.supplier_name AND {same_list("t", "n")}
   ORDER BY n.as_of DESC, n.id DESC LIMIT 1 FOR NO KEY UPDATE OF n)
UPDATE tasks o SET status = 'cancelled', finished_at = now(), superseded_by = newest.task_id
  FROM newest WHERE o.supplier_name = newest.supplier_name AND {same_list("o", "newest")}
RETURNING o.task_id, newest.task_id AS by
"""
