"""What the profile says about reading rows, for the columns of one list."""

from __future__ import annotations

from collections.abc import Mapping

from config.profiles import SupplierProfile
from config.rules import ProfileIgnore
from contracts.errors import MappingIncomplete
from contracts.questions import Option, Question
from contracts.rows import Cell
from contracts.understanding import IgnoreRule, RowRules
from pipeline.understanding.mapping import resolve
from pipeline.understanding.table import Table
from pipeline.understanding.text import TextInvalid, cell_text, clean, fold


def row_rules(profile: SupplierProfile | None, table: Table) -> RowRules:
    """Raises MappingIncomplete if a rule looks at a column that this list does not have: without it rows that are no
    items would be loaded."""
    if profile is None:
        return RowRules()
    rules = profile.rules
    values = {str(field): tuple(sorted(words.items())) for field, words in rules.values.items() if words}
    return RowRules(
        values=tuple(sorted(values.items())),
        letters_as_digits=rules.letters_as_digits,
        on_request=tuple(sorted({fold(word) for word in rules.on_request} - {""})),
        ignore=tuple(_ignore(rule, rules.ignore_rows, table) for rule in rules.ignore_rows),
    )


def _ignore(rule: ProfileIgnore, rules: list[ProfileIgnore], table: Table) -> IgnoreRule:
    index: int | None = None
    if rule.column is not None:
        try:
            index = resolve(table, "ignore_rows", rule.column)[0]
        except MappingIncomplete as error:
            others = [other.model_dump(mode="json", exclude_defaults=True) for other in rules if other != rule]
            raise MappingIncomplete(
                question=Question(
                    "layout",
                    f"a rule ignores rows by a column that this list does not have: {error.message}",
                    (
                        Option(
                            "drop the rule",
                            f"rows that “{rule.equals or rule.contains or rule.matches}” kept out are loaded",
                            {"rules": {"ignore_rows": others}},
                        ),
                    ),
                ),
                **{name: value for name, value in error.context.items() if name != "question"},
            ) from error
    if rule.matches is not None:
        return IgnoreRule(index, "matches", rule.matches)
    if rule.contains is not None:
        return IgnoreRule(index, "contains", rule.contains.casefold())
    return IgnoreRule(index, "equals", (rule.equals or "").casefold())


def translated(cell: Cell, words: Mapping[str, str]) -> Cell:
    """The cell, or what the profile says it is read as."""
    try:
        return words.get(clean(cell_text(cell)), cell)
    except TextInvalid:
        return cell
