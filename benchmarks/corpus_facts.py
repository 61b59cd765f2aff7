"""What is known of each file of a corpus: DIR/EXPECTED.json, and the tasks and profiles that follow from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

Mode = Literal["automatic", "profile"]
MODES: tuple[Mode, ...] = ("automatic", "profile")
Duplicates = Literal["last", "first"]

SEPARATORS = {"TAB": "\t", "PIPE": "|", "COMMA": ",", "SEMICOLON": ";", "SPACE": " "}
"""Separators that are given by name."""
WORKBOOKS = frozenset({"xlsx", "xlsm", "xls", "xlsb", "ods"})
_CURRENCY = re.compile(r"\b[A-Z]{3}\b")


@dataclass(frozen=True, slots=True)
class Facts:
    """One price list; every member of the document may be absent."""

    name: str
    """Path below the corpus."""
    path: Path
    document: Mapping[str, Any]

    @property
    def columns(self) -> Mapping[str, Any]:
        return self.document.get("columns") or {}

    @property
    def format(self) -> Mapping[str, Any]:
        return self.document.get("format") or {}

    @property
    def refused(self) -> bool:
        """The list holds no prices: nothing of it may be stored."""
        if self.columns.get("price") is not None:
            return False
        return "price" in self.columns or self.document.get("rows_valid") == 0

    @property
    def uncertain(self) -> str:
        """What the facts are not sure of, in words that name members, reasons or records; '' as a rule."""
        stated = self.document.get("uncertain")
        return "" if not stated else json.dumps(stated, ensure_ascii=False).lower()

    @property
    def rejected(self) -> dict[str, int]:
        return dict(self.document.get("rows_rejected") or {})

    @property
    def besides(self) -> int:
        """Rows below the header that the facts do not call data: headings, text lines, continuations."""
        return sum((self.document.get("non_data_records") or {}).values())

    @property
    def currencies(self) -> frozenset[str]:
        """Codes that the facts name, stated in the list or not; empty = not known."""
        return frozenset(_CURRENCY.findall(self.columns.get("currency") or ""))

    def number(self, member: str) -> int | None:
        value = self.document.get(member)
        return value if isinstance(value, int) else None

    def amount(self, member: str) -> Decimal | None:
        value = self.document.get(member)
        return None if value is None else Decimal(str(value))

    def sum_of_keys(self, duplicates: Duplicates) -> Decimal | None:
        """One price a key; without duplicates the sum of all valid rows."""
        stated = self.amount(f"sum_price_{duplicates}_of_each_key")
        if stated is None and not self.document.get("duplicate_key_rows") and self.number("unique_keys_valid"):
            return self.amount("sum_price_valid_rows")
        return stated


@dataclass(frozen=True, slots=True)
class Pair:
    """Two versions of one list, older first."""

    name: str
    files: tuple[str, str]
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Corpus:
    root: Path
    lists: dict[str, Facts]
    pairs: list[Pair]
    invoices: dict[str, Mapping[str, Any]]
    pages: dict[str, Mapping[str, Any]]
    torture: list[str]
    missing: list[str]
    """Files that are described and not here."""


def read_corpus(root: Path, only: str = "") -> Corpus:
    """Raises OSError or ValueError if there is no EXPECTED.json to be read. `only` = a part of the names wanted."""
    document = json.loads((root / "EXPECTED.json").read_text(encoding="utf-8"))
    missing: list[str] = []

    def here(section: str) -> Iterator[tuple[str, Any]]:
        for name, facts in (document.get(section) or {}).items():
            if only in name and isinstance(facts, dict):
                if (root / name).is_file():
                    yield name, facts
                else:
                    missing.append(name)

    lists = {name: Facts(name, root / name, facts) for name, facts in here("price_lists")}
    pairs = [
        Pair(name, (facts["files"][0], facts["files"][1]), facts)
        for name, facts in (document.get("version_pairs") or {}).items()
        if isinstance(facts, dict) and len(facts.get("files") or ()) == 2 and set(facts["files"]) <= set(lists)
    ]
    invoices, pages = dict(here("invoices")), dict(here("html"))
    folder = root / "torture"
    torture = sorted(
        name
        for path in (folder.rglob("*") if folder.is_dir() else ())
        if path.is_file() and only in (name := path.relative_to(root).as_posix())
    )
    return Corpus(root, lists, pairs, invoices, pages, torture, missing)


def column(described: Any) -> int | str:
    """Zero-based index of a column described as '3 "Name"', '3' or 3; else its header."""
    if isinstance(described, int):
        return described - 1
    match = re.match(r"\s*([0-9]+)(?:\s|$)", described)
    return int(match[1]) - 1 if match else described.strip().strip('"')


def columns(described: Any) -> int | str | list[int | str]:
    """One column alone, several as a list."""
    if not isinstance(described, list):
        return column(described)
    found = [column(part) for part in described]
    return found[0] if len(found) == 1 else found


def profile(facts: Facts, *, duplicates: Duplicates, sheet: str | None) -> dict[str, Any]:
    """The supplier profile that says what `format` and `columns` say. A list without a key is told apart by its
    names, because a supplier's item needs one. `sheet` is the name of the sheet that the facts mean."""
    given, shape = facts.columns, facts.format
    mapping: dict[str, Any] = {}
    for field, source in (("sku", "key"), ("name", "name"), ("price", "price"), ("category", "category")):
        described = given.get(source) or (given.get("name") if field == "sku" else None)
        if described and not (field == "category" and not re.match(r"\s*[0-9]", str(described))):
            mapping[field] = columns(described)
    read: dict[str, Any] = {}
    if shape.get("kind") not in WORKBOOKS:
        read["encoding"] = shape.get("encoding")
        separator = shape.get("delimiter") or ""
        read["delimiter"] = SEPARATORS.get(separator.upper(), separator if len(separator) == 1 else None)
    header = next((shape[name] for name in ("header_record", "header_row") if name in shape), 0)
    read |= {"has_header": False} if header is None else {"header_row": header or None}
    read["sheet"] = sheet
    document: dict[str, Any] = {
        "schema_version": "1.1",
        "mapping": mapping,
        "read": {name: value for name, value in read.items() if value is not None},
        "rules": {"duplicates": duplicates},
    }
    stated = given.get("currency") or ""
    where = re.match(r"column\s+(.+?)\s*(?:\(.*\))?\s*$", stated)
    if where:
        mapping["currency"] = column(where[1])
    elif len(facts.currencies) == 1 and (match := re.match(r"[A-Z]{3}\b", stated)):
        document["currency"] = match[0]
    return document
