"""When a run is stopped because too much of it fails: the named policies."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.errors import ConfigError

CONSERVATIVE: Final = "conservative"
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Action = Literal["save_state", "notify", "stop", "park"]


class Trigger(BaseModel):
    """One condition. Of several that hold, the one of the highest priority counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identifier
    unit: Literal["row", "chunk"]
    """What is counted. A row counts if it is an item or if something is wrong with it: headings, blanks, notes and rows
    for which the supplier states no price (contracts/reasons.py, UNSTATED) say nothing. A chunk has failed if more
    than half of its rows have."""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """More than this share of the window has failed; 1 = all of it."""
    window: Annotated[int, Field(ge=1, le=1_000_000)]
    """Operations looked at, the newest; whole chunks, so that it may be more."""
    min_operations: Annotated[int, Field(ge=1, le=1_000_000)]
    """With fewer in the window nothing is decided."""
    one_cause: bool = False
    """True: only if all failures of the run have the same code."""
    from_start: bool = False
    """True: only while the run had no success at all."""
    priority: Annotated[int, Field(ge=0, le=1_000)] = 0

    @model_validator(mode="after")
    def _window_can_be_filled(self) -> Self:
        if self.min_operations > self.window:
            raise ValueError("min_operations must not be more than the window")
        return self


class AbortPolicy(BaseModel):
    """Figures only; they are applied in watch.py. Policies are looked up by `id`, which never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identifier
    triggers: tuple[Trigger, ...] = ()
    """() = nothing is ever stopped."""
    background: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of failing operations in a run that shall go on."""
    cluster: Annotated[int, Field(ge=1, le=1_000)] = 40
    """Rows that count as one, because failures come in sections and pages: the design effect of clusters whose length
    is geometric with a mean of 20."""
    risk: Annotated[float, Field(gt=0, lt=1)] = 0.004
    """Probability, shared by all triggers and looks, of stopping such a run, however long it is."""
    actions: tuple[Action, ...] = ("save_state", "notify", "stop", "park")
    """Fixed in kind: the checkpoint is committed already; notify obeys the cool-down; stop and park are the dead
    letter."""
    cooldown: Annotated[float, Field(ge=0, le=86_400)] = 300.0
    """Seconds without a second alert of the same trigger. A list that must not go on stops all the same."""
    alerts_per_hour: Annotated[int, Field(ge=1, le=1_000)] = 3


_FIRST_ROWS: Final = Trigger(
    id="first_rows", unit="row", threshold=1, window=200, min_operations=200, one_cause=True, from_start=True,
    priority=110,
)  # fmt: skip
_FAILED_CHUNKS: Final = Trigger(id="failed_chunks", unit="chunk", window=10, min_operations=10, priority=80)


def _rows(window: int, threshold: float, *, id_: str = "failure_rate", priority: int = 100) -> Trigger:
    return Trigger(id=id_, unit="row", threshold=threshold, window=window, min_operations=window, priority=priority)


def _triggers(window: int, threshold: float) -> tuple[Trigger, ...]:
    """The long window sees failures that are too few for the short one to be sure of."""
    long = _rows(window * 5, threshold, id_="failure_rate_long", priority=90)
    return (_FIRST_ROWS, _rows(window, threshold), long, _FAILED_CHUNKS)


_ALL: Final = (
    AbortPolicy(id=CONSERVATIVE, triggers=_triggers(500, 0.5)),
    AbortPolicy(id="production", triggers=_triggers(2_000, 0.5), risk=0.001),
    AbortPolicy(id="strict", triggers=_triggers(500, 0.25), background=0.05),
    AbortPolicy(id="off"),
)
POLICIES: Final = MappingProxyType({policy.id: policy for policy in _ALL})


def abort_policy_named(policy_id: str) -> AbortPolicy:
    """The policy of that id; ConfigError listing the known ones otherwise."""
    try:
        return POLICIES[policy_id]
    except KeyError:
        raise ConfigError(f"there is no abort policy {policy_id!r}; known are {', '.join(POLICIES)}") from None
