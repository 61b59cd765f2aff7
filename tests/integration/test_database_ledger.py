"""The ledger where only a real database shows it: several at once, locks, killed connections, lost answers."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import pytest

from contracts.account import Account
from contracts.errors import AccountMismatch, DatabaseUnavailable
from contracts.outcome import Completed, DeadLetter, Retry
from contracts.queue import Delivery
from contracts.store import Claim, ClaimKey
from db import connection as connection_module
from db.connection import connect, open_pool
from db.ledger import PostgresLedger
from tests.contract.test_ledger import BROKEN
from tests.support.ledgers import LEASE, PostgresBench, claimed, postgres_bench, result, task


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[PostgresBench]:
    async with postgres_bench(database_url) as bench:
        yield bench


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of someone else's."""
    connection = await connect(database_url, idle_in_transaction=60)
    yield connection
    await connection.close()


async def claim_succeeds(bench: PostgresBench, delivery: Delivery) -> None:
    assert isinstance(await bench.ledger.claim(delivery, worker="w", lease=LEASE), Claim)


@asynccontextmanager
async def deafened(url: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A way to the same database that, once the event is set, carries statements there, waits until they were
    answered, and cuts the connection instead of carrying the answer back."""
    swallow = asyncio.Event()
    directory = Path(parse_qs(urlsplit(url).query)["host"][0])
    tasks: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        while data := await reader.read(65536):
            if answers and swallow.is_set():
                break
            writer.write(data)
            await writer.drain()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(str(directory / ".s.PGSQL.5432"))
        there = asyncio.create_task(carry(reader, server_writer, answers=False))
        await carry(server_reader, writer, answers=True)
        there.cancel()
        await asyncio.gather(there, return_exceptions=True)
        for end in (writer, server_writer):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        one = asyncio.create_task(serve(reader, writer))
        tasks.add(one)

    with tempfile.TemporaryDirectory() as folder:
        server = await asyncio.start_unix_server(accept, f"{folder}/.s.PGSQL.5432")
        try:
            yield url.replace(quote(str(directory)), quote(folder)), swallow
        finally:
            server.close()
            await asyncio.gather(*tasks, return_exceptions=True)


class TestAtOnce:
    async def test_one_of_many_who_claim_at_once_gets_the_task(self, bench: PostgresBench) -> None:
        (answer,) = await bench.ledger.register([task()])
        assert answer.delivery is not None
        answers = await asyncio.gather(
            *(bench.ledger.claim(answer.delivery, worker=f"w{n}", lease=LEASE) for n in range(12))
        )
        assert sum(isinstance(found, Claim) for found in answers) == 1
        assert len(await bench.attempts(answer.task_id)) == 1

    async def test_one_task_of_a_supplier_runs_though_an_older_and_a_younger_are_claimed_at_once(
        self, bench: PostgresBench
    ) -> None:
        for round_ in range(10):
            dead = await claimed(bench, task(f"s{round_}"))
            await bench.ledger.settle(dead, DeadLetter(BROKEN))
            (younger,) = await bench.ledger.register([task(f"s{round_}")])
            assert younger.delivery is not None
            older: list[Delivery] = []

            async def replay(task_id: str, into: list[Delivery]) -> object:
                into += await bench.ledger.replay([task_id], actor="me")
                return await bench.ledger.claim(into[0], worker="w1", lease=LEASE)

            await asyncio.gather(
                replay(dead.task.task_id, older),
                bench.ledger.claim(younger.delivery, worker="w2", lease=LEASE),
            )
            running = await bench.connection.fetchval(
                "SELECT count(*) FROM tasks WHERE supplier_name = $1 AND status = 'running'", f"s{round_}"
            )
            assert running == 1

    async def test_the_same_tasks_registered_in_opposite_orders_are_there_once(self, bench: PostgresBench) -> None:
        tasks = [task(f"s{n}", idempotency_key=f"k{n}") for n in range(400)]
        answers = await asyncio.gather(
            *(bench.ledger.register(tasks if n % 2 else tasks[::-1]) for n in range(6)), return_exceptions=True
        )
        assert [answer for answer in answers if isinstance(answer, BaseException)] == []
        assert await bench.connection.fetchval("SELECT count(*) FROM tasks") == 400
        created = [one for answer in answers for one in answer if not isinstance(answer, BaseException) and one.created]
        assert len(created) <= 400

    async def test_one_sweep_at_a_time(self, bench: PostgresBench, other: asyncpg.Connection) -> None:
        await bench.ledger.register([task()])
        async with other.transaction():
            assert await other.fetchval("SELECT pg_try_advisory_xact_lock(7410213002)")
            assert await bench.ledger.sweep() == []
        assert len(await bench.ledger.sweep()) == 1

    async def test_a_task_registered_while_its_predecessor_ends_is_not_forgotten(self, bench: PostgresBench) -> None:
        """Either its own delivery can be claimed, or the settlement of the older one names it."""
        for round_ in range(20):
            older = await claimed(bench, task(f"s{round_}"))

            async def try_at_once(supplier: str) -> object:
                (answer,) = await bench.ledger.register([task(supplier)])
                assert answer.delivery is not None
                return await bench.ledger.claim(answer.delivery, worker="w2", lease=LEASE)

            end = Completed(result(older.task.task_id, Account()))
            following, direct = await asyncio.gather(bench.ledger.settle(older, end), try_at_once(f"s{round_}"))
            assert isinstance(direct, Claim) or len(following) == 1


class TestLocks:
    async def test_renewing_does_not_wait_for_the_transaction_of_a_chunk(
        self, bench: PostgresBench, other: asyncpg.Connection
    ) -> None:
        in_chunk, free = await claimed(bench, task("a")), await claimed(bench, task("b"))
        keys = [ClaimKey(claim.task_key, claim.epoch) for claim in (in_chunk, free)]
        async with other.transaction():
            await other.execute("UPDATE tasks SET lease_until = lease_until WHERE id = $1", in_chunk.task_key)
            async with asyncio.timeout(5):
                assert await bench.ledger.renew(keys, worker="w1", lease=LEASE) == set(keys)

    async def test_a_task_whose_chunk_is_being_committed_is_not_swept(
        self, bench: PostgresBench, other: asyncpg.Connection
    ) -> None:
        claim = await claimed(bench, task())
        await bench.advance(11)
        async with other.transaction():
            await other.execute(
                "UPDATE tasks SET lease_until = now() + interval '10 s' WHERE id = $1 AND epoch = $2",
                claim.task_key,
                claim.epoch,
            )
            assert await bench.ledger.sweep() == []
        assert await bench.ledger.sweep() == []
        assert (await bench.row(claim.task.task_id))["status"] == "running"


class TestClocks:
    async def test_a_worker_whose_clock_is_an_hour_off_retries_in_time(self, database_url: str) -> None:
        class Fast:
            async def sleep(self, seconds: float) -> None: ...

            def now(self) -> datetime:
                return bench.now() + timedelta(hours=1)

        async with postgres_bench(database_url) as bench, PostgresLedger.open(database_url, clock=Fast()) as ledger:
            claim = await claimed(bench, task())
            (again,) = await ledger.settle(claim, Retry(Fast().now() + timedelta(seconds=60), BROKEN))
            assert again.at is not None
            assert timedelta(seconds=30) < again.at - bench.now() < timedelta(seconds=90)


class TestLostConnections:
    async def kill_all(self, other: asyncpg.Connection) -> None:
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'pricemill-ledger' AND datname = current_database()"
        )

    async def test_connections_that_were_ended_meanwhile_are_replaced(
        self, bench: PostgresBench, other: asyncpg.Connection
    ) -> None:
        await asyncio.gather(*(bench.ledger.depth() for _ in range(8)))
        await self.kill_all(other)
        answers = await asyncio.gather(*(bench.ledger.register([task(f"s{n}")]) for n in range(8)))
        assert all(answer[0].created for answer in answers)

    async def test_a_settlement_whose_answer_is_lost_is_recognised(
        self, bench: PostgresBench, database_url: str
    ) -> None:
        first, claim = await claimed(bench, task("a")), await claimed(bench, task("b"))
        end = Completed(result(claim.task.task_id, Account()))
        async with deafened(database_url) as (url, swallow), PostgresLedger.open(url, size=1) as ledger:
            await ledger.settle(first, Completed(result(first.task.task_id, Account())))  # the statement is prepared
            swallow.set()
            with pytest.raises(DatabaseUnavailable):
                await ledger.settle(claim, end)
        before = await bench.row(claim.task.task_id)
        assert before["status"] == "completed"
        assert await bench.ledger.settle(claim, end) == []
        assert await bench.row(claim.task.task_id) == before

    async def test_a_database_that_is_not_there_is_unavailable(self) -> None:
        async with PostgresLedger.open("postgresql://nobody@127.0.0.1:1/none") as ledger:
            for attempt in (ledger.depth(), ledger.register([task()]), ledger.sweep()):
                with pytest.raises(DatabaseUnavailable):
                    await attempt

    async def test_a_database_that_takes_no_writes_is_unavailable(
        self, bench: PostgresBench, database_url: str
    ) -> None:
        (answer,) = await bench.ledger.register([task()])
        assert answer.delivery is not None
        pool = await open_pool(database_url, size=1, default_transaction_read_only="on")
        with pytest.raises(DatabaseUnavailable):
            await PostgresLedger(pool).claim(answer.delivery, worker="w", lease=LEASE)
        await pool.close()
        await claim_succeeds(bench, answer.delivery)


class TestClosing:
    async def test_a_command_that_hangs_does_not_keep_the_ledger_open(
        self, bench: PostgresBench, database_url: str, other: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection_module, "CLOSE_SECONDS", 0.2)
        (answer,) = await bench.ledger.register([task()])
        async with other.transaction():
            await other.execute("SELECT FROM tasks FOR UPDATE")
            async with asyncio.timeout(20), PostgresLedger.open(database_url) as ledger:
                hanging = asyncio.create_task(ledger.cancel(answer.task_id, actor="me"))
                await asyncio.sleep(0.1)
            with pytest.raises(DatabaseUnavailable):
                await hanging


class TestMessages:
    async def test_a_message_of_another_version_dies_instead_of_killing_workers(self, bench: PostgresBench) -> None:
        (answer,) = await bench.ledger.register([task()])
        assert answer.delivery is not None
        await bench.connection.execute('UPDATE tasks SET message = message || \'{"schema_version": "9.0"}\'')
        refusal = await bench.ledger.claim(answer.delivery, worker="w1", lease=LEASE)
        assert not isinstance(refusal, Claim)
        assert refusal.reason == "ended"
        (letter,) = await bench.letters()
        assert (letter["code"], letter["status"]) == ("contract_violation", "open")
        assert (await bench.row(answer.task_id))["status"] == "dead"

    async def test_a_mismatch_names_both_counts(self, bench: PostgresBench) -> None:
        claim = await claimed(bench, task())
        await bench.checkpoint(claim, 1, Account(read=5, new=5))
        with pytest.raises(AccountMismatch) as caught:
            await bench.ledger.settle(claim, Completed(result(claim.task.task_id, Account(read=4, new=4))))
        assert (caught.value.context["result"]["read"], caught.value.context["checkpoint"]["read"]) == (4, 5)
