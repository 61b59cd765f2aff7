"""Brings a source into the spool, by path or by address, once per task."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from contracts.errors import SourceTooLarge, SourceUnavailable
from contracts.parser import Source
from contracts.task import TableSource
from parsers.download import download
from parsers.resources import Resources
from parsers.roots import open_under
from parsers.spool import intake, keep, kept

_BLOCK = 1_048_576


async def fetch_table(config: TableSource, spool: Path, resources: Resources) -> Source:
    """The snapshot of an earlier attempt of this task if it is whole; otherwise a new one. Raises
    SourceMissing, SourceForbidden, SourceNotAllowed, SourceUnavailable, SourceThrottled, SourceTooLarge."""
    if (source := await asyncio.to_thread(kept, spool)) is not None:
        return source
    if config.url is not None:
        return await download(config.url, spool, resources)
    assert config.file_path is not None
    return await asyncio.to_thread(copy_in, config.file_path, spool, resources)


def copy_in(file_path: str, spool: Path, resources: Resources) -> Source:
    """Copies and hashes in one pass (blocking). A file that changes meanwhile is SourceUnavailable: whoever is
    writing it will have finished when the task is tried again."""
    with os.fdopen(open_under(resources.source_roots, file_path), "rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        if before.st_size > resources.max_source_bytes:
            raise SourceTooLarge(
                f"“{file_path}” has {before.st_size:,} bytes; {resources.max_source_bytes:,} are allowed",
                path=file_path,
            )
        with intake(spool, resources.max_source_bytes) as taken:
            while block := file.read(_BLOCK):
                taken.write(block)
            after = os.fstat(file.fileno())
            if before.st_mtime_ns != after.st_mtime_ns or not before.st_size == after.st_size == taken.size:
                raise SourceUnavailable(f"“{file_path}” is being written at the moment", path=file_path)
            return keep(spool, taken, Path(file_path).name)
