"""What a run learns from the last list of its supplier, and what it leaves for the next one."""

from __future__ import annotations

from config.profiles import SupplierProfile, profile_from_understanding, remember_columns
from contracts.account import Account
from contracts.catalog import StoredProfile
from contracts.store import Claim
from pipeline.ahead import Ahead, Collaborators
from pipeline.drift.absorb import LastList
from pipeline.open import Opened
from pipeline.understanding.shape import Shape, shape_document
from pipeline.unread import origin

ITSELF = "pricemill"
"""Who made a profile that no person made."""


async def last_list(claim: Claim, with_: Collaborators, ahead: Ahead, stored: StoredProfile | None) -> LastList | None:
    """None for a supplier of whom nothing was loaded yet."""
    if stored is None:
        return None
    document = None
    if with_.shapes is not None:
        document = await with_.shapes.newest(claim.task.supplier_name, claim.task.options.list_name or "")
    return LastList(Shape.read(document), ahead.prices)


async def remember(
    claim: Claim, with_: Collaborators, opened: Opened, *, stored: StoredProfile | None, account: Account
) -> None:
    """After a load that brought items: its shape, and a version of the profile if it is the first or columns have
    other names now. Done again, it changes nothing. A version that a person added meanwhile is left alone, and so are
    the columns by a list that is older than the last one."""
    if not account.new + account.changed + account.unchanged:
        return
    task, description, understanding = claim.task, opened.reading.description, opened.plan.understanding
    profile = None if stored is None else SupplierProfile.model_validate(stored.document)
    if profile is None:
        profile = profile_from_understanding(understanding)
        await with_.profiles.add(task.supplier_name, profile.document(), created_by=ITSELF)
    elif opened.drift is not None and opened.drift.changed and not opened.drift.older_than_last(claim.as_of):
        amended = remember_columns(profile, opened.drift.profile, opened.drift.changed)
        newest = await with_.profiles.newest(task.supplier_name)
        if stored is not None and newest is not None and newest.version == stored.version:
            await with_.profiles.add(task.supplier_name, amended.document(), created_by=ITSELF)
            profile = amended
    if with_.shapes is not None:
        told = profile.mapping.model_dump(mode="json", exclude_none=True)
        document = shape_document(opened.sample, description, understanding, told=told, as_of=claim.as_of)
        told_by = await origin(claim, with_, opened.source, rows=account.read)
        await with_.shapes.add(claim, document | told_by)
