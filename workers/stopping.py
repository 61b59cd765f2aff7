"""How a worker is asked to stop: by signal, by the end of a burst, or by whoever runs it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stopping:
    """The flag that the guards of running tasks read; set once and never taken back."""

    stopping: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    hurried: asyncio.Event = field(default_factory=asyncio.Event)

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
