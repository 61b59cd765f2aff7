"""Reads a Google Sheet: its tabs are fetched once and kept in the spool; one of them, or those alike, are the list."""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from contracts.errors import SourceMissing, SourceThrottled, SourceUnavailable
from contracts.parser import Source
from contracts.task import Document, GoogleSheetsSource, ParseTask
from parsers.reading import RecordReading
from parsers.resources import Resources
from parsers.row_file import open_row_file
from parsers.sheets_client import CALLS, SheetValues, credentials_of, read_revision, read_sheet
from parsers.sheets_snapshot import choose_rows, shown_name, write_tabs
from parsers.spool import intake, keep, kept

DEFAULT_CREDENTIALS = "google-sheets"
PATIENCE = timedelta(seconds=5)
"""How long to wait here for the budget; for longer, the task is put back."""
_KEY = re.compile(r"/spreadsheets/d/([A-Za-z0-9_-]+)")
_GID = re.compile(r"[?#&]gid=(\d{1,18})\b")


class GoogleSheetsParser:
    """Four requests a task and one to Google Drive, whatever its size; reading and resuming make none."""

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
                    drive=resources.google_drive_api,
                    tab=config.sheet_name,
                    gid=int(gid[1]) if gid and config.sheet_name is None else None,
                    seconds=min(60.0, resources.fetch_seconds),
                    limit=resources.max_source_bytes,
                )
        except TimeoutError as error:
            raise SourceUnavailable(f"Google Sheets took longer than {resources.fetch_seconds:g} s") from error
        return await asyncio.to_thread(_snapshot, values, spool, resources.max_source_bytes)

    async def revision(self, task: ParseTask) -> str | None:
        config, resources = GoogleSheetsSource.model_validate(task.source_config), self._resources
        name, key = config.credentials or DEFAULT_CREDENTIALS, _KEY.search(config.sheet_url)
        if key is None:
            return None
        credentials = await asyncio.to_thread(credentials_of, resources.credentials_dir, name)
        return await asyncio.to_thread(
            read_revision,
            key[1],
            credentials=credentials,
            base=resources.google_sheets_api,
            drive=resources.google_drive_api,
            seconds=10.0,
        )

    async def _budget(self, name: str) -> None:
        waited = timedelta(0)
        while wait := await self._resources.limiter.take(f"google_sheets:{name}", CALLS):
            waited += wait
            if waited > PATIENCE:
                raise SourceThrottled("the budget of requests to Google Sheets is used up", retry_after=wait)
            await self._resources.clock.sleep(wait.total_seconds())

    async def open(self, source: Source, config: Document) -> RecordReading:
        """The tab is chosen here, from the snapshot alone, so that an answer counts without another request."""
        return await asyncio.to_thread(_rows_of, source, GoogleSheetsSource.model_validate(config.model_dump()))


def _snapshot(values: SheetValues, spool: Path, limit: int) -> Source:
    with intake(spool, limit) as taken:
        write_tabs(taken, values)
        return keep(spool, taken, shown_name(values), values.revision)


def _rows_of(source: Source, config: GoogleSheetsSource) -> RecordReading:
    """The rows of the chosen tab stand in the spool, too, and are read from there after a crash."""
    gid = _GID.search(config.sheet_url) if config.sheet_name is None else None
    key = hashlib.sha256(f"{source.sha256}\0{config.sheet_name}\0{gid and gid[1]}".encode()).hexdigest()[:16]
    target = source.path.with_name(f"rows-{key}.jsonl")
    if not target.exists():
        choose_rows(source.path, target, wanted=config.sheet_name, gid=int(gid[1]) if gid else None)
    return open_row_file(target)
