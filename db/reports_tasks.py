"""Read models of the ledger: which tasks there are, and how far one has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.account import Account
from db.reports_reader import Page, ReadModels, account_of, json, page, source_name, uuid_range

PRIORITIES = ("low", "normal", "high")
RECENT = 10_000
"""Tasks that a search without an index looks through, newest first."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task in a list."""

    task_id: str
    supplier: str
    source: str
    parser: str
    state: str
    outcome: str | None
    """success, partial_success or failure, once completed; superseded, if a newer version of the list ran instead."""
    priority: str
    attempt: int
    tries: int
    """Attempts it may have in all."""
    rows: int | None
    rejected: int | None
    enqueued_at: datetime
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress_at: datetime | None
    worker: str | None
    cancel_requested: bool
    reverted_at: datetime | None = None
    """When what it loaded was taken back."""
    queue: str = "default"
    superseded_by: str | None = None
    """Id of the task with the newer version."""


@dataclass(frozen=True, slots=True)
class Attempt:
    epoch: int
    attempt: int
    worker: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """Everything that is known of one task."""

    task: TaskRow
    as_of: datetime
    source_sha256: str | None
    message: dict[str, Any]
    account: dict[str, Any] | None
    result: dict[str, Any] | None
    understanding: dict[str, Any] | None
    dead_letter: str | None
    """Id of the open one."""
    blocked_by: str | None
    """The older unfinished task of the same supplier that has to end first."""
    attempts: tuple[Attempt, ...]
    reverted_at: datetime | None = None
    """When what it loaded was taken back."""
    reverted: dict[str, Any] | None = None
    """By whom, why, and what became of its items."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task has come; `rows` counts physical rows that are committed."""

    state: str
    rows: int
    rejected: int
    offset: int
    """The parser's position: bytes for delimited text, else 0."""
    worker: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    states: tuple[str, ...] = ()
    supplier: str | None = None
    before: str | None = None
    """Cursor of the page before."""
    limit: int = field(default=50)


TASK = """
SELECT t.id, t.task_id, t.supplier_name, t.parser_type, t.status::text AS status, t.priority, t.attempt, t.max_retries,
       t.enqueued_at, t.run_at, t.started_at, t.finished_at, t.worker, t.cancel_requested, t.reverted_at,
       coalesce(t.message #>> '{source_config,file_path}', t.message #>> '{source_config,url}',
                t.message #>> '{source_config,sheet_url}') AS location,
       CASE WHEN t.superseded_by IS NOT NULL THEN 'superseded' ELSE t.result ->> 'status' END AS outcome,
       t.superseded_by, t.queue, (t.result -> 'statistics')::text AS statistics,
       (t.result -> 'errors')::text AS errors, (c.document -> 'account')::text AS account, c.created_at AS progress_at
FROM tasks t
LEFT JOIN LATERAL (SELECT document, created_at FROM checkpoints WHERE task_key = t.id
                   ORDER BY sequence DESC LIMIT 1) c ON true
"""

_LIST = (
    TASK
    + """WHERE ($1::text[] IS NULL OR t.status = ANY ($1::text[]::task_status[]))
  AND ($2::text IS NULL OR t.supplier_name = $2) AND ($3::bigint IS NULL OR t.id < $3)
ORDER BY t.id DESC LIMIT $4"""
)

_DETAIL = """
SELECT t.as_of, t.source_sha256, t.message::text AS message, t.result::text AS result, t.reverted_at,
       t.reverted::text AS reverted,
       (SELECT d.id::text FROM dead_letters d WHERE d.task_key = t.id AND d.status = 'open' LIMIT 1) AS dead_letter,
       (SELECT o.task_id FROM tasks o WHERE o.supplier_name = t.supplier_name AND o.id < t.id
          AND o.status IN ('queued', 'running', 'retryable') AND t.status IN ('queued', 'retryable')
        ORDER BY o.id LIMIT 1) AS blocked_by
FROM tasks t WHERE t.task_id = $1 LIMIT 1
"""

_ATTEMPTS = """
SELECT epoch, attempt, worker, started_at, finished_at, outcome, error::text AS error
FROM task_attempts WHERE task_key = $1 ORDER BY epoch DESC LIMIT 100
"""

_PROGRESS = """
SELECT t.status::text AS status, t.worker, (c.document -> 'account')::text AS account,
       (c.document #>> '{cursor,offset}')::bigint AS byte
FROM tasks t
LEFT JOIN LATERAL (SELECT document FROM checkpoints WHERE task_key = t.id ORDER BY sequence DESC LIMIT 1) c ON true
WHERE t.task_id = $1 LIMIT 1
"""

