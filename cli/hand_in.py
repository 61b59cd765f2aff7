"""What is handed in, an address or a file, as a task names it; and how its size is told."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit

from contracts.errors import SourceUnreadable
from workers.hand_in import JSON_LINES, HandedIn, hand_in, recognise

__all__ = ["HandedIn", "free_bytes", "hand_in", "is_address", "megabytes", "of_address", "recognise"]

WORKBOOKS = {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}
ENDINGS = {
    **dict.fromkeys(WORKBOOKS, "excel"),
    **dict.fromkeys(JSON_LINES, "json_lines"),
    **dict.fromkeys((".xml", ".pdf"), "e_invoice"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
}
"""Of addresses; a file is recognised by its content."""
SHEETS = "docs.google.com"


def is_address(text: str) -> bool:
    return "://" in text


def of_address(address: str) -> HandedIn:
    """Nothing is fetched; the worker does that. SourceUnreadable for anything but https."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError as error:
        raise SourceUnreadable(f"this is no address: {error}", next="check the address") from error
    if parts.scheme != "https":
        raise SourceUnreadable(
            f"only https addresses are fetched, not {parts.scheme}://", next="use https, or download"
        )
    if not host:
        raise SourceUnreadable("this is no address: it names no host", next="check the address")
    if parts.username is not None or parts.password is not None:
        raise SourceUnreadable("an address may not carry a password", next="download the file and import that")
    if host == SHEETS:
        return HandedIn("google_sheets", {"sheet_url": address}, "Google Sheet")
    name = Path(parts.path).name or host
    return HandedIn(_by_name(name), {"url": address}, name)


def _by_name(name: str) -> str:
    return ENDINGS.get(Path(name).suffix.lower(), "csv")


def megabytes(size: int) -> str:
    """1.1 MB, 12 kB."""
    if size >= 1_000_000:
        return f"{size / 1_000_000:,.1f} MB"
    return f"{max(size // 1000, 1):,} kB"


def free_bytes(path: Path) -> int:
    """Of the file system that holds the path, or will."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free
