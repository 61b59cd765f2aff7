"""Understands a list: where its table lies, which column is what, how its prices are written, in which currency."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from config.profiles import SupplierProfile
from contracts.errors import ListDoubtful, MappingIncomplete
from contracts.rows import Description, Row
from contracts.task import ColumnMapping, Document, TaskOptions
from contracts.understanding import FIELDS, Alternative, Column, Understanding
from pipeline.understanding.characteristics import characteristic_columns
from pipeline.understanding.charges import passing_over_charges
from pipeline.understanding.codes import code_warnings
from pipeline.understanding.headings import basis_in_titles
from pipeline.understanding.layout import Stated, find_table
from pipeline.understanding.list_currency import currency_of_list
from pipeline.understanding.mapped import Fields
from pipeline.understanding.mapping import NAMES_AS_KEYS, VARIANTS_AS_KEYS, map_columns, resolve
from pipeline.understanding.price_format import number_format
from pipeline.understanding.refusal import first_rows
from pipeline.understanding.row_rules import row_rules
from pipeline.understanding.scales import scaled
from pipeline.understanding.stacked import answered, refuse_second_table
from pipeline.understanding.structure import key_shapes, uses_sections
from pipeline.understanding.table import Table
from pipeline.understanding.text import one_line, short
from pipeline.understanding.uneven import uneven_rows

MoreRows = Callable[[], Iterable[tuple[int, Row]]]


def understand(
    sample: Sequence[tuple[int, Row]],
    description: Description,
    *,
    source_config: Document | Mapping[str, Any],
    options: TaskOptions,
    profile: SupplierProfile | None,
    profile_version: int | None = None,
    default_currency: str = "",
    more: MoreRows | None = None,
) -> Understanding:
    """Pure and deterministic. `sample` holds the first physical rows (at most 2,000) with their numbers; `more` reads
    all rows again and is called only if the sample leaves open how prices are written. What the task says wins over
    the profile, the profile over what is found.

    Raises HeaderNotFound, MappingIncomplete (which column?) or PriceFormatAmbiguous (which reading?): a question to a
    person instead of a guess."""
    config = source_config.model_dump() if isinstance(source_config, Document) else dict(source_config)
    if description.question is not None and not answered(description.question, config.get("header_row")):
        raise ListDoubtful(question=description.question)
    manual = ColumnMapping.model_validate(config.get("column_mapping") or {})
    remembered = None if profile is None else profile.mapping
    extra = {} if profile is None else {str(field): words for field, words in profile.synonyms.items()}
    warnings = list(description.warnings)
    table = find_table(sample, description, stated_layout(config, manual, profile), extra=extra)
    of_format = _of_format(description, manual, remembered)
    considered: list[Alternative] = []
    headerless = table.header_row is None and description.columns is None and config.get("has_header") is not False
    fields = map_columns(
        table,
        manual.model_copy(update=of_format),
        remembered=remembered,
        name_from_sku=profile is not None and profile.name_from_sku,
        warnings=warnings,
        more=more,
        price_choice=() if profile is None else profile.rules.price_choice,
        currency=options.currency or (profile.currency if profile is not None else None) or "",
        considered=considered,
        first_rows=first_rows(sample) if headerless else "",
        other_sheets=description.others,
    )
    refuse_second_table(sample, table, fields, header_stated=config.get("header_row") is not None)
    for field in of_format:
        fields[field] = [replace(part, reason="the format says so") for part in fields[field]]
    if "currency" in fields and (options.currency or (profile is not None and profile.currency)):
        only = fields["currency"][0]
        if only.reason != "as told" and table.figures(only.index).filled and not table.figures(only.index).signs:
            del fields["currency"]  # "US Dollars", "pence": a person has said what is meant
    price = fields["price"][0].index
    numbers = scaled(table, price, number_format(table, price, options=options, profile=profile, more=more), profile)
    currency, currency_reason = currency_of_list(
        table, fields, description, options=options, profile=profile, default=default_currency, warnings=warnings
    )
    heading = table.headings[price]
    stated_basis = heading.basis or (None if "price_basis" in fields else basis_in_titles(table.titles))
    basis = str(stated_basis or (None if profile is None else profile.price_basis) or 1)
    if stated_basis and profile is not None and profile.price_basis not in {None, basis}:
        warnings.append(f"the profile says that prices are per {profile.price_basis}, but this list says per {basis}")
    if stated_basis and not heading.basis:
        warnings.append(f"a title line says that prices are per {stated_basis}")
    warnings += code_warnings(table, fields)
    uneven = uneven_rows(table, fields, description, None if profile is None else profile.rules.ragged)
    rules = passing_over_charges(row_rules(profile, table), table, fields, warnings)
    return Understanding(
        header_row=table.header_row,
        header_rows=table.header_rows,
        columns=_columns(table, fields, config, profile, warnings),
        numbers=numbers,
        currency=currency,
        currency_reason=currency_reason,
        price_basis=basis,
        unit=heading.unit[:40] if heading.unit else None,
        duplicates=(
            options.duplicates
            or (profile.rules.duplicates if profile else None)
            or description.duplicates
            or ("reject_conflicting" if fields["sku"][0].reason in {NAMES_AS_KEYS, VARIANTS_AS_KEYS} else "last")
        ),
        zero_price=options.zero_price or (profile.rules.zero_price if profile else None) or "reject",
        sections=(sections := uses_sections(table, fields, description)),
        width=uneven.width,
        profile_version=profile_version,
        warnings=tuple(warnings),
        short_rows=uneven.short_rows,
        long_rows=uneven.long_rows,
        guarded=uneven.guarded,
        key_shapes=key_shapes(table, fields) if sections else (),
        rules=rules,
        alternatives=tuple(considered),
    )


def _of_format(description: Description, manual: ColumnMapping, remembered: ColumnMapping | None) -> dict[str, str]:
    """Fields whose column the format names and no person did."""
    people = set(manual.model_dump(exclude_none=True))
    if remembered is not None:
        people |= set(remembered.model_dump(exclude_none=True))
    return {field: name for field, name in description.fields if field not in people}


def stated_layout(config: Mapping[str, Any], manual: ColumnMapping, profile: SupplierProfile | None) -> Stated:
    names: list[str] = []
    for mapping in (manual, None if profile is None else profile.mapping):
        for reference in (mapping.model_dump(exclude_none=True) if mapping is not None else {}).values():
            parts = reference if isinstance(reference, list) else [reference]
            names += [part for part in parts if isinstance(part, str) and len(part) > 2]
    return Stated(
        has_header=config.get("has_header"),
        header_row=config.get("header_row"),
        data_start_row=config.get("data_start_row"),
        names=tuple(dict.fromkeys(names)),
    )


def _columns(
    table: Table, fields: Fields, config: Mapping[str, Any], profile: SupplierProfile | None, warnings: list[str]
) -> tuple[Column, ...]:
    mapped = [
        Column(
            index=part.index,
            header=table.header(part.index),
            field=name,
            key=None,
            certainty=part.certainty,
            reason=part.reason,
            sample=short(one_line(table.figures(part.index).sample)),
        )
        for name in FIELDS
        for part in fields.get(name, ())
    ]
    wanted = config.get("characteristic_columns")
    if wanted is None and profile is not None:
        wanted = profile.characteristic_columns
    indexes: list[int] | None = None
    if wanted is not None:
        indexes = []
        for reference in wanted:
            try:
                indexes += resolve(table, "characteristics", reference)
            except MappingIncomplete:
                warnings.append(f"the listed characteristic column “{reference}” is not in this list")
    return (*mapped, *characteristic_columns(table, {column.index for column in mapped}, listed=indexes))
