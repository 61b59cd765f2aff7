"""Migrations: up, down, up again, without drift, one migrator at a time, on the oldest and the newest server."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import ConfigError, DatabaseUnavailable
from db import embedded
from db.connection import connect
from db.engine import check, downgrade, make_engine, upgrade
from db.ledger import PostgresLedger
from db.models import Base

LEFT = """
SELECT 'table ' || tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'enum ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
"""

STRUCTURE = """
SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || coalesce(' ' || column_default, '')
       || ' ' || is_nullable FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
ORDER BY 1
"""


async def column(url: str, sql: str) -> list[str]:
    connection = await connect(url)
    try:
        return [row[0] for row in await connection.fetch(sql)]
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def oldest() -> Iterator[embedded.EmbeddedPostgres]:
    """The oldest server that is supported."""
    directory = Path(tempfile.mkdtemp(prefix="pricemill-test-"))
    with embedded.start(directory, durable=False, version=16) as server:
        yield server
    shutil.rmtree(directory)


async def test_up_down_and_up_again_ends_where_it_began(blank_url: str) -> None:
    await upgrade(blank_url)
    first = await column(blank_url, STRUCTURE)
    await downgrade(blank_url, "base")
    assert await column(blank_url, LEFT) == []
    await upgrade(blank_url)
    assert await column(blank_url, STRUCTURE) == first


async def test_every_single_step_can_be_undone(blank_url: str) -> None:
    await upgrade(blank_url)
    found = await check(blank_url)
    while found.current is not None:
        before = await column(blank_url, STRUCTURE)
        await downgrade(blank_url, "-1")
        below = await check(blank_url)
        await upgrade(blank_url, found.current)
        assert await column(blank_url, STRUCTURE) == before
        await downgrade(blank_url, "-1")
        found = below


async def test_the_tables_are_as_the_models_think(database_url: str) -> None:
    found = await check(database_url)
    assert found.at_head
    assert found.drift == ()


DRIFTS = {
    "more": "ALTER TABLE suppliers ADD COLUMN more text",
    "ix_tasks_due": "DROP INDEX ix_tasks_due",
    "current_price": "ALTER TABLE supplier_items ALTER COLUMN current_price TYPE numeric(10,2)",
    "max_retries": "ALTER TABLE tasks ALTER COLUMN max_retries SET DEFAULT 7",
    "UniqueConstraint": "ALTER TABLE suppliers DROP CONSTRAINT suppliers_name_key",
    "host": "ALTER TABLE workers ALTER COLUMN host DROP NOT NULL",
    "stray": "CREATE TABLE stray (id int)",
}
"""What a phrase about it must name, and the change."""


async def test_drift_is_noticed(blank_url: str) -> None:
    await upgrade(blank_url)
    connection = await connect(blank_url)
    for change in DRIFTS.values():
        await connection.execute(change)
    await connection.close()
    drift = (await check(blank_url)).drift
    assert [name for name in DRIFTS if not any(name in phrase for phrase in drift)] == []


async def test_an_empty_database_is_said_to_be_empty(blank_url: str) -> None:
    found = await check(blank_url)
    assert (found.current, found.at_head, found.drift) == (None, False, ())


async def test_migrators_that_start_at_once_take_turns(blank_url: str) -> None:
    await asyncio.gather(*(upgrade(blank_url) for _ in range(4)))
    assert (await check(blank_url)).at_head


async def test_it_runs_on_the_oldest_server(oldest: embedded.EmbeddedPostgres) -> None:
    await upgrade(oldest.url)
    found = await check(oldest.url)
    assert found.at_head
    assert found.drift == ()
    async with PostgresLedger.open(oldest.url, size=1) as ledger:
        assert (await ledger.depth()).queued == 0
    await downgrade(oldest.url, "base")
    assert await column(oldest.url, LEFT) == []


async def test_a_database_that_is_not_migrated_is_a_matter_of_configuration(blank_url: str) -> None:
    async with PostgresLedger.open(blank_url, size=1) as ledger:
        with pytest.raises(ConfigError):
            await ledger.depth()


async def test_a_database_that_is_not_there_is_unavailable_or_misconfigured(database_url: str) -> None:
    with pytest.raises(ConfigError):
        await upgrade(database_url.replace("@/test_", "@/none_"))
    with pytest.raises(DatabaseUnavailable):
        await upgrade("postgresql://nobody@127.0.0.1:1/none")


async def test_the_models_can_be_read_through_the_engine(database_url: str) -> None:
    engine = make_engine(database_url)
    async with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            assert (await connection.execute(table.select())).all() == []
        assert (await connection.exec_driver_sql("SHOW jit")).scalar() == "off"
    await engine.dispose()
