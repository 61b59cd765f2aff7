"""How near to its end something is, and what is done about it: the named thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.errors import ConfigError

PRODUCTION: Final = "production"
RELEASE: Final = 5.0
"""Points below its threshold at which a level ends, so that one around it does not come and go."""
FEWEST_ROWS: Final = 1_000
"""Chunks are not made smaller than this."""


class Level(IntEnum):
    """Each does what the one before it does, and more."""

    CALM = 0
    GENTLE = 1
    """Collect what Python has left over."""
    MODERATE = 2
    """Half the chunk size."""
    AGGRESSIVE = 3
    """A quarter of the chunk size, and give freed memory back to the system."""
    RECYCLE = 4
    """Give the tasks back behind their chunk, and start the process anew."""


HIGHEST: Final[Mapping[str, Level]] = MappingProxyType(
    {"memory": Level.RECYCLE, "descriptors": Level.RECYCLE, "disk": Level.AGGRESSIVE, "pool": Level.GENTLE}
)
"""By measure: a new process does not empty a disk, and a full pool only makes its users wait."""

Percent = Annotated[float, Field(ge=1, le=100)]


class ResourceThreshold(BaseModel):
    """Percent at which the levels begin. Looked up by `id`, which never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
    gentle: Percent = 80.0
    moderate: Percent = 85.0
    aggressive: Percent = 90.0
    recycle: Percent = 95.0
    is_active: bool = True
    """False: everything is measured and told, nothing is done."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if not self.gentle < self.moderate < self.aggressive < self.recycle:
            raise ValueError("the levels must rise: gentle, moderate, aggressive, recycle")
        return self

    def begins(self, level: Level) -> float:
        return (0.0, self.gentle, self.moderate, self.aggressive, self.recycle)[level]

    def level_of(self, percent: float, *, before: Level = Level.CALM) -> Level:
        """Pure. `before`: the level so far, which ends RELEASE points below its threshold only."""
        reached = max(level for level in Level if percent >= self.begins(level))
        if reached >= before:
            return reached
        return max(level for level in Level if level <= before and percent >= self.begins(level) - RELEASE)


THRESHOLDS: Final = MappingProxyType(
    {
        one.id: one
        for one in (
            ResourceThreshold(id=PRODUCTION),
            ResourceThreshold(id="early", gentle=70, moderate=80, aggressive=85, recycle=95),
            ResourceThreshold(id="observe", is_active=False),
        )
    }
)


def threshold_named(threshold_id: str) -> ResourceThreshold:
    """The thresholds of that id; ConfigError listing the known ones otherwise."""
    try:
        return THRESHOLDS[threshold_id]
    except KeyError:
        known = ", ".join(THRESHOLDS)
        raise ConfigError(f"there is no resource policy {threshold_id!r}; known are {known}") from None


@dataclass(frozen=True, slots=True)
class Assessment:
    """The level of each measure."""

    levels: Mapping[str, Level]

    @property
    def worst(self) -> tuple[str, Level]:
        """(measure, level)."""
        return max(self.levels.items(), key=lambda pair: pair[1])


def assess(percents: Mapping[str, float], threshold: ResourceThreshold, *, before: Mapping[str, Level]) -> Assessment:
    """Pure."""
    return Assessment(
        {
            measure: min(threshold.level_of(percent, before=before.get(measure, Level.CALM)), HIGHEST[measure])
            for measure, percent in percents.items()
        }
    )


def smaller(rows: int, level: Level) -> int:
    """A chunk size under that level of memory."""
    part = 4 if level >= Level.AGGRESSIVE else 2 if level >= Level.MODERATE else 1
    return max(rows // part, min(rows, FEWEST_ROWS))