_BY_RANGE = "SELECT task_id FROM tasks WHERE task_id BETWEEN $1 AND $2 ORDER BY task_id LIMIT $3"
_BY_PREFIX = """
SELECT task_id FROM (SELECT task_id FROM tasks ORDER BY id DESC LIMIT $2) recent WHERE starts_with(task_id, $1) LIMIT $3
"""

_SAME_BYTES = """
SELECT task_id FROM (SELECT task_id, supplier_name, source_sha256, status FROM tasks ORDER BY id DESC LIMIT $3) recent
WHERE supplier_name = $1 AND source_sha256 = $2 AND status = 'completed' LIMIT 1
"""


class TaskReports(ReadModels):
    """Tasks."""

    async def tasks(self, which: TaskFilter | None = None) -> Page[TaskRow]:
        """Newest first."""
        which = which or TaskFilter()
        before = int(which.before) if which.before else None
        rows = await self._rows(_LIST, list(which.states) or None, which.supplier, before, which.limit + 1)
        return page([task_row(row) for row in rows], which.limit, [str(row["id"]) for row in rows])

    async def task(self, task_id: str) -> TaskDetail | None:
        """The full id; `find_tasks` makes one of a prefix."""
        row = await self._row(TASK + "WHERE t.task_id = $1 LIMIT 1", task_id)
        if row is None:
            return None
        more = await self._row(_DETAIL, task_id)
        attempts = await self._rows(_ATTEMPTS, row["id"])
        account = _account(row)
        result = json(more["result"])
        return TaskDetail(
            task=task_row(row),
            as_of=more["as_of"],
            source_sha256=more["source_sha256"],
            message=json(more["message"]),
            account=account.document() if account else None,
            result=result,
            understanding=(result or {}).get("understanding"),
            dead_letter=more["dead_letter"],
            blocked_by=more["blocked_by"],
            attempts=tuple(Attempt(**{**dict(one), "error": json(one["error"])}) for one in attempts),
            reverted_at=more["reverted_at"],
            reverted=json(more["reverted"]),
        )

    async def progress(self, task_id: str) -> Progress | None:
        row = await self._row(_PROGRESS, task_id)
        if row is None:
            return None
        account = json(row["account"])
        rows, rejected = (account["read"], sum(account["rejected"].values())) if account else (0, 0)
        return Progress(
            state=row["status"], rows=rows, rejected=rejected, offset=row["byte"] or 0, worker=row["worker"]
        )

    async def find_tasks(self, prefix: str, *, limit: int = 2) -> list[str]:
        """Ids that are, or else start with, this text; a prefix of an id that is no UUID is looked for among
        the newest 10,000 tasks."""
        exact = await self._row("SELECT task_id FROM tasks WHERE task_id = $1 LIMIT 1", prefix)
        if exact is not None:
            return [exact["task_id"]]
        found: list[str] = []
        if bounds := uuid_range(prefix):
            found = [row["task_id"] for row in await self._rows(_BY_RANGE, *bounds, limit)]
        if not found:
            found = [row["task_id"] for row in await self._rows(_BY_PREFIX, prefix, RECENT, limit)]
        return found

    async def same_bytes(self, supplier: str, sha256: str) -> str | None:
        """The newest completed task of this supplier that read exactly these bytes, among the newest 10,000."""
        row = await self._row(_SAME_BYTES, supplier, sha256, RECENT)
        return None if row is None else str(row["task_id"])


def _account(row: Any) -> Account | None:
    return account_of(json(row["account"]), json(row["statistics"]), json(row["errors"]))


def task_row(row: Any) -> TaskRow:
    account = _account(row)
    return TaskRow(
        task_id=row["task_id"],
        supplier=row["supplier_name"],
        source=source_name(row["location"]),
        parser=row["parser_type"],
        state=row["status"],
        outcome=row["outcome"],
        priority=PRIORITIES[row["priority"]],
        attempt=row["attempt"],
        tries=row["max_retries"] + 1,
        rows=account.read if account else None,
        rejected=account.rejected.total() if account else None,
        enqueued_at=row["enqueued_at"],
        due_at=row["run_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        progress_at=row["progress_at"],
        worker=row["worker"],
        cancel_requested=row["cancel_requested"],
        queue=row["queue"],
        superseded_by=row["superseded_by"],
        reverted_at=row["reverted_at"],
    )
