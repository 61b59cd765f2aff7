"""Turns a valid queue message of version 1.0 into one of version 2.0 that means the same."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any, Final

from contracts.errors import ContractViolation

_SHEET: Final = re.compile(r"^https://docs\.google\.com/spreadsheets/(?:u/[0-9]+/)?(d/.*)$", re.DOTALL)
_CREDENTIALS: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")
_KEPT: Final = ("task_id", "parser_type", "supplier_name", "priority", "max_retries")


def upgrade(message: dict[str, Any]) -> dict[str, Any]:
    """Never changes its argument. Raises ContractViolation if the credential file has no usable name.

    What version 1.0 assumed where nothing was said is now said: comma, UTF-8 and a header for CSV, "Sheet1" and the
    first row as header for a spreadsheet. Dropped: retry_count (the ledger counts), and the directory of
    credentials_path."""
    result: dict[str, Any] = {"schema_version": "2.0"}
    result.update({name: message[name] for name in _KEPT if name in message})
    if "enqueued_at" in message:
        at = message["enqueued_at"]
        result["enqueued_at"] = at if re.search(r"(Z|[+-][0-9]{2}:[0-9]{2})$", at) else f"{at}Z"
    source = dict(message["source_config"])
    match message["parser_type"]:
        case "csv":
            source = {"delimiter": ",", "encoding": "utf-8", "has_header": True, **source}
        case "excel":
            source["header_row"] = int(source.get("header_row", 0)) + 1
            source.setdefault("sheet_name", "Sheet1")
        case "google_sheets":
            source.setdefault("sheet_name", "Sheet1")
            source.setdefault("header_row", 1)
            source["sheet_url"] = _SHEET.sub(r"https://docs.google.com/spreadsheets/\1", source["sheet_url"])
            if "credentials_path" in source:
                source["credentials"] = _credentials(source.pop("credentials_path"))
    result["source_config"] = source
    return result


def _credentials(path: str) -> str:
    name = PurePosixPath(path.replace("\\", "/")).name.removesuffix(".json").lower()
    if not _CREDENTIALS.fullmatch(name):
        raise ContractViolation(
            "the message names no usable credential",
            violations=(
                (
                    "/source_config/credentials_path",
                    "must end in a file name of letters, digits, _ . -, such as a.json",
                ),
            ),
        )
    return name
