"""The typed faces of the queue-message and task-result schemas."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

from contracts.members import HTTPS, Count, Instant, Quantity, Text255, Whole

SCHEMA_VERSION = "2.0"
"""Of queue messages as written today, 2.1 with a queue; 1.0 is still read (contracts/schema.py upgrades it)."""

ColumnRef = Annotated[Whole, Field(ge=0, le=16383)] | Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""A header, a column letter ("A", "BC") or a zero-based index; a header that equals a letter wins."""

ColumnRefs = Annotated[list[ColumnRef], Field(min_length=1)]


DEFAULT_QUEUE = "default"
DEFAULT_CREDENTIAL = "google-sheets"


class Document(BaseModel):
    """A document that crosses a process: frozen, no unknown members."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0, 1, 2: the number kept in the ledger."""
        return ("low", "normal", "high").index(self.value)


class ColumnMapping(Document):
    """Which column holds which field. What is named here is used; the rest is found."""

    sku: ColumnRef | ColumnRefs | None = None
    """A list makes a composite key, joined by '|'."""
    name: ColumnRef | ColumnRefs | None = None
    """A list is joined by ' / '."""
    price: ColumnRef | None = None
    currency: ColumnRef | None = None
    category: ColumnRef | ColumnRefs | None = None
    gtin: ColumnRef | None = None
    unit: ColumnRef | None = None
    price_basis: ColumnRef | None = None


class TableSource(Document):
    """What all sources of rows have in common; every number of a row is 1-based."""

    file_path: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None = None
    """Relative to a source root, or absolute inside one."""
    url: Annotated[str, StringConstraints(pattern=HTTPS, max_length=2048)] | None = None
    column_mapping: ColumnMapping = ColumnMapping()
    characteristic_columns: list[ColumnRef] | None = None
    """None = every column that is not mapped."""

    @model_validator(mode="after")
    def _one_location(self) -> TableSource:
        if (self.file_path is None) == (self.url is None):
            raise ValueError("give exactly one of file_path and url")
        return self


class CsvSource(TableSource):
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    """None = found."""
    fixed_width: (
        Annotated[list[Annotated[Whole, Field(ge=0, le=10_000)]], Field(min_length=2, max_length=500)] | None
    ) = None
    """Places (0-based) at which the columns of a line begin, where no separator stands between them."""
    encoding: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    has_header: StrictBool | None = None
    """None = found; False = the first row is data."""
    header_row: Annotated[Whole, Field(ge=1, le=1000)] | None = None


class ExcelSource(TableSource):
    sheet_name: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    """None = the first visible sheet that holds a table; * = all visible ones with its header."""
    has_header: StrictBool | None = None
    header_row: Annotated[Whole, Field(ge=1, le=1000)] | None = None


class JsonLinesSource(TableSource):
    encoding: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None


class EInvoiceSource(TableSource):
    credit_notes: Literal["load"] | None = None
    """None = a credit note is held with a question; load = its unit prices are prices."""


Selector = Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""A CSS selector."""


class HtmlSource(TableSource):
    mode: Literal["products", "table"] | None = None
    """None = products that the page marks up for machines, else its table; otherwise the one that is named."""
    table: Selector | None = None
    """The table to read, where a page has several; also its number on the page, from 1."""
    rows: Selector | None = None
    """What repeats once for each item; needs `fields`."""
    fields: Annotated[dict[str, Selector], Field(min_length=1)] | None = None
    """Column name to a selector below a row, with @attribute behind it where the value is no text."""
    encoding: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None


class GoogleSheetsSource(Document):
    sheet_url: Annotated[
        str, StringConstraints(pattern=r"^https://docs\.google\.com/spreadsheets/d/[A-Za-z0-9_-]+", max_length=2048)
    ]
    sheet_name: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    has_header: StrictBool | None = None
    header_row: Annotated[Whole, Field(ge=1, le=1000)] | None = None
    data_start_row: Annotated[Whole, Field(ge=1, le=1001)] | None = None
    credentials: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")] | None = None
    """Name of a credential of this installation, never the secret and never a path."""
    column_mapping: ColumnMapping = ColumnMapping()
    characteristic_columns: list[ColumnRef] | None = None

    @model_validator(mode="after")
    def _data_below_header(self) -> GoogleSheetsSource:
        if self.data_start_row is not None and self.header_row is not None and self.data_start_row <= self.header_row:
            raise ValueError("data_start_row must be greater than header_row")
        return self


SOURCES: dict[str, type[Document]] = {
    "csv": CsvSource,
    "excel": ExcelSource,
    "json_lines": JsonLinesSource,
    "google_sheets": GoogleSheetsSource,
    "e_invoice": EInvoiceSource,
    "html": HtmlSource,
}
"""source_config by parser_type; a plugged-in parser names its own model."""


class TaskOptions(Document):
    """What a producer may decide for one task; anything left out comes from the supplier profile."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    decimal: Literal[".", ","] | None = None
    duplicates: Literal["last", "first", "reject_conflicting"] | None = None
    zero_price: Literal["reject", "accept"] | None = None
    chunk_size: Annotated[Whole, Field(ge=100, le=100_000)] | None = None
    list_name: Text255 | None = None
    """Tells several lists of one supplier apart (profile, staleness); None = the supplier's only list."""
    replay_of: Text255 | None = None
    """Id of the task whose rejected rows are taken up again, from the same source; every other row is passed over."""
    replay_codes: Annotated[list[Text255], Field(max_length=100)] | None = None
    """Only those rejected for one of these reasons; None = all."""


