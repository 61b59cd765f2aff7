"""Turns accepted rows into items: whole columns for those that passed the gate, one by one for the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any

import orjson
from xxhash import xxh3_64_intdigest

from contracts.rows import Item
from contracts.understanding import Understanding
from pipeline.stages.fingerprint import key_hashes
from pipeline.stages.gate import Accepted
from pipeline.stages.normalization import Normalised


class ColumnEncoder:
    """For rows whose cells are canonical: no cell is looked at by itself unless it must be."""

    def __init__(self, understanding: Understanding) -> None:
        def index_of(field: str) -> int | None:
            return next((column.index for column in understanding.columns_of(field)), None)

        self._sku = understanding.columns_of("sku")[0].index
        self._name = understanding.columns_of("name")[0].index
        self._price = understanding.columns_of("price")[0].index
        self._decimal = understanding.numbers.decimal
        listed = understanding.currency
        self._currency = listed
        self._currency_at = index_of("currency") if listed in {None, "XXX"} else None
        self._basis, self._basis_at = understanding.price_basis, index_of("price_basis")
        self._unit, self._unit_at = understanding.unit, index_of("unit")
        self._gtin_at = index_of("gtin")
        self._categories = [column.index for column in understanding.columns_of("category")]
        self._characteristics = [
            (column.index, orjson.dumps(column.key).decode(), column.kind == "number")
            for column in understanding.columns
            if column.key is not None
        ]

    def items(self, numbers: Sequence[int], prints: Sequence[int | None], rows: Sequence[Accepted]) -> list[Item]:
        """One item per row."""
        if not rows:
            return []
        columns = list(zip(*rows, strict=True))
        skus = columns[self._sku]
        prices: Sequence[str] = columns[self._price]
        if self._decimal == ",":
            prices = [price.replace(",", ".") for price in prices]
        units: Iterable[str | None] = repeat(self._unit)
        if self._unit_at is not None:
            units = [unit or self._unit for unit in columns[self._unit_at]]
        bases: Iterable[str] = repeat(self._basis)
        if self._basis_at is not None:
            bases = [basis or self._basis for basis in columns[self._basis_at]]
        return list(
            map(
                Item,
                numbers,
                prints,
                key_hashes(skus).tolist(),
                skus,
                columns[self._name],
                prices,
                repeat(self._currency or "XXX") if self._currency_at is None else columns[self._currency_at],
                bases,
                units,
                repeat(None) if self._gtin_at is None else [gtin or None for gtin in columns[self._gtin_at]],
                self._paths(columns),
                self._json(columns, len(rows)),
            )
        )

    def _paths(self, columns: Sequence[Sequence[str]]) -> Iterable[tuple[str, ...]]:
        match self._categories:
            case []:
                return repeat(())
            case [at]:
                return [(text,) if text else () for text in columns[at]]
            case several:
                return [tuple(filter(None, row)) for row in zip(*[columns[at] for at in several], strict=True)]

    def _json(self, columns: Sequence[Sequence[str]], count: int) -> Sequence[str]:
        if not self._characteristics:
            return ["{}"] * count
        texts: list[Sequence[str]] = []
        parts: list[str] = []
        blanks = False
        for index, key, number in self._characteristics:
            column = columns[index]
            blanks = blanks or "" in column
            if not number:
                together = "".join(column)
                if '"' in together or "\\" in together:
                    column = [cell.replace("\\", "\\\\").replace('"', '\\"') for cell in column]
            texts.append(column)
            parts.append(key.replace("%", "%%") + (":%s" if number else ':"%s"'))
        if not blanks:
            whole = "{" + ",".join(parts) + "}"
            return list(map(whole.__mod__, zip(*texts, strict=True)))
        pieces = [[part % cell if cell else "" for cell in column] for part, column in zip(parts, texts, strict=True)]
        return ["{" + ",".join(filter(None, row)) + "}" for row in zip(*pieces, strict=True)]


def item_of(row: Normalised, fingerprint: int | None) -> Item:
    """The item of a row that went the slow way."""
    return Item(
        row_number=row.row_number,
        fingerprint=fingerprint,
        key_hash=_signed(xxh3_64_intdigest(row.sku.encode())),
        sku=row.sku,
        name=row.name,
        price=row.price,
        currency=row.currency,
        price_basis=row.price_basis,
        unit=row.unit,
        gtin=row.gtin,
        category=row.category,
        characteristics=json_of(row.characteristics),
    )


def json_of(characteristics: dict[str, Any]) -> str:
    """A JSON object in the order of the columns; decimals are written digit by digit, never as floats."""
    return orjson.dumps(
        {
            key: orjson.Fragment(format(value, "f")) if isinstance(value, Decimal) else value
            for key, value in characteristics.items()
        }
    ).decode()


def _signed(digest: int) -> int:
    return digest - (1 << 64) if digest >> 63 else digest
