"""What became of one order: how its task ended, and the items that are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an order ended."""

    status: str
    """completed, dead, refused (no parser reads such a file) or whatever the ledger says."""
    result: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    """code, message, next_step, context."""
    seconds: float = 0.0

    @property
    def question(self) -> str | None:
        """The question that holds the list, with its answers; None if it is not held."""
        if self.status != "dead" or self.error is None:
            return None
        asked = self.asked
        if asked is None:
            return self.error["message"] if self.error["code"] in HOLDING else None
        answers = "; ".join(f"{n}) {option['label']}" for n, option in enumerate(asked["options"], start=1))
        return f"{asked['sentence']}{f' [{answers}]' if answers else ''}"

    @property
    def asked(self) -> Mapping[str, Any] | None:
        """The question as a document with its options."""
        if self.error is None:
            return None
        asked: Mapping[str, Any] | None = (self.error.get("context") or {}).get("question")
        return asked

    @property
    def refusal(self) -> str:
        return "" if self.error is None else f"{self.error['code']}: {self.error['message']}"


HOLDING = {"header_not_found", "mapping_incomplete", "price_format_ambiguous", "list_doubtful"}
"""Errors that ask a person."""


class Item(NamedTuple):
    """One stored item."""

    sku: str
    name: str
    price: Decimal
    currency: str
    basis: Decimal
    row: int
