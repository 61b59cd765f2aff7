"""Reads one tab of a Google Sheet: fetched once, kept as rows in the spool."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, ClassVar

from contracts.errors import SourceMissing, SourceThrottled, SourceUnavailable
from contracts.parser import Source
from contracts.rows import Cell
from contracts.task import Document, GoogleSheetsSource, ParseTask
from parsers.reading import RecordReading
from parsers.resources import Resources
from parsers.row_file import open_row_file
from parsers.row_lines import encode_row, head_line
from parsers.sheets_client import CALLS, SheetValues, credentials_of, read_sheet
from parsers.spool import intake, keep, kept
from parsers.values import EXACT, cell

DEFAULT_CREDENTIALS = "google-sheets"
PATIENCE = timedelta(seconds=5)
"""How long to wait here for the budget; for longer, the task is put back."""
_KEY = re.compile(r"/spreadsheets/d/([A-Za-z0-9_-]+)")
_GID = re.compile(r"[?#&]gid=(\d{1,18})\b")


class GoogleSheetsParser:
    """Three requests a task, whatever its size; reading and resuming make none."""

    name: ClassVar[str] = "google_sheets"
    config: ClassVar[type[Document]] = GoogleSheetsSource

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def fetch(self, task: ParseTask, spool: Path) -> Source:
        """Also raises ConfigError if the credential is missing."""
        if (source := await asyncio.to_thread(kept, spool)) is not None:
            return source
        config = GoogleSheetsSource.model_validate(task.source_config)
        resources = self._resources
        name = config.credentials or DEFAULT_CREDENTIALS
        credentials = await asyncio.to_thread(credentials_of, resources.credentials_dir, name)
        key, gid = _KEY.search(config.sheet_url), _GID.search(config.sheet_url)
        if key is None:
            raise SourceMissing("the address names no spreadsheet", address=config.sheet_url)
        await self._budget(name)
        try:
            async with asyncio.timeout(resources.fetch_seconds):
                values = await asyncio.to_thread(
                    read_sheet,
                    key[1],
                    credentials=credentials,
                    base=resources.google_sheets_api,
                    tab=config.sheet_name,
                    gid=int(gid[1]) if gid else None,
                    seconds=min(60.0, resources.fetch_seconds),
                    limit=resources.max_source_bytes,
                )
        except TimeoutError as error:
            raise SourceUnavailable(f"Google Sheets took longer than {resources.fetch_seconds:g} s") from error
        return await asyncio.to_thread(_snapshot, values, spool, resources.max_source_bytes)

    async def _budget(self, name: str) -> None:
        waited = timedelta(0)
        while wait := await self._resources.limiter.take(f"google_sheets:{name}", CALLS):
            waited += wait
            if waited > PATIENCE:
                raise SourceThrottled("the budget of requests to Google Sheets is used up", retry_after=wait)
            await self._resources.clock.sleep(wait.total_seconds())

    async def open(self, source: Source, config: Document) -> RecordReading:
        return await asyncio.to_thread(open_row_file, source.path)


def _snapshot(values: SheetValues, spool: Path, limit: int) -> Source:
    with intake(spool, limit) as taken:
        taken.write(head_line(format="google_sheets", sheet=values.tab, notes=values.notes))
        width = max(map(len, values.shown), default=0)
        for place, shown in enumerate(values.shown):
            stored = values.stored[place] if place < len(values.stored) else []
            cells = [
                merged(text, stored[column] if column < len(stored) else None) for column, text in enumerate(shown)
            ]
            taken.write(encode_row(cells + [None] * (width - len(cells))))
        return keep(spool, taken, f"{values.title} / {values.tab}")


def merged(shown: Any, stored: Any) -> Cell:
    """One cell from both ways to read it. The shown text may round and may mean two numbers ("1.234"); the
    stored number is exact but has lost the zeros of a code. Where the two do not fit together (a format that
    scales, an edit between the two requests) the shown text stands."""
    text = shown if isinstance(shown, str) else str(shown)
    if isinstance(stored, bool):
        return stored
    if not isinstance(stored, (int, float)) or not text:
        return text or None
    if text.isascii() and text.isdecimal() and text != "0" and text.startswith("0"):
        return text
    if abs(stored) >= EXACT or "%" in text:
        return text
    return cell(stored) if _fits(text, Decimal(f"{stored:.15g}")) else text


def _fits(text: str, number: Decimal) -> bool:
    if re.search(r"\d[eE][+-]?\d", text):
        return True
    digits = re.sub(r"[^0-9]", "", text).lstrip("0")
    for decimals in range(11):
        rounded = number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
        if format(abs(rounded), "f").replace(".", "").lstrip("0") == digits:
            return True
    return False
