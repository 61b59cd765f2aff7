"""Price lists in many styles, and the ways in which suppliers change them from one version to the next."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import openpyxl

Value = str | Decimal | None


@dataclass(frozen=True)
class Col:
    """One column: its role (sku, name, price, or what else it is), header and values."""

    role: str
    header: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Book:
    """One version of a list."""

    name: str
    language: str
    columns: tuple[Col, ...]
    kind: str = "csv"
    delimiter: str = ";"
    encoding: str = "utf-8"
    decimal: str = "."
    titles: tuple[str, ...] = ()
    sheet: str = "Sheet1"
    header: bool = True
    sku: tuple[str, ...] = ("sku",)
    """Roles that make up the key."""
    basis: int = 1
    """Units that prices are for."""
    told: dict[str, object] = field(default_factory=dict)
    """The mapping that the first version is loaded with, for lists that are not understood alone."""

    def of(self, role: str) -> Col:
        return next(column for column in self.columns if column.role == role)

    def has(self, role: str) -> bool:
        return any(column.role == role for column in self.columns)

    @property
    def truth(self) -> dict[str, Decimal]:
        """Price by code, as it must be stored."""
        keys = zip(*(self.of(role).values for role in self.sku), strict=True)
        prices = self.of("price").values
        return {
            "|".join(map(str, key)): price
            for key, price in zip(keys, prices, strict=True)
            if isinstance(price, Decimal)
        }

    def changed(self, role: str, **members: object) -> Book:
        columns = tuple(replace(column, **members) if column.role == role else column for column in self.columns)
        return replace(self, columns=columns)

    def put(self, place: int, column: Col) -> Book:
        return replace(self, columns=(*self.columns[:place], column, *self.columns[place:]))

    def write(self, folder: Path, stem: str) -> Path:
        path = folder / f"{stem}.{self.kind}"
        rows: list[list[Value]] = [[title] for title in self.titles]
        if self.header:
            rows.append([column.header for column in self.columns])
        rows += [list(row) for row in zip(*(column.values for column in self.columns), strict=True)]
        if self.kind == "xlsx":
            book = openpyxl.Workbook()
            sheet = book.active
            assert sheet is not None
            sheet.title = self.sheet
            for row in rows:
                sheet.append(
                    [
                        float(cell) if isinstance(cell, Decimal) and self.decimal == "." else self._text(cell)
                        for cell in row
                    ]
                )
            book.save(path)
        else:
            with path.open("w", encoding=self.encoding, newline="") as file:
                csv.writer(file, delimiter=self.delimiter).writerows([self._text(cell) for cell in row] for row in rows)
        return path

    def _text(self, cell: Value) -> str:
        if cell is None:
            return ""
        return str(cell).replace(".", self.decimal) if isinstance(cell, Decimal) else cell


WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "sku": ("SKU", "Item No.", "Part Number"), "name": ("Description", "Product Name"),
        "price": ("Price", "Unit Price"), "stock": ("Stock",), "colour": ("Colour",), "rrp": ("RRP",),
    },
    "de": {
        "sku": ("Art.-Nr.", "Artikelnummer", "Bestellnummer"), "name": ("Bezeichnung", "Artikelbezeichnung"),
        "price": ("Preis", "Einzelpreis"), "stock": ("Bestand",), "colour": ("Farbe",), "rrp": ("UVP",),
    },
    "fr": {
        "sku": ("Référence", "Code article"), "name": ("Désignation", "Libellé"),
        "price": ("Prix", "Prix unitaire"), "stock": ("Quantité",), "colour": ("Couleur",), "rrp": ("Prix conseillé",),
    },
    "es": {
        "sku": ("Código", "Referencia"), "name": ("Descripción", "Nombre"),
        "price": ("Precio", "Precio unitario"), "stock": ("Stock",), "colour": ("Color",), "rrp": ("Recomendado",),
    },
    "pt": {
        "sku": ("Código", "Referência"), "name": ("Descrição", "Nome do produto"),
        "price": ("Preço", "Preço unitário"), "stock": ("Estoque",), "colour": ("Cor",), "rrp": ("Recomendado",),
    },
    "it": {
        "sku": ("Codice", "Codice articolo"), "name": ("Descrizione", "Denominazione"),
        "price": ("Prezzo", "Prezzo unitario"), "stock": ("Giacenza",), "colour": ("Colore",), "rrp": ("Consigliato",),
    },
    "pl": {
        "sku": ("Kod", "Indeks"), "name": ("Nazwa", "Nazwa towaru"),
        "price": ("Cena", "Cena jednostkowa"), "stock": ("Stan",), "colour": ("Kolor",), "rrp": ("Cena sugerowana",),
    },
    "ru": {
        "sku": ("Артикул", "Код товара"), "name": ("Наименование", "Название"),
        "price": ("Цена", "Цена за единицу"), "stock": ("Остаток",), "colour": ("Цвет",), "rrp": ("РРЦ",),
    },
    "uk": {
        "sku": ("Артикул", "Код товару"), "name": ("Назва", "Найменування"),
        "price": ("Ціна", "Ціна за одиницю"), "stock": ("Залишок",), "colour": ("Колір",), "rrp": ("РРЦ",),
    },
    "nl": {
        "sku": ("Artikelnummer", "Bestelnummer"), "name": ("Omschrijving", "Productnaam"),
        "price": ("Prijs", "Stuksprijs"), "stock": ("Voorraad",), "colour": ("Kleur",), "rrp": ("Adviesprijs",),
    },
    "zh": {
        "sku": ("货号", "商品编号"), "name": ("商品名称", "品名"),
        "price": ("单价", "价格"), "stock": ("库存",), "colour": ("颜色",), "rrp": ("市场价",),
    },
    "ja": {
        "sku": ("品番", "商品コード"), "name": ("商品名", "品名"),
        "price": ("単価", "価格"), "stock": ("在庫",), "colour": ("色",), "rrp": ("定価",),
    },
    "ko": {
        "sku": ("품번", "상품코드"), "name": ("상품명", "품명"),
        "price": ("단가", "가격"), "stock": ("재고",), "colour": ("색상",), "rrp": ("소비자가",),
    },
}  # fmt: skip
"""Headers by language and role; the first is that of the first version."""

NEXT = dict(zip(WORDS, [*list(WORDS)[1:], next(iter(WORDS))], strict=True))
"""The language that a supplier changes to."""


def gtin(number: int) -> str:
    digits = f"40{number:010d}"
    check = -sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10
    return f"{digits}{check}"


def book(language: str, *, seed: int, rows: int = 40, kind: str = "csv", style: int = 0) -> Book:
    """The first version of a synthetic list. Styles: 0 plain, 1 with GTIN and currency, 2 a composite key under title
    lines, 3 numeric codes and a price per hundred."""
    rng = random.Random(seed)
    words = WORDS[language]
    codes = rng.sample(range(10_000, 99_999), rows)
    skus: list[Value] = [
        f"{rng.choice('ABCD')}{rng.choice('XYZ')}-{code}" if style != 3 else str(code) for code in codes
    ]
    names: list[Value] = [
        f"{words['name'][0]} {code} {rng.choice(('mini', 'maxi', 'pro'))} {place}" for place, code in enumerate(codes)
    ]
    prices: list[Value] = [Decimal(rng.randint(150, 95_000)) / 100 for _ in range(rows)]
    colours: list[Value] = [rng.choice(("S", "M", "L", "XL")) for _ in range(rows)]
    stock: list[Value] = [str(rng.randint(0, 400)) for _ in range(rows)]
    decimal = "," if language not in {"en", "zh", "ja", "ko"} else "."
    columns = [
        Col("sku", words["sku"][0], tuple(skus)),
        Col("name", words["name"][0], tuple(names)),
        Col("colour", words["colour"][0], tuple(colours)),
        Col("stock", words["stock"][0], tuple(stock)),
        Col("price", words["price"][0], tuple(prices)),
    ]
    made = Book(
        f"{language}-{kind}-{style}",
        language,
        tuple(columns),
        kind=kind,
        decimal=decimal if kind == "csv" else ".",
        delimiter="," if decimal == "." else ";",
    )
    if style == 1:
        made = made.put(1, Col("gtin", "EAN", tuple(gtin(code) for code in codes)))
        made = made.put(len(made.columns), Col("currency", "Currency", ("EUR",) * rows))
    elif style == 2:
        half = rows // 2
        made = made.changed("sku", values=tuple(skus[place % half] for place in range(rows)))
        made = made.changed("colour", values=tuple("SMLX"[place // half] for place in range(rows)))
        made = replace(
            made,
            titles=("ACME 2026", "Tel. 555 1234", ""),
            sku=("sku", "colour"),
            told={"sku": [words["sku"][0], words["colour"][0]], "name": words["name"][0], "price": words["price"][0]},
        )
    elif style == 3:
        made = replace(made.changed("price", header=f"{words['price'][0]} / 100"), basis=100)
    return made


def books() -> list[Book]:
    """All first versions."""
    made = []
    for place, language in enumerate(WORDS):
        made.append(book(language, seed=place, style=0))
        made.append(book(language, seed=100 + place, kind="csv" if place % 3 else "xlsx", style=1))
        if place % 5 == 0:
            made.append(book(language, seed=200 + place, style=2))
        if place % 5 == 1:
            made.append(book(language, seed=300 + place, style=3, rows=40))
    return made


def repriced(old: Book, seed: int) -> Book:
    """The next version: some prices a little higher or lower, two items gone, two new ones."""
    rng = random.Random(seed)
    kept = list(range(2, len(old.of("price").values)))

    def value(column: Col, place: int) -> Value:
        cell = column.values[place]
        if column.role in {"price", "gross"} and isinstance(cell, Decimal) and place % 3 == 0:
            return (cell * Decimal(rng.choice(("0.97", "1.02", "1.04")))).quantize(Decimal("0.01"))
        return cell

    columns = [replace(column, values=tuple(value(column, place) for place in kept)) for column in old.columns]
    fresh = {"sku": ("NEW-1", "NEW-2"), "name": ("Novum 1", "Novum 2"), "gtin": (gtin(1), gtin(2))}
    return replace(
        old,
        columns=tuple(
            replace(column, values=(*column.values, *fresh.get(column.role, column.values[:2]))) for column in columns
        ),
    )


Change = Callable[[Book], Book]


def renamed(role: str) -> Change:
    def change(old: Book) -> Book:
        if not old.has(role):
            return old
        words = WORDS.get(old.language, {}).get(role)
        if words is None:
            return old.changed(role, header=f"{old.of(role).header} (A)")
        header = old.of(role).header
        return old.changed(
            role, header=words[1] + header.removeprefix(words[0]) if header.startswith(words[0]) else words[1]
        )

    return change


def reordered(old: Book) -> Book:
    return replace(old, columns=old.columns[::-1])


def widened(old: Book) -> Book:
    rows = len(old.columns[0].values)
    first = Col("row", "Weight", tuple(Decimal(place % 40 + 1) / 10 for place in range(rows)))
    return old.put(0, first).put(3, Col("brand", "Brand", ("Acme",) * rows))


def narrowed(old: Book) -> Book:
    """A column less that is none of sku, name, price."""
    gone = next((column for column in old.columns if column.role not in {*old.sku, "name", "price", "currency"}), None)
    return old if gone is None else replace(old, columns=tuple(column for column in old.columns if column is not gone))


def lowered(old: Book) -> Book:
    return replace(old, titles=(*old.titles, "ACME Trading Ltd.", "Price list 2027, all rights reserved", ""))


def with_recommended(old: Book) -> Book:
    """Another price column to the left of the one that is loaded."""
    word = WORDS.get(old.language, WORDS["en"])["rrp"][0]
    texts = (
        f"1{cell}" if isinstance(cell, str) and cell[:1].isdigit() else cell for cell in _priced(old.of("price"), "1.6")
    )
    return old.put(2, Col("rrp", word, tuple(texts)))


def rewritten(old: Book) -> Book:
    """Another program has saved the file."""
    if old.kind == "xlsx":
        return replace(old, sheet="Blatt 1 (2)")
    return replace(old, delimiter="\t", encoding="utf-16")


def other_decimal(old: Book) -> Book:
    return replace(old, decimal="." if old.decimal == "," else ",", delimiter=";")


def translated(old: Book) -> Book:
    if old.language not in WORDS:
        return renamed("price")(renamed("name")(old))
    new = old
    for role in ("sku", "name", "price", "colour", "stock"):
        was, now = WORDS[old.language][role][0], WORDS[NEXT[old.language]][role][0]
        new = new.changed(role, header=new.of(role).header.replace(was, now))
    return new


def decorated(old: Book) -> Book:
    """The same words, written in another way."""
    new = old
    for column in old.columns:
        new = new.changed(column.role, header=f" {column.header.upper()} ")
    return new


def unknown_word(old: Book) -> Book:
    return old.changed("price", header="Kondition B7")


WAYS: dict[str, Change] = {
    "columns reordered": reordered,
    "price under a synonym": renamed("price"),
    "code under a synonym": renamed("sku"),
    "columns added": widened,
    "a column removed": narrowed,
    "header further down": lowered,
    "a second price column": with_recommended,
    "saved by another program": rewritten,
    "the other decimal sign": other_decimal,
    "headers in another language": translated,
    "headers written otherwise": decorated,
    "price under a word nobody knows": unknown_word,
}
"""The twelve."""


def _priced(column: Col, factor: str) -> tuple[Value, ...]:
    return tuple(
        (cell * Decimal(factor)).quantize(Decimal("0.01")) if isinstance(cell, Decimal) else cell
        for cell in column.values
    )


def with_tax(old: Book) -> Book:
    return old.changed("price", values=_priced(old.of("price"), "1.19"))


def tenfold(old: Book) -> Book:
    return old.changed("price", values=_priced(old.of("price"), "10"))


def headers_swapped(old: Book) -> Book:
    """The price stands under the header of another number column, and that under its own."""
    stock, price = old.of("stock").header, old.of("price").header
    return old.changed("price", header=stock).changed("stock", header=price)


def old_word_for_another(old: Book) -> Book:
    """The price has a better word now, and its old word stands over recommended prices."""
    header = old.of("price").header
    new = with_recommended(old).changed("rrp", header=header)
    return new.changed("price", header=WORDS[old.language]["price"][1])


def prefixed(old: Book) -> Book:
    return old.changed("sku", values=tuple(f"ACM/{code}" for code in old.of("sku").values))


def codes_by_gtin(old: Book) -> Book:
    """The column of codes holds GTINs now, under its old header."""
    return old.changed("sku", values=tuple(gtin(place + 500) for place in range(len(old.of("sku").values))))


def without_header(old: Book) -> Book:
    return replace(old, header=False, titles=())


def header_twice(old: Book) -> Book:
    """Two columns bear the header of the price; the other one comes first."""
    return with_recommended(old).changed("rrp", header=old.of("price").header)


def all_unknown(old: Book) -> Book:
    """Code and price under words that nobody knows, in another order."""
    return reordered(old.changed("price", header="Kondition B7").changed("sku", header="Merkmal 4"))


DANGERS: dict[str, Change] = {
    "prices with tax": with_tax,
    "prices tenfold": tenfold,
    "headers swapped, values not": headers_swapped,
    "the old word over other prices": old_word_for_another,
    "codes with a prefix": prefixed,
    "GTINs in place of codes": codes_by_gtin,
    "no header any more": without_header,
    "the header of the price twice": header_twice,
    "code and price under unknown words": all_unknown,
}
"""What must never be loaded without a person, unless it is loaded right."""
