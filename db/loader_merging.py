"""Merges what is staged into the tables, and counts what became of it."""

from __future__ import annotations

import asyncio

import asyncpg

from contracts.account import Account
from contracts.band import HELD, Band
from contracts.store import Claim
from db import loader_sql as sql
from db.loader_staged import Staged


async def merge_chunk(
    connection: asyncpg.Connection,
    staged: Staged,
    *,
    supplier_id: str,
    claim: Claim,
    stale: bool,
    stocked: bool,
    band: Band | None,
) -> Account:
    """The account of the chunk; the transaction is the caller's. `stocked`: there may be items of the supplier that
    this run has not written. Raises what asyncpg raises."""
    whose = (supplier_id, claim.task_key, claim.as_of)
    limits = (None, None, None, None) if band is None else (band.up, band.down, band.factor, band.currency)
    account = Account()
    account.add(staged.counted)
    if staged.items:
        # With the next turn of the loop the statement is on its way.
        asyncio.get_running_loop().call_soon(staged.begun)
        if stocked or staged.repeated:
            row = await connection.fetchrow(sql.MERGE, *whose, stale, *limits)
            for reason in HELD:
                account.held[reason] += row[reason]
        else:
            row = await connection.fetchrow(sql.FIRST, *whose)
        account.new += row["new"]
        account.changed += row["changed"]
        account.unchanged += row["unchanged"]
    if stale:
        account.ignored["stale"] += account.changed + account.unchanged
        account.changed = account.unchanged = 0
    if staged.repeated:
        row = await connection.fetchrow(sql.REPEAT, *whose, stale, *limits)
        account.ignored["duplicate"] += row["repeats"]
        account.changed += row["changed"]
        account.unchanged += row["unchanged"]
        for reason in HELD:
            account.held[reason] += row[reason]
    return account
