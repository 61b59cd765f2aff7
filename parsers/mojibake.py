"""Notices text that was decoded wrongly: by whoever wrote the file, or by the encoding somebody configured."""

from __future__ import annotations

import re

from parsers.alphabets import CODE_PAGES, plausibility
from parsers.census import Census
from parsers.code_pages import guess_encoding, is_utf8, reading

_LATIN_ONLY = re.compile("[\u00c0-\u00ff]{4,}")
_MARKS = re.compile("[ÂÃâÐÑ]")


def contradictions(census: Census, encoding: str) -> tuple[str, ...]:
    """What the bytes say against an encoding that was configured."""
    if census.ascii_only:
        return ()
    lines = list(dict.fromkeys(census.foreign))
    if encoding == "utf-8":
        misfits = sum(not is_utf8(line) for line in lines)
        if not misfits:
            return ()
        guess = guess_encoding(census)
        fits = "" if guess.encoding == "utf-8" else f"; the file fits {guess.encoding} ({guess.why})"
        return (f"utf-8 was configured, but {misfits} of {len(lines)} lines looked at are not UTF-8{fits}",)
    if census.utf8:
        return (f"{encoding} was configured, but every byte of the file fits UTF-8",)
    data = b"\n".join(lines)[:4_096]
    guess = guess_encoding(census)
    if (
        guess.encoding == encoding
        or guess.notes
        or data.decode(encoding, "replace") == data.decode(guess.encoding, "replace")
    ):
        return ()
    ours, theirs = reading(data, encoding), reading(data, guess.encoding)
    if encoding in CODE_PAGES and ours.share > theirs.share - 0.2:
        return ()
    return (f"{encoding} was configured, but the bytes fit {guess.encoding} better ({guess.why})",)


def damage(census: Census, encoding: str) -> tuple[str, ...]:
    """Notes on characters that the file itself holds damaged."""
    if encoding != "utf-8" or census.ascii_only:
        return ()
    notes: list[str] = []
    text = b"\n".join(census.foreign).decode("utf-8", "replace")
    if census.twice:
        notes.append(
            f"{census.twice} characters were encoded twice before the file was written"
            f"{_example(text)}; they are kept as they stand"
        )
    if census.lost:
        notes.append(f"{census.lost} characters were lost before the file was written: it holds U+FFFD in their place")
    words = list(dict.fromkeys(_LATIN_ONLY.findall(text)))[:200]
    wrong = "\n".join(words).encode("latin-1", "replace").decode("cp1251", "replace")
    if len(words) > 2 and plausibility(wrong, "cp1251").share > 0.9:
        notes.append(
            f"words such as “{words[0][:40]}” were decoded as Windows-1252 instead of Windows-1251 before the file was "
            f"written; they look like “{wrong.partition(chr(10))[0][:40]}”"
        )
    return tuple(notes)


def _example(text: str) -> str:
    for word in text.split():
        if _MARKS.search(word):
            for page in ("cp1252", "latin-1"):
                try:
                    return f" (“{word[:40]}” was “{word.encode(page).decode('utf-8')[:40]}”)"
                except UnicodeError:
                    continue
    return ""
