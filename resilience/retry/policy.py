"""How often and after how long something is tried again: the named policies."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.errors import ConfigError

INGEST: Final = "ingest"


class RetryPolicy(BaseModel):
    """Figures only; the delays are computed in backoff.py. Policies are looked up by `id`, which never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
    name: str = ""
    """For people; the id if empty."""
    growth: Literal["exponential", "linear", "fixed"] = "exponential"
    """Delay before retry n: base × multiplier^(n-1), base × n, or base."""
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 4
    """Calls in all, the first included: one more than there are delays."""
    base_delay: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    """Seconds before the first retry."""
    multiplier: Annotated[float, Field(ge=1, le=10)] = 2.0
    max_delay: Annotated[float, Field(ge=0.1, le=86_400)] = 60.0
    """Seconds; holds after jitter, so that no wait is ever longer."""
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.25
    """0.25 spreads every delay evenly over ± 25 %."""

    @model_validator(mode="after")
    def _cap_above_base(self) -> Self:
        if self.max_delay < self.base_delay:
            raise ValueError("max_delay must not be less than base_delay")
        return self

    @property
    def max_retries(self) -> int:
        """Calls after the first."""
        return self.max_attempts - 1


_ALL: Final = (
    RetryPolicy(id=INGEST, name="tasks: 1, 5, 25 s", max_attempts=4, base_delay=1, multiplier=5, max_delay=60),
    RetryPolicy(
        id="exponential_backoff", name="1, 2, 4, 8, 16 s", max_attempts=6, base_delay=1, multiplier=2, max_delay=300
    ),
    RetryPolicy(id="default", max_attempts=5, base_delay=1, multiplier=2, max_delay=60),
    RetryPolicy(id="aggressive", max_attempts=10, base_delay=0.5, multiplier=1.5, max_delay=30),
    RetryPolicy(id="conservative", max_attempts=3, base_delay=2, multiplier=3, max_delay=120),
    RetryPolicy(id="linear", growth="linear", max_attempts=5, base_delay=1, multiplier=1, max_delay=60),
    RetryPolicy(id="fixed", growth="fixed", max_attempts=3, base_delay=5, multiplier=1, max_delay=5),
    RetryPolicy(id="call", name="one call to a neighbour, within seconds", max_attempts=4, base_delay=0.1, max_delay=2),
)
POLICIES: Final = MappingProxyType({policy.id: policy for policy in _ALL})


def policy_named(policy_id: str) -> RetryPolicy:
    """The policy of that id; ConfigError listing the known ones otherwise."""
    try:
        return POLICIES[policy_id]
    except KeyError:
        raise ConfigError(f"there is no retry policy {policy_id!r}; known are {', '.join(POLICIES)}") from None
