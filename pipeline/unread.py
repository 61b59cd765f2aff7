"""Leaves a source unread whose keeper says that it is what was loaded last."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import orjson

from config.settings import Settings
from contracts.catalog import StoredProfile, ToReplay
from contracts.parser import Revisions, Source
from contracts.store import Claim
from contracts.task import Statistics, TaskResult
from observability.logging import get_logger
from pipeline.ahead import Collaborators

log = get_logger(__name__)
ORIGIN = "origin"
"""Member of a shape document (pipeline/understanding/shape.py)."""


async def left_unread(
    claim: Claim, with_: Collaborators, stored: StoredProfile | None, replay: ToReplay | None
) -> TaskResult | None:
    """The result of a run that reads nothing, with no row and a note; None if the source must be read: it changed, or
    the order, the profile, the settings or the version did, or it is not what was loaded last and still stands."""
    if stored is None or replay is not None or claim.checkpoints or with_.shapes is None:
        return None
    parser, task = with_.parser(claim.task.parser_type), claim.task
    if not isinstance(parser, Revisions):
        return None
    shape = await with_.shapes.newest(task.supplier_name, task.options.list_name or "")
    last = (shape or {}).get(ORIGIN)
    if shape is None or not isinstance(last, dict) or claim.as_of < datetime.fromisoformat(shape["as_of"]):
        return None
    if last.get("order") != _order(claim, with_.settings, stored.version):
        return None
    revision = await parser.revision(task)
    if revision is None or revision != last.get("revision"):
        return None
    log.info("source.unchanged", revision=revision, loaded_by=last["task_id"])
    return TaskResult(
        task_id=task.task_id,
        status="success",
        processed_at=datetime.now(UTC),
        statistics=Statistics(total_rows=0, successful_rows=0, failed_rows=0),
        retry_count=claim.attempt - 1,
        source_sha256=last["sha256"],
        warnings=[_note(revision, last)],
    )


def _note(revision: str, last: Mapping[str, Any]) -> str:
    return (
        f"not read: the source has not changed (revision {revision}) since task {last['task_id']} loaded its "
        f"{last['rows']:,} rows"
    )


async def origin(claim: Claim, with_: Collaborators, source: Source, *, rows: int) -> dict[str, Any]:
    """What `left_unread` of the next run compares with; {} for a source without a revision."""
    if source.revision is None:
        return {}
    newest = await with_.profiles.newest(claim.task.supplier_name)
    order = _order(claim, with_.settings, 0 if newest is None else newest.version)
    return {
        ORIGIN: {
            "revision": source.revision,
            "order": order,
            "task_id": claim.task.task_id,
            "sha256": source.sha256,
            "rows": rows,
        }
    }


def _order(claim: Claim, settings: Settings, profile_version: int) -> str:
    """Changes with whatever else decides how the same bytes are read and loaded."""
    task = claim.task
    told = [
        version("pricemill"),
        profile_version,
        settings.default_currency,
        settings.price_band,
        task.parser_type,
        task.source_config,
        task.options.model_dump(mode="json"),
    ]
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()
