"""Tables and paragraphs of the pages that are written from the code."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    columns = list(head)
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in row)} |"


def paragraph(text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, 118, break_long_words=False, break_on_hyphens=False)
