"""The one catalogue of reasons for which a row may be rejected: code, sentence, what to do."""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    code: str
    sentence: str
    """With {field} and {value} to fill in."""
    fix: str


_ALL = (
    Reason("sku_missing", "{field} is blank", "give the item a code, or let another column be the key"),
    Reason("sku_too_long", "{field} has more than 255 characters", "check that the right column is mapped as sku"),
    Reason(
        "sku_damaged",
        "{field} “{value}” was turned into a number by a spreadsheet (digits are lost)",
        "ask the supplier to format the column as text",
    ),
    Reason("name_missing", "{field} is blank", "ask the supplier to name the item"),
    Reason("name_too_long", "{field} has more than 500 characters", "check that the right column is mapped as name"),
    Reason("price_missing", "{field} is blank", "ask the supplier for the price"),
    Reason("price_not_a_number", "{field} “{value}” is not a price", "correct the cell"),
    Reason("price_on_request", "{field} “{value}” says there is no fixed price", "nothing, unless a price is known"),
    Reason("price_is_range", "{field} “{value}” is a range of prices", "ask the supplier for one price"),
    Reason(
        "price_is_approximate",
        "{field} “{value}” is no exact price",
        "ask the supplier for the price; “from” and “about” state none",
    ),
    Reason(
        "price_twofold",
        "{field} “{value}” holds more than one number",
        "keep one price in the cell: an old price, a quantity or a second currency belongs into another column",
    ),
    Reason("price_is_percent", "{field} “{value}” is a percentage", "check that the right column is mapped as price"),
    Reason(
        "price_is_date",
        "{field} “{value}” is a date",
        "check the column; a spreadsheet may have turned 12.5 into 12 May: format it as text",
    ),
    Reason("price_negative", "{field} “{value}” is negative", "check the sign; credit notes are no price lists"),
    Reason("price_zero", "{field} is zero", "set rules.zero_price to accept in the profile if the item is free"),
    Reason("price_too_large", "{field} “{value}” has more than 12 digits before the decimal sign", "check the column"),
    Reason("price_too_precise", "{field} “{value}” has more than 6 decimals", "round it at the source"),
    Reason(
        "price_format",
        "{field} “{value}” does not fit how this column writes numbers ({expected})",
        "correct the cell, or set numbers.decimal in the profile",
    ),
    Reason("currency_unknown", "{field} “{value}” is not a currency", "use an ISO 4217 code such as EUR"),
    Reason(
        "currency_conflict",
        "{field} “{value}” states another currency than {expected}",
        "map a currency column, or split the list",
    ),
    Reason(
        "basis_conflict",
        "{field} “{value}” says another quantity for the price than {expected}",
        "let the cell or the column say it, not both",
    ),
    Reason("basis_invalid", "{field} “{value}” is not a quantity the price could be for", "correct the cell"),
    Reason("gtin_invalid", "{field} “{value}” has a wrong check digit", "correct the code"),
    Reason("text_invalid", "{field} holds characters that cannot be stored", "remove control characters"),
    Reason(
        "row_ragged",
        "the row has {value} cells where the header has {expected}",
        "a separator inside an unquoted cell shifts the row; quote the cell",
    ),
    Reason("row_too_large", "the row is larger than 1 MB", "check the quoting of the file"),
    Reason("row_unreadable", "the row cannot be decoded as {expected}", "save the file in that encoding"),
    Reason(
        "line_contradicts",
        "quantity × price is not the amount of the line: {value}",
        "ask the supplier which of the three is right",
    ),
    Reason(
        "line_taken_back",
        "the line takes goods back (its quantity or amount is negative), so its price is no offer: {value}",
        "nothing, unless the price is known otherwise",
    ),
    Reason(
        "line_withdrawn", "the catalogue withdraws the item: {value}", "nothing; an item keeps the price it last had"
    ),
    Reason(
        "error_cell",
        "{field} holds the spreadsheet error {value}",
        "repair the formula; #FORMULA! has no result in the file: open it in a spreadsheet program and save it",
    ),
    Reason(
        "key_ambiguous",
        "{field} “{value}” stands in this list more than once with different prices",
        "keep one row, or set rules.duplicates in the profile",
    ),
    Reason("refused_by_database", "the database refused the row: {value}", "report it; the row is kept here"),
)

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ALL}
"""By code; the order is the order of the documentation."""

UNSTATED = frozenset(
    {
        "sku_missing",
        "name_missing",
        "price_missing",
        "price_on_request",
        "price_is_range",
        "price_is_approximate",
        "price_zero",
        "line_taken_back",
        "line_withdrawn",
    }
)
"""Reasons by which the supplier leaves something open. Whole sections of sound lists are so, of some lists most rows:
they tell nothing about whether the list is read rightly."""
