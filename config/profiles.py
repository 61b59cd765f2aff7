"""Supplier profiles: what is known of a supplier's lists, so that the next one is read the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from config.rules import ProfileRules, Word
from contracts.errors import ProfileInvalid
from contracts.task import ColumnMapping, ColumnRef, Document, Selector, TaskOptions
from contracts.understanding import FIELDS, Understanding

PROFILE_VERSION = "1.1"


class ProfileRead(Document):
    """How the file is opened; a task's source_config wins over each of these."""

    encoding: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = Field(
        default=None, description="Encoding of text files, where detection gets it wrong."
    )
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = Field(
        default=None, description="Separator of text files, where detection gets it wrong."
    )
    fixed_width: Annotated[list[Annotated[int, Field(ge=0, le=10_000)]], Field(min_length=2, max_length=500)] | None = (
        Field(
            default=None,
            description="Places (from 0) at which the columns of a line begin, where no separator stands between them.",
        )
    )
    sheet: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = Field(
        default=None,
        description="Name of the sheet that holds the list; * = all visible sheets that have its header.",
    )
    has_header: bool | None = Field(default=None, description="False = the first row is data already.")
    header_row: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="Physical row (1-based) of the header, where detection gets it wrong."
    )
    credit_notes: Literal["load"] | None = Field(
        default=None, description="load = the unit prices of credit notes are prices; null = each one is held."
    )
    mode: Literal["products", "table"] | None = Field(
        default=None, description="What of a web page is read: what it marks up for machines, or its table."
    )
    table: Selector | None = Field(
        default=None, description="CSS selector of the table of a web page, or its number on the page."
    )
    rows: Selector | None = Field(
        default=None, description="CSS selector of what repeats once for each item of a web page."
    )
    fields: Annotated[dict[str, Selector], Field(min_length=1)] | None = Field(
        default=None, description="Column name to a CSS selector below such a row, with @attribute where it is no text."
    )


class ProfileNumbers(Document):
    """How prices are written."""

    decimal: Literal[".", ","] | None = Field(
        default=None, description="The decimal sign of text prices; decides lists that could be read in two ways."
    )
    thousands: Literal["", ".", ",", "'", " "] | None = Field(
        default=None, description="The sign that groups thousands; a space stands for every Unicode space."
    )
    scale: Literal["0.01", "0.1", "1", "1000", "10000", "100000", "1000000", "10000000"] | None = Field(
        default=None,
        description="What one of a figure is worth in the currency, as text: '0.01' where prices count cents, '1' "
        "where a header only sounds so; null = a person is asked about such a header.",
    )


class SupplierProfile(Document):
    """Everything that may be remembered of one supplier; what is left out is found in the list itself."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        title="Supplier profile",
        json_schema_extra={
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://pricemill.example/schemas/supplier-profile/1.1",
            "examples": [
                {
                    "schema_version": "1.0",
                    "mapping": {"sku": "Art.-Nr.", "name": "Bezeichnung", "price": "EK netto"},
                    "numbers": {"decimal": ",", "thousands": "."},
                    "currency": "EUR",
                },
                {
                    "schema_version": "1.0",
                    "read": {"sheet": "Preise", "header_row": 4},
                    "mapping": {"sku": ["Model", "Colour"], "name": "Model", "price": "D"},
                    "rules": {"duplicates": "reject_conflicting", "zero_price": "accept"},
                    "synonyms": {"price": ["Tarifa 2026"]},
                    "notes": "Prices hold from the first of a month.",
                },
            ],
        },
    )

    schema_version: Literal["1.0", "1.1"] = Field(
        default="1.1", description="Version of this document's shape; 1.1 only adds members."
    )
    read: ProfileRead = Field(default=ProfileRead(), description="How the file is opened.")
    mapping: ColumnMapping = Field(
        default=ColumnMapping(),
        description="Which column holds which field: header, column letter or zero-based index.",
    )
    characteristic_columns: list[ColumnRef] | None = Field(
        default=None, description="Columns kept as characteristics; null = every column that is not mapped."
    )
    numbers: ProfileNumbers = Field(default=ProfileNumbers(), description="How prices are written.")
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = Field(
        default=None, description="ISO 4217 code of all prices, where the list does not say it itself."
    )
    price_basis: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}(\.[0-9]{1,6})?$")] | None = Field(
        default=None, description="Units that each price is for, as text: '100' = per hundred."
    )
    rules: ProfileRules = Field(default=ProfileRules(), description="Decisions about doubtful rows.")
    name_from_sku: bool = Field(default=False, description="True: a list without a name column takes the code as name.")
    synonyms: dict[
        Literal["sku", "name", "price", "currency", "category", "gtin", "unit", "price_basis"], list[Word]
    ] = Field(default={}, description="The supplier's own words for a field, tried before the general ones.")
    notes: Annotated[str, StringConstraints(max_length=4000)] = Field(default="", description="For people.")

    def document(self) -> dict[str, Any]:
        """JSON-ready, without what is not set."""
        return self.model_dump(mode="json", exclude_defaults=True) | {"schema_version": self.schema_version}


def load_profile(document: Mapping[str, Any]) -> SupplierProfile:
    """Raises ProfileInvalid naming each bad member."""
    try:
        return SupplierProfile.model_validate(document)
    except ValidationError as error:
        wrong = "; ".join(f"/{'/'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        raise ProfileInvalid(f"the supplier profile cannot be used: {wrong}") from error


def amend(profile: SupplierProfile | None, patch: Mapping[str, Any]) -> SupplierProfile:
    """The profile with a JSON merge patch (RFC 7396) applied: null takes a member out, objects are merged, everything
    else replaces what was there. Raises ProfileInvalid."""
    document = {} if profile is None else profile.model_dump(mode="json", exclude_defaults=True)
    document.pop("schema_version", None)
    return load_profile(_merged(document, patch))


def _merged(document: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def apply_profile(config: Document, profile: SupplierProfile | None) -> Document:
    """The config to open a list with: what the task says, else what the profile says, else what the parser finds out.
    Members that the parser's config does not have are passed over; mapping and numbers are left to understand()."""
    if profile is None:
        return config
    read = profile.read.model_dump(exclude_none=True)
    if "sheet" in read:
        read["sheet_name"] = read.pop("sheet")
    members = type(config).model_fields
    added = {name: value for name, value in read.items() if name in members and getattr(config, name) is None}
    return type(config).model_validate({**config.model_dump(exclude_unset=True), **added}) if added else config


