"""Looks through one sheet of an .xlsx for what the fast reader would lose."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

_BLOCK = 1_048_576
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\bs="(\d+)"')
_ERROR = re.compile(rb'<(?:\w+:)?c\s[^>]*?\bt="e"')
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\s[^>]*?\bhidden="(?:1|true)"')
_HIDDEN_COLUMN = re.compile(rb'<(?:\w+:)?col\s[^>]*?\bhidden="(?:1|true)"')
_PADDED = re.compile(r"^(?:\[\$[^\]]*\])?(0{2,30})(?:;.*)?$")


class Marks(NamedTuple):
    errors: bool = False
    padded: bool = False
    """Numbers shown with leading zeros: codes."""
    hidden_rows: int = 0
    hidden_columns: int = 0


@lru_cache(maxsize=1_024)
def padding(number_format: str) -> int:
    """How many digits a format such as 00000 shows at least; 0 for any other format."""
    match = _PADDED.match(number_format)
    return len(match[1]) if match else 0


def scan_sheet(path: Path, sheet: str) -> Marks:
    """What the sheet holds; nothing if its parts are not where they usually are (the reader then decides)."""
    try:
        with zipfile.ZipFile(path) as archive:
            part = _part_of(archive, sheet)
            if part is None:
                return Marks()
            styles = _padded_styles(archive)
            errors = padded = False
            rows = columns = 0
            for block in _blocks(archive, part):
                errors = errors or _ERROR.search(block) is not None
                rows += len(_HIDDEN_ROW.findall(block))
                columns += len(_HIDDEN_COLUMN.findall(block))
                if styles and not padded:
                    padded = not styles.isdisjoint(_CELL.findall(block))
            return Marks(errors, padded, rows, columns)
    except (zipfile.BadZipFile, KeyError, OSError, ParseError, DefusedXmlException):
        return Marks()


def _blocks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The XML in pieces that end with a tag, so that each tag is seen whole and once."""
    held = b""
    with archive.open(part) as file:
        while block := file.read(_BLOCK):
            data = held + block
            end = data.rfind(b">") + 1
            held = data[end:][-_BLOCK:]
            yield data[:end]


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    book = PurePosixPath("xl/workbook.xml")
    names = {name.lower(): name for name in archive.namelist()}
    if str(book) not in names:
        return None
    relation = next(
        (
            value
            for element in _elements(archive, names[str(book)], "sheet")
            if element.get("name") == sheet
            for key, value in element.attrib.items()
            if key.endswith("}id")
        ),
        None,
    )
    for element in _elements(archive, names.get("xl/_rels/workbook.xml.rels", ""), "Relationship"):
        if element.get("Id") == relation:
            target = element.get("Target", "")
            full = target.lstrip("/") if target.startswith("/") else str(book.parent / target)
            return names.get(full.lower())
    return None


def _padded_styles(archive: zipfile.ZipFile) -> frozenset[bytes]:
    """Numbers of the cell styles whose number format pads with zeros."""
    part = next((name for name in archive.namelist() if name.lower() == "xl/styles.xml"), None)
    if part is None:
        return frozenset()
    root = fromstring(archive.read(part), forbid_dtd=True)
    formats = {
        element.get("numFmtId"): element.get("formatCode", "") for element in root.iter() if _is(element, "numFmt")
    }
    padded = {number for number, code in formats.items() if padding(code)}
    found = []
    for block in (element for element in root if _is(element, "cellXfs")):
        styles = [element for element in block if _is(element, "xf")]
        found += [str(place).encode() for place, style in enumerate(styles) if style.get("numFmtId") in padded]
    return frozenset(found)


def _elements(archive: zipfile.ZipFile, part: str, tag: str) -> Iterator[Element]:
    return (element for element in fromstring(archive.read(part), forbid_dtd=True).iter() if _is(element, tag))


def _is(element: Element, tag: str) -> bool:
    return element.tag.rpartition("}")[2] == tag
