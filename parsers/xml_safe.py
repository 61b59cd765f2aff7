"""Reads XML piece by piece at constant memory: no document types, no entities, nothing fetched, limits throughout."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from parsers.extract import DocumentUnreadable

MAX_DEPTH = 60
MAX_ELEMENTS = 50_000
"""Of one piece."""
MAX_TEXT = 1_000_000
"""Characters of one piece."""
MAX_PENDING = 1_000_000
"""Bytes of one tag. Expat before 2.6 scans an unfinished tag again with every block, which takes quadratic time."""
_BLOCK = 65_536

Opener = Callable[[], BinaryIO]


@dataclass(slots=True)
class Element:
    """An element without its prefix; namespaces other than the root's are not told apart."""

    name: str
    space: str
    attributes: dict[str, str]
    text: str = ""
    parts: list[Element] = field(default_factory=list)

    def all(self, *path: str) -> list[Element]:
        found = [self]
        for name in path:
            found = [part for element in found for part in element.parts if part.name == name]
        return found

    def first(self, *path: str) -> Element | None:
        for part in self.parts:
            if part.name == path[0]:
                found = part.first(*path[1:]) if len(path) > 1 else part
                if found is not None:
                    return found
        return None

    def value(self, *path: str) -> str:
        """The text of the first such element, without outer white space; '' if there is none."""
        found = self.first(*path)
        return "" if found is None else found.text.strip()


def pieces(opened: Opener, *, containers: Collection[str] = (), unread: Collection[str] = ()) -> Iterator[Element]:
    """The root without its content, then every whole element right below it or below one of the `containers`, in
    order. The text of elements named in `unread` (attachments) is left out. Raises DocumentUnreadable.

    Expat itself rather than defusedxml, which builds its tree in Python and keeps it: refusing every DOCTYPE leaves
    neither entities nor anything external."""
    reader = _Reader(containers, unread)
    with opened() as file:
        fed = 0
        try:
            while block := file.read(_BLOCK):
                reader.parser.Parse(block, False)
                fed += len(block)
                if fed - max(reader.parser.CurrentByteIndex, 0) > MAX_PENDING:
                    raise DocumentUnreadable(f"a tag has more than {MAX_PENDING:,} bytes")
                yield from reader.take()
            reader.parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise DocumentUnreadable(f"it is not well-formed XML: {error}") from error
        except (ValueError, LookupError) as error:
            raise DocumentUnreadable(f"it cannot be decoded: {error}") from error
        yield from reader.take()


class _Reader:
    def __init__(self, containers: Collection[str], unread: Collection[str]) -> None:
        self._containers = frozenset(containers)
        self._unread = frozenset(unread)
        self._done: list[Element] = []
        self._stack: list[Element] = []
        self._text: list[str] = []
        self._depth = self._elements = self._characters = 0
        self._names: dict[str, tuple[str, str]] = {}
        self.parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._take_text

    def take(self) -> list[Element]:
        done, self._done = self._done, []
        return done

    def _refuse(self, *_: object) -> int:
        raise DocumentUnreadable("it declares a document type (DOCTYPE), which is not allowed")

    def _start(self, raw: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise DocumentUnreadable(f"elements are nested deeper than {MAX_DEPTH} levels")
        known = self._names.get(raw)
        if known is None:
            space, _, name = raw.rpartition(" ")
            if len(self._names) < MAX_ELEMENTS:
                self._names[raw] = (space, name)
        else:
            space, name = known
        if not self._stack:
            self._elements = self._characters = 0
        element = Element(name, space, attributes)
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise DocumentUnreadable(f"one {self._stack[0].name} has more than {MAX_ELEMENTS:,} elements")
        self._text.clear()
        if self._depth == 1:
            self._done.append(element)
        elif self._stack:
            self._stack[-1].parts.append(element)
            self._stack.append(element)
        elif name not in self._containers:
            self._stack.append(element)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if not self._stack:
            return
        element = self._stack.pop()
        if self._text and not element.parts:
            element.text = "".join(self._text)
        self._text.clear()
        if not self._stack:
            self._done.append(element)

    def _take_text(self, data: str) -> None:
        if not self._stack or self._stack[-1].name in self._unread:
            return
        self._characters += len(data)
        if self._characters > MAX_TEXT:
            raise DocumentUnreadable(f"one {self._stack[0].name} has more than {MAX_TEXT:,} characters")
        self._text.append(data)