def new_task_id() -> str:
    """A UUIDv7 in hex with dashes: unique without coordination, sorted by time."""
    value = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    value = (value & ~(0xF << 76)) | (7 << 76)
    value = (value & ~(0x3 << 62)) | (2 << 62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class ParseTask(Document):
    """One order: read this source of this supplier and load it."""

    schema_version: Literal["2.0", "2.1"] = "2.0"
    task_id: Text255 = Field(default_factory=new_task_id)
    parser_type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
    supplier_name: Text255
    source_config: dict[str, Any]
    """As it was handed in; `source()` gives the typed form of the built-in parsers."""
    priority: Priority = Priority.NORMAL
    max_retries: Annotated[Whole, Field(ge=0, le=10)] = 3
    """Retries after the first attempt."""
    enqueued_at: Instant = Field(default_factory=lambda: datetime.now(UTC))
    as_of: Instant | None = None
    """The time for which the list is valid; None = when it was registered."""
    expires_at: Instant | None = None
    idempotency_key: Text255 | None = None
    traceparent: Annotated[str, StringConstraints(pattern=r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")] | None = None
    options: TaskOptions = TaskOptions()
    queue: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")] | None = None
    """Since version 2.1; None = the default queue."""

    @model_validator(mode="after")
    def _source_fits_parser(self) -> ParseTask:
        model = SOURCES.get(self.parser_type)
        if model is not None:
            model.model_validate(self.source_config)
        return self

    def source(self) -> Document | None:
        """The typed source_config, or None for a parser that is not built in."""
        model = SOURCES.get(self.parser_type)
        return None if model is None else model.model_validate(self.source_config)

    @property
    def queue_name(self) -> str:
        return self.queue or DEFAULT_QUEUE

    @property
    def source_name(self) -> str | None:
        """What pauses and limits call its source: the host of the address, or google_sheets:CREDENTIAL; None for files
        and parsers that are not built in."""
        if self.parser_type == "google_sheets":
            return f"google_sheets:{self.source_config.get('credentials') or DEFAULT_CREDENTIAL}"
        url = self.source_config.get("url")
        if not isinstance(url, str):
            return None
        try:
            return (urlsplit(url).hostname or "")[:255] or None
        except ValueError:
            return None

    def document(self) -> dict[str, Any]:
        """The queue message as JSON-ready members; what is None is left out."""
        return self.model_dump(mode="json", exclude_none=True)


class Statistics(Document):
    """total = sum of all buckets; successful = new + changed + unchanged; failed = rejected."""

    total_rows: Count
    successful_rows: Count
    failed_rows: Count
    new: Count = 0
    changed: Count = 0
    unchanged: Count = 0
    held: Count = 0
    ignored: dict[str, Count] = {}
    missing: Count = 0
    """Items of the last list of this name without an accepted row in this one."""
    returned: Count = 0
    """Known items that the last list of this name did not have."""
    processing_time_seconds: Quantity = Decimal(0)
    items_per_second: Quantity = Decimal(0)


class ErrorGroup(Document):
    error_type: Text255
    count: Annotated[Whole, Field(ge=1)]
    sample_message: str


class TaskResult(Document):
    schema_version: Literal["2.0"] = "2.0"
    task_id: Text255
    status: Literal["success", "partial_success", "failure"]
    processed_at: Instant
    supplier_id: str | None = None
    statistics: Statistics | None = None
    errors: list[ErrorGroup] = []
    retry_count: Count = 0
    config_version: str | None = None
    source_sha256: str | None = None
    understanding: dict[str, Any] | None = None
    """How the list was read: format, layout, mapping with certainty and reason."""
    warnings: list[str] = []

    def document(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)
