"""Read models of whole lists: which codes the last one had."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from db.loader_keys import NEWEST, keys_of
from db.reports_reader import ReadModels

_SUPPLIER = "SELECT id FROM suppliers WHERE name = $1 LIMIT 1"
_CODES = """
SELECT supplier_sku FROM supplier_items
 WHERE supplier_id = (SELECT id FROM suppliers WHERE name = $1) AND withdrawn_at IS NULL
   AND key_hash = ANY ($2::bigint[])
 ORDER BY supplier_sku LIMIT $3
"""


class ListReports(ReadModels):
    async def last_list(self, supplier: str, list_name: str = "") -> NDArray[np.int64] | None:
        """Sorted hashes of the codes of the newest list of that name; None if there is none that still counts."""
        row = await self._row(_SUPPLIER, supplier)
        kept = None if row is None else await self._row(NEWEST, row["id"], list_name, 0)
        return None if kept is None else keys_of(kept["keys"])

    async def codes(self, supplier: str, keys: Sequence[int], *, limit: int = 5) -> list[str]:
        """Some of the codes with these hashes."""
        return [row["supplier_sku"] for row in await self._rows(_CODES, supplier, list(keys), limit)]
