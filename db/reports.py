"""All read models behind one name, and the connections they use."""

from __future__ import annotations

from typing import Self

import asyncpg

from db.connection import open_pool
from db.reports_catalog import CatalogReports
from db.reports_errors import ErrorReports
from db.reports_fleet import FleetReport
from db.reports_held import HeldReports
from db.reports_lists import ListReports
from db.reports_prices import PriceReports
from db.reports_questions import QuestionReports
from db.reports_queues import QueueReports
from db.reports_reader import Reader
from db.reports_rejected import RejectedReports
from db.reports_schedules import ScheduleReports
from db.reports_status import StatusReport
from db.reports_tasks import TaskReports
from db.reports_why import WhyReports
from db.reports_workers import WorkerReports


class Reports(
    StatusReport,
    FleetReport,
    TaskReports,
    ErrorReports,
    PriceReports,
    CatalogReports,
    QuestionReports,
    HeldReports,
    ListReports,
    RejectedReports,
    WhyReports,
    ScheduleReports,
    WorkerReports,
    QueueReports,
):
    """What operators ask. Reads only; each statement is its own transaction."""

    def __init__(self, reader: Reader, pool: asyncpg.Pool | None = None) -> None:
        super().__init__(reader)
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> Self:
        """On a small pool of its own that connects when first asked; `close()` ends it."""
        pool = await open_pool(url, size=4, application_name="pricemill reports", default_transaction_read_only="on")
        return cls(pool, pool)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
