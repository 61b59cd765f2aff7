"""What differs between two versions of a supplier profile, member by member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.screen import dumps
from cli.text import line

WORDS = {
    "mapping": "column of",
    "read": "how the file is opened:",
    "numbers": "how prices are written:",
    "rules": "rule",
    "synonyms": "own words for",
    "name_from_sku": "the code as name",
    "price_basis": "units a price is for",
    "characteristic_columns": "columns kept as characteristics",
}
"""How the first part of a member's name reads in a sentence; the others read as they are."""


@dataclass(frozen=True, slots=True)
class Change:
    """One member; None = not set."""

    member: str
    """Names joined by dots: mapping.price."""
    old: Any
    new: Any

    @property
    def sentence(self) -> str:
        """For people, inert."""
        first, _, rest = self.member.partition(".")
        name = line(f"{WORDS.get(first, first)} {rest}".strip())
        if self.old is None:
            return f"{name}: {_shown(self.new)} (was not set)"
        if self.new is None:
            return f"{name}: no longer set (was {_shown(self.old)})"
        return f"{name}: {_shown(self.old)} became {_shown(self.new)}"


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Of two profile documents; the version of their shape does not count."""
    before, after = dict(_members(old)), dict(_members(new))
    return [
        Change(member, before.get(member), after.get(member))
        for member in sorted(before.keys() | after.keys())
        if before.get(member) != after.get(member) and member != "schema_version"
    ]


def _members(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _members(value, f"{prefix}{name}.")
        elif value not in (None, [], ""):
            yield f"{prefix}{name}", value


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"“{line(value)}”"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return line(dumps(value))
