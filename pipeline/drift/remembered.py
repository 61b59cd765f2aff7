"""Finds the columns of a supplier's last list again: by name where the values agree, never by one of them alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config.profiles import SupplierProfile
from pipeline.drift.doubts import Doubt
from pipeline.understanding.shape import Shape
from pipeline.understanding.table import Table
from pipeline.understanding.text import fold, letter_index

SURELY_KNOWN = 0.8
"""Share of the codes that must be stored, under another header."""
FEW = 3
"""Fewer known items than this prove nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """One column of the last list."""

    header: str
    index: int | None
    """Counts only without a header."""
    sketch: tuple[int, ...] = ()

    @property
    def shown(self) -> str:
        return f"“{self.header}”" if self.header else "its column"


Parts = Mapping[str, tuple[Part, ...]]


@dataclass(slots=True)
class Settled:
    """Which columns hold the fields of the last list now."""

    columns: dict[str, tuple[int, ...]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    """Of the fields that moved to another header."""
    doubts: list[Doubt] = field(default_factory=list)
    another: bool = False
    """Nothing of the last list is in this one: it is another list of the supplier."""

    def renamed(self, name: str, was: Part, now: str, figures: str) -> None:
        self.warnings.append(f"{now} holds {name} now instead of {was.shown}: {figures}")
        self.reasons[name] = f"instead of {was.shown}: {figures}"


def remembered_parts(shape: Shape | None, profile: SupplierProfile | None) -> tuple[Parts, set[str]]:
    """The columns of the last list by field, and the fields of which the profile says something new since then: those
    are taken as told."""
    told = {} if profile is None else profile.mapping.model_dump(mode="json", exclude_none=True)
    parts: dict[str, tuple[Part, ...]] = {}
    if shape is not None:
        for name in shape.mapping:
            parts[name] = tuple(Part(column.header, column.index, column.sketch) for column in shape.of(name))
    anew = set()
    for name, reference in told.items():
        if shape is not None and name in parts and shape.told.get(name) == reference:
            continue
        if shape is not None:
            anew.add(name)
        parts[name] = tuple(_part(one) for one in (reference if isinstance(reference, list) else [reference]))
    return parts, anew


def _part(reference: Any) -> Part:
    return Part("", reference) if isinstance(reference, int) else Part(reference, letter_index(reference))


def locate(table: Table, part: Part) -> list[int]:
    """Columns that bear this name."""
    if part.header:
        same = [index for index in range(table.width) if table.header(index) == part.header]
        folded = fold(part.header)
        same = same or [index for index in range(table.width) if folded and fold(table.header(index)) == folded]
        found = same or table.find(part.header)
        if found or letter_index(part.header) is None or part.sketch:
            return found
    return [part.index] if part.index is not None and part.index < table.width else []
