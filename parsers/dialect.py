"""Finds how the cells of a text file are separated and quoted, by trying the candidates on its first records."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from contracts.errors import SourceUnreadable
from parsers.encoding import Text
from parsers.quoting import Dialect
from parsers.trial import Sample, Trial

SAMPLE, LINES = 262_144, 300
"""Bytes and lines from which a dialect is judged; the lines end first, unless they are very long."""
DELIMITERS = (b",", b";", b"\t", b"|")
SELDOM = (b"^", b"~", b"\x1f")
"""Candidates only where nearly every record has the same three or more cells."""
NAMES = {b",": "comma", b";": "semicolon", b"\t": "tab", b"|": "bar", b"^": "caret", b"~": "tilde", b"\x1f": "U+001F"}
ESCAPES = {b"\\": "a backslash", b"\0": "a zero byte"}
BETTER, BETTER_BY_FAR = 0.02, 0.3
"""How many more records (as a share) must be even for quotes to be ordinary characters; the second where most records
hold a cell in quotes."""
EVEN, CLOSE = 0.95, 0.1
"""A share of records, and a difference of scores, from which on a second separator is worth a word."""

_STATED = re.compile(rb"sep=(.)\s*$", re.IGNORECASE)


class Found(NamedTuple):
    dialect: Dialect
    reason: str
    width: int
    """Cells of most records; 1 = nothing separates them."""
    share: float
    """Of the first records that have this width."""
    notes: tuple[str, ...] = ()
    quoting: bool = False
    """Some cells are quoted, although quotes are ordinary characters."""


class _Choice(NamedTuple):
    dialect: Dialect
    trial: Trial
    how: str


def find_dialect(text: Text, wanted: str | None = None) -> Found:
    """`wanted` is a delimiter that wins; otherwise a line `sep=;` does, and then whatever gives the most records
    of one width. Raises SourceUnreadable for a delimiter that is not one ASCII character."""
    sample = read_sample(text)
    if wanted is not None:
        chosen, reason = _quoted(sample, _checked(wanted)), "as configured"
    elif stated := _STATED.match(sample.data.split(text.newline, 1)[0]):
        chosen, reason = _quoted(sample, stated[1]), "the first line says so"
    else:
        return _best(sample)
    return _found(sample, chosen, reason)


def read_sample(text: Text) -> Sample:
    with text.path.open("rb") as file:
        file.seek(text.start)
        data = file.read(SAMPLE)
    whole, end = len(data) < SAMPLE, -1
    for _ in range(LINES):
        end = data.find(text.newline, end + 1)
        if end < 0:
            return Sample(data, text.encoding, text.newline, whole=whole)
    return Sample(data[: end + 1], text.encoding, text.newline, whole=whole and end + 1 == len(data))


def sample_lines(text: Text) -> list[str]:
    """The first lines, decoded; the last one only if it is whole."""
    sample = read_sample(text)
    lines = sample.data.decode(text.encoding, "replace").split(sample.newline.decode("ascii"))
    return lines if sample.whole else lines[:-1]


def _best(sample: Sample) -> Found:
    choices = [_quoted(sample, mark) for mark in DELIMITERS]
    choices += [
        choice
        for mark in SELDOM
        if mark in sample.data and (choice := _quoted(sample, mark)).trial.share >= EVEN and choice.trial.width > 2
    ]
    scores = {choice.dialect.delimiter: _score(choice, sample) for choice in choices}
    ranked = sorted(choices, key=lambda choice: -scores[choice.dialect.delimiter])
    best, trial = ranked[0], ranked[0].trial
    if not scores[best.dialect.delimiter]:
        return Found(best.dialect, _said(best, "nothing separates cells; every record is one cell"), 1, 1.0)
    notes = tuple(
        f"cells could also be separated by {_name(other.dialect.delimiter)}: {other.trial.share:.0%} of the first "
        f"records would have {other.trial.width} cells; set delimiter to be sure"
        for other in ranked[1:2]
        if other.trial.share >= EVEN and scores[best.dialect.delimiter] - scores[other.dialect.delimiter] < CLOSE
    )
    reason = f"{trial.share:.0%} of the first records have {trial.width} cells"
    return _found(sample, best, reason, notes)


def _found(sample: Sample, choice: _Choice, reason: str, notes: tuple[str, ...] = ()) -> Found:
    dialect, trial = choice.dialect, choice.trial
    quoting = dialect.quote is None and sample.enclosed(dialect.delimiter, b'"').cells > 0
    return Found(dialect, _said(choice, reason), trial.width, trial.share, notes, quoting)


def _score(choice: _Choice, sample: Sample) -> float:
    """Evenness first, then width. 0 = separates nothing."""
    trial, delimiter = choice.trial, choice.dialect.delimiter
    if trial.width == 1:
        return 0.0
    score = trial.share + 0.02 * min(trial.width, 20)
    if delimiter == b",":
        # "Bolt;3,50" must not fall into two columns at its decimal commas
        decimals, commas = len(re.findall(rb"\d,(?=\d)", sample.data)), sample.data.count(b",")
        score *= 0.5 if decimals > commas / 2 else 1.0
    if choice.dialect.quote and sample.enclosed(delimiter, choice.dialect.quote).cells > len(trial.rows) / 2:
        return score  # what stands between quotes may hold anything
    for other in DELIMITERS[1:]:
        if other != delimiter and other in sample.data:
            counts = Counter(sum(cell.count(other.decode()) for cell in row if type(cell) is str) for row in trial.rows)
            often = max((count for number, count in counts.items() if number), default=0)
            # cells that hold as many semicolons in every record are several cells
            score *= 0.6 if often >= 0.8 * len(trial.rows) else 1.0
    return score


def _quoted(sample: Sample, delimiter: bytes) -> _Choice:
    """How cells are quoted, if this separates them."""
    plain = _Choice(
        Dialect(delimiter, b'"', sample.newline), sample.trial(Dialect(delimiter, b'"', sample.newline)), ""
    )
    data = sample.data
    apostrophes, quotes = sample.enclosed(delimiter, b"'"), sample.enclosed(delimiter, b'"')
    if apostrophes.cells > max(1, quotes.cells) and apostrophes.mostly:
        dialect = Dialect(delimiter, b"'", sample.newline)
        trial = sample.trial(dialect)
        if trial.share > plain.trial.share or (trial.share == plain.trial.share and not quotes.cells):
            return _Choice(dialect, trial, "cells are quoted with apostrophes")
    if b'"' not in data:
        return plain
    found = _escaped(sample, _padded(sample, plain))
    without = sample.trial(Dialect(delimiter, None, sample.newline))
    better = without.share - found.trial.share
    loose = better >= 0 and not quotes.mostly and not found.dialect.padded
    if loose or better > (BETTER_BY_FAR if quotes.mostly and quotes.cells > len(without.rows) / 2 else BETTER):
        return _Choice(Dialect(delimiter, None, sample.newline), without, "quotes are ordinary characters")
    return found


def _padded(sample: Sample, plain: _Choice) -> _Choice:
    """Blanks in front of a quote: `1, "Bolt, long"`."""
    dialect = plain.dialect
    if dialect.delimiter + b' "' not in sample.data or not sample.enclosed(dialect.delimiter + b" ", b'"').mostly:
        return plain
    padded = Dialect(dialect.delimiter, dialect.quote, dialect.newline, padded=True)
    trial = sample.trial(padded)
    return _Choice(padded, trial, "blanks stand before quotes") if trial.share >= plain.trial.share else plain


def _escaped(sample: Sample, plain: _Choice) -> _Choice:
    """A quote that is announced by another character, as in C."""
    dialect = plain.dialect
    for escape, name in ESCAPES.items():
        if escape + b'"' not in sample.data:
            continue
        inside = re.search(re.escape(escape) + rb'"[^%b"\r\n]' % re.escape(dialect.delimiter), sample.data)
        other = Dialect(dialect.delimiter, dialect.quote, dialect.newline, escape, dialect.padded)
        trial = sample.trial(other)
        if trial.share > plain.trial.share or (inside and trial.share == plain.trial.share):
            how = f"{name} stands before quotes that are characters"
            return _Choice(other, trial, f"{plain.how}; {how}" if plain.how else how)
    return plain


def _said(choice: _Choice, reason: str) -> str:
    return f"separated by {_name(choice.dialect.delimiter)}: {reason}" + (f"; {choice.how}" if choice.how else "")


def _name(delimiter: bytes) -> str:
    return NAMES.get(delimiter, delimiter.decode("latin-1"))


def _checked(wanted: str) -> bytes:
    if len(wanted) != 1 or not wanted.isascii() or wanted in '"\r\n\0':
        raise SourceUnreadable(f"“{wanted}” cannot separate cells", delimiter=wanted)
    return wanted.encode("ascii")
