"""Finds the second half of a column whose header was merged over two."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.understanding.table import Table, is_number
from pipeline.understanding.text import is_blank

FEWEST = 3
OVERLAP = 0.1
"""Share of the rows that may fill both halves."""


def other_half(table: Table, index: int, taken: Collection[int]) -> int | None:
    """A column beside this one that has no header and holds text nearly only where this one is blank: each row uses one
    of the two. None if there is none, or one on either side."""
    found = []
    for beside in (index - 1, index + 1):
        if not 0 <= beside < table.width or beside in taken or table.lines[beside]:
            continue
        alone = both = 0
        for row in table.rows():
            if beside < len(row) and not is_blank(row[beside]) and not is_number(row[beside]):
                if index < len(row) and not is_blank(row[index]):
                    both += 1
                else:
                    alone += 1
        if alone >= FEWEST and both <= OVERLAP * alone:
            found.append(beside)
    return found[0] if len(found) == 1 else None
