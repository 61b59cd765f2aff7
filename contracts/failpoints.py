"""Places where a test may let the process die, stop, fail or wait; without effect unless armed by the environment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

VARIABLE: Final = "PRICEMILL_FAILPOINTS"
"""name=kill | name=kill:3 (third passage) | name=stop[:n] | name=raise[:n] | name=sleep:2.5; several by commas."""

FAILPOINTS: Final[Mapping[str, str]] = {
    "schedule.written": "slots and their tasks are written, COMMIT was not sent",
    "schedule.committed": "slots and their tasks are committed, nothing was handed to the queue yet",
    "producer.registered": "the task's row is committed, nothing was handed to the queue yet",
    "producer.delivered": "the queue has the delivery, the ledger does not know it yet",
    "job.received": "a worker took a delivery, nothing is claimed yet",
    "task.claimed": "the claim is committed, nothing was fetched yet",
    "source.fetched": "the snapshot of the source lies in the spool",
    "source.opened": "the parser looked at the snapshot",
    "plan.made": "the list is understood and the plan is frozen",
    "chunk.read": "a chunk was read, no stage has seen it",
    "chunk.staged": "the items of a chunk lie in the staging table, outside any transaction",
    "chunk.before_fence": "the transaction of a chunk is open, its fence was not asked yet",
    "chunk.before_commit": "all rows of a chunk are written, COMMIT was not sent",
    "chunk.committed": "the chunk and its checkpoint are committed, nobody was told",
    "task.before_settle": "the outcome is decided, not recorded",
    "task.settled": "the outcome is committed, what follows was not delivered",
    "task.followed": "what follows was handed to the queue, the job has not ended",
    "hold.before_commit": "held prices are decided on, COMMIT was not sent",
    "hold.committed": "the decision on held prices is committed, the person was not told",
    "revert.before_commit": "a list is taken back, COMMIT was not sent",
    "revert.ended": "the transaction that took a list back is over, the person was not told",
    "answer.kept": "an answer stands in the profile, its list is still held",
    "answer.replayed": "a list that was held is queued again, its delivery was not handed to the queue",
    "fix.kept": "a rule stands in the profile, the rejected rows it is for are not taken up yet",
}
"""The legal names, in the order in which one task passes them; last those of the commands that decide something."""

_ACTIONS: Final = ("kill", "stop", "raise", "sleep")


class FailpointReached(Exception):
    """What `name=raise` raises: an error that no table knows, as a defect of ours would be."""


@dataclass(slots=True)
class _Trigger:
    action: str
    nth: int
    """The passage that fires; 0 = every one."""
    seconds: float
    passages: int = 0


def parse(text: str) -> dict[str, _Trigger]:
    """The triggers of a PRICEMILL_FAILPOINTS value. Raises ValueError for an unknown name, action or number."""
    triggers: dict[str, _Trigger] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, what = part.partition("=")
        action, _, argument = what.partition(":")
        if name not in FAILPOINTS:
            raise ValueError(f"{VARIABLE}: there is no failpoint {name!r}; known are {', '.join(FAILPOINTS)}")
        if action not in _ACTIONS:
            raise ValueError(f"{VARIABLE}: {name} cannot do {action!r}; known are {', '.join(_ACTIONS)}")
        if action == "sleep":
            seconds = float(argument)
            if not 0 <= seconds <= 600:
                raise ValueError(f"{VARIABLE}: {name} can sleep 0 to 600 seconds, not {argument}")
            triggers[name] = _Trigger(action, nth=0, seconds=seconds)
            continue
        nth = int(argument or 1)
        if nth < 1:
            raise ValueError(f"{VARIABLE}: passages of {name} are counted from 1")
        triggers[name] = _Trigger(action, nth=nth, seconds=0.0)
    return triggers


_armed: dict[str, _Trigger] = parse(os.environ.get(VARIABLE, ""))


def arm(text: str) -> None:
    """Replaces what is armed in this process; "" disarms. For tests that run in-process."""
    _armed.clear()
    _armed.update(parse(text))


def failpoint(name: str) -> None:
    """Passes the place `name`. Armed: kills this process (SIGKILL), stops it (SIGSTOP), raises FailpointReached
    or blocks the calling thread. Raises KeyError for a name outside the table when anything is armed."""
    if not _armed:
        return
    if name not in FAILPOINTS:
        raise KeyError(name)
    trigger = _armed.get(name)
    if trigger is None:
        return
    trigger.passages += 1
    if trigger.nth not in (0, trigger.passages):
        return
    if trigger.action == "sleep":
        time.sleep(trigger.seconds)
    elif trigger.action == "raise":
        raise FailpointReached(name)
    else:
        os.kill(os.getpid(), signal.SIGKILL if trigger.action == "kill" else signal.SIGSTOP)
