"""What became of a list, in a few lines: its row account, its layout, its mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.text import line, plural
from contracts.account import Account

FORMATS = {
    "csv": "CSV",
    "xlsx": "Excel (xlsx)",
    "xls": "Excel (xls)",
    "xlsb": "Excel (xlsb)",
    "ods": "OpenDocument sheet",
    "json_lines": "JSON lines",
    "google_sheets": "Google Sheet",
    "ubl_invoice": "UBL invoice",
    "ubl_credit_note": "UBL credit note",
    "ubl_catalogue": "UBL catalogue",
    "cii_invoice": "Cross Industry Invoice",
    "cii_credit_note": "Cross Industry credit note",
    "zugferd_1_invoice": "ZUGFeRD 1 invoice",
    "html_products": "products of a web page",
    "html_table": "table of a web page",
    "html_rows": "blocks of a web page",
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}
ENCODINGS = {"cp1252": "Windows-1252", "cp1251": "Windows-1251", "cp1250": "Windows-1250", "utf-8": "UTF-8"}


def buckets(account: Account) -> str:
    """9,940 rows: 38 new, 1,204 changed, 8,122 unchanged, 164 rejected, 5 ignored."""
    parts = [
        (account.new, "new"),
        (account.changed, "changed"),
        (account.unchanged, "unchanged"),
        (account.held.total(), "held"),
        (account.rejected.total(), "rejected"),
        (account.ignored.total(), "ignored"),
    ]
    told = ", ".join(f"{number:,} {word}" for number, word in parts if number)
    return plural(account.read, "row") + (f": {told}" if told else "")


def ignored(account: Account) -> str:
    """1 header, 2 title, 1 total."""
    words = {"stale": "stale (a newer list is loaded)"}
    return ", ".join(f"{number:,} {words.get(kind, kind)}" for kind, number in account.ignored.most_common() if number)


def layout(description: Mapping[str, Any], understanding: Mapping[str, Any]) -> str:
    """CSV, semicolon, Windows-1252, header in row 4."""
    parts = [FORMATS.get(description.get("format") or "", line(description.get("format") or "list"))]
    if sheet := description.get("sheet"):
        parts.append(f"sheet “{line(sheet)}”")
    if delimiter := description.get("delimiter"):
        parts.append(DELIMITERS.get(delimiter, line(repr(delimiter))))
    if encoding := description.get("encoding"):
        parts.append(ENCODINGS.get(encoding.lower(), line(encoding)))
    if header := understanding.get("header_row"):
        first = header - (understanding.get("header_rows") or 1) + 1
        parts.append(f"header in row {header}" if first == header else f"header in rows {first}-{header}")
    else:
        parts.append("no header row")
    return ", ".join(parts)


def mapping(understanding: Mapping[str, Any]) -> str:
    """sku Art.-Nr., name Bezeichnung, price EK netto (EUR, decimal comma)."""
    parts = [
        f"{column['field']} “{line(column['header'])}”" for column in understanding["columns"] if column.get("field")
    ]
    sign = {".": "decimal point", ",": "decimal comma"}.get((understanding.get("numbers") or {}).get("decimal") or "")
    currency = understanding.get("currency")
    told = ", ".join(parts)
    stated = ", ".join(part for part in (currency if currency != "XXX" else "no currency stated", sign) if part)
    return f"{told} ({stated})" if stated else told


def understanding_lines(understanding: Mapping[str, Any]) -> Iterator[str]:
    """The lines Layout and Mapping."""
    description = understanding.get("description") or {}
    yield f"Layout    {layout(description, understanding)}"
    profile = understanding.get("profile_version")
    yield f"Mapping   {f'profile v{profile}: ' if profile else ''}{mapping(understanding)}"
    for warning in understanding.get("warnings") or ():
        yield f"          {line(warning)}"
