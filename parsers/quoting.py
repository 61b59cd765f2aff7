"""How cells are separated and quoted, as regular expressions for bytes and for text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are separated and quoted; all bytes are ASCII, and the text is ASCII-compatible."""

    delimiter: bytes
    quote: bytes | None = b'"'
    """None = quotes are ordinary characters."""
    newline: bytes = b"\n"
    """A carriage return in front of it belongs to it."""
    escape: bytes | None = None
    """Takes its meaning from the quote, or from itself, behind it; within quotes only."""
    padded: bool = False
    """True: blanks may stand between a separator and an opening quote."""


class Quotes(NamedTuple):
    """The two-state machine of quoting: what does not match stays inside a quote."""

    closed: re.Pattern[bytes]
    """A record that starts outside a quote and ends outside."""
    closes: re.Pattern[bytes]
    """The same for a continuation, which starts inside."""
    breaks: re.Pattern[bytes]
    """The beginning of a continuation whose first quote neither closes a cell nor stands for a character: the quote
    that seemed to be open never opened."""
    opening: re.Pattern[bytes]
    """A place at which a quote may open."""


@lru_cache(maxsize=64)
def quotes(dialect: Dialect) -> Quotes:
    """A quote opens only at the start of a cell; within, two stand for one. What follows the closing quote up to the
    delimiter belongs to the cell, but nothing may follow where the cell spans lines. Every step is possessive, so the
    time is linear."""
    delimiter, quote, body, start = _parts(dialect)
    inside = f"{body}{quote}[^{delimiter}]*+"
    cell = f"(?:{start}{inside}|(?!{start})[^{delimiter}]*+)"
    rest = f"(?:{delimiter}{cell})*+"
    end = f"(?=[ ]*+(?:{delimiter}|\r?\\Z))" if dialect.padded else f"(?={delimiter}|\r?\\Z)"
    return Quotes(
        _bytes(cell + rest),
        _bytes(f"{body}{quote}{end}[^{delimiter}]*+{rest}"),
        _bytes(f"{body}{quote}(?!{end[3:-1]})"),
        _bytes(f"(?:\\A|{delimiter}){start}"),
    )


@lru_cache(maxsize=64)
def cells(dialect: Dialect) -> re.Pattern[str]:
    """One cell of a closed record: what is quoted, what follows it, or what is not quoted."""
    delimiter, quote, body, start = _parts(dialect)
    return re.compile(f"{start}({body}){quote}([^{delimiter}]*+)|([^{delimiter}]*+)", re.DOTALL)


@lru_cache(maxsize=64)
def doubled(dialect: Dialect) -> re.Pattern[str]:
    """A quote, or an escape character, as it stands within quotes."""
    _, quote, _, _ = _parts(dialect)
    escape = "" if dialect.escape is None else re.escape(dialect.escape.decode("ascii"))
    return re.compile(f"{quote}({quote})" + (f"|{escape}([{quote}{escape}])" if escape else ""))


def is_closed(record: bytes, dialect: Dialect) -> bool:
    """False: a quote that opens in this record is not closed in it."""
    quote = dialect.quote
    if quote is None or quote not in record:
        return True
    machine = quotes(dialect)
    if not machine.opening.search(record):
        return True
    return machine.closed.fullmatch(record) is not None


def _parts(dialect: Dialect) -> tuple[str, str, str, str]:
    """Delimiter and quote, what may stand between two quotes, and how an opening quote begins."""
    assert dialect.quote is not None
    delimiter, quote = re.escape(dialect.delimiter.decode("ascii")), re.escape(dialect.quote.decode("ascii"))
    if dialect.escape is None:
        body = f"[^{quote}]*+(?:{quote}{quote}[^{quote}]*+)*+"
    else:
        escape = re.escape(dialect.escape.decode("ascii"))
        body = f"[^{quote}{escape}]*+(?:(?:{escape}.?+|{quote}{quote})[^{quote}{escape}]*+)*+"
    return delimiter, quote, body, f"[ ]*+{quote}" if dialect.padded else quote


def _bytes(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode("ascii"), re.DOTALL)
