"""Tells what a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import re
from typing import Literal

from contracts.errors import SourceUnreadable
from contracts.parser import Source

Kind = Literal["zip", "ole", "biff", "html", "xml", "xml_spreadsheet", "pdf", "gzip", "text"]

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"\x09\x08\x10\x00", "biff"),
    (b"\x09\x08\x08\x00", "biff"),
    (b"\x09\x04\x06\x00", "biff"),
    (b"\x09\x02\x06\x00", "biff"),
    (b"\x09\x00\x04\x00", "biff"),
    (b"%PDF-", "pdf"),
    (b"\x1f\x8b", "gzip"),
)
_ELEMENT = re.compile(rb"<!--|<([a-z][a-z0-9]*:)?[a-z][a-z0-9]*\s+xmlns(:[a-z0-9]+)?=")
"""How XML begins that does not say so."""
_ATTACHMENT = re.compile(rb"/EmbeddedFile|/AFRelationship|#2[Ff]xml")
"""In the dictionary of an attached file, which even a compressed PDF holds in the clear."""
_NO_TABLE: dict[Kind, str] = {
    "zip": "an Excel workbook or another archive; use parser_type excel for a workbook",
    "ole": "an Excel workbook; use parser_type excel",
    "biff": "an old Excel workbook; use parser_type excel",
    "html": "a web page, perhaps the log-in page of the shop; use parser_type html if it shows prices",
    "xml": "XML; use parser_type e_invoice for an invoice or a catalogue",
    "xml_spreadsheet": "an XML spreadsheet of 2003; save it as .xlsx",
    "pdf": "a PDF; only one that carries an e-invoice (Factur-X, ZUGFeRD) can be read, with parser_type e_invoice",
    "gzip": "a compressed file; unpack it first",
}


def kind_of(source: Source) -> Kind:
    """Text is whatever is nothing else."""
    with source.path.open("rb") as file:
        head = file.read(2_048)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    start = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<table")):
        return "html"
    if start.startswith(b"<?xml") and b"schemas-microsoft-com:office:spreadsheet" in start:
        return "xml_spreadsheet"
    if start.startswith(b"<?xml") and b"<html" in start:
        return "html"
    return "xml" if start.startswith(b"<?xml") or _ELEMENT.match(start) else "text"


def require_text(source: Source) -> None:
    """Raises SourceUnreadable naming what the file is instead."""
    kind = kind_of(source)
    if kind != "text":
        raise SourceUnreadable(f"“{source.name}” is {_NO_TABLE[kind]}", name=source.name, found=kind)


def require_workbook(source: Source) -> Literal["zip", "ole", "biff", "text"]:
    """Raises SourceUnreadable for what is neither a workbook nor text."""
    kind = kind_of(source)
    if kind in {"zip", "ole", "biff", "text"}:
        return kind
    raise SourceUnreadable(f"“{source.name}” is {_NO_TABLE[kind]}", name=source.name, found=kind)


def require_invoice(source: Source) -> Literal["xml", "pdf"]:
    """Raises SourceUnreadable naming what the file is instead."""
    kind = kind_of(source)
    if kind in {"xml", "pdf"}:
        return kind
    what = _NO_TABLE.get(kind, "text without XML")
    raise SourceUnreadable(f"“{source.name}” is no e-invoice but {what}", name=source.name, found=kind)


def require_page(source: Source) -> Literal["html"]:
    """Raises SourceUnreadable naming what the file is instead. Text is a page: many begin with anything."""
    kind = kind_of(source)
    if kind in {"html", "text", "xml"}:
        return "html"
    raise SourceUnreadable(f"“{source.name}” is no web page but {_NO_TABLE[kind]}", name=source.name, found=kind)


def require_known(source: Source) -> Kind:
    """What the file is. Raises SourceUnreadable for what no parser reads."""
    kind = kind_of(source)
    if kind in {"xml_spreadsheet", "gzip"} or (kind == "pdf" and not _has_attachment(source)):
        raise SourceUnreadable(f"“{source.name}” is {_NO_TABLE[kind]}", name=source.name, found=kind)
    return kind


def _has_attachment(source: Source) -> bool:
    """Reads block by block, each with the end of the one before."""
    with source.path.open("rb") as file:
        before = b""
        while block := file.read(1_048_576):
            if _ATTACHMENT.search(before + block):
                return True
            before = block[-20:]
    return False
