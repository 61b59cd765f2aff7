"""A web page as a tree, and the text a person sees in a part of it."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from parsers.alphabets import CODE_PAGES, plausibility
from parsers.extract import DocumentUnreadable

MAX_BYTES = 20_000_000
"""A tree takes up to fifty times as much memory."""
MAX_DEPTH = 500
"""Browsers do not nest deeper either (512)."""
_BLOCKS = re.compile(
    r"<(/?)(?:div|section|article|aside|main|nav|header|footer|figure|blockquote|center|details|dialog|fieldset|address|"
    r"menu|dir|form|pre|[uod]l)\b",
    re.IGNORECASE,
)
"""For each of them a parser of HTML looks through all that are open, which takes quadratic time."""
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_SEEN_AS = {"latin-1": "cp1252", "iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030",
            "shift_jis": "cp932", "euc_kr": "cp949", "utf-8-sig": "utf-8"}  # fmt: skip
"""Labels that browsers take for a larger encoding (WHATWG Encoding)."""
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UNSEEN = frozenset(("script", "style", "noscript", "template", "head", "svg", "iframe", "select", "datalist"))
_INLINE = frozenset((
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "ins", "kbd", "mark",
    "output", "q", "samp", "span", "strong", "time", "tt", "u", "var", "wbr",
))  # fmt: skip
"""Elements that do not part words. sup, sub, small and del do: 12<sup>99</sup> is not 1299."""


def parse(path: Path, wanted: str | None) -> tuple[LexborHTMLParser, list[str]]:
    """(tree, notes). The encoding: as told, byte order mark, meta, UTF-8 if it fits, the likeliest code page."""
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise DocumentUnreadable(f"the page has {len(data):,} bytes; {MAX_BYTES:,} are allowed")
    if not data.strip(b" \t\r\n\0"):
        raise DocumentUnreadable("the page is empty")
    name, why = _encoding(data, wanted)
    text = data.decode(name, "replace").removeprefix("\ufeff").replace("\0", "")
    notes = [f"encoding {name}: {why}"]
    if misfits := text.count("\ufffd"):
        notes.append(f"{misfits:,} characters of the page are damaged or do not fit {name}")
    _check_blocks(text)
    tree = LexborHTMLParser(text)
    _check_depth(tree)
    return tree, notes


def _check_blocks(text: str) -> None:
    depth = 0
    for tag in _BLOCKS.finditer(text):
        depth = max(depth + (-1 if tag[1] else 1), 0)
        if depth > MAX_DEPTH:
            raise DocumentUnreadable(f"elements of the page are nested deeper than {MAX_DEPTH} levels")


def _check_depth(tree: LexborHTMLParser) -> None:
    """What follows climbs from an element to those around it, which in a bottomless page would never end."""
    node, depth = tree.root, 1
    while node is not None:
        if (below := node.first_child) is not None:
            node, depth = below, depth + 1
            if depth > MAX_DEPTH:
                raise DocumentUnreadable(f"elements of the page are nested deeper than {MAX_DEPTH} levels")
            continue
        while node is not None and node.next is None:
            node, depth = node.parent, depth - 1
        node = None if node is None else node.next


def _encoding(data: bytes, wanted: str | None) -> tuple[str, str]:
    if wanted is not None:
        return _known(wanted) or _refuse(wanted), "as configured"
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name, "byte order mark"
    meta = _META.search(data[:8_192])
    stated = _known(meta[1].decode("ascii")) if meta else None
    if stated and not stated.startswith("utf-16"):  # a page whose meta can be read bytewise is not UTF-16
        return stated, "stated in the page"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        lines = b"\n".join(line for line in data.splitlines() if not line.isascii())[:65_536]
        fits = {name: plausibility(lines.decode(name, "replace"), name).share for name in CODE_PAGES}
        best = max(fits, key=lambda name: fits[name])
        return best, "not stated; its characters fit best, not certain"
    return "utf-8", "every byte fits"


def _known(label: str) -> str | None:
    try:
        name = codecs.lookup(label).name
        "".encode(name)  # raises for what is no encoding of text
    except (LookupError, ValueError):
        return None
    return None if name in {"utf-7", "idna", "punycode", "unicode_escape"} else _SEEN_AS.get(name, name)


def _refuse(label: str) -> str:
    raise DocumentUnreadable(f"there is no encoding “{label}”")


def select(tree: LexborHTMLParser | LexborNode, selector: str) -> list[LexborNode]:
    """Raises DocumentUnreadable for what is no selector."""
    try:
        return tree.css(selector)
    except (SelectolaxError, ValueError) as error:
        raise DocumentUnreadable(f"“{selector}” is no CSS selector") from error


def text_of(node: LexborNode, most: int | None = None) -> str:
    """What a person sees, on one line. Two digits that stand in different elements are kept apart: how far a style
    sheet parts them (euros and cents) cannot be seen from here. '' where there are more than `most` elements."""
    out: list[str] = []
    stack: list[LexborNode | str] = [node]
    seen = 0
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            out.append(part)
        elif part.is_text_node:
            text = part.text_content or ""
            if out and text[:1].isdigit() and out[-1][-1:].isdigit():
                out.append(" ")
            out.append(text)
        elif part.is_element_node and part.tag not in _UNSEEN:
            seen += 1
            if most is not None and seen > most:
                return ""
            if part.tag not in _INLINE:
                out.append(" ")
                stack.append(" ")
            stack += reversed(list(part.iter(include_text=True)))
    return " ".join("".join(out).split())
