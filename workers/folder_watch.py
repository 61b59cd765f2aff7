"""Makes tasks of the files that are put into a watched folder. Every worker looks; a content is handed in once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

from config.settings import Settings
from contracts.clock import Clock
from contracts.controls import Controls
from contracts.errors import ContractViolation, DatabaseUnavailable, QueueFull, SourceMissing, SourceUnreadable
from contracts.queue import Queue
from contracts.schema import parse_task
from contracts.task import DEFAULT_QUEUE, ParseTask
from contracts.watch import Known, Watched
from observability.logging import get_logger
from workers.back_pressure import BackPressure
from workers.hand_in import HandedIn, hand_in
from workers.handover import send
from workers.watched_folder import Found, WatchedFolder, is_locked, signature_of

log = get_logger(__name__)

UNKNOWN = Known("", 0)


class FolderWatch:
    """One look after the other. Files stay where they are; whoever put them there may remove them."""

    def __init__(
        self,
        folder: Path,
        *,
        inbox: Path,
        watched: Watched,
        ledger: Controls,
        queue: Queue,
        settings: Settings,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._folder = WatchedFolder(folder)
        self._name = folder
        self._inbox = inbox
        self._watched = watched
        self._pressure = BackPressure(ledger, most=settings.max_waiting)
        self._queue = queue
        self._settings = settings
        self._clock = clock
        self._random = random
        self._done: dict[str, str] = {}
        """Signatures by place: nothing is to be done about these."""
        self._told: dict[str, str] = {}

    async def look(self) -> int:
        """One look; how many tasks came of it. Raises DatabaseUnavailable."""
        try:
            ready = await asyncio.to_thread(self._folder.look)
        except OSError as error:
            self._tell(str(self._name), "", error)
            return 0
        self._told.pop(str(self._name), None)
        self._done = {one.place: one.signature for one in ready if self._done.get(one.place) == one.signature}
        new = [one for one in ready if one.place not in self._done]
        known = await self._watched.known([one.place for one in new]) if new else {}
        return sum([await self._take(one, known.get(one.place, UNKNOWN)) for one in new])

    async def run(self) -> None:
        """Until cancelled; survives an absent PostgreSQL, Redis or folder."""
        while True:
            try:
                await self.look()
            except DatabaseUnavailable as error:
                log.warning("watch.failed", file=str(self._name), error=str(error))
            await self._clock.sleep(self._settings.watch_seconds * (0.75 + self._random() / 2))

    async def _take(self, one: Found, known: Known) -> int:
        """1 if a task came of it."""
        if known.signature == one.signature:
            self._done[one.place] = one.signature
            return 0
        problem = one.problem
        if not problem and one.size > self._settings.max_source_bytes:
            problem = f"it has {one.size:,} bytes, more than PRICEMILL_MAX_SOURCE_BYTES"
        try:
            if not problem:
                return await self._hand_in(one, known)
        except (SourceUnreadable, ContractViolation) as error:
            problem = error.message.replace(str(one.path), "it")
        except QueueFull as error:
            self._tell(one.place, one.signature, error)
            return 0
        except (SourceMissing, FileNotFoundError):
            return 0
        except OSError as error:
            self._tell(one.place, one.signature, error)
            return 0
        if await self._watched.refused(one.place, since=known.version, signature=one.signature, problem=problem):
            log.warning("watch.refused", file=one.place, reason=problem)
        self._done[one.place] = one.signature
        return 0

    async def _hand_in(self, one: Found, known: Known) -> int:
        handed = await asyncio.to_thread(self._copy, one)
        if handed is None or handed.sha256 is None:
            return 0  # somebody writes it: the next look sees more
        sha256 = handed.sha256

        def task(version: int) -> ParseTask:
            return _task(one, handed, sha256, version)

        # What cannot be a task, or not now, is found before anything is written.
        await self._pressure.admit([task(known.version)])
        answer = await self._watched.handed_in(
            one.place, since=known.version, signature=one.signature, sha256=sha256, task=task
        )
        if answer is None:
            return 0
        task_id, delivery = answer
        log.info("watch.handed_in", file=one.place, task_id=task_id, sha256=sha256)
        log.debug("task.enqueued", queue=DEFAULT_QUEUE, tasks=1, origin="watch")
        await send([] if delivery is None else [delivery], queue=self._queue)
        return 1

    def _copy(self, one: Found) -> HandedIn | None:
        """None if the file was locked, or was changed while it was copied."""
        if is_locked(one.path):
            return None
        handed = hand_in(one.path, self._inbox, self._settings.source_roots)
        return handed if signature_of(one.path.lstat()) == one.signature else None

    def _tell(self, place: str, signature: str, error: Exception) -> None:
        """Once for each state of a file."""
        if self._told.get(place) != signature:
            self._told[place] = signature
            log.warning("watch.failed", file=place, error=f"{type(error).__name__}: {error}")


def _task(one: Found, handed: HandedIn, sha256: str, version: int) -> ParseTask:
    """The same for every worker that sees this content as this version of this place."""
    place = hashlib.sha256(one.place.encode()).hexdigest()
    task_id = f"watch-{place[:12]}-{version}-{sha256[:12]}"
    return parse_task(
        {
            "schema_version": "2.0",
            "task_id": task_id,
            "idempotency_key": task_id,
            "parser_type": handed.parser_type,
            "supplier_name": one.supplier,
            "source_config": handed.location,
        }
    )
