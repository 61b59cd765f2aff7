"""How a worker is asked to stop: by signal, by the end of a burst, or by whoever runs it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

EXIT_RECYCLED: Final = 75
"""EX_TEMPFAIL; of a worker that wants to be started anew. A supervisor does so at once."""


@dataclass(slots=True)
class Stopping:
    """The flag that the guards of running tasks read; set once and never taken back."""

    stopping: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    hurried: asyncio.Event = field(default_factory=asyncio.Event)
    recycling: bool = False
    """The process shall be started anew."""

    def recycle(self) -> None:
        """Stop behind the next chunk, and leave with EXIT_RECYCLED."""
        self.recycling = True
        if not self.stopping:
            self.ask()

    def ask(self) -> None:
        """The first time: stop behind the next chunk. The second time: hurry."""
        if self.stopping:
            self.hurried.set()
        self.stopping = True
        self.asked.set()


@contextmanager
def stopped_by_signals(stopping: Stopping) -> Iterator[None]:
    """SIGTERM and SIGINT ask the worker to stop while the block lasts. Needs the running loop of the main thread."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.ask)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
