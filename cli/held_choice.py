"""Which held prices are meant: named by code, or by a task, a supplier, or all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.command import command
from cli.problems import NotFound, Usage
from cli.text import stamp

if TYPE_CHECKING:
    from db.reports import Reports
    from db.reports_held import HeldPrice

PAGE = 1000


async def chosen(
    reports: Reports, skus: Sequence[str], *, task_id: str | None, supplier: str | None, everything: bool, decided: str
) -> list[HeldPrice]:
    """Raises Usage if nothing is named, or codes that several suppliers have; NotFound for a code of which no price is
    held. One that was `decided` so before is passed over: a call that was interrupted is made again."""
    from db.reports_held import HeldFilter

    if not skus and task_id is None and supplier is None and not everything:
        raise Usage("name codes, or give --task, --supplier or --all", next=command("held", "list"))
    found: list[HeldPrice] = []
    after: str | None = None
    while True:
        which = HeldFilter(skus=tuple(skus), supplier=supplier, task_id=task_id, after=after, limit=PAGE)
        page = await reports.held_prices(which)
        found += page.items
        if (after := page.next) is None:
            break
    for missing in sorted(set(skus) - {row.sku for row in found}):
        before = await reports.decisions(missing, supplier)
        if len(before) == 1 and before[0].status == decided:
            continue
        told = "".join(f"; of {one.supplier!r} it was {one.status} at {stamp(one.at)} by {one.by}" for one in before)
        raise NotFound(f"no price of {missing!r} is held{told}", next=command("held", "list"))
    suppliers = sorted({row.supplier for row in found})
    if skus and len(suppliers) > 1:
        raise Usage(
            f"{suppliers[0]!r} and {suppliers[1]!r} both have such a price held; add --supplier",
            next=command("held", "list", "--supplier", suppliers[0]),
        )
    return found
