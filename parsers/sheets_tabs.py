"""Finds the tab of a Google Sheet that is meant: by its name, its place, or the gid of its address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contracts.errors import SourceMissing

_PLACE = re.compile(r"#([1-9][0-9]{0,2})")


def chosen_tab(tabs: Sequence[Mapping[str, Any]], wanted: str | None, gid: int | None, title: str) -> str:
    """`tabs`: title, gid and hidden of each tab with cells, in order. A name counts before a gid; upper and lower case
    count only between names that differ in nothing else; "#2" is the second tab, unless one is called so. Raises
    SourceMissing with what there is."""
    names = [str(tab["title"]) for tab in tabs]
    listed = ", ".join(f"{tab['title']} (hidden)" if tab["hidden"] else str(tab["title"]) for tab in tabs)
    if wanted is not None:
        if wanted in names:
            return wanted
        alike = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
        if len(alike) == 1:
            return alike[0]
        place = _PLACE.fullmatch(wanted)
        if place is not None and int(place[1]) <= len(names):
            return names[int(place[1]) - 1]
        raise SourceMissing(
            f"there is no worksheet “{wanted}” in “{title}”; there are: {listed}",
            tabs=names,
            next="name one of these with --sheet, or correct the name in the task or the profile",
        )
    found = next((str(tab["title"]) for tab in tabs if tab["gid"] == gid), None)
    if found is None:
        raise SourceMissing(
            f"no worksheet of “{title}” has the gid {gid}; there are: {listed}",
            gid=gid,
            next="open the tab in a browser and take the address from there, or name the tab with --sheet",
        )
    return found


def names_of(tabs: Iterable[Any]) -> str:
    return ", ".join(tab.facts.title for tab in tabs)
