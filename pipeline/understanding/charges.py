"""Tells lines of freight, packing and the like from items where all codes have digits and theirs are words."""

from __future__ import annotations

from dataclasses import replace

from contracts.understanding import IgnoreRule, RowRules
from pipeline.understanding.mapped import Fields
from pipeline.understanding.table import Table, is_number
from pipeline.understanding.text import TextInvalid, cell_text, clean, fold, is_blank, listed

FEWEST = 10
"""Codes from which on it is a habit that codes have digits."""
LAST = 12
"""Filled rows from the end of the table among which charges stand, and at most a third of all."""
CHARGES = frozenset(
    map(
        fold,
        (
            "freight", "shipping", "carriage", "delivery", "postage", "packing", "packaging", "handling", "insurance",
            "surcharge", "customs", "fracht", "frachtkosten", "versand", "versandkosten", "porto", "verpackung",
            "versicherung", "zuschlag", "mindermengenzuschlag", "lieferung", "lieferkosten", "frais", "port",
            "livraison", "emballage", "assurance", "transport", "envío", "flete", "embalaje", "seguro", "recargo",
            "portes", "frete", "envio", "embalagem", "sobretaxa", "spedizione", "trasporto", "imballo", "imballaggio",
            "assicurazione", "supplemento", "wysyłka", "dostawa", "opakowanie", "pakowanie", "ubezpieczenie",
            "dopłata", "доставка", "упаковка", "страховка", "страхование", "фрахт", "пакування", "страхування",
            "verzending", "verzendkosten", "vracht", "verpakking", "verzekering", "toeslag", "运费", "包装费", "保险费",
            "附加费", "送料", "梱包料", "保険料", "運賃", "배송비", "운임", "포장비", "보험료",
        ),
    )
)  # fmt: skip


def passing_over_charges(rules: RowRules, table: Table, fields: Fields, warnings: list[str]) -> RowRules:
    """The rules, and one for each such code among the last rows of the table that were seen; `warnings` tells which.
    Lists in which any other code is all words are left alone: "PORT" may be an article there."""
    sku, price = fields["sku"], fields["price"][0].index
    if len(sku) != 1 or sku[0].index == fields["name"][0].index:
        return rules
    index = sku[0].index
    rows = [row for row in table.rows() if len(row) > max(index, price) and not is_blank(row[index])]
    last = rows[-min(LAST, len(rows) // 3) :] if len(rows) >= FEWEST else []
    found: list[str] = []
    for row in last:
        code = cell_text(row[index]).strip()
        if is_number(row[price]) and not _coded(code) and not CHARGES.isdisjoint(fold(code).split()):
            found.append(code)
    name = fields["name"][0].index  # other footers have none: "Minimum order;;50.00"
    items = [row for row in rows if is_number(row[price]) and name < len(row) and not is_blank(row[name])]
    if not found or sum(not _coded(cell_text(row[index])) for row in items) > len(found):
        return rules
    try:
        texts = sorted({clean(code).casefold() for code in found})
    except TextInvalid:
        return rules
    warnings.append(f"{listed(sorted(set(found)))} at the end of the list: no items, counted as notes")
    return replace(rules, ignore=(*rules.ignore, *(IgnoreRule(index, "equals", text) for text in texts)))


def _coded(code: str) -> bool:
    return any(map(str.isdigit, code))
