"""The ports to what is remembered: the ledger of tasks, and the tables that a run writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.account import Account
from contracts.band import Band
from contracts.outcome import Failure, Settlement
from contracts.queue import Delivery
from contracts.rows import Batch
from contracts.task import ParseTask


class Registration(NamedTuple):
    """The answer to one registered task."""

    task_id: str
    task_key: int
    created: bool
    """False: the task id or idempotency key was known; `task_id` names the task that holds it."""
    delivery: Delivery | None
    """To hand to the queue; None if the known task needs none."""
    behind: bool = False
    """Registered as sending, but an older task of its supplier has not ended: need not be sent, the end of that one
    does it. So the queue holds one delivery a supplier, and a supplier with many lists stands no more often in line
    than one with a single list."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a task until the lease ends; `epoch` is the fencing token."""

    task: ParseTask
    task_key: int
    epoch: int
    attempt: int
    """1 for the first counted attempt."""
    as_of: datetime
    worker: str
    checkpoints: tuple[dict[str, Any], ...]
    """Sealed documents, newest first (at most 10)."""
    waited_seconds: float = 0.0
    """From when the task was due until this claim, by the store's clock."""
    within_limits: bool = False
    """It took one of a limited number of places; when it ends, another task may take it."""


class ClaimKey(NamedTuple):
    task_key: int
    epoch: int


class Refusal(NamedTuple):
    """Why a delivery could not be claimed; the delivery is then done with."""

    reason: Literal["unknown", "superseded", "not_due", "blocked", "ended", "expired", "paused", "limited", "outdated"]
    """blocked = an older task of the same supplier has not ended; paused = its queue, supplier, parser or source is;
    limited = as many run, or start, as may. The sweep sends what waits for either, once it may run. outdated = a newer
    version of the list waits, and this claim has ended the older ones as superseded."""
    following: tuple[Delivery, ...] = ()
    """What should be delivered now."""


class Ledger(Protocol):
    """Tasks, attempts and dead letters. Each method is one transaction; every change of a state is one
    guarded statement. All times are the store's clock. Raises DatabaseUnavailable when it cannot answer."""

    async def register(self, tasks: Sequence[ParseTask], *, sending: bool = False) -> list[Registration]:
        """Accepts tasks; a known task id or idempotency key changes nothing. One answer per task, in order.
        `sending`: the caller hands the deliveries to the queue at once, so they count as dispatched now; should that
        fail, the sweep sends them when they are overdue. Saves a second write of every row."""
        ...

    async def claim(self, delivery: Delivery, *, worker: str, lease: timedelta) -> Claim | Refusal:
        """running, epoch + 1, attempt + 1, an attempt row, lease set; only if the task's epoch is the
        delivery's, it is due, no older task of the supplier is unfinished and none of it runs."""
        ...

    async def renew(self, claims: Sequence[ClaimKey], *, worker: str, lease: timedelta) -> set[ClaimKey]:
        """Prolongs leases and the worker's heartbeat; answers which claims are still held. Never waits for
        a row lock of a chunk transaction."""
        ...

    async def settle(self, claim: Claim, settlement: Settlement) -> list[Delivery]:
        """Ends the attempt. Completed: verifies that the result's account balances and equals the newest
        checkpoint's (else AccountMismatch, nothing changed). Returns what should now be delivered: this task
        again (retry, snooze) and the supplier's next task. LeaseLost if the claim is no longer held."""
        ...

    async def bury(self, raw: str, failure: Failure) -> bool:
        """Keeps a message that is no task as one dead letter; False if that very message lies there open."""
        ...

    async def sweep(
        self, *, limit: int = 100, redeliver_after: timedelta = timedelta(seconds=10), poison_after: int = 3
    ) -> list[Delivery]:
        """Rescue. Expired leases: attempt closed as lost, crash counted unless the checkpoint moved, back to
        queued, or dead as poison. Expired tasks (expires_at): dead. Then due tasks that stand first for their
        supplier and were never sent, or sent longer than `redeliver_after` ago: marked as sent and returned.
        One sweep at a time in the fleet; the others return []."""
        ...

    async def dispatched(self, deliveries: Sequence[Delivery]) -> None:
        """Notes that these were handed to the queue now."""
        ...

    async def replay(self, task_ids: Sequence[str], *, actor: str, reason: str = "") -> list[Delivery]:
        """Dead or cancelled tasks start again: epoch + 1, attempts and crashes 0, the open dead letter closed
        as replayed. Ids in any other state are left alone. Work continues from the last checkpoint."""
        ...

    async def discard(self, dead_letter_ids: Sequence[str], *, actor: str, reason: str = "") -> int:
        """Closes open dead letters for good; the tasks stay dead. Returns how many were closed."""
        ...

    async def cancel(
        self, task_id: str, *, actor: str, reason: str = ""
    ) -> Literal["cancelled", "requested", "ended", "unknown"]:
        """A waiting task ends now; a running one is asked to stop behind its chunk."""
        ...

    async def cancel_requested(self, claims: Sequence[ClaimKey]) -> set[ClaimKey]:
        """Which of these an operator wants stopped."""
        ...


