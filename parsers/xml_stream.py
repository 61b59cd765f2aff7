"""Feeds a part of an archive to expat piece by piece; document types are refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from xml.parsers import expat

_BLOCK = 262_144

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def feed(archive: zipfile.ZipFile, part: str, *, start: Start, end: End, text: Text) -> Iterator[None]:
    """Calls the handlers, with names that have lost their prefix, and yields after each piece, so that the caller can
    hand on what they made of it. Raises ExpatError."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.CharacterDataHandler = text
    parser.EndElementHandler = end

    def first(name: str, attributes: dict[str, str]) -> None:
        # most programs write no prefix, and cutting names would take a third of the time
        if ":" in name:
            parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
            parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
        else:
            parser.StartElementHandler = start
        parser.StartElementHandler(name, attributes)

    parser.StartElementHandler = first
    with archive.open(part) as file:
        while block := file.read(_BLOCK):
            parser.Parse(block, False)
            yield
        parser.Parse(b"", True)
    yield


def _refuse(*_: object) -> None:
    raise expat.ExpatError("a document type is declared")
