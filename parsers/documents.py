"""Chooses the reader of a document; runs in the child process only."""

from __future__ import annotations

import json
import resource
from pathlib import Path

from parsers.extract import DocumentUnreadable, Extract
from parsers.invoices import read_invoice

PAGE_SECONDS = 20
"""Of CPU time for a page; it takes about one, if it is not made to take longer."""
__all__ = ["DocumentUnreadable", "read_document"]


def read_document(path: Path, kind: str, options: str) -> Extract:
    """`kind`: xml, pdf or html. `options`: a JSON object, the source_config without location and mapping. Raises
    DocumentUnreadable."""
    wanted = json.loads(options)
    if kind == "html":
        from parsers.page import read_page  # noqa: PLC0415  (its libraries are not needed for an invoice)

        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (min(PAGE_SECONDS, hard), hard))
        return read_page(path, wanted)
    return read_invoice(path, kind, wanted)
