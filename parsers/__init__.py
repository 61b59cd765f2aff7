"""READ. One format a file."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from contracts.errors import ConfigError, UnknownParser

if TYPE_CHECKING:
    # at run time a child process that parses imports this package too, and should start fast
    from contracts.parser import Parser
    from parsers.resources import Resources

PARSERS = {
    "csv": "parsers.delimited:DelimitedParser",
    "excel": "parsers.excel:ExcelParser",
    "json_lines": "parsers.json_lines:JsonLinesParser",
    "google_sheets": "parsers.google_sheets:GoogleSheetsParser",
    "e_invoice": "parsers.einvoice:EInvoiceParser",
    "html": "parsers.html:HtmlParser",
}
"""The built-in parsers, imported when first asked for."""
GROUP = "pricemill.parsers"
"""Entry points of other packages: name = "module:Class"."""


def table() -> dict[str, str]:
    """All parsers by name, as "module:Class". Raises ConfigError if two claim one name."""
    found = dict(PARSERS)
    for name, value in plugged():
        if found.setdefault(name, value) != value:
            raise ConfigError(f"two parsers are called “{name}”: {found[name]} and {value}; uninstall one")
    return found


@cache
def plugged() -> tuple[tuple[str, str], ...]:
    """Name and target of what other packages bring, looked up once a process: it takes longer than a short list."""
    from importlib.metadata import entry_points  # noqa: PLC0415  (slow to import, and the child needs none of it)

    return tuple((entry.name, entry.value) for entry in entry_points(group=GROUP))


def get(name: str, resources: Resources) -> Parser:
    """One parser, made anew. Raises UnknownParser (listing what exists), ConfigError if the class is none."""
    known = table()
    if name not in known:
        raise UnknownParser(f"there is no parser “{name}”; there are: {', '.join(sorted(known))}", name=name)
    module, _, attribute = known[name].partition(":")
    try:
        made = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the parser “{name}” cannot be loaded from {known[name]}: {error}") from error
    if getattr(made, "name", None) != name or not all(hasattr(made, part) for part in ("config", "fetch", "open")):
        raise ConfigError(f"{known[name]} is not a parser called “{name}”: it must have name, config, fetch and open")
    parser: Parser = made(resources)
    return parser
