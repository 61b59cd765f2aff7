"""The reference pages of the named policies."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.reasons import UNSTATED
from docs.markdown import paragraph, table
from resilience.abort.policy import POLICIES as ABORT_POLICIES
from resilience.resource.thresholds import HIGHEST, RELEASE, THRESHOLDS, Level
from resilience.retry.policy import POLICIES


def retry_page() -> Iterator[str]:
    yield "# Retry policies"
    yield ""
    yield from paragraph(
        "Chosen by id in `PRICEMILL_RETRY_POLICY`. Calls count the first one: three retries are four calls. "
        "How often a task is tried is its own `max_retries`; the policy gives the waits. Jitter comes first, "
        "the cap holds afterwards; a longer `Retry-After` of the other side wins, up to a day."
    )
    yield ""
    yield from table(
        ("Id", "Growth", "Calls", "First wait", "Factor", "Longest wait", "Jitter"),
        (
            (
                f"`{policy.id}`",
                policy.growth,
                policy.max_attempts,
                f"{policy.base_delay:g} s",
                f"{policy.multiplier:g}" if policy.growth == "exponential" else "",
                f"{policy.max_delay:g} s",
                f"± {policy.jitter:.0%}",
            )
            for policy in POLICIES.values()
        ),
    )


def abort_page() -> Iterator[str]:
    yield "# Abort policies"
    yield ""
    yield from paragraph(
        "Chosen by id in `PRICEMILL_ABORT_POLICY`. Behind each commit: a list stops where more than the share of the "
        "window failed, and that is less likely than the risk allows if the background fails anyway. `off` has no "
        "condition. Rows for which the supplier states no price do not count, on either side: "
        f"{', '.join(f'`{code}`' for code in sorted(UNSTATED))}."
    )
    yield ""
    conditions = [(policy, trigger) for policy in ABORT_POLICIES.values() for trigger in policy.triggers]
    yield from table(
        ("Policy", "Condition", "Priority", "Unit", "Window", "Failed", "One cause", "Background", "Clusters", "Risk"),
        (
            (
                *(f"`{policy.id}`", f"`{of.id}`", of.priority, of.unit, f"{of.window:,}"),
                "all" if of.threshold == 1 else f"> {of.threshold:.0%}",
                "yes" if of.one_cause else "",
                *(f"{policy.background:.0%}", policy.cluster if of.unit == "row" else 1, f"{policy.risk:.1%}"),
            )
            for policy, of in conditions
        ),
    )


def resource_page() -> Iterator[str]:
    yield "# Resource policies"
    yield ""
    yield from paragraph(
        "Chosen by id in `PRICEMILL_RESOURCE_POLICY`: percent of what there is at which each level begins. A level "
        f"ends {RELEASE:g} points lower. Gentle collects garbage, moderate halves the chunks, aggressive quarters them "
        "and hands memory back, recycle gives the tasks back and starts the process anew. Highest levels: "
        f"{', '.join(f'{measure} {level.name.lower()}' for measure, level in HIGHEST.items())}."
    )
    yield ""
    yield from table(
        ("Id", "Gentle", "Moderate", "Aggressive", "Recycle", "Acts"),
        (
            (f"`{one.id}`", *(f"{one.begins(level):g}%" for level in list(Level)[1:]), "yes" if one.is_active else "no")
            for one in THRESHOLDS.values()
        ),
    )
