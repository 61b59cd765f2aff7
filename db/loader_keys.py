"""Which codes the last lists of a name had: written behind the last chunk, read before the next list's summary."""

from __future__ import annotations

from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from contracts.errors import LeaseLost
from contracts.store import Claim

KEPT = 3
"""Lists of a name; more than one, so that a list can be taken back and the one before is still known."""

# A list that is older than the newest is never the last one.
NEWEST = """
SELECT k.keys FROM list_keys k JOIN tasks t ON t.id = k.task_key
 WHERE k.supplier_id = $1::uuid AND k.list_name = $2 AND k.task_key <> $3 AND t.reverted_at IS NULL
 ORDER BY k.as_of DESC, k.task_key DESC LIMIT 1
"""

_KEEP = """
WITH held AS (SELECT id FROM tasks WHERE id = $3 AND epoch = $4 AND status = 'running'),
trimmed AS (
  DELETE FROM list_keys k USING held
   WHERE k.supplier_id = $1 AND k.list_name = $2 AND k.task_key <> $3 AND k.task_key NOT IN (
     SELECT o.task_key FROM list_keys o WHERE o.supplier_id = $1 AND o.list_name = $2 AND o.task_key <> $3
      ORDER BY o.as_of DESC, o.task_key DESC LIMIT $7))
INSERT INTO list_keys (supplier_id, list_name, task_key, as_of, keys)
SELECT $1, $2, id, $5, $6 FROM held
ON CONFLICT (supplier_id, list_name, task_key) DO UPDATE SET keys = excluded.keys
RETURNING true
"""


def keys_of(stored: bytes) -> NDArray[np.int64]:
    """Of the column list_keys.keys."""
    return np.frombuffer(stored, dtype="<i8").astype(np.int64, copy=False)


async def read_last_keys(connection: asyncpg.Connection, supplier_id: str, claim: Claim) -> NDArray[np.int64] | None:
    """Raises what asyncpg raises."""
    stored: Any = await connection.fetchval(NEWEST, supplier_id, claim.task.options.list_name or "", claim.task_key)
    return None if stored is None else keys_of(stored)


async def write_keys(connection: asyncpg.Connection, supplier_id: str, claim: Claim, keys: NDArray[np.int64]) -> None:
    """LeaseLost if the claim is no longer held; else raises what asyncpg raises."""
    name = claim.task.options.list_name or ""
    data = keys.astype("<i8", copy=False).data.cast("B")  # not tobytes(): that is 8 bytes a row once more
    whose = (supplier_id, name, claim.task_key, claim.epoch, claim.as_of)
    if await connection.fetchval(_KEEP, *whose, data, KEPT - 1) is None:
        raise LeaseLost
