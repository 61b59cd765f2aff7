"""Finds the parts of an .xlsx that a reader of one sheet needs: the sheet, number formats, shared texts."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from parsers.workbook_formats import PLAIN, Shown, builtin, shown
from parsers.xml_stream import feed


class Tab(NamedTuple):
    name: str
    visible: bool
    part: str


class Package:
    """An opened .xlsx. Parts are found whatever the case of their names."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Raises KeyError, zipfile.BadZipFile, ParseError, DefusedXmlException if a part is not as it should be."""
        self.archive = archive
        self._names = {name.lower(): name for name in archive.namelist()}
        book = next(
            (part for kind, part in self._relations("").values() if kind == "officeDocument"), "xl/workbook.xml"
        )
        root = self._root(book)
        relations = self._relations(book)
        self.tabs = tuple(self._tabs(root, relations))
        self.from_1904 = any(
            element.get("date1904") in {"1", "true"} for element in root.iter() if local(element) == "workbookPr"
        )
        parts = {kind: part for kind, part in relations.values() if part.lower() in self._names}
        # the fast reader goes by this name; both must see the same texts
        self._texts = parts.get("sharedStrings") or self._names.get("xl/sharedstrings.xml")
        self.styles = tuple(_styles(self._root(parts["styles"]))) if "styles" in parts else ()
        """How cells are shown, by the number that they name as their style."""

    @cached_property
    def texts(self) -> list[str]:
        """The shared texts of all sheets. Raises ExpatError."""
        return [] if self._texts is None else list(_shared(self.archive, self._names[self._texts.lower()]))

    def _tabs(self, root: Element, relations: dict[str, tuple[str, str]]) -> Iterator[Tab]:
        for element in root.iter():
            if local(element) != "sheet":
                continue
            number = next((value for key, value in element.attrib.items() if key.endswith("}id")), "")
            kind, target = relations.get(number, ("", ""))
            if kind == "worksheet":
                visible = element.get("state", "visible") == "visible"
                yield Tab(element.get("name", ""), visible, self._names[target.lower()])

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Kind and target by the number of a relation of a part; of the package itself, if it is ""."""
        folder = PurePosixPath(part).parent
        where = str(folder / "_rels" / f"{PurePosixPath(part).name}.rels")
        if where.lower() not in self._names:
            return {}
        found = {}
        for element in self._root(where).iter():
            if local(element) == "Relationship":
                target = element.get("Target", "")
                full = target.lstrip("/") if target.startswith("/") else str(folder / target)
                found[element.get("Id", "")] = (element.get("Type", "").rpartition("/")[2], full)
        return found

    def _root(self, part: str) -> Element:
        found: Element = fromstring(self.archive.read(self._names[part.lower()]), forbid_dtd=True)
        return found


@contextmanager
def opened(path: Path) -> Iterator[Package]:
    """As Package."""
    with zipfile.ZipFile(path) as archive:
        yield Package(archive)


def _styles(root: Element) -> Iterator[Shown]:
    formats = {
        element.get("numFmtId", ""): element.get("formatCode", "")
        for element in root.iter()
        if local(element) == "numFmt"
    }
    for block in root:
        if local(block) != "cellXfs":
            continue
        for style in block:
            if local(style) == "xf":
                number = style.get("numFmtId", "0")
                code = formats.get(number) or (builtin(int(number)) if number.isdigit() else "")
                yield shown(code) if code else PLAIN


def _shared(archive: zipfile.ZipFile, part: str) -> Iterator[str]:
    """The texts of cells, without readings (furigana); runs of one text are joined."""
    done: list[str] = []
    runs: list[str] = []
    text: list[str] = []
    reading = False

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal reading
        if name == "t":
            text.clear()
        elif name == "si":
            runs.clear()
        elif name == "rPh":
            reading = True

    def end(name: str) -> None:
        nonlocal reading
        if name == "t":
            if not reading:
                runs.extend(text)
            text.clear()
        elif name == "rPh":
            reading = False
        elif name == "si":
            done.append("".join(runs))

    for _ in feed(archive, part, start=start, end=end, text=text.append):
        yield from done
        done.clear()


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]
