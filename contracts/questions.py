"""A question to a person, asked where a list can be understood in more than one way or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One answer."""

    label: str
    """What is chosen, in few words: "1,234 means 1234"."""
    consequence: str
    """What would be stored then, with figures: "412 prices between 1200 and 98000"."""
    patch: Mapping[str, Any]
    """JSON merge patch (RFC 7396) for the supplier profile that makes the answer hold for later lists, too; empty: the
    list is not to be loaded, its task stays dead."""


@dataclass(frozen=True, slots=True)
class Question:
    """Why a list is held. It can always be answered by an amended profile; `options` are the ready answers, the most
    likely first. No option is ever taken without a person."""

    code: str
    """What is in doubt: key, name, price_column, price_format, currency, layout, header, whole_list, sheet,
    document, rejected."""
    sentence: str
    options: tuple[Option, ...] = ()

    def document(self) -> dict[str, Any]:
        """As it is kept in the context of a failure and shown by `pricemill held`."""
        return {
            "code": self.code,
            "sentence": self.sentence,
            "options": [
                {"label": option.label, "consequence": option.consequence, "patch": dict(option.patch)}
                for option in self.options
            ],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Question:
        """Raises KeyError on a document that `document()` did not write."""
        return cls(
            document["code"],
            document["sentence"],
            tuple(Option(part["label"], part["consequence"], part["patch"]) for part in document["options"]),
        )
