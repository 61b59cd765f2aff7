"""Decides where a task goes on from what its earlier attempts left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.checkpoint import Checkpoint
from contracts.errors import SourceChanged
from observability.logging import get_logger
from resilience.checkpoint.seal import CheckpointCorrupt, unseal

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Resume:
    """Where the run goes on."""

    checkpoint: Checkpoint | None
    """None: from the first row, with an empty account."""
    restarted: bool
    """True: an earlier attempt of this very task has committed rows that will be read again; the loader takes back
    what it wrote, or replaces it."""
    next_sequence: int
    """Of the next chunk: one more than the newest that was stored, also where that one cannot be used."""
    notes: tuple[str, ...] = ()
    """One sentence for each checkpoint that was not used."""


def resume_from(
    documents: Sequence[dict[str, Any]],
    *,
    source_sha256: str,
    plan_fingerprint: str,
    newest_sequence: int | None = None,
) -> Resume:
    """`documents` = all kept checkpoints of the task, newest first, without gaps in their sequence; `newest_sequence` =
    the key under which the first of them is stored, if the caller knows it (else it is read from the documents).

    The newest is used if its seal, source and plan fit; else the task starts over with `restarted`. An older good one
    is then read for its source and sequence only: rows behind it are in the tables already, and where one of them
    replaced a row before it (a repeated key), no going on from there could tell what that row was.
    Raises SourceChanged if a chunk of another source was committed."""
    if not documents:
        return Resume(None, restarted=False, next_sequence=(newest_sequence or 0) + 1)
    notes: list[str] = []
    for position, document in enumerate(documents):
        try:
            good = unseal(document)
        except CheckpointCorrupt as error:
            log.warning("checkpoint.corrupt", kind=error.kind, error=error.message, position=position)
            notes.append(f"checkpoint {position + 1} of {len(documents)} cannot be used: {error.message}")
            continue
        if good.source_sha256 != source_sha256:
            raise SourceChanged(source_was=good.source_sha256, source_is=source_sha256)
        following = (newest_sequence or good.sequence + position) + 1
        if good.plan_fingerprint != plan_fingerprint:
            notes.append("the list is now understood differently than before; the task starts over")
            return Resume(None, restarted=True, next_sequence=following, notes=tuple(notes))
        if position:
            notes.append("the task starts over")
            return Resume(None, restarted=True, next_sequence=following, notes=tuple(notes))
        return Resume(good, restarted=False, next_sequence=following)
    notes.append("the task starts over")
    newest = newest_sequence or _newest_by_guess(documents)
    return Resume(None, restarted=True, next_sequence=newest + 1, notes=tuple(notes))


def _newest_by_guess(documents: Sequence[dict[str, Any]]) -> int:
    """Of documents none of which can be trusted; a wrong guess is caught by the fence of the first commit."""
    sequences = [
        sequence + position
        for position, document in enumerate(documents)
        if isinstance(document, dict) and type(sequence := document.get("sequence")) is int and sequence > 0
    ]
    return max(sequences, default=len(documents))
