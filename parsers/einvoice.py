"""Reads e-invoices and e-catalogues: UBL, Cross Industry Invoice, and PDFs that carry one (Factur-X, ZUGFeRD)."""

from __future__ import annotations

from typing import ClassVar

from contracts.parser import Source
from contracts.task import EInvoiceSource, TableSource
from parsers.document_parser import DocumentParser
from parsers.signatures import require_invoice


class EInvoiceParser(DocumentParser):
    """One line is one row, numbered in the order of the document; the root element tells the syntax."""

    name: ClassVar[str] = "e_invoice"
    config: ClassVar[type[TableSource]] = EInvoiceSource

    def kind_of(self, source: Source) -> str:
        return require_invoice(source)
