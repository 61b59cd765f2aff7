"""Says in a sentence what a document does that its schema forbids, without repeating the value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import jsonschema_rs

from contracts.json_limits import pointer

MESSAGE: Final = "x-message"
"""Keyword of our schemas: the sentence for whatever is wrong with a value, where a rule would not explain itself."""
_SAYS_MORE: Final = frozenset({"required", "additionalProperties", "enum", "const", "type"})
"""Keywords whose own sentence is better than the schema's."""
_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def explain(schema: Mapping[str, Any], errors: Iterable[jsonschema_rs.ValidationError]) -> list[tuple[str, str]]:
    """(JSON pointer, sentence) of each error, sorted, none twice. A missing or unknown member is named by its own
    pointer, not by its parent's."""
    return sorted({violation for error in errors for violation in _explain(schema, error)})


def _explain(schema: Mapping[str, Any], error: jsonschema_rs.ValidationError) -> Iterator[tuple[str, str]]:
    where = ""
    for member in error.instance_path:
        where = pointer(where, member)
    *path, keyword = error.schema_path
    owner = _at(schema, path)
    kind: Any = error.kind
    message = owner.get(MESSAGE)
    if message is not None and keyword not in _SAYS_MORE:
        yield where, message
    elif keyword == "required":
        yield pointer(where, kind.property), "is missing"
    elif keyword == "additionalProperties":
        known = ", ".join(owner.get("properties", ())) or "none"
        for name in kind.unexpected:
            yield pointer(where, name), f"is not known here; known are {known}"
    else:
        yield where, _sentence(str(keyword), owner)


def _sentence(keyword: str, owner: Mapping[str, Any]) -> str:
    value = owner.get(keyword)
    match keyword:
        case "type":
            names = [value] if isinstance(value, str) else list(value or ())
            return f"must be {' or '.join(_TYPES.get(name, name) for name in names)}"
        case "enum":
            return f"must be one of {', '.join(str(choice) for choice in value or () if choice is not None)}"
        case "const":
            return f"must be “{value}”"
        case "minLength":
            return "must not be empty" if value == 1 else f"must have at least {value} characters"
        case "maxLength":
            return f"must not have more than {value} characters"
        case "minItems":
            return "must not be an empty list" if value == 1 else f"must have at least {value} entries"
        case "minimum":
            return f"must not be less than {value}"
        case "maximum":
            return f"must not be more than {value}"
        case "pattern":
            return f"must look like {value}"
        case "format":
            return f"must be a {value}"
        case _:
            return f"does not fit the schema ({keyword})"


def _at(schema: Mapping[str, Any], path: Iterable[str | int]) -> Mapping[str, Any]:
    """The part of the schema that holds the keyword; {} where the path leads into another document."""
    part: Any = schema
    for step in path:
        try:
            part = part[step]
        except (KeyError, IndexError, TypeError):
            return {}
    return part if isinstance(part, Mapping) else {}
