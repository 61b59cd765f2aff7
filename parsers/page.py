"""Reads a web page: chooses what of it is the list, and says what else it shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from contracts.questions import Option, Question
from contracts.rows import Cell
from parsers.extract import DocumentUnreadable, Extract, Record, counted, rows_of
from parsers.html_cards import Proposal, cards, propose
from parsers.html_data import structured
from parsers.html_products import FIELDS, OTHERS, choose_key, records
from parsers.html_tables import MONEY, HtmlTable, chosen, tables
from parsers.html_tree import parse, text_of

KNOWN = frozenset(("sku", "name", "price", "currency", "category", "gtin", "unit", "price_basis"))
_AMOUNTS = re.compile(rf"(?<![\w.,])(?:{MONEY.pattern})(?![\w])")


def read_page(path: Path, options: Mapping[str, Any]) -> Extract:
    """Raises DocumentUnreadable for a page without prices. What a person named is read; else products that the page
    marks up for machines; else its table; else a question."""
    tree, notes = parse(path, options.get("encoding"))
    extract = _read(tree, options, notes)
    extract.warnings += _next_page(tree)
    return extract


def _read(tree: LexborHTMLParser, options: Mapping[str, Any], notes: list[str]) -> Extract:
    mode, rows, fields = options.get("mode"), options.get("rows"), options.get("fields")
    if rows and fields and mode != "table":
        return _cards(list(cards(tree, rows, fields)), tuple(fields), notes)
    if rows or fields:
        raise DocumentUnreadable("rows and fields belong together: give both, and no mode table")
    if options.get("table"):
        return _read_tables(chosen(tree, options["table"]), notes)
    warnings: list[str] = []
    found = [] if mode == "table" else _products(tree, notes, warnings)
    lists = [] if mode == "products" else tables(tree)
    if found:
        largest = max((table.priced for table in lists), default=0)
        if mode is None and largest > len(found):
            return _ask_which(found, lists, notes)
        if lists:
            warnings.append(f"{counted(len(lists), 'table')} with numbers not read: the page marks up its products")
        return _marked_up(tree, found, notes, warnings)
    if lists:
        same = len({table.head for table in lists}) == 1
        return _read_tables(lists, notes) if same else _ask_table(lists, notes)
    if mode is None and (proposal := propose(tree)) is not None:
        return _ask_cards(proposal, notes)
    title = tree.css_first("title")
    called = "" if title is None else f" (“{' '.join(title.text().split())[:80]}”)"
    raise DocumentUnreadable(
        f"the page{called} marks up no products and has no table with prices; name what repeats with rows and fields"
    )


def _next_page(tree: LexborHTMLParser) -> list[str]:
    link = tree.css_first('link[rel~="next"], a[rel~="next"], li.next > a, a.next')
    address = None if link is None else link.attributes.get("href")
    return [f"the list goes on at {address[:200]}, which is not read"] if address else []


def _products(tree: LexborHTMLParser, notes: list[str], warnings: list[str]) -> list[Record]:
    """Rows of the first syntax that has prices; the others are held against them."""
    chosen_rows: list[Record] = []
    for syntax, items, broken in structured(tree):
        if broken:
            warnings.append(f"{counted(broken, 'block')} of {syntax} cannot be read")
        rows = [record for item in items for record in records(item)]
        if not any(row.cells["price"] is not None for row in rows):
            continue
        if not chosen_rows:
            chosen_rows = rows
            notes.append(f"{counted(len(rows), 'offer')} marked up with {syntax}")
        else:
            _compare(chosen_rows, rows, syntax, warnings)
    return chosen_rows


def _compare(taken: list[Record], others: list[Record], syntax: str, warnings: list[str]) -> None:
    """Says where two mark-ups of one page give one product two prices."""
    own = {(name, row.cells[name]): row for row in taken for name in ("sku", "gtin", "name") if row.cells[name]}
    differing = []
    for row in others:
        same = next((own[key] for name in ("sku", "gtin", "name") if (key := (name, row.cells[name])) in own), None)
        if same is not None and _value(row) is not None and _value(row) != _value(same):
            differing.append(f"{row.cells['price']} for “{row.cells['name']}”, not {same.cells['price']}")
    if differing:
        warnings.append(f"{syntax} states other prices than those taken ({len(differing)}), first {differing[0]}")


def _value(row: Record) -> Decimal | None:
    return _decimal(row.cells["price"])


def _decimal(cell: Cell) -> Decimal | None:
    if isinstance(cell, Decimal):
        return cell
    try:
        return Decimal(str(cell).strip("€$£¥ "))
    except InvalidOperation:
        return None


def _marked_up(tree: LexborHTMLParser, rows: list[Record], notes: list[str], warnings: list[str]) -> Extract:
    warnings += _seen_otherwise(tree, rows)
    key, warning = choose_key(rows)
    if warning:
        warnings.append(warning)
    if key not in {"", "sku"}:
        for row in rows:
            row.cells["sku"] = row.cells[key]
    stated = [name for name in OTHERS if any(row.cells[name] is not None for row in rows)]
    columns = (*(FIELDS if key else FIELDS[1:]), *stated)
    return Extract(
        format="html_products",
        columns=columns,
        rows=rows_of(rows, columns),
        fields=tuple((name, name) for name in FIELDS if name in columns),
        notes=notes,
        warnings=warnings,
        duplicates="reject_conflicting",
    )


def _seen_otherwise(tree: LexborHTMLParser, rows: list[Record]) -> list[str]:
    """Where the amounts that a person sees, or that are meant for other machines, are not those of the mark-up."""
    notes = []
    prices = {row.cells["price"]: row for row in rows if _value(row) is not None}
    stated = {_digits(price) for price in prices}
    for meta in tree.css('meta[property$="price:amount" i], meta[property$="price:standard_amount" i]'):
        amount = meta.attributes.get("content") or ""
        if _decimal(amount) is not None and _digits(amount) not in stated:
            notes.append(f"{meta.attributes.get('property')} says {amount}, which is not a price of the mark-up")
    body = tree.body
    seen = {} if body is None else {_digits(found): found for found in _AMOUNTS.findall(text_of(body))}
    hidden = [price for price in prices if _digits(price) not in seen]
    if seen and hidden:
        shown = ", ".join(list(seen.values())[:5])
        notes.append(
            f"{counted(len(hidden), 'price')} of the mark-up not seen on the page, first {hidden[0]}; it shows {shown}"
        )
    return notes


def _digits(amount: Cell) -> str:
    """What two ways of writing an amount share: 1.299,00 € and 1299 are both 1299."""
    text = re.sub(r"[.,]0{1,2}(?![0-9])", "", str(amount))
    text = re.sub(r"([.,][0-9])(?![0-9])", r"\g<1>0", text)
    return re.sub(r"[^0-9]", "", text)


def _cards(rows: list[Record], columns: tuple[str, ...], notes: list[str]) -> Extract:
    return Extract(
        format="html_rows",
        columns=columns,
        rows=rows_of(rows, columns),
        fields=tuple((name, name) for name in columns if name in KNOWN),
        notes=[*notes, f"{counted(len(rows), 'block')} read by selectors"],
        duplicates="reject_conflicting",
    )


def _read_tables(found: list[HtmlTable], notes: list[str]) -> Extract:
    if len(found) > 1:
        notes = [*notes, f"{len(found)} tables are read one below the other"]
    return Extract(
        format="html_table",
        columns=None,
        rows=(row for table in found for row in table.rows),
        notes=notes,
        part=", ".join(table.shown for table in found)[:200],
    )


def _ask(sentence: str, options: Iterable[Option], notes: list[str]) -> Extract:
    return Extract(
        format="html", columns=(), rows=(), notes=notes, question=Question("sheet", sentence, tuple(options))
    )


def _table_options(found: list[HtmlTable]) -> list[Option]:
    return [
        Option(
            table.shown,
            f"{counted(len(table.rows), 'row')}, beginning " + " | ".join(cell or "" for cell in table.head)[:100],
            {"read": {"table": str(table.number)}},
        )
        for table in sorted(found, key=lambda table: -table.priced)[:8]
    ]


def _ask_table(found: list[HtmlTable], notes: list[str]) -> Extract:
    return _ask(
        f"the page has {len(found)} tables with numbers; which is the price list?", _table_options(found), notes
    )


def _ask_which(rows: list[Record], found: list[HtmlTable], notes: list[str]) -> Extract:
    products = Option(
        "the products that are marked up",
        f"{counted(len(rows), 'offer')}, first “{rows[0].cells['name']}” {rows[0].cells['price']}",
        {"read": {"mode": "products"}},
    )
    return _ask(
        f"the page marks up {counted(len(rows), 'offer')}, but shows a table with more prices; which is the list?",
        [*_table_options(found), products],
        notes,
    )


def _ask_cards(proposal: Proposal, notes: list[str]) -> Extract:
    rows = proposal.records
    names = [row.cells["name"] for row in rows]
    patch: dict[str, Any] = {"read": {"rows": proposal.rows, "fields": proposal.fields}}
    consequence = f"{counted(len(rows), 'item')}, first “{names[0]}” {rows[0].cells['price']}"
    if len(set(names)) == len(names):
        patch["mapping"] = {"sku": "name"}
        consequence += "; the name, which differs in all, is the code"
    return _ask(
        f"the page has no table and marks up nothing, but {len(rows)} blocks ({proposal.rows}) have a name and an "
        "amount each; are they the list?",
        [Option(f"read {proposal.rows}", consequence, patch)],
        notes,
    )
