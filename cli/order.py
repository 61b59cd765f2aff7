"""From what a person asks for to the task that says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.hand_in import HandedIn
from cli.problems import Usage
from contracts.errors import ContractViolation

if TYPE_CHECKING:
    from contracts.task import ParseTask


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options ask for."""

    supplier: str
    sheet: str | None = None
    currency: str | None = None
    decimal: str | None = None
    mapping: tuple[str, ...] = ()
    as_of: str | None = None
    priority: str = "normal"
    key: str | None = None
    parser: str | None = None


def understanding_words(wishes: Wishes) -> list[str]:
    """The options that say how a list is to be read, as `import` and `map` take them."""
    named = (
        ("--supplier", None if wishes.supplier == "-" else wishes.supplier),
        ("--sheet", wishes.sheet),
        ("--currency", wishes.currency),
        ("--decimal", wishes.decimal),
        ("--parser", wishes.parser),
    )
    words = [word for option, value in named if value is not None for word in (option, value)]
    return words + [word for pair in wishes.mapping for word in ("--map", pair)]


def make_task(handed: HandedIn, wishes: Wishes) -> ParseTask:
    """Raises Usage for an option that cannot be used with this source."""
    from contracts.schema import parse_task
    from contracts.task import new_task_id

    parser_type = wishes.parser or handed.parser_type
    if wishes.parser is not None:
        _require_parser(wishes.parser)
    config: dict[str, Any] = dict(handed.location)
    if wishes.mapping:
        config["column_mapping"] = mapping_of(wishes.mapping)
    if wishes.sheet is not None:
        if parser_type not in {"excel", "google_sheets"}:
            raise Usage(f"--sheet has no meaning for a {parser_type} list")
        config["sheet_name"] = wishes.sheet
    document = {
        "schema_version": "2.0",
        "task_id": new_task_id(),
        "parser_type": parser_type,
        "supplier_name": wishes.supplier,
        "source_config": config,
        "priority": wishes.priority,
        "enqueued_at": datetime.now(UTC).isoformat(),
        "as_of": moment(wishes.as_of),
        "idempotency_key": wishes.key,
        "options": {
            name: value for name, value in (("currency", wishes.currency), ("decimal", wishes.decimal)) if value
        },
    }
    try:
        task: ParseTask = parse_task({name: value for name, value in document.items() if value is not None})
    except ContractViolation as error:
        told = "; ".join(f"{pointer}: {sentence}" for pointer, sentence in error.violations)
        raise Usage(f"this task cannot be: {told or error.message}") from error
    return task


def _require_parser(name: str) -> None:
    from parsers import table

    known = sorted(table())
    if name not in known:
        raise Usage(f"there is no parser “{name}” here; there are: {', '.join(known)}")


def mapping_of(pairs: tuple[str, ...]) -> dict[str, Any]:
    """sku=Art.-Nr. price=D name=2; a field given twice is a composite."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name.strip() or not text.strip():
            raise Usage(f"--map {pair!r} is not FIELD=COLUMN")
        reference: str | int = int(text) if text.isascii() and text.isdigit() else text.strip()
        known = found.get(name.strip())
        found[name.strip()] = (
            reference if known is None else [*(known if isinstance(known, list) else [known]), reference]
        )
    return found


def moment(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(f"--as-of {text!r} is no date; use 2026-11-02 or 2026-11-02T08:00:00+01:00") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()
