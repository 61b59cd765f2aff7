"""Looks at what is left, relieves, and gives tasks back before nothing is left."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any, Final

from contracts.errors import ResourcesExhausted
from observability.logging import get_logger
from resilience.cooldown import HOUR, Cooldown
from resilience.resource.monitor import Snapshot
from resilience.resource.thresholds import Level, ResourceThreshold, assess, smaller
from resilience.resource.trend import Growth

log = get_logger(__name__)

BETWEEN: Final = 5.0
"""Seconds between two looks of runs; a look takes some milliseconds."""
RELIEF_PAUSE: Final = 60.0
"""Seconds between two reliefs of the same level."""
WORTH: Final = 0.1
"""Share of the memory's limit that this process must have gained above its least for a new one to be any better."""


def relieve(level: Level) -> None:
    """Collects garbage; from AGGRESSIVE on also hands free memory back to the system, where the C library can."""
    gc.collect(1 if level is Level.GENTLE else 2)
    if level >= Level.AGGRESSIVE:
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


class ResourceWatch:
    """One for each process; of its event loop's thread, but document() of any. Asked at an interval and, as a guard,
    behind each chunk."""

    def __init__(
        self,
        look: Callable[[], Snapshot],
        threshold: ResourceThreshold,
        *,
        recycle: Callable[[], object],
        patience: float,
        relieve: Callable[[Level], object] = relieve,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        """`recycle` is called once, when the process shall be started anew; not before it is `patience` seconds old,
        so that a task which fills any process at once is slowed, not passed from one new process to the next."""
        self._look = look
        self._threshold = threshold
        self._recycle = recycle
        self._patience = patience
        self._relieve = relieve
        self._seconds = seconds
        self._pauses = Cooldown(seconds=seconds)
        self._started = self._looked = seconds()
        self._growth = Growth(self._started)
        self._levels: dict[str, Level] = {}
        self._document: dict[str, Any] = {}
        self._exhausted: str | None = None
        """The measure for which the process is to be started anew."""
        self._base: int | None = None
        """The fewest resident bytes of any look."""

    def document(self) -> dict[str, Any]:
        """The newest look, with the levels above CALM; {} before the first."""
        return self._document

    def resize(self, rows: int) -> int:
        """The chunk size to use instead of `rows`."""
        return smaller(rows, self._levels.get("memory", Level.CALM)) if self._threshold.is_active else rows

    def check(self, progress: Any) -> None:
        """ResourcesExhausted once the process is to be started anew."""
        if self._seconds() - self._looked >= BETWEEN:
            self.look()
        if self._exhausted is not None:
            raise ResourcesExhausted(retry_after=timedelta(0), measure=self._exhausted, snapshot=self._document)

    def look(self) -> None:
        """Measures, tells what has changed, and acts."""
        snapshot = self._look()
        self._looked = self._seconds()
        self._base = snapshot.own if self._base is None else min(self._base, snapshot.own)
        found = assess(snapshot.percents, self._threshold, before=self._levels)
        self._tell(snapshot, dict(found.levels))
        self._levels = dict(found.levels)
        self._tell_growth(snapshot)
        told = {measure: level.name.lower() for measure, level in self._levels.items() if level}
        self._document = {**snapshot.document(), "levels": told}
        measure, level = found.worst
        if level and self._threshold.is_active:
            self._act(snapshot, measure, level)

    def _tell(self, snapshot: Snapshot, levels: dict[str, Level]) -> None:
        for measure, level in levels.items():
            before, percent = self._levels.get(measure, Level.CALM), round(snapshot.percents[measure], 1)
            if level > before:
                log.warning("resource.short", measure=measure, level=level.name.lower(), percent=percent)
            elif level is Level.CALM and before:
                log.info("resource.recovered", measure=measure, percent=percent)

    def _tell_growth(self, snapshot: Snapshot) -> None:
        self._growth.add(self._looked, snapshot.own)
        trend = self._growth.trend()
        if trend is not None and trend.leak and self._pauses.take("leak", pause=HOUR, per_hour=1):
            log.warning(
                "resource.grows", megabytes_per_hour=round(trend.per_hour / 1e6), certainty=round(trend.certainty, 2)
            )

    def _act(self, snapshot: Snapshot, measure: str, level: Level) -> None:
        if self._pauses.take(level.name, pause=RELIEF_PAUSE, per_hour=60):
            self._relieve(level)
            log.info("resource.relieved", measure=measure, level=level.name.lower())
        if level is Level.RECYCLE and self._exhausted is None and self._better_anew(snapshot, measure):
            log.warning("resource.exhausted", measure=measure, percent=round(snapshot.percents[measure], 1))
            self._exhausted = measure
            self._recycle()

    def _better_anew(self, snapshot: Snapshot, measure: str) -> bool:
        """Where others fill the machine, a new process is no better than this one."""
        if self._looked - self._started < self._patience:
            return False
        gained = snapshot.own - (self._base or 0)
        return measure != "memory" or gained >= WORTH * snapshot.memory_limit
