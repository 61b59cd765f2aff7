"""What happens to a chunk between the source and the database; writes nothing."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Collection, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from config.plan import Plan
from contracts.parser import Reading
from contracts.reasons import REASONS
from contracts.rows import Batch, Chunk, Cursor, Item, Row, RowError
from contracts.store import Known
from pipeline.stages.duplicates import NO_DUPLICATES, Duplicates, Ruling
from pipeline.stages.fingerprint import Hashes, KnownRecords, find, fingerprints, key_hashes, signed
from pipeline.stages.replay import Replayed
from pipeline.stages.validation import Validation, Verdicts
from pipeline.understanding.text import TextInvalid, clean, is_blank, raw, short

Mask = NDArray[np.bool_]


class Stages:
    """Fingerprint, validation, duplicates, in this order; chunks must come in the order of the source, each once,
    because later rows depend on the keys (and, in lists with sections, on the headings) of earlier ones."""

    def __init__(self, plan: Plan, known: Known, *, replayed: Replayed | None = None) -> None:
        understanding = plan.understanding
        self._replayed = replayed
        self.samples: dict[str, str] = {}
        """The first rejected row of each code, as a sentence."""
        self._seed = plan.seed
        self._known = KnownRecords(known)
        self._validation = Validation(understanding)
        self._duplicates = Duplicates(understanding.duplicates)
        self._first_data_row = (understanding.header_row or 0) + 1
        # Below a heading the same bytes may mean another category: such records are always read.
        self._fingerprinting = not understanding.sections
        self._understanding = understanding
        self._key = tuple(column.index for column in understanding.columns_of("sku"))
        self._key_header = " | ".join(column.header or "sku" for column in understanding.columns_of("sku"))
        self._named = array("q")
        self._surveyed = understanding.duplicates != "reject_conflicting" and len(self._key) == 1

    def seen(self) -> Hashes:
        """Sorted hashes of the codes of all accepted rows so far, each once."""
        return self._duplicates.seen.all()

    def named(self) -> Hashes:
        """Sorted hashes of the codes of rejected rows, as far as they could be read, that no accepted row has."""
        named = np.unique(np.fromiter(self._named, dtype=np.int64, count=len(self._named)))
        return named[~find(self.seen(), named)[0]]

    async def prepare(self, reading: Reading, *, size: int) -> None:
        """Must be awaited before the first chunk. Reads the whole source where one row can change what becomes of an
        earlier one: duplicates are rejected where they conflict, and so are those of a key of several columns, one of
        which is blank, because it does not tell what it belongs to. Otherwise, and the second time, does nothing."""
        if self._surveyed:
            return
        self._surveyed = True
        blank = self._key if self._understanding.duplicates != "reject_conflicting" else ()
        self._duplicates.ambiguous = await ambiguous_keys(
            reading.chunks(size=size), Validation(self._understanding), partly_blank=blank
        )

    def process(self, chunk: Chunk) -> Batch:
        """Every row of the chunk is counted in the batch's account or is an item that the loader will count."""
        batch = Batch(chunk.number, chunk.cursor)
        batch.account.read = len(chunk)
        numbers = chunk.row_numbers()
        prints, known, keys = self._look_up(chunk, numbers)
        unknown = np.flatnonzero(~known)
        verdicts = self._read(chunk, numbers, prints, unknown)
        accepted = unknown[verdicts.positions] if verdicts.positions else unknown[:0]
        keys[accepted] = [item.key_hash for item in verdicts.items]
        counted = known.copy()
        counted[accepted] = True
        places = np.flatnonzero(counted)
        ruling = self._duplicates.rule(keys[places])
        batch.rejects = verdicts.rejects
        batch.account.ignored.update(verdicts.ignored)
        if ruling is NO_DUPLICATES:
            batch.items = verdicts.items
            batch.account.unchanged = int(known.sum())
        else:
            items = dict(zip(accepted.tolist(), verdicts.items, strict=True))
            self._obey(ruling, places, items, chunk=chunk, prints=prints, batch=batch)
        if self._replayed is not None:
            self._replayed.narrow(batch)
        for reject in batch.rejects:
            batch.account.rejected[reject.code] += 1
            if (code := self._code(reject)) is not None:
                self._named.append(code)
            self.samples.setdefault(reject.code, f"row {reject.row_number}: {reject.message}")
        return batch

    def _code(self, reject: RowError) -> int | None:
        """Hash of the code that a rejected row names."""
        parts = [reject.cells[index] if index < len(reject.cells) else None for index in self._key]
        try:
            sku = "|".join(clean(part or "") for part in parts)
        except TextInvalid:
            return None
        return int(key_hashes([sku])[0]) if sku.strip("|") else None

    def _look_up(self, chunk: Chunk, numbers: Sequence[int]) -> tuple[Hashes | None, Mask, Hashes]:
        if chunk.records is None or not self._fingerprinting:
            return None, np.zeros(len(chunk), dtype=bool), np.zeros(len(chunk), dtype=np.int64)
        prints = fingerprints(chunk.records, self._seed)
        known, keys = self._known.match(prints)
        if numbers and numbers[0] < self._first_data_row:
            known &= np.asarray(numbers) >= self._first_data_row
        return prints, known, keys

    def _read(self, chunk: Chunk, numbers: Sequence[int], prints: Hashes | None, which: NDArray[np.intp]) -> Verdicts:
        if not len(which):
            return Verdicts()
        everything = len(which) == len(chunk)
        rows = chunk.rows(None if everything else which.tolist())
        of_rows: Sequence[int | None] = [None] * len(which)
        if prints is not None:
            of_rows = prints[which].tolist()
        return self._validation.read(numbers if everything else [numbers[at] for at in which.tolist()], rows, of_rows)

    def _obey(
        self,
        ruling: Ruling,
        places: NDArray[np.intp],
        items: dict[int, Item],
        *,
        chunk: Chunk,
        prints: Hashes | None,
        batch: Batch,
    ) -> None:
        """Sorts accepted rows by a ruling; records that were recognised but must be written are read after all."""
        numbers = chunk.row_numbers()
        special = ruling.repeated | ruling.doubled | ruling.ambiguous
        unread = np.asarray(
            [places[place] for place in sorted(special) if int(places[place]) not in items], dtype=np.intp
        )
        again = self._read(chunk, numbers, prints, unread)
        items.update(zip(unread[again.positions].tolist() if again.positions else (), again.items, strict=True))
        for place, position in enumerate(places.tolist()):
            item = items.get(position)
            if place in ruling.dropped:
                batch.account.ignored["duplicate"] += 1
            elif item is None:
                batch.account.unchanged += 1
            elif place in ruling.ambiguous:
                batch.rejects.append(self._ambiguous(item, chunk, position))
            elif place in ruling.repeated:
                batch.repeated.append(item)
            else:
                batch.items.append(item)
                if place in ruling.doubled:
                    batch.doubled.add(item.row_number)

    def _ambiguous(self, item: Item, chunk: Chunk, position: int) -> RowError:
        cells = chunk.rows([position])[0]
        blank = len(self._key) > 1 and _is_partly_blank(cells, self._key)
        code = "sku_missing" if blank else "key_ambiguous"
        message = REASONS[code].sentence.format(field=self._key_header, value=short(item.sku, 100))
        if blank:
            message += (
                f" in part, and “{short(item.sku, 100)}” stands in this list more than once with different prices"
            )
        return RowError(item.row_number, code, message, "sku", item.sku, tuple(raw(cell) for cell in cells))


