"""What would become of rejected rows under another profile: the list is read again, nothing is written."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from config.profiles import SupplierProfile
    from contracts.rows import Item
    from contracts.task import ParseTask
    from workers.app import App

SHOWN = 5


@dataclass(slots=True)
class Rechecked:
    """Of the rows that were asked about; the rest of the list is not counted."""

    loaded: int = 0
    ignored: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    """The first row that is still rejected, by reason."""
    first: list[Item] = field(default_factory=list)


async def recheck(app: App, task: ParseTask, profile: SupplierProfile, rows: Collection[int]) -> Rechecked:
    """Raises what opening the source raises; SourceChanged is not looked for."""
    import numpy as np

    from contracts.catalog import StoredProfile
    from contracts.store import Known
    from pipeline.open import open_source
    from pipeline.run import spool_of
    from pipeline.stages import build_stages

    opened = await open_source(
        task,
        app.parser(task.parser_type),
        spool=spool_of(app.settings, task.task_id),
        stored=StoredProfile(0, profile.document()),
        settings=app.settings,
    )
    try:
        nothing = np.empty(0, dtype=np.int64)
        stages = build_stages(opened.plan, Known(nothing, nothing), replay=rows)
        await stages.prepare(opened.reading, size=opened.plan.chunk_size)
        found = Rechecked()
        async for chunk in opened.reading.chunks(size=opened.plan.chunk_size):
            batch = await asyncio.to_thread(stages.process, chunk)
            wanted = [item for item in (*batch.items, *batch.repeated) if item.row_number in rows]
            found.loaded += len(wanted)
            found.rejected.update(reject.code for reject in batch.rejects)
            found.first += wanted[: SHOWN - len(found.first)]
        found.ignored = len(rows) - found.loaded - found.rejected.total()
        found.samples = stages.samples
        return found
    finally:
        await opened.reading.close()
