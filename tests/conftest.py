"""One embedded PostgreSQL for the session, one freshly cloned database for each test that asks for it."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hypothesis
import pytest
import structlog

from db import embedded
from db.engine import upgrade
from tests.support.ledgers import postgres_bench
from tests.support.lists import PostgresDesk
from tests.support.redis_server import queue_name, redis_process, redis_server, redis_url

__all__ = ["queue_name", "redis_process", "redis_server", "redis_url"]

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("any_machine", deadline=None)
hypothesis.settings.load_profile("any_machine")

TEMPLATE = "pricemill_template"

EMPTY = """
SET lock_timeout = '5s';
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$ BEGIN
  EXECUTE (SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') || ' RESTART IDENTITY CASCADE'
             FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version');
END $$;
"""


@pytest.fixture(autouse=True)
def logging_as_in_a_new_process() -> Iterator[None]:
    """What a test in this process sets up (a worker, a command) is not what the next one writes with."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def postgres() -> Iterator[embedded.EmbeddedPostgres]:
    """The server, without durability. The workers of pytest-xdist share one."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)[:12]
    # Not pytest's own temporary directory: the next pytest of this account closes it to others, and as root
    # the server runs under another account.
    directory = Path(tempfile.gettempdir()) / f"pricemill-test-{run}"
    server = embedded.start(directory, durable=False)
    try:
        yield server
    finally:
        if server.close():
            shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def template(postgres: embedded.EmbeddedPostgres) -> str:
    """Name of a database at the newest revision that nobody is connected to. Each worker makes its own."""
    name = f"{TEMPLATE}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    postgres.psql(f"CREATE DATABASE {name}")
    with ThreadPoolExecutor(1) as pool:  # a thread: no event loop of pytest-asyncio may be running in ours
        pool.submit(asyncio.run, upgrade(postgres.url_of(name))).result()
    return name


@pytest.fixture(scope="session")
def emptied() -> list[str]:
    """Names of migrated databases that earlier tests have left, empty again."""
    return []


@pytest.fixture
def database_url(postgres: embedded.EmbeddedPostgres, template: str, emptied: list[str]) -> Iterator[str]:
    """postgresql:// URL of a migrated, empty database of this test's own. Whoever changes its schema or settings
    uses blank_url instead."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    # A used one is ten times faster than a clone. Its new name keeps out processes that an earlier test left behind.
    if not (emptied and _renamed(postgres, emptied.pop(), name)):
        postgres.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.url_of(name)
    try:
        postgres.psql(EMPTY, database=name)
    except subprocess.CalledProcessError:
        postgres.psql(f"DROP DATABASE {name} WITH (FORCE)")
    else:
        emptied.append(name)


def _renamed(postgres: embedded.EmbeddedPostgres, old: str, new: str) -> bool:
    try:
        postgres.psql(f"ALTER DATABASE {old} RENAME TO {new}")
    except subprocess.CalledProcessError:  # somebody is still connected
        return False
    return True


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[PostgresDesk]:
    async with postgres_bench(database_url) as bench:
        yield PostgresDesk(database_url, bench)


@pytest.fixture
def blank_url(postgres: embedded.EmbeddedPostgres) -> Iterator[str]:
    """postgresql:// URL of a database without any table."""
    name = f"blank_{uuid.uuid4().hex[:12]}"
    postgres.psql(f"CREATE DATABASE {name}")
    yield postgres.url_of(name)
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)")
