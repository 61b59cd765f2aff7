"""A file on this machine becomes a source: recognised, copied into the inbox, described for a task."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.errors import SourceMissing, SourceUnreadable
from contracts.parser import Source
from parsers.signatures import require_known

BLOCK = 1 << 20
JSON_LINES = {".jsonl", ".ndjson"}
BY_KIND = {"zip": "excel", "ole": "excel", "biff": "excel", "xml": "e_invoice", "pdf": "e_invoice", "html": "html"}


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A source as a task names it, and what is known of it before it is read."""

    parser_type: str
    location: dict[str, str]
    """file_path, url or sheet_url."""
    name: str
    size: int | None = None
    sha256: str | None = None
    lines: int | None = None
    """Line ends of a text file: nearly its rows. None for workbooks and addresses."""
    notes: tuple[str, ...] = field(default=())


def recognise(path: Path) -> str:
    """The parser for a file: by its first bytes, and by its ending where these leave a choice. SourceMissing for
    what is no regular file, SourceUnreadable for what no parser reads."""
    if not path.is_file():
        raise SourceMissing(f"{path} is a directory" if path.is_dir() else f"there is no file {path}")
    try:
        kind = require_known(Source(path, "", 0, path.name))
        with path.open("rb") as file:
            head = file.read(4096)
    except PermissionError as error:
        raise SourceUnreadable(f"{path} may not be read by this account") from error
    if not head:
        raise SourceUnreadable(f"{path} is empty", next="ask the supplier for a new copy")
    if kind in BY_KIND:
        return BY_KIND[kind]
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if path.suffix.lower() in JSON_LINES or (first.startswith(b"{") and b'"' in first[:200]):
        return "json_lines"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")) and head.count(b"\0") < len(head) // 4:
        raise SourceUnreadable(f"{path} is no list: it holds binary data", next="ask the supplier for CSV or Excel")
    return "csv"


def hand_in(path: Path, inbox: Path, roots: Sequence[Path] = ()) -> HandedIn:
    """Copies the file to inbox/<sha256>/<name>, unless it lies under a source root already, where every worker
    finds it. The same bytes are kept once per name. Safe against being killed: a copy appears whole or not at all."""
    parser_type = recognise(path)
    real = path.resolve()
    if any(real.is_relative_to(root.resolve()) for root in roots):
        digest, size, lines = _measure(real, None)
        target = real
    else:
        inbox.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=inbox, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as copy:
                digest, size, lines = _measure(real, copy)
                copy.flush()
                os.fsync(copy.fileno())
            target = inbox / digest / path.name
            target.parent.mkdir(exist_ok=True)
            Path(draft).replace(target)
        finally:
            Path(draft).unlink(missing_ok=True)  # there is none when it was moved to its place
    text = parser_type in {"csv", "json_lines"}
    return HandedIn(
        parser_type, {"file_path": str(target)}, path.name, size=size, sha256=digest, lines=lines if text else None
    )


def _measure(path: Path, copy: Any) -> tuple[str, int, int]:
    """SHA-256, bytes and line ends; copied on the way where `copy` is a file."""
    digest, size, lines = hashlib.sha256(), 0, 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
            lines += block.count(b"\n")
            if copy is not None:
                copy.write(block)
    return digest.hexdigest(), size, lines
