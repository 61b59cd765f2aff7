"""What is known of a run that was stopped because too much of it failed: kept in its dead letter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contracts.account import Account
from contracts.checkpoint import Checkpoint
from contracts.reasons import REASONS
from resilience.abort.policy import AbortPolicy, Trigger
from resilience.abort.watch import RunWatch, failures
from resilience.abort.window import Seen

MOST_CODES: Final = 10
PATTERN: Final = 0.9
"""Share of the failures that have one cause."""


def analyse(
    policy: AbortPolicy,
    trigger: Trigger,
    seen: Seen,
    watch: RunWatch,
    checkpoint: Checkpoint,
    *,
    examples: Mapping[str, str],
) -> dict[str, Any]:
    """The JSON object. `examples` = the first rejected row of each code, as a sentence."""
    account = checkpoint.account
    causes = failures(account.rejected)
    last = watch.rows.last_run()
    return {
        "policy": policy.id,
        "trigger": trigger.id,
        "unit": trigger.unit,
        "window": seen.total,
        "failed": seen.failed,
        "rate": round(seen.rate, 4),
        "threshold": trigger.threshold,
        "types": dict(causes.most_common(MOST_CODES)),
        "trend": watch.rows.trend(),
        "pattern": pattern(account),
        "rows_without_success": last.total,
        "first_bad": _first(causes, examples),
        "remedy": REASONS[causes.most_common(1)[0][0]].fix,
        "committed": {"sequence": checkpoint.sequence, "row": checkpoint.cursor.row, **account.document()},
        "actions": list(policy.actions),
    }


def pattern(account: Account) -> str:
    """One cause: the code of PATTERN of the failures or more; else "mixed"."""
    causes = failures(account.rejected)
    code, count = causes.most_common(1)[0]
    return code if count >= PATTERN * causes.total() else "mixed"


def _first(causes: Mapping[str, int], examples: Mapping[str, str]) -> str:
    """Of the most frequent cause of which an example is kept: an attempt keeps those that it has met."""
    return next((examples[code] for code in sorted(causes, key=lambda code: -causes[code]) if code in examples), "")
