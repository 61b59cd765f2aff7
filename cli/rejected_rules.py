"""From a wish to a rule of the supplier's profile, and from a cause to the wish that would mend it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.problems import Usage
from cli.text import line

if TYPE_CHECKING:
    from config.profiles import SupplierProfile
    from db.reports_rejected import RejectedCause

WITHOUT_RULE = {
    "row_unreadable",
    "row_too_large",
    "text_invalid",
    "refused_by_database",
    "price_missing",
    "sku_missing",
}
"""Reasons that no rule of a profile can mend: the list itself lacks something."""
_LETTERS = re.compile(r"[0-9OoОоlI|.,'\s]*[0-9][0-9OoОоlI|.,'\s]*")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants done about rejected rows; exactly one of the last five."""

    code: str
    field: str | None
    value: str | None
    to: str | None = None
    ignore: bool = False
    letters: bool = False
    on_request: bool = False
    settings: tuple[str, ...] = ()
    """MEMBER=VALUE, the member by its path in the profile."""


def patch_of(wish: Wish, profile: SupplierProfile | None, *, column: str | int | None) -> dict[str, Any]:
    """The JSON merge patch for the profile. `column` = header or index of the column the value stands in. Raises Usage
    for a wish that is none, or two."""
    asked = [wish.to is not None, wish.ignore, wish.letters, wish.on_request, bool(wish.settings)]
    if sum(asked) != 1:
        raise Usage("say one thing: --to, --ignore, --letters, --on-request or --set")
    if wish.letters:
        return {"rules": {"letters_as_digits": True}}
    if wish.settings:
        return _assigned(wish.settings)
    if wish.value is None or not wish.value.strip():
        raise Usage("name the value with --value, as pricemill rejected groups shows it; blank cells cannot be named")
    if wish.to is not None:
        if wish.field is None:
            raise Usage(f"rows rejected for {wish.code} have no single cell that could mean something else")
        return {"rules": {"values": {wish.field: {wish.value: wish.to}}}}
    rules = None if profile is None else profile.rules
    if wish.on_request:
        known = [] if rules is None else [word for word in rules.on_request if word != wish.value]
        return {"rules": {"on_request": [*known, wish.value]}}
    before = [] if rules is None else [rule.model_dump(mode="json", exclude_none=True) for rule in rules.ignore_rows]
    rule: dict[str, Any] = {"equals": wish.value}
    if column is not None:
        rule["column"] = column
    # Said again, it stands there once: a command that was interrupted behind its first step is called again.
    return {"rules": {"ignore_rows": [*(one for one in before if one != rule), rule]}}


def _assigned(settings: tuple[str, ...]) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    for setting in settings:
        path, sign, value = setting.partition("=")
        names = path.strip().split(".")
        if not sign or not all(names):
            raise Usage(f"--set {setting!r} is not MEMBER=VALUE, such as rules.zero_price=accept")
        place = patch
        for name in names[:-1]:
            place = place.setdefault(name, {})
        place[names[-1]] = {"true": True, "false": False}.get(value, value)
    return patch


def proposal(cause: RejectedCause) -> str:
    """The options of `pricemill rejected fix` that would most likely mend it; '' where only the supplier can."""
    value = cause.value or ""
    if cause.code in WITHOUT_RULE:
        return ""
    if cause.code == "price_zero":
        return "--set rules.zero_price=accept"
    if cause.code == "key_ambiguous":
        return "--set rules.duplicates=last"
    if cause.code == "row_ragged":
        return "--set rules.ragged=pad"
    if not value:
        return ""
    named = f"--value {shlex.quote(line(value))}"
    if cause.code == "price_not_a_number" and _LETTERS.fullmatch(value):
        return "--letters"
    if cause.code == "price_not_a_number" and not any(character.isdigit() for character in value):
        return f"{named} --on-request"
    return f"{named} --to {'PRICE' if cause.field == 'price' else 'TEXT'}" if cause.field else ""


def ready(options: str) -> bool:
    """They can be used as they are; only a person knows what another value is to be read as."""
    return bool(options) and not options.endswith(("--to PRICE", "--to TEXT"))