class Head:
    """The first rows of a chunk as a chunk of its own."""

    def __init__(self, chunk: Chunk, count: int) -> None:
        self._chunk = chunk
        self._count = count
        self.number = chunk.number
        self.first_row = chunk.first_row
        self.cursor = Cursor(row=chunk.row_numbers()[count - 1])
        self.records = None if chunk.records is None else chunk.records[:count]

    def __len__(self) -> int:
        return self._count

    def row_numbers(self) -> Sequence[int]:
        return self._chunk.row_numbers()[: self._count]

    def rows(self, which: Sequence[int] | None = None) -> list[Row]:
        return self._chunk.rows(range(self._count) if which is None else which)


def _is_partly_blank(cells: Row, key: Sequence[int]) -> bool:
    return any(index >= len(cells) or is_blank(cells[index]) for index in key)


async def ambiguous_keys(
    chunks: AsyncIterator[Chunk], validation: Validation, *, partly_blank: Sequence[int] = ()
) -> Hashes:
    """Sorted hashes of the keys for which a source gives different prices; takes 16 bytes a row. With the columns of a
    key, of rows alone where one of these is blank."""
    keys: list[Hashes] = []
    prices: list[Hashes] = []
    async for chunk in chunks:
        numbers, rows = chunk.row_numbers(), chunk.rows()
        if partly_blank:
            places = [place for place, row in enumerate(rows) if _is_partly_blank(row, partly_blank)]
            numbers, rows = [numbers[place] for place in places], [rows[place] for place in places]
        items = validation.read(numbers, rows, [None] * len(rows)).items
        keys.append(np.fromiter((item.key_hash for item in items), dtype=np.int64, count=len(items)))
        prices.append(
            signed(
                (
                    xxh3_64_intdigest(f"{Decimal(item.price).normalize()} {item.currency} {item.price_basis}".encode())
                    for item in items
                ),
                len(items),
            )
        )
    if not keys:
        return np.empty(0, dtype=np.int64)
    key, price = np.concatenate(keys), np.concatenate(prices)
    order = np.lexsort((price, key))
    key, price = key[order], price[order]
    return np.unique(key[1:][(key[1:] == key[:-1]) & (price[1:] != price[:-1])])


def build_stages(plan: Plan, known: Known, *, replay: Collection[int] | None = None) -> Stages:
    """`replay` = the rows that a task takes up again; None = the whole list. Then no record is passed over unread."""
    if replay is None:
        return Stages(plan, known)
    nothing: Hashes = np.empty(0, dtype=np.int64)
    return Stages(plan, Known(nothing, nothing), replayed=Replayed(replay))
