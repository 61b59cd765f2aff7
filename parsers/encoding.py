"""Finds the encoding of a text file from its bytes, with the evidence; brings it into a form that can be cut."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from contracts.errors import SourceUnreadable
from parsers.census import BLOCK, take_census
from parsers.code_pages import guess_encoding
from parsers.mojibake import contradictions, damage

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = ("utf-16", "utf-32", "utf-7", "utf-8-sig")


@dataclass(frozen=True, slots=True)
class Text:
    """A text file whose bytes below 128 always mean ASCII, so that it can be cut bytewise."""

    path: Path
    encoding: str
    """By which `path` is decoded: utf-8 if it had to be transcoded."""
    original: str
    """The encoding of the source."""
    start: int
    """Byte offset behind a byte order mark."""
    newline: bytes
    notes: tuple[str, ...] = ()


def read_text(path: Path, wanted: str | None = None) -> Text:
    """Reads the whole file once (block by block). `wanted` wins over everything but a byte order mark, and bytes that
    contradict it are told of; what does not fit is found row by row. Raises SourceUnreadable for binary files and
    unknown encodings."""
    head = _head(path)
    stated = None if wanted is None else _known(wanted)
    bom = next(((mark, name) for mark, name in _BOMS if head.startswith(mark)), None)
    notes: tuple[str, ...] = ()
    name, why, skip = "", "", 0
    if bom is not None:
        name, why, skip = bom[1], "byte order mark", len(bom[0])
        if stated is not None and not name.startswith(stated):
            notes = (f"{wanted} was configured, but the file begins with the mark of {name}",)
    elif stated in {"utf-16", "utf-32"}:
        name, why = _wide_without_mark(head) or f"{stated}-le", "as configured"
    elif stated is not None:
        name, why = stated, "as configured"
    elif (wide := _wide_without_mark(head)) is not None:
        name, why = wide, "zero bytes at every second place" if "16" in wide else "three zero bytes of four"
    if name.startswith(("utf-16", "utf-32")):
        return _transcoded(path, name, skip, (f"encoding {name}: {why}", *notes))
    census = take_census(path)
    if census.nuls and not name and _looks_binary(head):
        raise SourceUnreadable("the file is binary, not text", path=path.name)
    if not name:
        name, why, notes = guess_encoding(census)
    elif stated is not None and bom is None:
        notes = contradictions(census, name)
    notes = (f"encoding {name}: {why}", *notes, *damage(census, name))
    if not _keeps_ascii(name):
        return _transcoded(path, name, skip, notes)
    newline = b"\r" if census.returns and not census.feeds else b"\n"
    return Text(path, name, name, skip, newline, notes)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4_096)


def _known(name: str) -> str:
    try:
        codec = codecs.lookup(name)
    except LookupError:
        raise SourceUnreadable(f"there is no encoding “{name}”", encoding=name) from None
    known = {"utf-8-sig": "utf-8", "iso8859-1": "latin-1", "ascii": "utf-8"}.get(codec.name, codec.name)
    if not getattr(codec, "_is_text_encoding", True) or known in {"utf-7", "idna", "punycode", "unicode_escape"}:
        raise SourceUnreadable(f"“{name}” is not an encoding of files", encoding=name)
    return known


@lru_cache(maxsize=64)
def _keeps_ascii(name: str) -> bool:
    """Whether a byte below 128 is that ASCII character wherever it stands, so that a file can be cut without being
    decoded. Not so in UTF-16, Shift JIS, GB 18030, Big5, EBCDIC and whatever switches by escape sequences."""
    ascii_text = bytes(range(128))
    if name.startswith(("iso2022", "hz")) or ascii_text.decode(name, "replace") != ascii_text.decode("ascii"):
        return False
    return all(
        bytes(part for low in ascii_text for part in (high, low)).decode(name, "replace")[1::2] == ascii_text.decode()
        for high in range(128, 256)
    )


def _wide_without_mark(head: bytes) -> str | None:
    """UTF-16 writes digits, separators and line ends with a zero, always at the same side; UTF-32 with three."""
    zeros = [head[place::4].count(0) for place in range(4)]
    if sum(zeros) < 4 or sum(zeros) < len(head) / 100:
        return None
    quarter = len(head) // 4
    for name, (lowest, _, high, highest) in (("utf-32-le", zeros), ("utf-32-be", zeros[::-1])):
        if quarter and highest >= quarter and high >= 0.9 * quarter and lowest < quarter / 10:
            return name
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    for name, many, few in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if many > 10 * few:
            try:
                head[: len(head) // 4 * 4].decode(name)
            except UnicodeDecodeError as error:
                if error.reason != "unexpected end of data":
                    continue
            return name
    return None


def _looks_binary(head: bytes) -> bool:
    controls = sum(byte < 9 or 13 < byte < 32 for byte in head)
    return controls > len(head) / 20


def _transcoded(path: Path, name: str, skip: int, notes: tuple[str, ...]) -> Text:
    """A copy in UTF-8 beside the source. What cannot be decoded becomes bytes that are no UTF-8 either, so that
    its row is found again. Raises SourceUnreadable where a UTF-32 file holds numbers that are no characters."""
    target = path.with_name(f"{path.name}.{name}.utf8")
    feeds = returns = 0
    wide = name.startswith(("utf-16", "utf-32"))
    errors = "surrogatepass" if wide else "surrogateescape"
    decoder = codecs.getincrementaldecoder(name)(errors)
    temporary = target.with_name(target.name + ".part")
    with path.open("rb") as file, temporary.open("wb") as out:
        file.seek(skip)
        while True:
            block = file.read(BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                if block or not wide:
                    raise SourceUnreadable(f"the file is not {name}: {error.reason}", path=path.name) from error
                text = "\ud800"  # the file ends within a character
            data = text.encode("utf-8", "surrogatepass")
            feeds += data.count(b"\n")
            returns += data.count(b"\r")
            out.write(data)
            if not block:
                break
    temporary.replace(target)  # atomic: a reader never sees half of it
    newline = b"\r" if returns and not feeds else b"\n"
    return Text(target, "utf-8", name, 0, newline, notes)
