"""Makes text of strangers harmless where it is shown."""

from __future__ import annotations

import re
from typing import Final

_SEQUENCES: Final = re.compile(
    r"\x1b\][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC: titles, hyperlinks, clipboard
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor
    r"|\x1b[ -/]*[0-~]?"
)
_SPACES: Final = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# C0, DEL, C1; marks that reorder text (bidi); zero-width characters and tags that hide it.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def inert(text: str) -> str:
    """One line without terminal sequences, control characters and marks that reorder or hide text; lone
    surrogates become U+FFFD. Line breaks and tabs become one space each run."""
    if text.isascii() and text.isprintable():
        return text
    text = _SPACES.sub(" ", _SEQUENCES.sub("", text))
    return _HIDDEN.sub("", text).encode("utf-8", "replace").decode("utf-8")
