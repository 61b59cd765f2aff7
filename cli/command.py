"""What is printed to be copied: commands quoted for a shell, and sentences with the names that are known by now."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from observability.inert import inert

_UNKNOWN = re.compile(r"\b(?:FILE|SUPPLIER|TASK)\b")
"""Stand in the next steps of errors for what their author cannot know."""


def command(*words: object) -> str:
    """pricemill WORDS, each quoted where a shell would take it apart, and none able to move the cursor."""
    return " ".join(("pricemill", *map(quoted, words)))


def quoted(word: object) -> str:
    return shlex.quote(inert(str(word)))


def filled(sentence: str, known: Mapping[str, object]) -> str:
    """With what FILE, SUPPLIER and TASK stand for, as far as it is known."""

    def name(found: re.Match[str]) -> str:
        return quoted(known[found[0]]) if known.get(found[0]) else found[0]

    return _UNKNOWN.sub(name, sentence)
