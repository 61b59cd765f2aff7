"""The composition root: the one place where protocols meet their implementations."""

from __future__ import annotations

import os
import random
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from arq.connections import ArqRedis

import parsers
from config.settings import Settings
from contracts.catalog import Matcher
from contracts.clock import SystemClock
from contracts.parser import Parser
from contracts.store import Claim, Loader
from contracts.task import TaskResult
from db.ledger import PostgresLedger
from db.loader import PostgresLoader
from db.matching import PostgresMatcher
from db.profiles import PostgresProfiles
from db.rejected import PostgresRejectedRows
from db.reports import Reports
from db.schedules import PostgresSchedules
from db.shapes import PostgresShapes
from db.watched import PostgresWatched
from parsers.resources import Resources
from pipeline.ahead import Collaborators, OpenLoader
from pipeline.executor import Executor
from pipeline.lease import Held, LeaseKeeper
from pipeline.run import run
from resilience.guard import CancelGuard, LeaseGuard, PauseGuard, StoppingGuard, YieldGuard
from resilience.rate_limit import Budget
from resilience.retry.policy import policy_named
from workers.delivery import ArqQueue
from workers.ports import open_ports
from workers.producer import Producer
from workers.rate_limit import FleetLimiter
from workers.resources import watching
from workers.stopping import Stopping

INBOX = "inbox"
"""Directory in data_dir for files that `pricemill import` hands in; always a source root."""


@dataclass(frozen=True, slots=True)
class App:
    """An opened installation."""

    settings: Settings
    worker: str
    """Name of this process in the ledger: host:pid:random."""
    database_url: str
    redis_url: str
    ledger: PostgresLedger
    redis: ArqRedis
    queue: ArqQueue
    producer: Producer
    reports: Reports
    profiles: PostgresProfiles
    shapes: PostgresShapes
    parser: Callable[[str], Parser]
    """Parser by parser_type; UnknownParser."""
    executor: Executor
    leases: LeaseKeeper
    stopping: Stopping
    schedules: PostgresSchedules
    watched: PostgresWatched


@asynccontextmanager
async def open_app(settings: Settings, *, matcher: Matcher | None = None) -> AsyncIterator[App]:
    """Opens servers, pools and ports, and closes them in reverse. Any part of what is built here may be replaced
    by a twin in tests; nothing else in the project chooses an implementation."""
    async with AsyncExitStack() as stack:
        ports = await stack.enter_async_context(open_ports(settings, connections=settings.concurrency + 5))
        reports = await Reports.open(ports.database_url)
        stack.push_async_callback(reports.close)
        profiles = await stack.enter_async_context(PostgresProfiles.open(ports.database_url))
        shapes = await stack.enter_async_context(PostgresShapes.open(ports.database_url))
        rejected = await stack.enter_async_context(PostgresRejectedRows.open(ports.database_url))
        if matcher is None:
            matcher = await stack.enter_async_context(
                PostgresMatcher.open(
                    ports.database_url, by_code=settings.match_by_code, create_drafts=settings.create_draft_products
                )
            )
        schedules = await stack.enter_async_context(PostgresSchedules.open(ports.database_url))
        watched = await stack.enter_async_context(PostgresWatched.open(ports.database_url))
        producer = await stack.enter_async_context(Producer(settings, ledger=ports.ledger, queue=ports.queue))
        parser = partial(parsers.get, resources=_resources(settings, ports.redis))
        stopping = Stopping()
        worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        resources = await stack.enter_async_context(
            watching(settings, pool=ports.ledger.pool_use, recycle=stopping.recycle)
        )
        leases = LeaseKeeper(
            partial(PostgresLedger.open, ports.database_url, size=1),
            worker=worker,
            lease=settings.lease,
            beat=timedelta(seconds=settings.heartbeat_seconds),
            snapshot=resources.document,
            slice_=timedelta(seconds=settings.slice_seconds),
        )
        collaborators = Collaborators(
            settings=settings,
            parser=parser,
            open_loader=_opener(ports.database_url, settings),
            profiles=profiles,
            matcher=matcher,
            shapes=shapes,
            rejected=rejected,
            resize=resources.resize,
        )

        async def run_task(claim: Claim, held: Held) -> TaskResult:
            guards = (
                LeaseGuard(lambda: held.lost),
                CancelGuard(lambda: held.cancelled),
                resources,
                StoppingGuard(lambda: stopping.stopping),
                PauseGuard(lambda: held.paused),
                YieldGuard(lambda: held.yields),
            )
            return await run(claim, guards=guards, with_=collaborators)

        executor = Executor(
            ledger=ports.ledger,
            leases=leases,
            run=run_task,
            policy=policy_named(settings.retry_policy),
            worker=worker,
            lease=settings.lease,
            time_limit=timedelta(seconds=settings.time_limit_seconds),
            clock=SystemClock(),
            random=random.random,
        )
        yield App(
            settings=settings,
            worker=worker,
            database_url=ports.database_url,
            redis_url=ports.redis_url,
            ledger=ports.ledger,
            redis=ports.redis,
            queue=ports.queue,
            producer=producer,
            reports=reports,
            profiles=profiles,
            shapes=shapes,
            parser=parser,
            executor=executor,
            leases=leases,
            stopping=stopping,
            schedules=schedules,
            watched=watched,
        )


def inbox_of(settings: Settings) -> Path:
    """Where files are handed in; every worker of this installation counts it as a source root."""
    return settings.data_dir.expanduser().absolute() / INBOX


def _resources(settings: Settings, redis: ArqRedis) -> Resources:
    sheets = Budget(settings.google_sheets_calls, timedelta(seconds=settings.google_sheets_seconds))
    return Resources(
        source_roots=(*settings.source_roots, inbox_of(settings)),
        allow_private_urls=settings.allow_private_urls,
        max_source_bytes=settings.max_source_bytes,
        fetch_seconds=settings.fetch_seconds,
        credentials_dir=settings.credentials_dir,
        google_sheets_api=settings.google_sheets_api,
        google_drive_api=settings.google_drive_api,
        child_memory_bytes=settings.parser_memory_bytes,
        child_cpu_seconds=settings.parser_cpu_seconds,
        limiter=FleetLimiter(
            redis,
            prefix=settings.queue_name,
            budgets=lambda key: sheets if key.startswith("google_sheets:") else None,
        ),
    )


def _opener(url: str, settings: Settings) -> OpenLoader:
    async def open_loader(claim: Claim, *, source_type: str, restarted: bool) -> Loader:
        return await PostgresLoader.open(url, claim, lease=settings.lease, source_type=source_type, restarted=restarted)

    return open_loader
