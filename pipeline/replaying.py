"""Which rows a task takes up again because another one rejected them."""

from __future__ import annotations

from contracts.catalog import ToReplay
from contracts.errors import ConfigError, SourceChanged
from contracts.store import Claim
from pipeline.ahead import Collaborators


async def to_replay(claim: Claim, with_: Collaborators) -> ToReplay | None:
    """None for an ordinary task. Raises ConfigError where this installation keeps no rejected rows."""
    options = claim.task.options
    if options.replay_of is None:
        return None
    if with_.rejected is None:
        raise ConfigError("rejected rows cannot be taken up again here")
    return await with_.rejected.to_replay(options.replay_of, options.replay_codes or [], by=claim.task.task_id)


def require_same_source(replay: ToReplay | None, sha256: str) -> None:
    """Row numbers mean nothing in another file. Raises SourceChanged."""
    if replay is not None and replay.source_sha256 != sha256:
        raise SourceChanged(
            "the list is no longer the one whose rows were rejected",
            source_was=replay.source_sha256,
            source_is=sha256,
        )


async def close_replayed(claim: Claim, with_: Collaborators, replay: ToReplay | None) -> None:
    """After all rows are committed. Done again, it changes nothing."""
    of = claim.task.options.replay_of
    if replay is not None and of is not None and with_.rejected is not None and replay.rows:
        await with_.rejected.taken_up(of, replay.rows, by=claim.task.task_id)
