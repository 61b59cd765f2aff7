"""One import in a process of its own, through the real parser, stages and loader; prints what it took as JSON."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import asyncpg

import parsers
from config.settings import Settings
from contracts.store import Claim
from contracts.task import ParseTask
from db.engine import plain_url
from db.loader import PostgresLoader
from parsers.resources import Resources
from pipeline.chunks import run_chunks
from pipeline.open import open_source
from pipeline.stages import build_stages
from resilience.checkpoint.seal import seal

LEASE = timedelta(seconds=600)


async def claimed(url: str, task: ParseTask) -> Claim:
    """A task that runs, as the ledger would have made it."""
    connection = await asyncpg.connect(plain_url(url))
    now = datetime.now(UTC)
    key = await connection.fetchval(
        """INSERT INTO tasks (task_id, parser_type, supplier_name, message, as_of, status, epoch, attempt, lease_until)
           VALUES ($1, $2, $3, $4, $5, 'running', 1, 1, now() + $6) RETURNING id""",
        task.task_id, task.parser_type, task.supplier_name, json.dumps(task.document()), now, LEASE,
    )  # fmt: skip
    await connection.close()
    return Claim(task=task, task_key=key, epoch=1, attempt=1, as_of=now, worker="bench", checkpoints=())


async def load(url: str, file: Path, supplier: str) -> dict[str, object]:
    task = ParseTask(parser_type="csv", supplier_name=supplier, source_config={"file_path": str(file)})
    claim = await claimed(url, task)
    settings = Settings(source_roots=(file.parent,))
    parser = parsers.get("csv", Resources(source_roots=settings.source_roots))
    with tempfile.TemporaryDirectory() as spool:
        started = perf_counter()
        opened = await open_source(task, parser, spool=Path(spool), stored=None, settings=settings)
        opened_at = perf_counter()
        loader = await PostgresLoader.open(url, claim, lease=LEASE, source_type="csv")
        try:
            checkpoint = await run_chunks(
                task_id=task.task_id,
                source_sha256=opened.source.sha256,
                reading=opened.reading,
                plan=opened.plan,
                stages=build_stages(opened.plan, await loader.known()),
                loader=loader,
                checkpoint=None,
                next_sequence=1,
                guards=(),
                seal=seal,
            )
        finally:
            await loader.close()
            await opened.reading.close()
        seconds = perf_counter() - started
    connection = await asyncpg.connect(plain_url(url))
    await connection.execute(
        "UPDATE tasks SET status = 'completed', lease_until = NULL, finished_at = now() WHERE id = $1", claim.task_key
    )
    await connection.close()
    assert checkpoint is not None
    return {
        "seconds": seconds,
        "opened": opened_at - started,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "account": checkpoint.account.document(),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))))
