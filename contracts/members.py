"""The kinds of values that members of our documents have, as strict as the JSON Schemas."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer, StringConstraints

_INSTANT = re.compile(
    r"(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?")


def _rfc3339(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _INSTANT.fullmatch(value)):
        return value
    raise ValueError("must be a time with its zone, such as 2026-11-20T03:15:00Z")


def _whole(value: object) -> object:
    # Lax parsing would take "3" and true for numbers, which the schemas do not.
    if isinstance(value, bool | str | bytes):
        raise ValueError("must be a whole number")  # noqa: TRY004  # pydantic collects ValueErrors only
    return value


def _quantity(value: object) -> object:
    if isinstance(value, Decimal) and value.is_finite():
        return round(value, 9)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return value
    raise ValueError("must be a decimal number as text, without sign and exponent")


Instant = Annotated[AwareDatetime, BeforeValidator(_rfc3339), AfterValidator(lambda value: value.astimezone(UTC))]
"""A datetime with a zone, kept in UTC; as text an RFC 3339 date-time of the years 1900 to 2999."""
Whole = Annotated[int, BeforeValidator(_whole)]
Count = Annotated[Whole, Field(ge=0)]
Quantity = Annotated[
    Decimal,
    BeforeValidator(_quantity),
    Field(ge=0, lt=10**15),
    PlainSerializer(lambda value: f"{value.normalize():f}", str),
]
"""A Decimal or its text, at most 9 decimals, written as text without exponent; never a float."""
Text255 = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"[^\s\x1c-\x1f\x85\ufeff]")]
"""Not blank; the pattern says \\S in a way that all engines understand alike."""
HTTPS = r"^https://(\[[0-9A-Fa-f:.]+\]|[^\s/?#\[\]@:]+)(:[0-9]{1,5})?([/?#]\S*)?$"
"""An https address with a host and without a password."""
