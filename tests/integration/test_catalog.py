"""Suppliers, categories, products and profiles, as several workers use them at once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import asyncpg
import pytest

from contracts.errors import DatabaseUnavailable, StateConflict
from db.catalog import category_ids, create_product, delete_product, set_product_status, supplier_id
from db.connection import connect
from db.errors import DataRefused
from db.health import ping
from db.profiles import PostgresProfiles


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def profiles(database_url: str) -> AsyncIterator[PostgresProfiles]:
    async with PostgresProfiles.open(database_url, size=4) as profiles:
        yield profiles


async def paths_in(connection: asyncpg.Connection) -> dict[tuple[str, ...], str]:
    rows = await connection.fetch("""
        WITH RECURSIVE path(id, names) AS (
          SELECT id, ARRAY[name::text] FROM categories WHERE parent_id IS NULL
          UNION ALL SELECT c.id, p.names || c.name::text FROM categories c JOIN path p ON c.parent_id = p.id)
        SELECT names, id::text FROM path""")
    return {tuple(names): found for names, found in rows}


class TestSuppliers:
    async def test_there_is_one_supplier_a_name_however_many_ask_at_once(self, database_url: str) -> None:
        async def ask() -> str:
            connection = await connect(database_url)
            try:
                return await supplier_id(connection, "Größe & Söhne", source_type="csv")
            finally:
                await connection.close()

        assert len(set(await asyncio.gather(*(ask() for _ in range(8))))) == 1

    async def test_a_known_supplier_keeps_its_source_type(self, connection: asyncpg.Connection) -> None:
        first = await supplier_id(connection, "ACME", source_type="csv")
        assert await supplier_id(connection, "ACME", source_type="excel") == first
        assert await connection.fetchval("SELECT source_type FROM suppliers") == "csv"


class TestCategories:
    async def test_paths_and_their_ancestors_get_ids(self, connection: asyncpg.Connection) -> None:
        paths = {("Tools",), ("Tools", "Drills", "Cordless"), ("Paint", "Drills")}
        ids = await category_ids(connection, paths)
        assert ids.keys() == paths | {("Tools", "Drills"), ("Paint",)}
        assert await paths_in(connection) == ids

    async def test_known_paths_keep_their_ids(self, connection: asyncpg.Connection) -> None:
        first = await category_ids(connection, [("A", "B")])
        second = await category_ids(connection, [("A", "C"), ("A", "B")])
        assert {path: second[path] for path in first} == first
        assert len(await paths_in(connection)) == 3

    async def test_no_path_needs_nothing(self, connection: asyncpg.Connection) -> None:
        assert await category_ids(connection, []) == {}

    async def test_many_workers_with_opposite_orders_neither_deadlock_nor_double(self, database_url: str) -> None:
        paths = [(f"top {n % 7}", f"middle {n % 11}", f"leaf {n}") for n in range(120)]

        async def work(order: list[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
            connection = await connect(database_url)
            try:
                return await category_ids(connection, order)
            finally:
                await connection.close()

        answers = await asyncio.gather(*(work(paths if n % 2 else paths[::-1]) for n in range(6)))
        assert all(answer == answers[0] for answer in answers)


class TestProducts:
    async def test_the_life_of_a_product(self, connection: asyncpg.Connection) -> None:
        product = await create_product(connection, internal_sku="P1", name="Drill", gtin="4006381333931")
        await set_product_status(connection, product, "active")
        await set_product_status(connection, product, "draft")
        await set_product_status(connection, product, "active")
        await set_product_status(connection, product, "active")
        with pytest.raises(StateConflict):
            await delete_product(connection, product)
        await set_product_status(connection, product, "archived")
        for status in ("draft", "active"):
            with pytest.raises(StateConflict):
                await set_product_status(connection, product, status)
        with pytest.raises(StateConflict):
            await delete_product(connection, product)

    async def test_a_draft_cannot_be_archived_but_deleted(self, connection: asyncpg.Connection) -> None:
        product = await create_product(connection, internal_sku="P1", name="Drill")
        with pytest.raises(StateConflict):
            await set_product_status(connection, product, "archived")
        await delete_product(connection, product)
        with pytest.raises(StateConflict):
            await delete_product(connection, product)
        with pytest.raises(StateConflict):
            await set_product_status(connection, product, "active")

    async def test_nothing_begins_archived_or_twice(self, connection: asyncpg.Connection) -> None:
        with pytest.raises(StateConflict):
            await create_product(connection, internal_sku="P1", name="Drill", status="archived")
        await create_product(connection, internal_sku="P1", name="Drill", gtin="4006381333931", status="active")
        with pytest.raises(DataRefused):
            await create_product(connection, internal_sku="P1", name="Saw")
        with pytest.raises(DataRefused):
            await create_product(connection, internal_sku="P2", name="Saw", gtin="4006381333931")


class TestProfiles:
    async def test_versions_are_added_and_stay(self, profiles: PostgresProfiles) -> None:
        assert await profiles.newest("ACME") is None
        assert await profiles.add("ACME", {"a": 1}, created_by="me") == 1
        assert await profiles.add("ACME", {"a": 2}, created_by="you") == 2
        newest, first = await profiles.newest("ACME"), await profiles.version("ACME", 1)
        assert newest is not None
        assert first is not None
        assert (newest.version, newest.document, first.document) == (2, {"a": 2}, {"a": 1})
        assert [(entry.version, entry.created_by) for entry in await profiles.history("ACME")] == [
            (2, "you"),
            (1, "me"),
        ]
        assert await profiles.version("ACME", 3) is None
        assert await profiles.newest("other") is None

    async def test_the_same_document_again_adds_nothing(self, profiles: PostgresProfiles) -> None:
        assert await profiles.add("ACME", {"a": 1, "b": [2]}, created_by="me") == 1
        assert await profiles.add("ACME", {"b": [2], "a": 1}, created_by="me") == 1
        assert await profiles.add("ACME", {"a": 2}, created_by="me") == 2
        assert await profiles.add("ACME", {"a": 1, "b": [2]}, created_by="me") == 3

    async def test_many_who_add_at_once_get_numbers_of_their_own(self, profiles: PostgresProfiles) -> None:
        versions = await asyncio.gather(*(profiles.add("ACME", {"n": n}, created_by="me") for n in range(10)))
        assert sorted(versions) == list(range(1, 11))


class TestPing:
    async def test_a_server_that_answers(self, database_url: str) -> None:
        assert 0 < await ping(database_url) < 2

    async def test_a_server_that_is_not_there(self) -> None:
        with pytest.raises(DatabaseUnavailable):
            await ping("postgresql://nobody@127.0.0.1:1/none")

    async def test_a_server_that_takes_no_writes(self, blank_url: str) -> None:
        connection = await connect(blank_url)
        await connection.execute(f"ALTER DATABASE {blank_url.split('@/')[1].split('?', maxsplit=1)[0]} "
                                 "SET default_transaction_read_only = on")  # fmt: skip
        await connection.close()
        with pytest.raises(DatabaseUnavailable):
            await ping(blank_url)

    async def test_a_server_that_accepts_and_says_nothing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(DatabaseUnavailable):
            await ping(f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x?sslmode=disable", seconds=0.3)
