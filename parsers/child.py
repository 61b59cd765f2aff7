"""The child process in which all but plain text is parsed: limits first, then rows over a pipe in capped frames."""

from __future__ import annotations

import os
import resource
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from contracts.rows import Row
from parsers.row_lines import encode_row, head_line

if TYPE_CHECKING:
    from parsers.workbook import Sheet

FRAME = 262_144
"""Bytes from which collected rows are sent."""
HEADER = struct.Struct(">cI")
HEAD, ROWS, ERROR, END = b"H", b"R", b"E", b"Z"
OUT_OF_MEMORY = 77
DOCUMENT = "document"
"""The engine of sources whose columns the format itself names (parsers/documents.py)."""


def main() -> None:
    """argv: package root, path, kind, engine, memory in bytes, CPU in seconds, sheet (may be left out; for
    the engine DOCUMENT the reader's options as JSON)."""
    _, path, kind, engine, memory, cpu, *sheet = sys.argv[1:]
    _limit(int(memory), int(cpu))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a library prints is not a frame
    try:
        if engine == DOCUMENT:
            _send_document(out, Path(path), kind, sheet[0])
        else:
            _send_sheet(out, Path(path), kind, engine, sheet[0] if sheet else None)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    out.close()


def _limit(memory: int, cpu: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))  # the soft one names itself: SIGXCPU
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy (through pandas) otherwise reserves memory a core


def _send_sheet(out: BinaryIO, path: Path, kind: str, engine: str, wanted: str | None) -> None:
    from parsers.workbook import SheetUnreadable, read_sheet  # noqa: PLC0415  (libraries come under the limits)

    try:
        sheet = read_sheet(path, kind, wanted, engine)
        _send(out, HEAD, _sheet_head(kind, sheet))
        count = _send_rows(out, sheet.rows)
    except SheetUnreadable as error:
        _send(out, ERROR, str(error).encode("utf-8", "replace"))
        return
    _send(out, HEAD, _sheet_head(kind, sheet))
    _send(out, END, str(count).encode())


def _send_document(out: BinaryIO, path: Path, kind: str, options: str) -> None:
    from parsers.documents import DocumentUnreadable, read_document  # noqa: PLC0415  (as above)

    try:
        document = read_document(path, kind, options)
        _send(
            out,
            HEAD,
            head_line(
                format=document.format,
                sheet=document.part,
                notes=document.notes,
                columns=document.columns,
                fields=document.fields,
                warnings=document.warnings,
                duplicates=document.duplicates,
                question=document.question,
            ),
        )
        count = _send_rows(out, document.rows)
        _send(out, END, str(count).encode())
    except DocumentUnreadable as error:
        _send(out, ERROR, str(error).encode("utf-8", "replace"))


def _send_rows(out: BinaryIO, rows: Iterable[Row]) -> int:
    lines: list[bytes] = []
    size = count = 0
    for row in rows:
        lines.append(line := encode_row(row))
        size += len(line)
        count += 1
        if size >= FRAME:
            _send(out, ROWS, b"".join(lines))
            lines, size = [], 0
    _send(out, ROWS, b"".join(lines))
    return count


def _sheet_head(kind: str, sheet: Sheet) -> bytes:
    return head_line(
        format=kind,
        sheet=sheet.name,
        notes=sheet.notes,
        question=sheet.question,
        currencies=sheet.currencies,
        merged=sheet.merged,
        others=sheet.others,
    )


def _send(out: BinaryIO, kind: bytes, payload: bytes) -> None:
    out.write(HEADER.pack(kind, len(payload)))
    out.write(payload)
    out.flush()
