"""Finds the price column of a supplier's last list again, or says what would have to be believed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from contracts.store import Current
from pipeline.drift.agreement import NOTHING, TELLING, Agreement
from pipeline.drift.compared import Compared, alike, another_kind
from pipeline.drift.doubts import Doubt, Proposal, shown
from pipeline.drift.remembered import FEW, Part, Settled, locate
from pipeline.understanding.text import letter


class PriceAgain:
    """`same_structure`: every header is where it was."""

    def __init__(
        self, compared: Compared, stored: Sequence[Current | None], taken: Sequence[int], *, same_structure: bool
    ) -> None:
        self._compared = compared
        self._table = compared.table
        self._same = same_structure
        self._stored = stored
        self._taken = taken
        self._found: dict[int, Agreement] = {}
        bases = {current.basis for current in stored if current is not None}
        self._basis = bases.pop() if len(bases) == 1 else Decimal(1)

    def settle(self, settled: Settled, part: Part) -> None:
        here = locate(self._table, part)
        if len(here) == 1:
            own = self._compared.agreement(here[0], self._stored)
            if own.same >= 0.5 or (self._same and own.agrees):
                settled.columns["price"] = (here[0],)
                return
        columns = [index for index in self._compared.could_be_prices() if index not in self._taken]
        self._found = {index: self._compared.agreement(index, self._stored) for index in columns}
        if len(here) == 1:
            self._located(settled, here[0])
        elif here:
            self._several(settled, part, here)
        else:
            self._moved(settled, part)

    def _located(self, settled: Settled, index: int) -> None:
        own = self._found.get(index, NOTHING)
        settled.columns["price"] = (index,)
        rivals = [
            other
            for other, found in sorted(self._found.items(), key=lambda pair: pair[1].error)
            if other != index and found.common >= FEW and found.agrees and not self._compared.is_previous(other)
            if _better(found, own)
        ]
        if not rivals and (own.common < FEW or own.power or self._plausible(own)):
            return
        name = shown(self._table, index)
        keep = Proposal((index,), f"{name} is still the price", self.told(own))
        if rivals:
            best = shown(self._table, rivals[0])
            sentence = (
                f"the prices of the last list stand in {best} now ({self._found[rivals[0]].figures}), "
                f"not in {name} ({self.told(own)})"
            )
        else:
            sentence = f"the prices in {name} are others than those of the last list: {self.told(own)}"
        settled.doubts.append(Doubt("price", sentence, (*map(self._proposal, rivals[:3]), keep)))

    def _plausible(self, own: Agreement) -> bool:
        """Under its old header a price may change a good deal, one by one."""
        if own.shifted:
            return False
        return own.far >= (0.5 if self._same or own.common < TELLING else 0.9)

    def _several(self, settled: Settled, part: Part, here: Sequence[int]) -> None:
        ranked = sorted(here, key=lambda index: self._found.get(index, NOTHING).error)
        best, *others = ranked
        own = self._found.get(best, NOTHING)
        equal = self._compared.same_values(ranked)
        clear = own.common >= FEW and own.agrees and all(_better(own, self._found.get(i, NOTHING)) for i in others)
        settled.columns["price"] = (best,)
        if equal or clear:
            why = "they hold the same" if equal else own.figures
            settled.warnings.append(f"{len(here)} columns are called {part.shown}; {letter(best)} is taken: {why}")
            return
        proposals = tuple(self._offer(index, f"the column {letter(index)} is the price") for index in ranked)
        settled.doubts.append(Doubt("price", f"{len(here)} columns are called {part.shown}", proposals))

    def _moved(self, settled: Settled, part: Part) -> None:
        good = sorted(
            (
                index
                for index, found in self._found.items()
                if found.common >= FEW and found.agrees and not self._compared.is_previous(index)
            ),
            key=lambda index: self._found[index].error,
        )
        named = [index for index in good if self._is_named(index, part)]
        if named:
            best = named[0]
            if (len(named) == 1 or self._clear(best, named[1:])) and not any(
                _better(self._found[other], self._found[best]) for other in good if other != best
            ):
                settled.columns["price"] = (best,)
                settled.renamed("price", part, shown(self._table, best), self._found[best].figures)
                return
        offers = [*named, *(index for index in good if index not in named)] or [
            index for index in self._found if self._is_named(index, part)
        ]
        if not offers:
            settled.warnings.append(f"{part.shown}, which held price, is not in this list")
            return
        best_offer = offers[0]
        sentence = (
            f"the price column {part.shown} is not in this list. "
            f"{shown(self._table, best_offer)} replaces {part.shown}: {self.told(self._found[best_offer])}?"
        )
        proposals = tuple(
            self._offer(index, f"{shown(self._table, index)} replaces {part.shown}") for index in offers[:4]
        )
        settled.doubts.append(Doubt("price", sentence, proposals))

    def _clear(self, best: int, others: Sequence[int]) -> bool:
        if self._compared.same_values([best, *others]):
            return True
        return all(_better(self._found[best], self._found[other]) for other in others)

    def _is_named(self, index: int, part: Part) -> bool:
        heading = self._table.headings[index]
        hit = heading.hit("price")
        if hit is None and not alike(part.header, heading.text):
            return False
        return not another_kind(part.header, heading.text, plain=hit is not None and hit.level == 4)

    def _proposal(self, index: int) -> Proposal:
        return self._offer(index, f"{shown(self._table, index)} is the price")

    def _offer(self, index: int, label: str) -> Proposal:
        """Prices that are per hundred stay so under a header that does not say it."""
        patch = {}
        if self._basis != 1 and self._table.headings[index].basis is None:
            basis = f"{self._basis.normalize():f}"
            label, patch = f"{label} per {basis}", {"price_basis": basis}
        return Proposal((index,), label, self.told(self._found.get(index, NOTHING)), patch)

    @staticmethod
    def told(found: Agreement) -> str:
        """How the prices lie to those of the last list."""
        if found.common and found.shifted:
            way = "higher" if found.ratio > 1 else "lower"
            return f"all {found.common:,} known prices are about {100 * abs(found.ratio - 1):.0f} % {way}"
        return found.figures


def _better(one: Agreement, other: Agreement) -> bool:
    """True if the values of one column are plainly the stored prices, and those of the other are not."""
    if not one.agrees or not one.common:
        return False
    if not other.common:
        return True
    return (one.same >= 0.5 and other.same < 0.1) or (other.error > 0.02 and one.error * 3 < other.error)
