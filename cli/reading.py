"""Opens a list as a run would, without a ledger: for dry runs, `map` and `explain`."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.hand_in import HandedIn, is_address, of_address, recognise
from contracts.catalog import StoredProfile
from contracts.parser import Parser, Source

if TYPE_CHECKING:
    from cli.order import Wishes
    from config.settings import Settings
    from contracts.rows import Cell
    from pipeline.drift.absorb import LastList
    from pipeline.open import Opened


def parser_for(settings: Settings, name: str, root: Path | None = None) -> Parser:
    """A parser that may read below `root` too: what this person names on this machine is theirs to read."""
    import parsers
    from parsers.resources import Resources

    resources = Resources(
        source_roots=settings.source_roots + ((root,) if root else ()),
        allow_private_urls=settings.allow_private_urls,
        max_source_bytes=settings.max_source_bytes,
        fetch_seconds=settings.fetch_seconds,
        credentials_dir=settings.credentials_dir,
        google_sheets_api=settings.google_sheets_api,
        google_drive_api=settings.google_drive_api,
        child_memory_bytes=settings.parser_memory_bytes,
        child_cpu_seconds=settings.parser_cpu_seconds,
    )
    return parsers.get(name, resources)


def named(source: str) -> HandedIn:
    """What a person named, left where it is."""
    if is_address(source):
        return of_address(source)
    path = Path(source)
    parser_type = recognise(path)
    real = path.resolve()
    return HandedIn(parser_type, {"file_path": str(real)}, path.name, size=real.stat().st_size)


@asynccontextmanager
async def opened_list(
    settings: Settings, source: str, wishes: Wishes, stored: StoredProfile | None, *, last: LastList | None = None
) -> AsyncIterator[tuple[HandedIn, Opened]]:
    """Fetched into a temporary directory, opened and understood. Raises whatever would end a run; a question that the
    `last` list raises, too."""
    from cli.order import make_task
    from pipeline.open import open_source

    handed = named(source)
    task = make_task(handed, wishes)
    root = Path(handed.location["file_path"]).parent if "file_path" in handed.location else None
    parser = parser_for(settings, task.parser_type, root)
    with tempfile.TemporaryDirectory(prefix="pricemill-") as folder:
        opened = await open_source(task, parser, spool=Path(folder), stored=stored, settings=settings, last=last)
        try:
            yield handed, opened
        finally:
            await opened.reading.close()


async def raw_cells(
    settings: Settings, parser_type: str, config: dict[str, object], source: Source, row: int
) -> list[str | None] | None:
    """The cells of one physical row of a snapshot; None if it has no such row."""
    parser = parser_for(settings, parser_type)
    reading = await parser.open(source, parser.config.model_validate(config))
    try:
        async for chunk in reading.chunks():
            numbers = chunk.row_numbers()
            if len(numbers) and numbers[-1] >= row:
                if row not in numbers:
                    return None
                [cells] = chunk.rows([numbers.index(row)])
                return [_text(cell) for cell in cells]
    finally:
        await reading.close()
    return None


def _text(cell: Cell) -> str | None:
    return None if cell is None else str(cell)
