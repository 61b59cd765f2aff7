"""Holds documents to the JSON Schemas of contracts/schemas."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import orjson
import pydantic

from contracts.errors import ContractViolation
from contracts.json_limits import MAX_BYTES, load, pointer, require_storable
from contracts.task import ParseTask
from contracts.upgrade import upgrade
from contracts.violations import explain

FOLDER: Final = Path(__file__).parent / "schemas"
SUFFIX: Final = ".schema.json"
_VERSIONS: Final[Mapping[str, Mapping[object, str]]] = {
    "queue-message": {
        None: "queue-message-1.0",
        "1.0": "queue-message-1.0",
        "2.0": "queue-message",
        "2.1": "queue-message",
    }
}
"""Schemas by the schema_version a document states; all versions that are still accepted."""
_LARGER: Final = {"dead-letter": 4 * MAX_BYTES, "task-result": 4 * MAX_BYTES}
"""They hold other documents, or a list with very many columns."""
_MOST: Final = 50


def names() -> list[str]:
    """The names of all schemas, sorted."""
    return sorted(path.name.removesuffix(SUFFIX) for path in FOLDER.glob(f"*{SUFFIX}"))


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema as a document, not to be changed. Raises KeyError for an unknown name."""
    path = FOLDER / f"{name}{SUFFIX}"
    if name not in names():
        raise KeyError(name)
    document: dict[str, Any] = orjson.loads(path.read_bytes())
    return document


@cache
def _validator(name: str) -> jsonschema_rs.Draft202012Validator:
    # offline: a $ref that leads outside the document is refused when the schema is compiled; never fetched.
    return jsonschema_rs.Draft202012Validator(schema(name), validate_formats=True, offline=True)


def validate(name: str, document: object) -> None:
    """Returns if the document fits; raises ContractViolation naming every violation (up to 50) otherwise.

    `queue-message` accepts every version that is still accepted; `queue-message-1.0` just that one. Documents larger
    than 1 MB (dead letters and results: 4 MB), deeper than 20 levels, or with values that JSON or PostgreSQL cannot
    hold are refused before any schema is asked. Raises KeyError for an unknown name."""
    require_storable(document, name=name.replace("-", " "), max_bytes=_LARGER.get(name, MAX_BYTES))
    which = _version_of(name, document)
    validator = _validator(which)
    if validator.is_valid(document):
        found = _beyond(which, document)
    else:
        found = explain(schema(which), islice(validator.iter_errors(document), _MOST))
    if found:
        if which == "queue-message-1.0" and isinstance(document, dict) and "schema_version" not in document:
            found.append(("/schema_version", "is missing, so the message was read as version 1.0"))
        raise _violation(name, found)


def parse_task(message: object) -> ParseTask:
    """The task of a queue message of any accepted version, given as a document or as JSON (bytes or text). Raises
    ContractViolation and nothing else."""
    document = load(message) if isinstance(message, bytes | bytearray | str) else message
    validate("queue-message", document)
    assert isinstance(document, dict)  # the schema says so
    if document.get("schema_version") in (None, "1.0"):
        document = upgrade(document)
    try:
        return ParseTask.model_validate(document)
    except pydantic.ValidationError as error:
        # A test holds schema and model to the same answers; should they differ, the stricter one wins.
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise _violation("queue-message", [(_pointer(item["loc"]), item["msg"]) for item in problems]) from error


def _version_of(name: str, document: object) -> str:
    versions = _VERSIONS.get(name)
    if versions is None or not isinstance(document, dict):
        return name
    version = document.get("schema_version")
    if not isinstance(version, str | None) or version not in versions:
        known = " and ".join(str(known) for known in versions if known)
        raise _violation(name, [("/schema_version", f"must be a version that is accepted: {known}")])
    return versions[version]


def _beyond(name: str, document: Any) -> list[tuple[str, str]]:
    """Rules between members, which JSON Schema cannot state."""
    if not name.startswith("queue-message") or document["parser_type"] != "google_sheets":
        return []
    source = document["source_config"]
    header, data = source.get("header_row"), source.get("data_start_row")
    if name == "queue-message-1.0" and data is not None and header is None:
        header = 1
    if header is not None and data is not None and data <= header:
        return [("/source_config/data_start_row", "must be greater than header_row")]
    return []


def _violation(name: str, found: list[tuple[str, str]]) -> ContractViolation:
    where, sentence = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return ContractViolation(
        f"the {name.replace('-', ' ')} is not valid: {where or 'the document'} {sentence}{more}",
        violations=tuple(found),
    )


def _pointer(location: tuple[int | str, ...]) -> str:
    where = ""
    for member in location:
        where = pointer(where, member)
    return where
