"""Accepting tasks on one connection, so that a registration can stand in a transaction with other rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from contracts.store import Registration
from contracts.task import ParseTask
from db import ledger_documents as documents
from db import ledger_sql as sql


async def register_on(
    connection: asyncpg.Connection, tasks: Sequence[ParseTask], *, sending: bool = False
) -> list[Registration]:
    """As contracts.store.Ledger.register; commits nothing itself. ContractViolation before anything is written."""
    messages = [documents.message_of(task) for task in tasks]
    columns = (
        [task.task_id for task in tasks],
        [task.idempotency_key for task in tasks],
        [task.parser_type for task in tasks],
        [task.supplier_name for task in tasks],
        messages,
        [task.priority.rank for task in tasks],
        [task.max_retries for task in tasks],
        [task.as_of for task in tasks],
        [task.expires_at for task in tasks],
    )
    queues, sources = [task.queue_name for task in tasks], [task.source_name for task in tasks]
    rows = await connection.fetch(sql.REGISTER, *columns, sending, queues, sources)
    created = {row["task_id"]: row["id"] for row in rows}
    behind = {row["task_id"] for row in rows if sending and not row["first"]}
    known: list[Any] = []
    if len(created) < len(tasks):
        keys = [key for key in columns[1] if key is not None]
        known = await connection.fetch(sql.KNOWN, columns[0], keys)
    return documents.registrations(tasks, created, known, behind)
