"""The tables as SQLAlchemy sees them; migrations/versions makes them, a test holds both equal."""

from db.base import Base
from db.models.catalog import Category, PriceHistory, Product, Supplier, SupplierItem, SupplierProfile
from db.models.held import HeldRow, ItemDescription, ListKeys
from db.models.operations import DeadLetterRow, ParsingLog, Worker
from db.models.queues import Limit, Pause
from db.models.schedules import ScheduleFiring, ScheduleRow, WatchedFile
from db.models.shapes import ListShape
from db.models.tasks import CheckpointRow, Task, TaskAttempt

__all__ = [
    "Base",
    "Category",
    "CheckpointRow",
    "DeadLetterRow",
    "HeldRow",
    "ItemDescription",
    "Limit",
    "ListKeys",
    "ListShape",
    "ParsingLog",
    "Pause",
    "PriceHistory",
    "Product",
    "ScheduleFiring",
    "ScheduleRow",
    "Supplier",
    "SupplierItem",
    "SupplierProfile",
    "Task",
    "TaskAttempt",
    "WatchedFile",
    "Worker",
]
