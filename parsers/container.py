"""Checks a zip container before a parser of workbooks sees it."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import Literal

from contracts.errors import SourceRefused, SourceUnreadable

WorkbookFormat = Literal["xlsx", "xlsb", "ods"]

MAX_ENTRIES = 2_000
MAX_UNPACKED = 1_500_000_000
"""A million rows of twenty columns; sheets are read row by row."""
MAX_RATIOS = ((50_000_000, 100), (100_000_000, 40))
"""Above a size unpacked, a larger ratio is a bomb. Sheets of a million formatted blank rows reach about 20."""
MAX_SHARED_STRINGS = 100_000_000
"""They are held in memory."""
_PROLOG = 65_536
_DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_ENCRYPTED = 0x1


def check_container(path: Path, name: str) -> WorkbookFormat:
    """What kind of workbook it holds. Raises SourceRefused for what is not safe to open, SourceUnreadable for
    what is no workbook or is protected by a password. Reads the directory and the first bytes of each part."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_sizes(entries, name)
            found = _format(archive, {entry.filename.lower(): entry for entry in entries}, name)
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _check_prolog(archive, entry, name)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, ValueError) as error:
        raise SourceUnreadable(f"“{name}” is no whole workbook: {error}", name=name) from error
    except (NotImplementedError, RuntimeError) as error:
        raise SourceUnreadable(f"“{name}” is packed in a way that is not supported: {error}", name=name) from error
    except zlib.error as error:
        raise SourceUnreadable(f"“{name}” is damaged: {error}", name=name) from error
    return found


def _check_sizes(entries: list[zipfile.ZipInfo], name: str) -> None:
    def refuse(reason: str) -> SourceRefused:
        return SourceRefused(f"“{name}” is not safe to open: {reason}", name=name)

    if len(entries) > MAX_ENTRIES:
        raise refuse(f"{len(entries):,} parts; {MAX_ENTRIES:,} are allowed")
    if len({entry.filename.lower() for entry in entries}) < len(entries):
        raise refuse("two parts have one name")
    unpacked, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if unpacked > MAX_UNPACKED:
        raise refuse(f"{unpacked:,} bytes unpacked; {MAX_UNPACKED:,} are allowed")
    if any(unpacked > size and unpacked > ratio * packed for size, ratio in MAX_RATIOS):
        raise refuse(f"it unpacks to {unpacked // max(packed, 1):,} times its size")
    for entry in entries:
        if entry.filename.lower().endswith("sharedstrings.xml") and entry.file_size > MAX_SHARED_STRINGS:
            raise refuse(f"{entry.file_size:,} bytes of shared strings; {MAX_SHARED_STRINGS:,} are allowed")
        if entry.flag_bits & _ENCRYPTED:
            raise SourceUnreadable(f"“{name}” is protected by a password", name=name)


def _check_prolog(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> None:
    if _DECLARATION.search(_beginning(archive, entry).replace(b"\0", b"")):
        raise SourceRefused(f"“{name}” declares a document type in {entry.filename}", name=name)


def _beginning(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as part:
        return part.read(_PROLOG)


def _format(archive: zipfile.ZipFile, parts: dict[str, zipfile.ZipInfo], name: str) -> WorkbookFormat:
    if "mimetype" in parts and "content.xml" in parts:
        kind = _beginning(archive, parts["mimetype"])[:200]
        if b"opendocument.spreadsheet" in kind:
            manifest = parts.get("meta-inf/manifest.xml")
            if manifest is not None and b"encryption-data" in _beginning(archive, manifest):
                raise SourceUnreadable(f"“{name}” is protected by a password", name=name)
            return "ods"
    if any(part.endswith("workbook.bin") for part in parts):
        return "xlsb"
    if any(part.endswith("workbook.xml") or part.startswith("xl/worksheets/") for part in parts):
        return "xlsx"
    raise SourceUnreadable(f"“{name}” is an archive without a workbook", name=name)
