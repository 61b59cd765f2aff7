"""Counts what of a run fails, and says when that is too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from contracts.account import Account
from contracts.reasons import UNSTATED
from resilience.abort.policy import AbortPolicy, Trigger
from resilience.abort.window import History, Sample, Seen, allowance, chance


class RunWatch:
    """One for each attempt: windows begin empty, so that a task that is taken up again is given its minimum anew."""

    def __init__(self, policy: AbortPolicy) -> None:
        self._policy = policy
        self._triggers = sorted(policy.triggers, key=lambda trigger: -trigger.priority)
        self.rows = History()
        self.chunks = History()

    def record(self, chunk: Account) -> None:
        """Takes the account of a committed chunk."""
        failed = failures(chunk.rejected).total()
        sample = Sample(items(chunk) + failed, failed)
        self.rows.add(sample)
        self.chunks.add(Sample(min(sample.total, 1), int(failed * 2 > sample.total)))

    def verdict(self, total: Account, *, look: int) -> tuple[Trigger, Seen] | None:
        """The trigger of the highest priority that holds, with what it has seen. `total` is the account of all chunks
        of the task, `look` their number: earlier attempts included."""
        for trigger in self._triggers:
            seen = (self.rows if trigger.unit == "row" else self.chunks).window(trigger.window)
            if self._holds(trigger, seen, total, look):
                return trigger, seen
        return None

    def _holds(self, trigger: Trigger, seen: Seen, total: Account, look: int) -> bool:
        if seen.total < trigger.min_operations:
            return False
        if trigger.one_cause and len(failures(total.rejected)) != 1:
            return False
        if trigger.from_start and items(total):
            return False
        if not (seen.rate > trigger.threshold or seen.failed == seen.total):
            return False
        policy = self._policy
        cluster = policy.cluster if trigger.unit == "row" else 1
        likely = chance(seen.total, seen.failed, background=policy.background, cluster=cluster)
        return likely <= allowance(policy.risk / len(self._triggers), look)


def items(account: Account) -> int:
    """Rows that are items, whatever became of them. Of one chunk the sum may be too small, never negative: corrections
    for keys that stand in two chunks are negative."""
    ignored = account.ignored["duplicate"] + account.ignored["stale"]
    return max(account.new + account.changed + account.unchanged + account.held.total() + ignored, 0)


def failures(rejected: Mapping[str, int]) -> Counter[str]:
    """The rejected rows with which something is wrong, by code: not those that merely state no price."""
    return Counter({code: count for code, count in rejected.items() if count > 0 and code not in UNSTATED})
