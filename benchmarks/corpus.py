"""Every price list of a corpus through the whole product, held against its facts: python -m benchmarks.corpus DIR."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import asyncpg

from benchmarks.corpus_facts import MODES, Corpus, Pair, read_corpus
from benchmarks.corpus_judge import Verdict, judge
from benchmarks.corpus_order import Run, other_orders, plan, supplier_of
from benchmarks.corpus_others import judge_invoice, judge_page, judge_torture
from benchmarks.corpus_outcome import Item, Outcome
from benchmarks.corpus_run import Stored, database, scratch, work


class Line(NamedTuple):
    """One line of the answer."""

    group: str
    mode: str
    name: str
    verdict: Verdict


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=__doc__)
    parser.add_argument("corpus", type=Path, help="directory with EXPECTED.json")
    parser.add_argument("--mode", choices=MODES, help="only this one")
    parser.add_argument("--only", default="", help="only files whose name holds this")
    parser.add_argument("--duplicates", choices=("last", "first"), default="last", help="which row of a key counts")
    parser.add_argument("--lists", action="store_true", help="price lists only: no invoices, pages, torture files")
    chosen = parser.parse_args()
    try:
        corpus = read_corpus(chosen.corpus.resolve(), chosen.only)
    except (OSError, ValueError) as error:
        print(f"{chosen.corpus} is no corpus: {error}", file=sys.stderr)
        return 2
    modes = (chosen.mode,) if chosen.mode else MODES
    with scratch(corpus.root) as settings:
        run = Run(corpus, modes, chosen.duplicates, {} if chosen.lists else other_orders(corpus))
        rounds = plan(run)
        refused: dict[str, Outcome] = {}
        for turn, orders in enumerate(rounds, start=1):
            refused |= asyncio.run(work(settings, orders, turn=turn))
        with database(settings) as url:
            lines = asyncio.run(judged(url, run, refused))
    return show(lines, corpus)


async def judged(url: str, run: Run, refused: dict[str, Outcome]) -> list[Line]:
    corpus, modes, duplicates, others = run
    connection = await asyncpg.connect(url)
    stored = Stored(connection)
    lines: list[Line] = []

    async def ended(task_id: str) -> Outcome:
        return refused.get(task_id) or await stored.outcome(task_id)

    try:
        for mode in modes:
            for number, facts in enumerate(corpus.lists.values()):
                supplier = supplier_of(mode, "list", number)
                items = [Item(*row) for row in await stored.items(supplier)]
                task = f"{supplier} #1"
                verdict = judge(facts, await ended(task), items, await stored.rejects(task), duplicates=duplicates)
                lines.append(Line("lists", mode, facts.name, verdict))
            for number, pair in enumerate(corpus.pairs):
                supplier = supplier_of(mode, "pair", number)
                tasks = (f"{supplier} #1", f"{supplier} #2")
                outcomes = [await ended(task) for task in tasks]
                changes = await stored.changes(*tasks)
                lines.append(Line("pairs", mode, pair.name, judge_pair(pair, outcomes, changes)))
        for name, order in others.items():
            outcome = await ended(order.task_id(1))
            items = [Item(*row) for row in await stored.items(order.supplier)]
            if name in corpus.invoices:
                lines.append(Line("invoices", "-", name, judge_invoice(corpus.invoices[name], outcome, items)))
            elif name in corpus.pages:
                lines.append(Line("pages", "-", name, judge_page(corpus.pages[name], outcome, items)))
            else:
                lines.append(Line("torture", "-", name, judge_torture(outcome)))
    finally:
        await connection.close()
    return lines


def judge_pair(pair: Pair, outcomes: Sequence[Outcome], changes: tuple[int, int]) -> Verdict:
    for outcome in outcomes:
        if (question := outcome.question) is not None:
            return Verdict("held", question)
        if outcome.status != "completed":
            return Verdict("WRONG", f"{outcome.status}: {outcome.refusal}")
    added, changed = changes
    due = (pair.document.get("keys_added"), pair.document.get("prices_changed"))
    wrong = [
        f"{what} {found} instead of {wanted}"
        for what, found, wanted in zip(("added", "changed"), (added, changed), due, strict=True)
        if wanted is not None and found != wanted
    ]
    if wrong:
        return Verdict("WRONG", "; ".join(wrong))
    return Verdict("right", f"{added} added, {changed} prices changed")


def show(lines: Sequence[Line], corpus: Corpus) -> int:
    for line in lines:
        if line.group == "torture" and line.verdict.word == "right":
            continue
        print(f"{line.verdict.word:<6} {line.mode:<10} {line.name}: {line.verdict.told}")
    for name in corpus.missing:
        print(f"       -          {name}: described, but not here")
    print()
    for group in dict.fromkeys(line.group for line in lines):
        for mode in dict.fromkeys(line.mode for line in lines if line.group == group):
            here = Counter(line.verdict.word for line in lines if (line.group, line.mode) == (group, mode))
            shares = ", ".join(
                f"{here[word]} {word} ({100 * here[word] / here.total():.0f} %)" for word in ("right", "held", "WRONG")
            )
            print(f"{group}, {mode}: {here.total()} in all: {shares}")
    return 1 if any(line.verdict.word == "WRONG" for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
