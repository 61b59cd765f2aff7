"""Writes docs/reference from the code: `python -m docs.generate`; with `--check` it only says what is out of date."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import AliasChoices

import config.settings
from contracts import errors
from contracts.errors import PricemillError
from contracts.failpoints import FAILPOINTS, VARIABLE
from contracts.reasons import REASONS
from contracts.schema import names, schema
from docs.markdown import paragraph, table
from docs.metrics_page import metrics_page
from docs.policies import abort_page, resource_page, retry_page
from observability.events import CONTEXT, EVENTS

FOLDER: Final = Path(__file__).parent / "reference"
_NOTE: Final = "<!-- Written by `python -m docs.generate`; do not edit. -->"


def errors_page() -> Iterator[str]:
    yield "# Errors"
    yield ""
    yield from paragraph(
        "What ends an attempt, and what is done about it: **transient** is tried again while the task has "
        "retries left, **permanent** becomes a dead letter, **snooze** comes back later without using up an "
        "attempt, **discard** writes nothing. `DatabaseUnavailable` and `QueueUnavailable` never use up an "
        "attempt. An error that stands in no table has the code `unexpected` and the category `Bug`: it is "
        "tried again and kept as a defect of ours."
    )
    yield ""

    def leaves(kind: type[PricemillError]) -> Iterator[type[PricemillError]]:
        for child in kind.__subclasses__():
            if child.__module__ == errors.__name__:
                below = list(leaves(child))
                yield from below or [child]

    yield from table(
        ("Code", "Category", "Disposition", "Message", "What to do"),
        (
            (f"`{kind().code}`", kind.category, kind.disposition.value, kind().message, kind.next_step)
            for kind in leaves(PricemillError)
        ),
    )


def reasons_page() -> Iterator[str]:
    yield "# Reasons for rejecting a row"
    yield ""
    yield from paragraph(
        "A rejected row stands in `parsing_logs` once per task, with its physical row number, the field, the "
        "value and the raw cells. Its neighbours are loaded."
    )
    yield ""
    yield from table(
        ("Code", "Sentence", "What to do"),
        ((f"`{reason.code}`", reason.sentence, reason.fix) for reason in REASONS.values()),
    )


def events_page() -> Iterator[str]:
    yield "# Events"
    yield ""
    yield from paragraph(
        "Every line of the log is one of these. Beside its own fields an event carries `timestamp`, `level`, "
        f"and from its surroundings {', '.join(f'`{name}`' for name in CONTEXT)}. Secrets are taken out before "
        "a line is written."
    )
    yield ""
    yield from table(
        ("Event", "What happened", "Fields"),
        (
            (f"`{event.name}`", event.sentence, ", ".join(f"`{name}`" for name in event.fields))
            for event in EVENTS.values()
        ),
    )


def schemas_page() -> Iterator[str]:
    yield "# Schemas"
    yield ""
    yield from paragraph(
        "JSON Schema 2020-12, in `contracts/schemas`. Queue messages are held to theirs at the producer and "
        "again at the worker; a message of version 1.0 is still accepted and read as 2.0. Documents larger "
        "than 1 MB (dead letters and results: 4 MB), deeper than 20 levels, or with NaN, NUL or half a "
        "character are refused before."
    )
    for name in names():
        document = schema(name)
        yield ""
        yield f"## {document['title']}"
        yield ""
        yield f"`{document['$id']}`"
        yield ""
        yield document["description"]
        yield ""
        yield from _members(document, document)
        for title, part in document.get("$defs", {}).items():
            if "properties" in part:
                yield ""
                yield f"### `{title}`"
                yield ""
                yield part.get("description", "")
                yield ""
                yield from _members(document, part)


def _members(document: dict[str, Any], part: dict[str, Any]) -> Iterator[str]:
    required = set(part.get("required", ()))

    def rows() -> Iterator[tuple[str, str, str, str]]:
        for name, member in part.get("properties", {}).items():
            reference = member.get("$ref", "")
            target = document["$defs"][reference.rsplit("/", 1)[1]] if reference else member
            yield f"`{name}`", _form(member), "yes" if name in required else "", target.get("description", "")

    yield from table(("Member", "Form", "Required", "Description"), rows())


def _form(member: dict[str, Any]) -> str:
    if "$ref" in member:
        return f"`{member['$ref'].rsplit('/', 1)[1]}`"
    if "const" in member:
        return f"`{member['const']}`"
    if "enum" in member:
        return ", ".join(f"`{choice}`" for choice in member["enum"] if choice is not None)
    if "anyOf" in member:
        return " or ".join(filter(None, (_form(branch) for branch in member["anyOf"])))
    types = member.get("type", [])
    kinds = [kind for kind in ([types] if isinstance(types, str) else types) if kind != "null"]
    form = " or ".join(kinds)
    if "maximum" in member:
        form += f" {member['minimum']} … {member['maximum']}"
    elif "minimum" in member:
        form += f" ≥ {member['minimum']}"
    if kinds == ["array"] and "items" in member:
        form += f" of {_form(member['items'])}"
    return form


def settings_page() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield from paragraph("From the environment, or from a file `.env` in the working directory; the environment wins.")
    yield ""
    described = _attribute_docstrings(config.settings.Settings)

    def rows() -> Iterator[tuple[str, str, str]]:
        for name, field in config.settings.Settings.model_fields.items():
            variable = (
                str(field.validation_alias.choices[0])
                if isinstance(field.validation_alias, AliasChoices)
                else f"PRICEMILL_{name.upper()}"
            )
            default = field.get_default(call_default_factory=True, validated_data={})
            shown = "" if default in (None, "", ()) else f"`{str(default).replace(str(Path.home()), '~')}`"
            yield f"`{variable}`", shown, described.get(name, "")

    yield from table(("Variable", "Default", "Meaning"), rows())


def _attribute_docstrings(kind: type) -> dict[str, str]:
    [tree] = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found


def failpoints_page() -> Iterator[str]:
    yield "# Failpoints"
    yield ""
    yield from paragraph(
        f"For tests only: `{VARIABLE}` lets a process die (`name=kill`, `name=kill:3` at the third passage), "
        "stop (`name=stop`), fail (`name=raise`) or wait (`name=sleep:2.5`) at one of these places; several "
        "by commas. Unset, they do nothing."
    )
    yield ""
    yield from table(("Place", "What is true there"), ((f"`{name}`", line) for name, line in FAILPOINTS.items()))


PAGES: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "abort-policies.md": abort_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "failpoints.md": failpoints_page,
    "metrics.md": metrics_page,
    "reasons.md": reasons_page,
    "resource-policies.md": resource_page,
    "retry-policies.md": retry_page,
    "schemas.md": schemas_page,
    "settings.md": settings_page,
}


def page(name: str) -> str:
    """The text a page should have."""
    lines = list(PAGES[name]())
    return "\n".join([lines[0], "", _NOTE, *(line.rstrip() for line in lines[1:])]) + "\n"


def outdated() -> list[str]:
    """Names of pages that differ from the code, are missing, or are no longer made."""
    there = {path.name for path in FOLDER.glob("*.md")}
    return sorted(
        there - PAGES.keys()
        | {name for name in PAGES if name not in there or (FOLDER / name).read_text("utf-8") != page(name)}
    )


def main(arguments: list[str]) -> int:
    stale = outdated()
    if "--check" in arguments:
        for name in stale:
            sys.stderr.write(f"docs/reference/{name} is out of date: run python -m docs.generate\n")
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        if name in PAGES:
            (FOLDER / name).write_text(page(name), "utf-8")
        else:
            (FOLDER / name).unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
