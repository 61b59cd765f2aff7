"""Migrations from Python: no alembic.ini, one connection, one migrator at a time."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contracts.errors import ConfigError
from db.connection import connect
from db.errors import translated
from db.models import Base

MIGRATION_LOCK = 7_410_213_001
"""Advisory lock: two migrators take turns, the second finds nothing to do."""


class Revision(NamedTuple):
    """What `check` found."""

    current: str | None
    """None = no table of ours."""
    head: str
    drift: tuple[str, ...]
    """Where the tables differ from db/models, one phrase each; only looked for at head."""

    @property
    def at_head(self) -> bool:
        return self.current == self.head


def _engine(url: str) -> AsyncEngine:
    """Without time limits: a migration takes as long as it takes."""
    unlimited = partial(
        connect,
        url,
        command_timeout=None,
        statement_timeout=0,
        idle_in_transaction=0,
        application_name="pricemill-migrate",
    )
    return create_async_engine("postgresql+asyncpg://", async_creator=unlimited, poolclass=NullPool)


def _config() -> Config:
    package = importlib.util.find_spec("migrations")
    if package is None or package.origin is None:
        raise ConfigError("the package `migrations` is not installed")
    config = Config()
    config.set_main_option("script_location", str(Path(package.origin).parent).replace("%", "%%"))
    return config


async def upgrade(url: str, revision: str = "head") -> None:
    """Brings the database up to a revision; nothing happens if it is there. One transaction per migration.
    Waits for another migrator. Raises DatabaseUnavailable, ConfigError."""
    await _migrate(url, lambda config: command.upgrade(config, revision))


async def downgrade(url: str, revision: str) -> None:
    """Takes the database down to a revision ("base" = no table of ours, "-1" = one step). Data in dropped tables
    is gone. Raises ConfigError for an unknown revision."""
    await _migrate(url, lambda config: command.downgrade(config, revision))


async def check(url: str) -> Revision:
    """Which revision the database has, which the code wants, and whether the tables are as the code thinks."""
    engine = _engine(url)
    try:
        with translated():
            async with engine.connect() as connection:
                return await connection.run_sync(_compare)
    finally:
        await engine.dispose()


async def _migrate(url: str, act: Callable[[Config], None]) -> None:
    engine = _engine(url)

    def run(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        try:
            act(config)
        except CommandError as error:
            # A revision that was mistyped, or that only a newer release knows.
            raise ConfigError(f"the migrations cannot do that: {error}") from error

    try:
        with translated():
            async with engine.connect() as guard, engine.connect() as connection:
                await guard.execute(text("SET lock_timeout = '10min'"))
                await guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
                await connection.run_sync(run)
                await connection.commit()
    finally:
        await engine.dispose()


def _compare(connection: Connection) -> Revision:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    current = context.get_current_revision()
    drift = compare_metadata(context, Base.metadata) if current == head else []
    return Revision(current, str(head), tuple(str(difference)[:300] for difference in drift))
