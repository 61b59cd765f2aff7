"""Finds the encoding of a text file from its bytes, with the evidence; brings it into a form that can be cut."""

from __future__ import annotations

import codecs
import os
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import SourceUnreadable
from parsers.alphabets import CODE_PAGES, Fit, plausibility

BLOCK = 1_048_576
SAMPLE = 131_072
"""Bytes of lines with characters above ASCII by which a code page is judged."""
CANDIDATES = (*CODE_PAGES, "cp932", "gb18030", "big5")
CERTAIN, LIKELY = 0.9, 0.6
"""Plausibility from which no second opinion is asked for, and below which there is no opinion at all."""

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


@dataclass(slots=True)
class _Census:
    """What one pass over all bytes saw."""

    ascii_only: bool = True
    utf8: bool = True
    feeds: int = 0
    returns: int = 0
    nuls: int = 0
    foreign: bytes = b""
    """Lines with bytes above 127, up to SAMPLE."""


def read_text(path: Path, wanted: str | None = None) -> Text:
    """Reads the whole file once (block by block). `wanted` wins and is only checked to exist; bytes that do not
    fit it are found row by row. Raises SourceUnreadable for binary files and unknown encodings."""
    head = _head(path)
    bom = next(((mark, name) for mark, name in _BOMS if head.startswith(mark)), None)
    if wanted is not None:
        name, why = _known(wanted), "as configured"
        skip = next((len(mark) for mark, known in _BOMS if head.startswith(mark) and name.startswith(known[:6])), 0)
        if name in {"utf-16", "utf-32"}:
            name = bom[1] if bom and bom[1].startswith(name) else f"{name}-le"
    elif bom is not None:
        name, why, skip = bom[1], "byte order mark", len(bom[0])
    elif (wide := _wide_without_mark(head)) is not None:
        name, why, skip = wide, "zero bytes at every second place", 0
    else:
        name, why, skip = "", "", 0
    if name.startswith(("utf-16", "utf-32")):
        return _transcoded(path, name, skip, why)
    census = _census(path)
    if census.nuls and not name and _looks_binary(head):
        raise SourceUnreadable("the file is binary, not text", path=path.name)
    if not name:
        name, why = _guess(census)
    if name in {"cp932", "gb18030", "big5", "shift_jis", "gbk", "gb2312", "euc_jp", "euc_kr", "iso2022_jp"}:
        return _transcoded(path, name, skip, why)
    newline = b"\r" if census.returns and not census.feeds else b"\n"
    return Text(path, name, name, skip, newline, (f"encoding {name}: {why}",))


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


def _wide_without_mark(head: bytes) -> str | None:
    """UTF-16 writes digits, separators and line ends with a zero, always at the same side."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    for name, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros >= 4 and zeros > len(head) / 100 and not others:
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


def _census(path: Path) -> _Census:
    census = _Census()
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    foreign: list[bytes] = []
    size = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            census.feeds += block.count(b"\n")
            census.returns += block.count(b"\r")
            census.nuls += block.count(b"\0")
            plain = block.isascii()
            if not plain:
                census.ascii_only = False
                if size < SAMPLE:
                    lines = [line for line in block.splitlines() if not line.isascii()]
                    # every n-th line of the block, so that one odd paragraph does not decide
                    step = max(1, sum(map(len, lines)) // (SAMPLE // 4))
                    foreign += (picked := [line[:4_096] for line in lines[::step]])
                    size += sum(map(len, picked))
            if census.utf8:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    census.utf8 = False
    if census.utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            census.utf8 = False
    census.foreign = b"\n".join(foreign)[:SAMPLE]
    return census


def _guess(census: _Census) -> tuple[str, str]:
    if census.ascii_only:
        return "utf-8", "only ASCII"
    if census.utf8:
        return "utf-8", "every byte of the file fits"
    decoded = census.foreign.decode("utf-8", "replace")
    misfits = decoded.count("\ufffd")
    if sum(character > "\x7f" for character in decoded) - misfits > 20 * misfits:
        return "utf-8", "fits but for a few damaged characters, whose rows are rejected"
    fits = {name: _fit(census.foreign, name) for name in CANDIDATES}
    name = max(CANDIDATES, key=lambda candidate: fits[candidate][:2])
    best = fits[name].share
    if best < LIKELY:
        western = "latin-1" if "\ufffd" in census.foreign.decode("cp1252", "replace") else "cp1252"
        return western, "nothing else fits better, not certain"
    if best < CERTAIN:
        voted = _vote(census.foreign)
        if voted in fits and best - fits[voted].share < 0.15:
            name = voted
    certainty = "" if fits[name].share >= CERTAIN else ", not certain"
    return name, f"its characters fit {fits[name].language} ({fits[name].share:.0%}){certainty}"


def _fit(sample: bytes, name: str) -> Fit:
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        text = sample.decode(name, "replace")
        # the end of the sample may split a character; more than that rules the code page out
        if text.count("\ufffd") > 1 + len(sample) / 2_000:
            return Fit(0.0, 0.0, "")
    return plausibility(text, name)


def _vote(sample: bytes) -> str | None:
    """The opinion of charset_normalizer, which only breaks near ties."""
    from charset_normalizer import from_bytes  # noqa: PLC0415  (slow to import, rarely needed)

    match = from_bytes(sample[:16_384], cp_isolation=[name.replace("-", "_") for name in CANDIDATES]).best()
    return None if match is None else {"koi8_r": "koi8-r"}.get(match.encoding, match.encoding)


def _transcoded(path: Path, name: str, skip: int, why: str) -> Text:
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
            data = text.encode("utf-8", errors)
            feeds += data.count(b"\n")
            returns += data.count(b"\r")
            out.write(data)
            if not block:
                break
    os.replace(temporary, target)  # noqa: PTH105  (atomic: a reader never sees half of it)
    newline = b"\r" if returns and not feeds else b"\n"
    return Text(target, "utf-8", name, 0, newline, (f"encoding {name}: {why}",))
