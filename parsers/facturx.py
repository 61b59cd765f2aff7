"""Takes the XML out of a Factur-X, ZUGFeRD or XRechnung PDF."""

from __future__ import annotations

import io
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from parsers.extract import DocumentUnreadable

NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml", "order-x.xml")
"""As the standards name the attachment, the likeliest first; case does not count."""


def embedded_xml(path: Path) -> tuple[str, bytes]:
    """(name, content) of the invoice in a PDF. Raises DocumentUnreadable for a PDF without one."""
    try:
        reader = PdfReader(io.BytesIO(path.read_bytes()))
        if reader.is_encrypted:
            raise DocumentUnreadable("the PDF is protected by a password")
        files = {name: contents for name, contents in reader.attachments.items() if contents}
        found = {name.lower(): name for name in files}
        named = next((found[name] for name in NAMES if name in found), None)
        others = [name for name in files if name.lower().endswith(".xml")]
        if named is None and len(others) == 1:
            named = others[0]
        if named is None:
            held = f"its attachments are {', '.join(sorted(files))[:300]}" if files else "it has no attachment"
            raise DocumentUnreadable(
                f"it is a PDF without an electronic invoice in it ({held}), and prices are not read off a printed page"
            )
        if len(files[named]) > 1:
            raise DocumentUnreadable(f"the PDF holds {len(files[named])} files called {named}")
        return named, files[named][0]
    except PyPdfError as error:
        raise DocumentUnreadable(f"the PDF is damaged: {error}") from error
