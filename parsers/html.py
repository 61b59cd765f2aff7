"""Reads web pages, saved or fetched over https: products marked up for machines, tables, repeated blocks."""

from __future__ import annotations

from typing import ClassVar

from contracts.parser import Source
from contracts.task import HtmlSource, TableSource
from parsers.document_parser import DocumentParser
from parsers.signatures import require_page


class HtmlParser(DocumentParser):
    """One page is read; where it goes on on a next page, a note says so. No script is run."""

    name: ClassVar[str] = "html"
    config: ClassVar[type[TableSource]] = HtmlSource

    def kind_of(self, source: Source) -> str:
        return require_page(source)
