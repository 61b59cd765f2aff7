"""Decides what encoding bytes above ASCII are in: two opinions, and the doubt that is left."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from parsers.alphabets import CODE_PAGES, SYLLABIC, Fit, plausibility
from parsers.census import Census

CANDIDATES = (*CODE_PAGES, *SYLLABIC)
FIRST_LOOK, SECOND_LOOK = 600, 4_096
"""Bytes of distinct words by which all candidates, and then the best of them, are compared."""
KEPT = 80.0
"""How far behind the best (in nats) a candidate may be after the first look."""
DOUBT = 5.0
"""Nats; below this lead over another reading (odds of 150 to 1) the choice is said to be uncertain."""
VOTED = 2.0
"""Nats; below this lead the second opinion decides."""
SENSIBLE, SENSIBLE_SYLLABLES = 0.6, 0.85
"""Share of characters that must make sense (in encodings of thousands of characters, where chance gives more of them);
below, no candidate is right."""

_GAPS = re.compile(rb"[\x00-\x2f\x3a-\x3f]+")
"""ASCII that is no part of a character in any encoding (digits are, in GB 18030)."""
_READABLE = 20
"""A text that has this many times more UTF-8 characters than bytes that are none is UTF-8."""
_MIXED, _USUAL, _CHANCE = 0.7, 50, 3
"""So is one of which no more than this share of the foreign lines is not UTF-8, if at least every 50th line is foreign.
Where a few stray characters were pasted into a list, losing their rows would be dear: all are kept, and what reads
badly is said. Lines that are UTF-8 by chance are at most a third of the others."""


class Guess(NamedTuple):
    encoding: str
    why: str
    notes: tuple[str, ...] = ()


class _Read(NamedTuple):
    fit: Fit
    text: str
    encoding: str


def guess_encoding(census: Census) -> Guess:
    """For files without a byte order mark. Never raises."""
    if census.ascii_only:
        return Guess("utf-8", "only ASCII")
    if census.utf8:
        return Guess("utf-8", "every byte of the file fits")
    lines = list(dict.fromkeys(census.foreign))
    misfits = [line for line in lines if not is_utf8(line)]
    decoded = b"\n".join(lines).decode("utf-8", "replace")
    lost = decoded.count("\ufffd")
    fitting = sum(character > "\x7f" for character in decoded) - lost
    usual = len(census.foreign) * _USUAL >= census.feeds + census.returns
    if fitting > _READABLE * lost or (usual and len(misfits) <= len(lines) * _MIXED):
        other = _ranked(_words(misfits))[0]
        note = (
            f"{len(misfits)} of {len(lines)} lines looked at are not UTF-8 (as {other.encoding} the first word of them "
            f"reads “{_first(other.text)}”); such rows are rejected"
        )
        return Guess("utf-8", "fits but for damaged lines", (note,))
    proper = [line for line in lines if is_utf8(line)]
    if len(misfits) > _CHANCE * len(proper):
        return _judged(_words(lines))
    guess = _western(lines)
    word = next(iter(_words(proper)))
    note = (
        f"{len(proper)} of {len(lines)} lines looked at are UTF-8, and their “{word.decode()[:40]}” is read as "
        f"“{word.decode(guess.encoding, 'replace')[:40]}”; with encoding utf-8 the others would be rejected instead"
    )
    return guess._replace(notes=(*guess.notes, note))


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def reading(data: bytes, encoding: str) -> Fit:
    """How well bytes fit an encoding that somebody named; a share of 1 where nothing is known of it."""
    if encoding not in CANDIDATES:
        return Fit(0.0, 1.0, "")
    return plausibility(data.decode(encoding, "replace"), encoding)


def _judged(words: Sequence[bytes]) -> Guess:
    ranked = _ranked(words)
    best = next((read for read in ranked if _makes_sense(read)), None)
    if best is None:
        return _western(words)
    rivals = [
        read
        for read in ranked
        if best.fit.weight - read.fit.weight < DOUBT and read.text != best.text and _makes_sense(read)
    ]
    why = f"its characters fit {best.fit.language} ({best.fit.share:.0%})"
    if not rivals:
        return Guess(best.encoding, why)
    voted = _vote(b" ".join(words))
    chosen = next(
        (read for read in rivals if read.encoding == voted and best.fit.weight - read.fit.weight < VOTED), best
    )
    other = best if chosen is not best else rivals[0]
    here, there = _difference(chosen.text, other.text)
    note = (
        f"the encoding is not certain: it could also be {other.encoding} ({other.fit.language}), and “{here}” would "
        f"read “{there}”; set encoding to be sure"
    )
    return Guess(chosen.encoding, f"its characters fit {chosen.fit.language} ({chosen.fit.share:.0%})", (note,))


def _western(parts: Sequence[bytes]) -> Guess:
    western = "latin-1" if "\ufffd" in b"\n".join(parts).decode("cp1252", "replace") else "cp1252"
    return Guess(western, "nothing else fits better, not certain")


def _makes_sense(read: _Read) -> bool:
    return read.fit.share >= (SENSIBLE_SYLLABLES if read.encoding in SYLLABIC else SENSIBLE)


def _ranked(words: Sequence[bytes]) -> list[_Read]:
    """Best first; equal ones in the order of CANDIDATES."""
    short = _upto(words, FIRST_LOOK)
    found = sorted((_read(short, name) for name in CANDIDATES), key=lambda read: -read.fit.weight)
    if len(short) == len(words):
        return found
    kept = {read.encoding for read in found if read.fit.weight > found[0].fit.weight - KEPT}
    long = _upto(words, SECOND_LOOK)
    return sorted((_read(long, name) for name in CANDIDATES if name in kept), key=lambda read: -read.fit.weight)


def _read(words: Sequence[bytes], encoding: str) -> _Read:
    text = b"\n".join(words).decode(encoding, "replace")
    return _Read(plausibility(text, encoding), text, encoding)


def _words(lines: Sequence[bytes]) -> list[bytes]:
    """Distinct, so that what stands often does not weigh more than what stands once."""
    return [
        word
        for word in dict.fromkeys(word for line in lines for word in _GAPS.split(line))
        if not word.isascii() and len(word) <= FIRST_LOOK
    ]


def _upto(words: Sequence[bytes], size: int) -> list[bytes]:
    taken: list[bytes] = []
    for word in words:
        size -= len(word)
        if size < 0 and taken:
            break
        taken.append(word)
    return taken


def _vote(sample: bytes) -> str | None:
    """The opinion of charset_normalizer, asked for where ours is not certain."""
    from charset_normalizer import from_bytes  # noqa: PLC0415  (slow to import, rarely needed)

    names = {name.replace("-", "_"): name for name in CANDIDATES}
    match = from_bytes(sample[:SECOND_LOOK], cp_isolation=list(names)).best()
    return None if match is None else names.get(match.encoding)


def _difference(one: str, other: str) -> tuple[str, str]:
    pairs = zip(one.split("\n"), other.split("\n"), strict=False)
    return next(((a[:40], b[:40]) for a, b in pairs if a != b), (_first(one), _first(other)))


def _first(text: str) -> str:
    return text.split("\n", 1)[0][:40]
