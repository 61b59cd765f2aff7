"""Everything that was chosen for one run, frozen before the first row is read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from contracts.understanding import Understanding

RULES_VERSION = 3
"""Raised whenever the same row could be read differently by newer code; part of every fingerprint."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One run's choices. `fingerprint` covers whatever changes the meaning of a row; chunk size, leases and
    limits are left out, so that they may differ between the attempts of one task."""

    parser_type: str
    description: dict[str, Any]
    """Of the opened source: format, encoding, delimiter, sheet."""
    understanding: Understanding
    chunk_size: int
    lease: timedelta
    time_limit: timedelta
    config_version: str = "builtin"

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex."""
        description = {key: value for key, value in self.description.items() if key != "notes"}
        understanding = self.understanding.document()
        for column in understanding["columns"]:
            for volatile in ("certainty", "reason", "sample"):
                del column[volatile]
        for volatile in ("currency_reason", "warnings", "profile_version", "alternatives"):
            del understanding[volatile]
        del understanding["numbers"]["reason"]
        document = {
            "rules": RULES_VERSION,
            "parser": self.parser_type,
            "description": description,
            "understanding": understanding,
            "config_version": self.config_version,
        }
        return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def seed(self) -> int:
        """Unsigned 64 bits of the fingerprint: seeds the hashes of raw records."""
        return int(self.fingerprint[:16], 16)
