"""Which columns serve which field, as far as it is decided."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mapped:
    """One column serving one field."""

    index: int
    certainty: float
    reason: str


Fields = dict[str, list[Mapped]]
"""By field; a composite key has several columns, in its order."""
