"""What all errors have in common; the tree of them stands in contracts/errors.py."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar


class Disposition(StrEnum):
    """What the one who catches an error may do with the task."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    SNOOZE = "snooze"
    DISCARD = "discard"


class PricemillError(Exception):
    """something went wrong"""

    disposition: ClassVar[Disposition] = Disposition.PERMANENT
    category: ClassVar[str] = "Lifecycle"
    next_step: ClassVar[str] = ""

    def __init__(self, message: str | None = None, /, *, retry_after: timedelta | None = None, **context: Any) -> None:
        self.message = message or " ".join((self.__doc__ or "").split())
        self.retry_after = retry_after
        self.context = context
        super().__init__(self.message)

    @property
    def code(self) -> str:
        """The class name in snake case: HeaderNotFound -> header_not_found."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