class Known(NamedTuple):
    """What is stored of one supplier's items, as arrays sorted by fingerprint (16 bytes an item)."""

    fingerprints: NDArray[np.int64]
    key_hashes: NDArray[np.int64]
    """Aligned with fingerprints."""


class Current(NamedTuple):
    """What holds now for one item of a supplier."""

    name: str
    price: Decimal
    currency: str
    basis: Decimal
    """`price` is for this many units."""


class Loader(Protocol):
    """The tables one run writes. Opened for one claim; holds its own connections (two, so that a chunk can be
    staged while the one before it is merged). Chunks are committed in order. A task whose list is older than what was
    applied (suppliers.applied_as_of) adds unknown items only; its other items are ignored as stale."""

    supplier_id: str
    stale: bool
    """The list is older than what was applied."""
    stocked: bool
    """The supplier may have items that this run has not written."""
    band: Band | None
    """Price moves outside are held, not applied (contracts/band.py); None = every move is applied. To be set before the
    first commit() of an attempt, and alike for all attempts of a task."""

    async def known(self) -> Known:
        """Fingerprints and keys of all items of this supplier that have a fingerprint."""
        ...

    async def prices(self, skus: Sequence[str]) -> Mapping[str, Current]:
        """What holds now for these codes (a few thousand at most); a code that the supplier has no item of is left
        out. Before the first stage() only."""
        ...

    async def last_keys(self) -> NDArray[np.int64] | None:
        """Key hashes, sorted, of the newest list that was loaded before under this list's name; None if there was none
        or all were taken back."""
        ...

    async def keep_keys(self, keys: NDArray[np.int64]) -> None:
        """Remembers those of this list, behind its last chunk; done again, it changes nothing. Three lists of a name
        are kept. LeaseLost if the task is no longer held."""
        ...

    async def stage(self, batch: Batch) -> object:
        """Sends the items of a batch to the server, outside any lock; may overlap with commit() of the batch
        before. Returns a token for commit()."""
        ...

    async def commit(
        self,
        staged: object,
        complete: Callable[[Account], dict[str, Any]],
        *,
        begun: Callable[[], object] = lambda: None,
    ) -> Account:
        """One transaction: fence (task, epoch, running, newest checkpoint sequence is one less) first, then items,
        price history, held rows, parsing_logs, checkpoint, lease, supplier's as_of. `complete` is called once with the
        batch's account (new, changed, unchanged, held, stale filled in; corrections for repeated keys may be negative)
        and returns the sealed checkpoint document to store; `begun` once the server works on the rows, so that the
        caller may then keep the loop busy. Returns that account. LeaseLost if the fence fails.
        A held row changes what is said of its item, never the price; an item has one open hold at most, and a later row
        of it (in this list or another one that is not stale) closes that. A chunk that was committed though the answer
        was lost is recognised, not repeated. A row the database refuses (class 22, 23, 54) is bisected out and rejected
        as refused_by_database."""
        ...

    async def close(self) -> None: ...
