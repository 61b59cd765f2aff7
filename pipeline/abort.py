"""Gives a run the guard that stops it where too much of its list fails."""

from __future__ import annotations

from collections.abc import Mapping

from config.profiles import SupplierProfile
from config.settings import Settings
from resilience.abort.guard import AbortGuard
from resilience.abort.policy import abort_policy_named
from resilience.cooldown import Cooldown
from resilience.guard import Guard


def abort_guards(
    settings: Settings,
    profile: SupplierProfile | None,
    *,
    sha256: str,
    samples: Mapping[str, str],
    alerts: Cooldown,
) -> tuple[Guard, ...]:
    """Of one attempt at a list; none if the policy never stops one. Not for tasks that take up rejected rows again:
    most of those fail again."""
    policy = abort_policy_named(settings.abort_policy)
    if not policy.triggers:
        return ()
    accepted = [] if profile is None else profile.rules.accepted_lists
    return (AbortGuard(policy, sha256=sha256, accepted=accepted, examples=samples, alerts=alerts),)
