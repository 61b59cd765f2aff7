"""Loads the chunks of one run: staged on one connection while the chunk before is merged on another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import asyncpg
import numpy as np
import orjson
from numpy.typing import NDArray

from contracts.account import Account
from contracts.band import Band
from contracts.errors import DatabaseUnavailable, LeaseLost, StateConflict
from contracts.failpoints import failpoint
from contracts.rows import Batch
from contracts.store import Claim, Current, Known
from db import loader_sql as sql
from db.catalog import category_ids
from db.connection import limit_transactions
from db.errors import DataRefused, translated
from db.loader_keys import read_last_keys, write_keys
from db.loader_known import read_known, read_prices
from db.loader_lane import CHUNK_SECONDS, Lane
from db.loader_merging import merge_chunk
from db.loader_refusals import weed
from db.loader_rows import copy_text, log_columns
from db.loader_staged import Staged
from observability.logging import get_logger

log = get_logger(__name__)

PATIENCE = 3
"""How often a chunk is tried when the connection breaks or another transaction is in the way."""
UNDO_SECONDS = 600.0
_AGAIN_ON_SAME_CONNECTION = ("40001", "40P01", "55P03")


class PostgresLoader:
    """Implements contracts.store.Loader on PostgreSQL."""

    def __init__(self, url: str, claim: Claim, *, lease: timedelta) -> None:
        self._claim = claim
        self._lease = lease
        self._lanes = (Lane(url), Lane(url))
        self._turn = 0
        self._categories: dict[tuple[str, ...], str] = {}
        """Ids of the categories met so far."""
        self._sequence = 0
        self.stale = False
        self.band: Band | None = None
        self.stocked = True
        self._refused: set[str] = set()
        """Codes of rows that the database refused: a later row of the same code repeats nothing."""
        self.supplier_id = ""

    @classmethod
    async def open(
        cls, url: str, claim: Claim, *, lease: timedelta, source_type: str, restarted: bool = False
    ) -> PostgresLoader:
        """Gets or creates the supplier in a transaction of its own. restarted: an earlier attempt of this task
        committed chunks that will be read again from the first row; what it wrote (items, history, logs,
        checkpoints) is taken back first, in one fenced transaction, so that the tables are as if it had never
        run. Raises LeaseLost and DatabaseUnavailable."""
        loader = cls(url, claim, lease=lease)
        async with AsyncExitStack() as unless_opened:
            unless_opened.push_async_callback(loader.close)
            connection = await loader._lanes[0].connection()
            await loader._meet_supplier(connection, source_type)
            if restarted:
                await loader._undo(connection)
            unless_opened.pop_all()
        return loader

    async def _meet_supplier(self, connection: asyncpg.Connection, source_type: str) -> None:
        name = self._claim.task.supplier_name
        with translated():
            await connection.execute(sql.SUPPLIER, name, source_type)
            state = await connection.fetchrow(sql.SUPPLIER_STATE, name, self._claim.task_key)
        self.supplier_id = state["id"]
        self._sequence = state["sequence"]
        self.stocked = state["stocked"]
        self.stale = state["applied_as_of"] is not None and self._claim.as_of < state["applied_as_of"]

    async def _undo(self, connection: asyncpg.Connection) -> None:
        await limit_transactions(connection, UNDO_SECONDS)
        with translated():
            async with connection.transaction():
                await self._fence(connection)
                await connection.execute(sql.EVERY_PLAN)
                for statement in sql.TAKE_BACK:
                    await connection.execute(statement, self.supplier_id, self._claim.task_key, timeout=UNDO_SECONDS)
                await connection.execute(sql.FORGET_LOGS, self._claim.task.task_id)
                await connection.execute(sql.FORGET_CHECKPOINTS, self._claim.task_key)
        await limit_transactions(connection, CHUNK_SECONDS)
        self._sequence = 0

    async def known(self) -> Known:
        with translated():
            return await read_known(await self._lanes[0].connection(), self.supplier_id)

    async def prices(self, skus: Sequence[str]) -> dict[str, Current]:
        with translated():
            return await read_prices(await self._lanes[0].connection(), self.supplier_id, skus)

    async def last_keys(self) -> NDArray[np.int64] | None:
        with translated():
            return await read_last_keys(await self._lanes[0].connection(), self.supplier_id, self._claim)

    async def keep_keys(self, keys: NDArray[np.int64]) -> None:
        with translated():
            await write_keys(await self._lanes[0].connection(), self.supplier_id, self._claim, keys)

    async def stage(self, batch: Batch) -> object:
        """The token is good for one commit() and for this loader. Rows that the server cannot read are found there."""
        lane = self._lanes[self._turn]
        self._turn = 1 - self._turn
        staged = Staged.of(batch, lane, refused=self._refused)
        try:
            await self._send(staged)
        except DataRefused:
            staged.suspect = True
        except DatabaseUnavailable as error:
            # commit() connects and sends again, or raises when that fails too.
            log.debug("chunk.not_staged", error=str(error))
        return staged

    async def _send(self, staged: Staged) -> None:
        missing = {item.category for item in staged.items} - self._categories.keys() - {()}
        if missing:
            self._categories |= await category_ids(await staged.lane.connection(), missing)
        await staged.lane.send(staged, copy_text(staged.items, staged.kinds, self._categories))

    async def commit(
        self,
        staged: object,
        complete: Callable[[Account], dict[str, Any]],
        *,
        begun: Callable[[], object] = lambda: None,
    ) -> Account:
        assert isinstance(staged, Staged)
        staged.begun = begun
        tries = 0
        while True:
            try:
                if staged.suspect:
                    self._refused |= await weed(
                        staged, self._categories, merge=lambda connection: self._merge(connection, staged)
                    )
                account = await self._commit(staged, complete)
            except DataRefused as error:
                if not self.stocked and error.constraint == sql.ONE_ITEM_A_KEY:
                    self.stocked = True
                elif error.constraint == sql.ONE_CHECKPOINT_A_SEQUENCE:
                    staged.alone = False
                else:
                    staged.suspect = True
            except DatabaseUnavailable as error:
                tries += 1
                connection_lost = str(error.context.get("sqlstate", "")) not in _AGAIN_ON_SAME_CONNECTION
                if tries == PATIENCE:
                    raise
                await asyncio.sleep(0.05 * 4**tries if connection_lost else 0.01)
            else:
                failpoint("chunk.committed")
                return account

    async def _commit(self, staged: Staged, complete: Callable[[Account], dict[str, Any]]) -> Account:
        connection = await staged.lane.connection()
        if not staged.items and staged.alone and await self._commit_alone(connection, staged, complete):
            assert staged.account is not None
            return staged.account
        if staged.lane.holds is not staged:
            await self._send(staged)
        with translated():
            async with connection.transaction():
                failpoint("chunk.before_fence")
                newest = await self._fence(connection)
                committed = newest != self._sequence
                if committed:
                    self._recognise(staged, newest, await connection.fetchrow(sql.NEWEST, self._claim.task_key))
                else:
                    await self._write(connection, staged, complete)
                failpoint("chunk.before_commit")
        # Only now: until the answer to COMMIT is here, another try must find this chunk by what is stored.
        assert staged.account is not None
        assert staged.document is not None
        self._sequence = staged.document["sequence"]
        if committed:
            staged.lane.holds = None
        else:
            staged.lane.emptied()
        return staged.account

    async def _commit_alone(
        self, connection: asyncpg.Connection, staged: Staged, complete: Callable[[Account], dict[str, Any]]
    ) -> bool:
        """A chunk without items in one statement, which needs no answer in between: the loop may be busy meanwhile.
        False if the fence failed; the long way then tells why."""
        account = await self._merge(connection, staged)
        if staged.document is None or staged.account != account:
            staged.account, staged.document = account, complete(account)
        if staged.document["sequence"] <= self._sequence:
            staged.alone = False
            return False
        failpoint("chunk.before_fence")
        failpoint("chunk.before_commit")
        asyncio.get_running_loop().call_soon(staged.begun)
        with translated():
            stored = await connection.fetchval(
                sql.WHOLE, *self._finishing(staged, staged.document), self._lease, self._sequence
            )
        if stored is None:
            staged.alone = False
            return False
        self._sequence = stored
        return True

    async def _write(
        self, connection: asyncpg.Connection, staged: Staged, complete: Callable[[Account], dict[str, Any]]
    ) -> None:
        await self._pin_categories(connection, staged)
        account = await self._merge(connection, staged)
        if staged.document is None or staged.account != account:
            staged.account, staged.document = account, complete(account)
        await self._finish(connection, staged, staged.document)

    async def _fence(self, connection: asyncpg.Connection) -> int:
        """Locks the task's row and prolongs the lease. Returns the newest checkpoint's sequence, 0 without one."""
        claim = self._claim
        if await connection.fetchval(sql.FENCE, claim.task_key, claim.epoch, self._lease) is None:
            raise LeaseLost
        newest = await connection.fetchrow(sql.NEWEST, claim.task_key)
        return 0 if newest is None else int(newest["sequence"])

    async def _pin_categories(self, connection: asyncpg.Connection, staged: Staged) -> None:
        """What a foreign key would do row by row: no item gets a category that was deleted since it was looked up."""
        ids = {self._categories[item.category] for item in staged.items if item.category}
        if ids and await connection.fetchval(sql.PIN_CATEGORIES, list(ids)) < len(ids):
            self._categories.clear()
            staged.lane.holds = None
            raise DatabaseUnavailable("a category was deleted while its items were loaded", sqlstate="40001")

    def _recognise(self, staged: Staged, newest: int, checkpoint: Any) -> None:
        """The chunk was committed and only the answer lost; anything else means that someone else wrote."""
        if staged.document is None or staged.account is None or newest != staged.document["sequence"]:
            raise LeaseLost("another attempt has moved this task's checkpoint")
        if orjson.loads(checkpoint["document"]) != orjson.loads(orjson.dumps(staged.document)):
            raise LeaseLost("another attempt has written this checkpoint")

    async def _merge(self, connection: asyncpg.Connection, staged: Staged) -> Account:
        """Everything but the last statement of the transaction; returns the account of the chunk."""
        return await merge_chunk(
            connection,
            staged,
            supplier_id=self.supplier_id,
            claim=self._claim,
            stale=self.stale,
            stocked=self.stocked,
            band=self.band,
        )

    def _finishing(self, staged: Staged, document: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments of FINISH and the first ones of WHOLE."""
        claim = self._claim
        sequence = document["sequence"]
        if sequence <= self._sequence:
            raise StateConflict(f"checkpoint {sequence} of task {claim.task.task_id} exists already")
        return (
            claim.task_key,
            claim.epoch,
            sequence,
            self.supplier_id,
            claim.task.task_id,
            claim.as_of if staged.items or staged.counted.unchanged else None,
            orjson.dumps(document).decode(),
            *log_columns(staged.rejects),
        )

    async def _finish(self, connection: asyncpg.Connection, staged: Staged, document: dict[str, Any]) -> None:
        await connection.execute(sql.FINISH, *self._finishing(staged, document))
        if staged.items:
            await connection.execute("TRUNCATE loader_stage")

    async def close(self) -> None:
        await asyncio.gather(*(lane.close() for lane in self._lanes))
