"""The guard that stops a list of which too much fails, and asks a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from contracts.account import Account
from contracts.checkpoint import Checkpoint
from contracts.errors import RunAborted
from contracts.questions import Option, Question
from observability.logging import get_logger
from resilience.abort.analysis import analyse
from resilience.abort.policy import AbortPolicy
from resilience.abort.watch import RunWatch, failures
from resilience.cooldown import Cooldown

log = get_logger(__name__)

KEPT: Final = 20
"""Lists of a supplier that a person let through, the newest ones."""


class Progress(Protocol):
    """What is told behind each commit."""

    @property
    def checkpoint(self) -> Checkpoint: ...
    @property
    def chunk(self) -> Account:
        """Of the chunk committed last."""
        ...


class AbortGuard:
    """RunAborted once the policy says so, with the analysis and a question; never for a list that a person let through.
    What was committed stays, and the task is dead until it is replayed: it then goes on behind it."""

    def __init__(
        self,
        policy: AbortPolicy,
        *,
        sha256: str,
        accepted: Sequence[str],
        examples: Mapping[str, str],
        alerts: Cooldown,
    ) -> None:
        """`accepted`: SHA-256 of lists that may go on whatever fails. `examples`: see analyse(); read when it is
        needed."""
        self._policy = policy
        self._watch = RunWatch(policy)
        self._sha256 = sha256
        self._accepted = accepted
        self._examples = examples
        self._alerts = alerts

    def check(self, progress: Progress) -> None:
        if self._sha256 in self._accepted:
            return
        self._watch.record(progress.chunk)
        checkpoint = progress.checkpoint
        found = self._watch.verdict(checkpoint.account, look=checkpoint.sequence)
        if found is None:
            return
        trigger, seen = found
        analysis = analyse(self._policy, trigger, seen, self._watch, checkpoint, examples=self._examples)
        log.warning("abort.triggered", trigger=trigger.id, pattern=analysis["pattern"], rate=analysis["rate"])
        if self._alerts.take(trigger.id, pause=self._policy.cooldown, per_hour=self._policy.alerts_per_hour):
            log.error("abort.alerted", trigger=trigger.id, first_bad=analysis["first_bad"], remedy=analysis["remedy"])
        raise RunAborted(question=self._question(analysis, checkpoint.account), analysis=analysis)

    def _question(self, analysis: dict[str, Any], account: Account) -> Question:
        failed, share = failures(account.rejected).total(), analysis["rate"]
        told = (
            f"too many rows fail: {share:.0%} of the last {analysis['window']:,} {analysis['unit']}s; "
            f"{_causes(analysis)}; {analysis['first_bad'] or 'no example is kept'}; {analysis['remedy']}"
        )
        accepted = [*self._accepted, self._sha256][-KEPT:]
        go_on = Option(
            "load the rest all the same, this once",
            f"the list goes on behind row {analysis['committed']['row']:,}; {failed:,} rows are rejected so far",
            {"rules": {"accepted_lists": accepted}},
        )
        leave = Option("leave it", "what was loaded so far stays; the task stays dead", {})
        return Question("rejected", told, (go_on, leave))


def _causes(analysis: dict[str, Any]) -> str:
    return ", ".join(f"{code} {count:,}" for code, count in list(analysis["types"].items())[:3])
