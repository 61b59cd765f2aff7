"""Which versions of a checkpoint are read, and how an older one becomes a newer one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from contracts.checkpoint import CHECKPOINT_VERSION

Step = Callable[[dict[str, Any]], dict[str, Any]]
STEPS: Final[Mapping[int, Step]] = MappingProxyType({})
"""From minor version n to n + 1, by n; each takes the members and returns new ones. None yet: 1.0 is the first."""


def minor_of(version: str, *, current: str = CHECKPOINT_VERSION) -> int | None:
    """The minor version, if the major one is ours; None if this release cannot read it."""
    parts = version.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 6 for part in parts):
        return None
    return int(parts[1]) if int(parts[0]) == int(current.split(".", maxsplit=1)[0]) else None


def brought_up(
    members: dict[str, Any], minor: int, *, current: str = CHECKPOINT_VERSION, steps: Mapping[int, Step] = STEPS
) -> dict[str, Any]:
    """The members as the current version has them. A newer minor version only adds, so it is taken as it is. KeyError
    if a step is missing."""
    for number in range(minor, int(current.split(".")[1])):
        members = steps[number](members)
    return members
