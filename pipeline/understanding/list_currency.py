"""Decides in which currency the prices of a list are: what is told, a column, the profile, the cells, the titles."""

from __future__ import annotations

from collections import Counter

from config.profiles import SupplierProfile
from contracts.errors import MappingIncomplete
from contracts.questions import Option, Question
from contracts.rows import Description
from contracts.task import TaskOptions
from pipeline.understanding.currency import Sign, by_language, sign_of, stated_in_titles
from pipeline.understanding.mapped import Fields
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
    shown = sign_of(dict(description.currencies).get(price, ""))
    if named is None:
        titles = stated_in_titles([*table.titles, description.sheet or ""])
        if shown is None or (titles is not None and not set(titles.codes) & set(shown.codes)):
            named, where = titles, "in the title lines"
        else:
            named, where = shown, "in the number format of the column"
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
        if shown is not None and profile.currency in shown.codes:
            return profile.currency, "profile"
        warnings.append(f"the profile says {profile.currency}, but {listed(named.codes)} stands {where}")
        return _stated_by(named, table, where, warnings)
    if named is not None and shown is not None and not set(named.codes) & set(shown.codes):
        raise MappingIncomplete(question=_two_currencies(table, price, named, shown, where), column=table.header(price))
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


def _two_currencies(table: Table, price: int, named: Sign, shown: Sign, where: str) -> Question:
    count = f"{table.figures(price).filled:,} prices of the first rows"
    options = [
        Option(f"the prices are in {code}", f"{count} are stored in {code}", {"currency": code})
        for code in (named.codes[0], shown.codes[0])
    ]
    sentence = (
        f"{listed(named.codes)} stands {where}, but the numbers of “{table.header(price)}” are shown in "
        f"{listed(shown.codes)}. In which currency are they?"
    )
    return Question("currency", sentence, tuple(options))


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
