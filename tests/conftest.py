"""One embedded PostgreSQL for the session, one freshly cloned database for each test that asks for it."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from db import embedded
from db.engine import upgrade
from tests.support.redis_server import queue_name, redis_process, redis_server, redis_url

__all__ = ["queue_name", "redis_process", "redis_server", "redis_url"]

TEMPLATE = "pricemill_template"


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


@pytest.fixture
def database_url(postgres: embedded.EmbeddedPostgres, template: str) -> Iterator[str]:
    """postgresql:// URL of a migrated, empty database of this test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    postgres.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.url_of(name)
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def blank_url(postgres: embedded.EmbeddedPostgres) -> Iterator[str]:
    """postgresql:// URL of a database without any table."""
    name = f"blank_{uuid.uuid4().hex[:12]}"
    postgres.psql(f"CREATE DATABASE {name}")
    yield postgres.url_of(name)
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)")
