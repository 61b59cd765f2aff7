"""One pass over all bytes of a text file: what its encoding and line ends are judged by."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = 1_048_576
SAMPLE = 131_072
"""Bytes of lines with characters above ASCII that are kept."""
LINE = 4_096
"""Bytes of a kept line."""

_TWICE = re.compile(
    rb"\xc3(?:"
    rb"[\x82\x83](?:\xc2[\x80-\xbf]|\xc5[\x92-\xbe]|\xc6\x92|\xcb[\x86\x9c]"
    rb"|\xe2(?:\x80[\x93-\xba]|\x82\xac|\x84\xa2))"
    rb"|\xa2\xe2\x82\xac|[\x90\x91]\xc2[\x80-\xbf]\xc3[\x90\x91]\xc2[\x80-\xbf])"
)
"""UTF-8 that was read as Windows-1252 or Latin-1 and written as UTF-8 once more."""
_LOST = "\ufffd".encode()


@dataclass(slots=True)
class Census:
    ascii_only: bool = True
    utf8: bool = True
    feeds: int = 0
    returns: int = 0
    nuls: int = 0
    twice: int = 0
    """Characters that were encoded twice, if the file is UTF-8."""
    lost: int = 0
    """Replacement characters, if the file is UTF-8: whoever wrote the file had lost these already."""
    foreign: list[bytes] = field(default_factory=list)
    """Lines with bytes above 127 from all over the file."""


def take_census(path: Path) -> Census:
    """Blocking; constant memory."""
    census = Census()
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    size, first, tail = 0, True, b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            census.feeds += block.count(b"\n")
            # To look whether there is one costs a tenth of counting, and most files have none.
            census.returns += block.count(b"\r") if b"\r" in block else 0
            census.nuls += block.count(b"\0") if b"\0" in block else 0
            plain = block.isascii()
            if not plain:
                census.ascii_only = False
                census.twice += sum(1 for _ in _TWICE.finditer(tail + block)) if b"\xc3" in block else 0
                census.lost += (tail[-2:] + block).count(_LOST)
                if size < SAMPLE:
                    census.foreign += (picked := _picked(block, whole_start=first, last=len(block) < BLOCK))
                    size += sum(map(len, picked))
            first, tail = False, block[-1:]
            if census.utf8 and not (plain and not decoder.getstate()[0]):
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    census.utf8 = False
    if census.utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            census.utf8 = False
    return census


def _picked(block: bytes, *, whole_start: bool, last: bool) -> list[bytes]:
    """Every n-th foreign line of the block, so that one odd paragraph does not decide; no line that the block's edges
    cut in two, if there are others."""
    lines = block.splitlines()
    if len(lines) > 3:
        lines = lines[0 if whole_start else 1 : None if last else -1]
    lines = [line for line in lines if not line.isascii()]
    step = max(1, sum(map(len, lines)) // (SAMPLE // 4))
    return [line if len(line) <= LINE else line[:LINE].rpartition(b" ")[0] or line[:LINE] for line in lines[::step]]
