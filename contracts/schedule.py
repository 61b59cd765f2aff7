"""Schedules: what is to be started when, what became of each slot, and the port to where both are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple, Protocol

from pydantic import Field, StringConstraints

from contracts.members import Text255, Whole
from contracts.queue import Delivery
from contracts.task import DEFAULT_QUEUE, Document, ParseTask, Priority, TaskOptions

GRACE: Final = timedelta(minutes=5)
"""A slot that is this late is started as if it were not; beyond it is missed, and the catch-up policy decides."""
LATE: Final = timedelta(seconds=60)
"""A slot that was started later than this counts as late."""
NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,79}$"


class Overlap(StrEnum):
    """What happens to a slot while a task of an earlier one has not ended."""

    SKIP = "skip"
    QUEUE = "queue"
    CANCEL_RUNNING = "cancel_running"


class CatchUp(StrEnum):
    """Which missed slots are started afterwards."""

    SKIP = "skip"
    LATEST = "latest"
    ALL = "all"


class TaskTemplate(Document):
    """A queue message without id and times. In texts of source_config {date} is the day of the slot in the schedule's
    zone (2026-11-21); a task from such a template is valid as of its slot."""

    parser_type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
    supplier_name: Text255
    source_config: dict[str, Any]
    priority: Priority = Priority.NORMAL
    max_retries: Annotated[Whole, Field(ge=0, le=10)] = 3
    queue: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")] | None = None
    """None = the default queue."""
    options: TaskOptions = TaskOptions()

    @property
    def queue_name(self) -> str:
        return self.queue or DEFAULT_QUEUE


class SchedulePlan(Document):
    """What a person decides about a schedule."""

    cron: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Five fields: minute, hour, day of month, month, day of week."""
    zone: Annotated[str, StringConstraints(min_length=1, max_length=60)] = "UTC"
    """IANA name."""
    jitter_seconds: Annotated[Whole, Field(ge=0, le=3600)] = 0
    """Each slot is started up to so much later, always by the same amount."""
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.SKIP
    catch_up_runs: Annotated[Whole, Field(ge=1, le=100)] = 10
    """At most so many missed slots are started, the newest; and only those of the last catch_up_seconds."""
    catch_up_seconds: Annotated[Whole, Field(ge=60, le=604_800)] = 3600
    task: TaskTemplate


@dataclass(frozen=True, slots=True)
class Pause:
    """Slots from `since` and before `until` (None = for ever) are skipped."""

    since: datetime
    until: datetime | None
    reason: str

    def covers(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule as it is stored."""

    key: int
    name: str
    plan: SchedulePlan
    enabled: bool
    through: datetime
    """Every slot up to here is decided."""
    next_at: datetime | None
    """When the next slot is due, jitter included; None = never."""
    pause: Pause | None


State = Literal["started", "caught_up", "missed", "skipped"]


@dataclass(frozen=True, slots=True)
class Firing:
    """What becomes of one slot, or of several neighbouring ones that are missed or skipped for one reason."""

    slot: datetime
    """The last of them."""
    state: State
    due: datetime
    """Of that slot, jitter included."""
    reason: str = ""
    first: datetime | None = None
    """The first one; None = the slot alone."""
    slots: int = 1
    task: ParseTask | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a tick makes of one schedule."""

    firings: tuple[Firing, ...]
    through: datetime
    next_at: datetime | None
    cancel: tuple[str, ...] = ()
    """Ids of tasks that give way to what is started now."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store knows at the moment of a decision."""

    now: datetime
    unfinished: tuple[str, ...] = ()
    """Ids of this schedule's tasks that have not ended, oldest first."""
    taken: frozenset[datetime] = field(default_factory=frozenset)
    """Slots behind `through` about which something was decided before: skipped in advance, started by hand."""


Decide = Callable[[Schedule, Seen], Decision]


class Fired(NamedTuple):
    """One firing that was written now."""

    schedule: str
    firing: Firing
    delivery: Delivery | None
    """To hand to the queue; None if the firing has no task, or its task stands behind another of its supplier."""


class Ticked(NamedTuple):
    """What one tick did."""

    fired: list[Fired]
    failed: list[tuple[str, str]]
    """Name and reason of schedules about which nothing could be decided; they are asked again minutes later."""


class Schedules(Protocol):
    """Schedules and their slots. Each method is one transaction; times are the store's clock. Raises
    DatabaseUnavailable."""

    async def now(self) -> datetime: ...

    async def put(
        self,
        name: str,
        plan: SchedulePlan,
        *,
        next_at: datetime | None,
        actor: str,
        replace: bool = False,
        enabled: bool = True,
    ) -> bool:
        """Adds a schedule whose slots count from now on, or with `replace` changes it in the same way. False if the
        name is taken, or with `replace` unknown."""
        ...

    async def get(self, name: str) -> Schedule | None: ...

    async def remove(self, name: str) -> bool:
        """With its history of slots; its tasks stay."""
        ...

    async def pause(self, name: str, *, reason: str, until: datetime | None) -> bool: ...

    async def resume(self, name: str, *, next_at: datetime | None) -> bool:
        """Slots within the pause stay skipped, also those that nobody has looked at yet. A disabled schedule is
        enabled, and its slots count from now on."""
        ...

    async def tick(self, decide: Decide, *, limit: int = 50) -> Ticked:
        """Asks `decide` about each enabled schedule that is due, and in the same transaction writes its firings and
        registers their tasks as sent. A slot that stands already is passed over, with its task. One tick at a time in
        the fleet; the others do nothing. `decide` raises ScheduleInvalid for what it cannot read. QueueFull leaves
        the schedule as it was."""
        ...

    async def record(self, name: str, firings: Sequence[Firing]) -> list[Fired]:
        """Writes firings that a person asked for and registers their tasks as sent; only those of free slots are
        answered."""
        ...

    async def prune(self, *, older_than: timedelta) -> int:
        """Forgets slots from before; returns how many rows."""
        ...
