"""Files that mean harm or were harmed on their way, made here."""

from __future__ import annotations

import io
import os
import random
import warnings
import zipfile
from pathlib import Path

import orjson
import xlwt
from openpyxl import Workbook

GOOD = b"sku,name,price,currency\n" + b"".join(b"G-%d,Part %d,%d.50,EUR\n" % (n, n, n) for n in range(1, 41))
"""A list that loads everywhere: 41 rows, of which one is the header."""
GOOD_ITEMS = GOOD.count(b"\n") - 1
MEGA = 1_000_000

_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" '
    'Target="{target}"/></Relationships>'
)
_BOOK = (
    '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="List" sheetId="1" r:id="r1"/></sheets></workbook>'
)
_SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData>'
    "</worksheet>"
)
_HEAD = '<row r="1"><c t="inlineStr"><is><t>sku</t></is></c><c t="inlineStr"><is><t>name</t></is></c>'
_HEAD += '<c t="inlineStr"><is><t>price</t></is></c></row>'


def packed(sheet: str | bytes, prologue: str = '<?xml version="1.0"?>') -> bytes:
    """A workbook written part by part, with this as its only sheet."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELATIONS.format(kind="officeDocument", target="xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", _BOOK)
        archive.writestr(
            "xl/_rels/workbook.xml.rels", _RELATIONS.format(kind="worksheet", target="worksheets/sheet1.xml")
        )
        archive.writestr("xl/worksheets/sheet1.xml", sheet if isinstance(sheet, bytes) else (prologue + sheet).encode())
    return made.getvalue()


def sheet_of(*rows: tuple[str, str, str]) -> str:
    """Each cell of these rows is XML."""
    lines = "".join(f"<row>{''.join(cells)}</row>" for cells in rows)
    return _SHEET.format(rows=_HEAD + lines)


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


def number(value: str) -> str:
    return f"<c><v>{value}</v></c>"


def items(count: int, *, price: str = "1.5") -> list[tuple[str, str, str]]:
    return [(text(f"G-{place}"), text(f"Part {place}"), number(price)) for place in range(count)]


def workbook(width: int = 3, rows: int = 40) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.append((["sku", "name", "price"] + [f"column {place}" for place in range(3, width)])[:width])
    for place in range(rows):
        sheet.append([f"G-{place}", f"Part {place}", place + 1.5] + [place] * (width - 3))
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def zip_bomb() -> bytes:
    """A sheet of blanks: 600 MB in 600 kB."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed(""))) as small, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in small.infolist():
            with archive.open(entry.filename, "w", force_zip64=True) as part:
                if not entry.filename.endswith("sheet1.xml"):
                    part.write(small.read(entry))
                    continue
                part.write(_SHEET.partition("{rows}")[0].encode())
                for _ in range(600):
                    part.write(b" " * MEGA)
    return made.getvalue()


def lying_bomb() -> bytes:
    """The same, with a directory that says that it is small."""
    data = bytearray(zip_bomb())
    place = data.rindex(b"xl/worksheets/sheet1.xml") - 46
    assert data[place : place + 4] == b"PK\x01\x02"
    data[place + 24 : place + 28] = (50_000).to_bytes(4, "little")
    return bytes(data)


LAUGHS = '<!DOCTYPE x [<!ENTITY a0 "ha">{}]>'.format(
    "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
)


def outside(path: Path) -> str:
    """A document type with an entity that is a file of this machine."""
    return f'<!DOCTYPE x [<!ENTITY a9 SYSTEM "{path.as_uri()}">]>'


FAR_CELL = '<row r="100000"><c r="XFD100000"><v>1</v></c></row></sheetData>'
"""In the last column that a sheet may have, and the end of the rows."""


def invoice(doctype: str) -> bytes:
    return (
        f'<?xml version="1.0"?>{doctype}<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">'
        '<cbc:ID xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">&a9;</cbc:ID>'
        "</Invoice>"
    ).encode()


def compound(stream: bytes, name: str) -> bytes:
    """An OLE2 file with one stream of this name."""
    made = io.BytesIO()
    xlwt.CompoundDoc.XlsDoc().save(made, stream)
    data = bytearray(made.getvalue())
    place = data.index("Workbook".encode("utf-16-le"))
    data[place : place + 64] = name.encode("utf-16-le").ljust(64, b"\0")
    data[place + 64 : place + 66] = (2 * len(name) + 2).to_bytes(2, "little")
    return bytes(data)


def old_workbook(*, password: bool = False) -> bytes:
    """BIFF8; a FILEPASS record behind the first one says that the rest is encrypted."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("List")
    for row, cells in enumerate([("sku", "name", "price"), *((f"G-{n}", f"Part {n}", n + 1.5) for n in range(40))]):
        for column, value in enumerate(cells):
            sheet.write(row, column, value)
    if not password:
        made = io.BytesIO()
        book.save(made)
        return made.getvalue()
    stream = book.get_biff_data()
    begin = 4 + int.from_bytes(stream[2:4], "little")
    record = b"\x2f\x00\x36\x00" + b"\x01\x00\x01\x00\x01\x00" + os.urandom(48)
    return compound(stream[:begin] + record + stream[begin:], "Workbook")


def protected_workbook() -> bytes:
    """As Excel writes an .xlsx with a password: an OLE2 file around it."""
    return compound(os.urandom(9_000), "EncryptedPackage")


def protected_ods() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", os.urandom(500))
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/>'
            "</manifest:file-entry></manifest:manifest>",
        )
    return made.getvalue()


def with_macros() -> bytes:
    """A workbook with a program in it, as .xlsm files are."""
    made = io.BytesIO(workbook())
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/vbaProject.bin", os.urandom(2_000))
    return made.getvalue()


def noise(size: int) -> bytes:
    """The same bytes whenever it is called; none of them says what it is."""
    return bytes([0x91]) + random.Random(7).randbytes(size - 1)


def wide_csv(width: int, rows: int = 40) -> bytes:
    head = ",".join(["sku", "name", "price", *(f"column {place}" for place in range(3, width))])
    lines = [",".join([f"G-{n}", f"Part {n}", f"{n}.50", *["x"] * (width - 3)]) for n in range(rows)]
    return "\n".join([head, *lines, ""]).encode()


def wide_jsonl(width: int) -> bytes:
    more = {f"column {place}": "x" for place in range(3, width)}
    return b"\n".join(orjson.dumps({"sku": f"G-{n}", "name": f"Part {n}", "price": n + 0.5, **more}) for n in range(40))


def double_part() -> bytes:
    """Which of two parts of one name counts, readers decide differently."""
    made = io.BytesIO(workbook())
    with zipfile.ZipFile(made, "a") as archive, warnings.catch_warnings(action="ignore"):
        archive.writestr("xl/worksheets/sheet1.xml", sheet_of(*items(40, price="999")))
    return made.getvalue()


def many_parts() -> bytes:
    made = io.BytesIO(workbook())
    with zipfile.ZipFile(made, "a") as archive:
        for place in range(5_000):
            archive.writestr(f"xl/media/{place}", b"")
    return made.getvalue()


def plain_archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("prices.csv", GOOD)
    return made.getvalue()
