"""`python -m workers [--burst] [--supervised]`: one worker process, set up by the environment."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from functools import partial

from config.settings import Settings, load_settings
from contracts.errors import PricemillError
from observability.logging import configure, get_logger
from workers.app import open_app
from workers.chores import chores_of
from workers.fleet import run_worker
from workers.orphans import hand_back
from workers.stopping import EXIT_RECYCLED
from workers.supervisor import supervise

log = get_logger(__name__)

EXIT_UNAVAILABLE = 69
"""EX_UNAVAILABLE: a server that is needed to start is away; starting again later may help."""
EXIT_CONFIG = 78
"""EX_CONFIG: a setting is wrong; starting again does not help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 after SIGTERM, SIGINT or a finished burst; 69 if it could not start, 78 with a wrong setting; 70 if it ended
    itself because it hung, 75 if it wants to be started anew."""
    parser = argparse.ArgumentParser(prog="python -m workers", description="Runs one worker process.")
    parser.add_argument("--burst", action="store_true", help="end when nothing waits any more")
    parser.add_argument("--supervised", action="store_true", help="start the worker again whenever it dies")
    chosen = parser.parse_args(arguments)
    try:
        settings = load_settings()
    except PricemillError as error:
        configure(level="INFO", log_format="console")
        log.error("worker.not_started", error=str(error), next=error.next_step)
        return EXIT_CONFIG
    configure(level=settings.log_level, log_format="json" if settings.log_format == "json" else "console")
    if chosen.supervised:
        command = [sys.executable, "-m", "workers", *(["--burst"] if chosen.burst else [])]
        return supervise(command, died=partial(hand_back, settings))
    try:
        recycled = _run(settings, burst=chosen.burst)
    except PricemillError as error:
        log.error("worker.not_started", error=str(error), next=error.next_step)  # no defect: no traceback
        return EXIT_UNAVAILABLE
    return EXIT_RECYCLED if recycled else 0


def _run(settings: Settings, *, burst: bool) -> bool:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_work(settings, burst=burst))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _work(settings: Settings, *, burst: bool) -> bool:
    """Whether the process shall be started anew."""
    async with open_app(settings) as app:
        await run_worker(app, burst=burst, fleet_url=app.database_url, chores=chores_of(app))
        return app.stopping.recycling


if __name__ == "__main__":
    sys.exit(main())
