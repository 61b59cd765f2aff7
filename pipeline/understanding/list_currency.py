"""Decides in which currency the prices of a list are: what is told, a column, the profile, the cells, the titles."""

from __future__ import annotations

from collections import Counter

from config.profiles import SupplierProfile
from contracts.rows import Description
from contracts.task import TaskOptions
from pipeline.understanding.currency import Sign, by_language, stated_in_titles
from pipeline.understanding.mapping import Fields
from pipeline.understanding.numbers import take_apart
from pipeline.understanding.table import Table
from pipeline.understanding.text import cell_text, listed


def currency_of_list(
    table: Table,
    fields: Fields,
    description: Description,
    *,
    options: TaskOptions,
    profile: SupplierProfile | None,
    default: str,
    warnings: list[str],
) -> tuple[str | None, str]:
    price = fields["price"][0].index
    named, where = table.headings[price].sign, "in the header"
    if named is None:
        named, where = stated_in_titles([*table.titles, description.sheet or ""]), "in the title lines"
    if options.currency:
        if named is not None and options.currency not in named.codes:
            warnings.append(f"{options.currency} was asked for, but {listed(named.codes)} stands {where}")
        return options.currency, "as told"
    if "currency" in fields:
        column = f"column “{table.header(fields['currency'][0].index)}”"
        stated = table.headings[price].sign
        if stated is not None and stated.settled is not None and stated.certainty >= 0.9:
            return stated.settled, f"stated in the header; {column} may not contradict it"
        return None, column
    if profile is not None and profile.currency:
        if named is None or profile.currency in named.codes:
            return profile.currency, "profile"
        warnings.append(f"the profile says {profile.currency}, but {listed(named.codes)} stands {where}")
        return _stated_by(named, table, where, warnings)
    texts = [value for value in table.values(price) if isinstance(value, str)]
    written = [found for found in map(take_apart, texts) if found is not None]
    signs = Counter(found.sign for found in written if found.sign is not None)
    if signs and sum(signs.values()) * 2 >= len(written):
        settled = {_settle(sign, table) for sign in signs}
        if len(settled) > 1 and None not in settled:
            return None, "each price states its own: " + ", ".join(sorted(filter(None, settled)))
        if len(settled) == 1:
            return _stated_by(next(iter(signs)), table, "in the cells", warnings)
    if named is not None:
        return _stated_by(named, table, where, warnings)
    if default:
        return default, "default of this installation"
    warnings.append("the list states no currency: prices are stored as XXX; set currency in the profile or the task")
    return "XXX", "not stated"


def _settle(sign: Sign, table: Table) -> str | None:
    return sign.settled or by_language(sign, (cell_text(cell) for row in table.rows()[:200] for cell in row))


def _stated_by(sign: Sign, table: Table, where: str, warnings: list[str]) -> tuple[str, str]:
    code = _settle(sign, table)
    if code is None:
        warnings.append(f"the currency sign could be {listed(sign.codes)}: prices are stored as XXX; set currency")
        return "XXX", f"a sign {where} that could be {' or '.join(sign.codes)}"
    if sign.settled is None:
        return code, f"a sign {where} and the language of the list"
    if sign.certainty < 0.9:
        warnings.append(f"{code} is taken from a sign {where} that other currencies use too; set currency to be sure")
        return code, f"a sign {where}, {sign.certainty:.0%} sure (also used by {', '.join(sign.codes[1:5])})"
    return code, f"stated {where}"