def merge_options(options: TaskOptions, profile: SupplierProfile | None, *, default_currency: str = "") -> TaskOptions:
    """Task over supplier over installation, member by member; used to show what holds for a list."""
    if profile is None:
        return options.model_copy(update={"currency": options.currency or default_currency or None})
    return options.model_copy(
        update={
            "currency": options.currency or profile.currency or default_currency or None,
            "decimal": options.decimal or profile.numbers.decimal,
            "duplicates": options.duplicates or profile.rules.duplicates,
            "zero_price": options.zero_price or profile.rules.zero_price,
        }
    )


def remember_columns(stored: SupplierProfile, used: SupplierProfile, changed: Collection[str]) -> SupplierProfile:
    """The stored profile with those members of its mapping (and its number format, "numbers") that a list was read
    with; everything else stays as a person may have put it."""
    mapping = stored.mapping.model_dump(exclude_none=True)
    for field in changed:
        if field != "numbers":
            mapping[field] = getattr(used.mapping, field)
    numbers = used.numbers if "numbers" in changed else stored.numbers
    return stored.model_copy(update={"mapping": ColumnMapping.model_validate(mapping), "numbers": numbers})


def profile_from_understanding(
    understanding: Understanding,
    *,
    previous: SupplierProfile | None = None,
) -> SupplierProfile:
    """What is worth remembering after a good run: the mapping by header (by index where the header is blank or stands
    twice) and the decimal sign of text prices. What every list shows anew (encoding, separator, sheet, header row,
    currency) is not pinned, because suppliers change it; what a person put into `previous` stays. Where names
    or several columns became the keys, what that means for two prices of one name is remembered, too."""
    base = previous or SupplierProfile()
    mapping: dict[str, Any] = base.mapping.model_dump(exclude_none=True)
    headers = Counter({column.index: column.header for column in understanding.columns}.values())
    for field in FIELDS:
        columns = understanding.columns_of(field)
        if columns:
            named = [
                column.header if headers[column.header] == 1 and column.header else column.index for column in columns
            ]
            mapping[field] = named if len(named) > 1 else named[0]
    numbers = base.numbers
    if numbers.decimal is None and understanding.numbers.decimal is not None:
        numbers = numbers.model_copy(update={"decimal": understanding.numbers.decimal})
    rules = base.rules
    keys, names = (tuple(column.index for column in understanding.columns_of(field)) for field in ("sku", "name"))
    own = keys == names or len(keys) > 1
    if rules.duplicates is None and own and understanding.duplicates == "reject_conflicting":
        rules = rules.model_copy(update={"duplicates": understanding.duplicates})
    return base.model_copy(
        update={"mapping": ColumnMapping.model_validate(mapping), "numbers": numbers, "rules": rules}
    )
