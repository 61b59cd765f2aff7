"""The ledger in memory: the twin for tests and for runs without a database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Literal

import orjson

from contracts.clock import Clock, SystemClock
from contracts.errors import AccountMismatch, LeaseLost
from contracts.outcome import Completed, DeadLetter, Discard, Failure, Retry, Settlement, Snooze
from contracts.queue import Delivery
from contracts.store import Claim, ClaimKey, Refusal, Registration
from contracts.task import ParseTask
from db import ledger_documents as documents
from db.ledger_documents import LedgerDepth
from db.memory_controls import ControlsInMemory
from db.memory_tables import UNFINISHED, WAITING, AttemptRow, LetterRow, Tables, TaskRow, WorkerRow
from db.memory_workers import WorkersInMemory

EARLY = timedelta(milliseconds=100)


class MemoryLedger(ControlsInMemory, WorkersInMemory):
    """Implements contracts.store.Ledger, contracts.controls.Controls and contracts.fleet.Registry for one event loop;
    no method awaits, so each is one transaction."""

    def __init__(self, *, clock: Clock | None = None, tables: Tables | None = None, supersede: bool = False) -> None:
        self.tables = tables or Tables()
        self._clock = clock or SystemClock()
        self._supersede = supersede

    async def register(self, tasks: Sequence[ParseTask], *, sending: bool = False) -> list[Registration]:
        messages = [documents.message_of(task) for task in tasks]
        now = self._clock.now()
        created: dict[str, int] = {}
        behind: set[str] = set()
        for task, message in zip(tasks, messages, strict=True):
            if any(
                row.task_id == task.task_id or (row.idempotency_key and row.idempotency_key == task.idempotency_key)
                for row in self.tables.tasks.values()
            ):
                continue
            key = len(self.tables.tasks) + 1
            self.tables.tasks[key] = TaskRow(
                id=key,
                task_id=task.task_id,
                idempotency_key=task.idempotency_key,
                supplier_name=task.supplier_name,
                message=message,
                priority=task.priority.rank,
                max_retries=task.max_retries,
                as_of=task.as_of or now,
                expires_at=task.expires_at,
                run_at=now,
                parser_type=task.parser_type,
                queue=task.queue_name,
                source=task.source_name,
                dispatched_at=now if sending else None,
            )
            created[task.task_id] = key
            if sending and self.tables.first(task.supplier_name) is not self.tables.tasks[key]:
                self.tables.tasks[key].dispatched_at = None
                behind.add(task.task_id)
        known = [row.known(now) for row in self.tables.tasks.values()]
        return documents.registrations(tasks, created, known, behind)

    async def claim(self, delivery: Delivery, *, worker: str, lease: timedelta) -> Claim | Refusal:
        now = self._clock.now()
        row = self.tables.tasks.get(delivery.task_key)
        if row is None or row.task_id != delivery.task_id:
            return Refusal("unknown")
        if row.status not in UNFINISHED:
            return Refusal("ended")
        if row.status == "running" or row.epoch != delivery.epoch:
            return Refusal("superseded")
        if row.expires_at is not None and row.expires_at <= now:
            return Refusal("expired")
        if row.run_at > now + EARLY:
            return Refusal("not_due")
        if self.tables.first(row.supplier_name) is not row or self.tables.running(row.supplier_name):
            return Refusal("blocked")
        if self._paused(row):
            row.dispatched_at = None
            return Refusal("paused")
        if self._supersede and row.epoch == 0 and self._supersede_older(row, now):
            return Refusal("outdated", tuple(self._following(row.supplier_name, None)))
        limits = self._limits(row)
        if any(self._room(limit, now) < 1 for limit in limits):
            row.dispatched_at = None
            return Refusal("limited")
        self._take(limits, now)
        row.status, row.epoch, row.attempt = "running", row.epoch + 1, row.attempt + 1
        row.worker, row.lease_until, row.dispatched_at = worker, now + lease, None
        sealed = self.tables.checkpoints.get(row.id, {})
        self.tables.attempts.setdefault(row.id, []).append(
            AttemptRow(row.epoch, row.attempt, worker, now, max(sealed, default=0))
        )
        return Claim(
            task=ParseTask.model_validate(documents.with_queue(orjson.loads(row.message), row.queue)),
            task_key=row.id,
            epoch=row.epoch,
            attempt=row.attempt,
            as_of=row.as_of,
            worker=worker,
            checkpoints=await self.newest_checkpoints(row.id),
            waited_seconds=round(max((now - row.run_at).total_seconds(), 0.0), 3),
            within_limits=bool(limits),
        )

    def hold(self, key: ClaimKey, lease: timedelta) -> bool:
        """The fence of a chunk: prolongs the lease and says whether the claim still holds."""
        row = self.tables.held(key)
        if row is not None:
            row.lease_until = self._clock.now() + lease
        return row is not None

    async def renew(self, claims: Sequence[ClaimKey], *, worker: str, lease: timedelta) -> set[ClaimKey]:
        now = self._clock.now()
        self.tables.workers.setdefault(worker, WorkerRow(now, now)).heartbeat_at = now
        return {claim for claim in claims if self.hold(claim, lease)}

    async def cancel_requested(self, claims: Sequence[ClaimKey]) -> set[ClaimKey]:
        return {claim for claim in claims if (row := self.tables.held(claim)) is not None and row.cancel_requested}

    async def settle(self, claim: Claim, settlement: Settlement) -> list[Delivery]:
        row = self.tables.held(ClaimKey(claim.task_key, claim.epoch))
        attempt = next(a for a in self.tables.attempts[claim.task_key] if a.epoch == claim.epoch)
        itself: int | None = None
        match settlement:
            case Completed(result=result):
                expected, message = documents.expected_account(result)
                if expected is None:
                    raise AccountMismatch(message, task_id=claim.task.task_id)
                if row is not None and self.tables.counted(claim.task_key) != expected:
                    raise AccountMismatch(task_id=claim.task.task_id)
                self._close(row, attempt, "completed", "completed", None)
                if row is not None:
                    row.result = orjson.loads(documents.dumps(result.document()))
            case DeadLetter(failure=failure):
                self._close(row, attempt, "dead", "dead", failure.document())
                if row is not None:
                    self.tables.kill(row, failure, attempts=row.attempt, now=self._clock.now())
            case Discard(cancelled=True, reason=reason):
                self._close(row, attempt, "cancelled", "cancelled", {"reason": reason})
            case Retry() | Snooze() | Discard():
                if row is None and isinstance(settlement, Discard):
                    return []
                itself = claim.task_key
                self._put_back(row, attempt, settlement)
        following = self._following(claim.task.supplier_name, itself)
        if claim.within_limits:
            following += [one for one in self._due(2, timedelta(seconds=10)) if one not in following]
        return following

    def _put_back(self, row: TaskRow | None, attempt: AttemptRow, settlement: Retry | Snooze | Discard) -> None:
        status, outcome, error, give_back = documents.put_back(settlement)
        if row is None and attempt.outcome == "cancelled":
            return
        cancelled = row is not None and row.cancel_requested
        self._close(row, attempt, "cancelled" if cancelled else status, "cancelled" if cancelled else outcome, error)
        if row is not None:
            now = self._clock.now()
            row.attempt = max(row.attempt - give_back, 0)
            row.slices += outcome == "yielded"
            row.run_at = now if isinstance(settlement, Discard) else max(settlement.at, now)
            row.dispatched_at = None

    def _close(
        self, row: TaskRow | None, attempt: AttemptRow, status: str, outcome: str, error: dict[str, Any] | None
    ) -> None:
        """Ends the attempt, or recognises that this very settlement was recorded before, or LeaseLost."""
        if row is None:
            if attempt.outcome != outcome:
                raise LeaseLost(epoch=attempt.epoch)
            return
        attempt.outcome, attempt.error = outcome, error
        row.status, row.worker, row.lease_until = status, None, None
        row.finished_at = None if status in WAITING else self._clock.now()

    async def bury(self, raw: str, failure: Failure) -> bool:
        return self.tables.bury(raw, failure)

    async def sweep(
        self, *, limit: int = 100, redeliver_after: timedelta = timedelta(seconds=10), poison_after: int = 3
    ) -> list[Delivery]:
        now = self._clock.now()
        ended: list[str] = []
        rows = list(self.tables.tasks.values())
        self._take_back([row for row in rows if row.lease_until and row.lease_until < now][:limit], poison_after, now)
        late = [row for row in rows if row.status in WAITING and row.expires_at is not None and row.expires_at <= now]
        for row in late[:limit]:
            self.tables.kill(row, documents.EXPIRED, attempts=row.attempt, now=now)
            ended.append(row.supplier_name)
        self.tables.forget_dispatch(ended)
        return self._due(limit, redeliver_after)

    def _due(self, limit: int, redeliver_after: timedelta) -> list[Delivery]:
        now = self._clock.now()
        due = [
            row
            for row in self.tables.tasks.values()
            if row.status in WAITING
            and row.run_at <= now
            and (row.dispatched_at is None or row.dispatched_at < now - redeliver_after)
            and self.tables.first(row.supplier_name) is row
            and not self.tables.running(row.supplier_name)
            and not self._paused(row)
        ]
        due.sort(key=lambda row: (row.dispatched_at is not None, -row.priority, row.dispatched_at or now, row.run_at))
        due = self._within(due, now)[:limit]
        for row in due:
            row.dispatched_at = now
        return [self._delivery(row) for row in due]

    async def dispatched(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            row = self.tables.tasks.get(delivery.task_key)
            if row is not None and row.epoch == delivery.epoch and row.status in WAITING:
                row.dispatched_at = self._clock.now()

    async def replay(self, task_ids: Sequence[str], *, actor: str, reason: str = "") -> list[Delivery]:
        now = self._clock.now()
        again = [
            row for row in self.tables.tasks.values() if row.task_id in task_ids and row.status in ("dead", "cancelled")
        ]
        for row in again:
            row.status, row.epoch, row.attempt, row.crashes = "queued", row.epoch + 1, 0, 0
            row.cancel_requested, row.run_at, row.dispatched_at = False, now, None
            row.finished_at, row.result, row.superseded_by = None, None, None
            row.expires_at = row.expires_at if row.expires_at is not None and row.expires_at > now else None
            self._close_letters((a for a in self.tables.letters if a.task_key == row.id), "replayed", actor, reason)
        return [self._delivery(row) for row in again]

    async def discard(self, dead_letter_ids: Sequence[str], *, actor: str, reason: str = "") -> int:
        wanted = {text.lower() for text in dead_letter_ids}
        return self._close_letters((a for a in self.tables.letters if a.id in wanted), "discarded", actor, reason)

    def _close_letters(self, letters: Iterable[LetterRow], status: str, actor: str, reason: str) -> int:
        closed = [letter for letter in letters if letter.status == "open"]
        for letter in closed:
            letter.status, letter.closed_by, letter.close_reason = status, actor, reason
        return len(closed)

    async def cancel(
        self, task_id: str, *, actor: str, reason: str = ""
    ) -> Literal["cancelled", "requested", "ended", "unknown"]:
        row = next((row for row in self.tables.tasks.values() if row.task_id == task_id), None)
        if row is None:
            return "unknown"
        if row.status not in UNFINISHED:
            return "ended"
        row.cancel_requested = True
        if row.status == "running":
            return "requested"
        row.status, row.finished_at = "cancelled", self._clock.now()
        self.tables.forget_dispatch([row.supplier_name])
        return "cancelled"

    async def depth(self) -> LedgerDepth:
        now = self._clock.now()
        counts = dict.fromkeys(UNFINISHED, 0)
        for row in self.tables.tasks.values():
            if row.status in counts:
                counts[row.status] += 1
        due = [
            row.run_at
            for row in self.tables.tasks.values()
            if row.status in WAITING and row.run_at <= now and not self._paused(row)
        ]
        return LedgerDepth(
            **counts,
            dead=sum(letter.status == "open" for letter in self.tables.letters),
            oldest=(now - min(due)).total_seconds() if due else None,
        )

    async def newest_checkpoints(self, task_key: int, *, limit: int = 10) -> tuple[dict[str, Any], ...]:
        sealed = self.tables.checkpoints.get(task_key, {})
        return tuple(orjson.loads(documents.dumps(sealed[n])) for n in sorted(sealed, reverse=True)[:limit])

    def _delivery(self, row: TaskRow) -> Delivery:
        at = row.run_at if row.run_at > self._clock.now() else None
        return Delivery(row.id, row.task_id, row.epoch, at, row.priority)

    def _following(self, supplier_name: str, itself: int | None) -> list[Delivery]:
        first = self.tables.first(supplier_name)
        keys = [itself] if itself is not None else []
        if first is not None and first.id != itself:
            keys.append(first.id)
        return [self._delivery(row) for key in keys if (row := self.tables.tasks[key]).status in WAITING]
