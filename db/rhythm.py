"""How often a supplier's list is expected."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from db.pooled import Pooled

_EXPECT = """
UPDATE suppliers SET expected_every = $2, expected_tolerance = $3, updated_at = now() WHERE name = $1 RETURNING true
"""


class PostgresRhythm(Pooled):
    """Each method is one transaction."""

    name = "pricemill-rhythm"

    async def expect(self, supplier: str, every: timedelta | None, tolerance: Decimal | None) -> bool:
        """None for `every`: nothing is expected any more. False for an unknown supplier."""
        return bool(await self._statements.rows(_EXPECT, supplier, every, tolerance))
