"""Every price list of a corpus through the whole product, held against its facts: python -m benchmarks.corpus DIR."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import asyncpg

from benchmarks.corpus_facts import MODES, Corpus, Facts, Pair, read_corpus
from benchmarks.corpus_judge import Verdict, Word, judge
from benchmarks.corpus_order import Order, Run, answered, other_orders, plan, supplier_of
from benchmarks.corpus_others import judge_invoice, judge_page, judge_torture
from benchmarks.corpus_outcome import Item, Outcome
from benchmarks.corpus_run import Stored, approve_held, database, scratch, work
from config.settings import Settings


class Line(NamedTuple):
    """One line of the answer."""

    group: str
    mode: str
    name: str
    verdict: Verdict


@dataclass
class Ended:
    """What is known of the orders besides the tables."""

    refused: dict[str, Outcome] = field(default_factory=dict)
    """By task id: files that no parser takes."""
    approved: Counter[str] = field(default_factory=Counter)
    """By task id: rows that were held for a jump of their price and let through."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=__doc__)
    parser.add_argument("corpus", type=Path, help="directory with EXPECTED.json")
    parser.add_argument("--mode", choices=MODES, help="only this one")
    parser.add_argument("--only", default="", help="only files whose name holds this")
    parser.add_argument("--duplicates", choices=("last", "first"), default="last", help="which row of a key counts")
    parser.add_argument("--lists", action="store_true", help="price lists only: no invoices, pages, torture files")
    parser.add_argument("--answers", action="store_true", help="try the ready answers of lists that are held, too")
    chosen = parser.parse_args()
    try:
        corpus = read_corpus(chosen.corpus.resolve(), chosen.only)
    except (OSError, ValueError) as error:
        print(f"{chosen.corpus} is no corpus: {error}", file=sys.stderr)
        return 2
    modes = (chosen.mode,) if chosen.mode else MODES
    run = Run(corpus, modes, chosen.duplicates, {} if chosen.lists else other_orders(corpus))
    with scratch(corpus.root) as settings, database(settings) as url:
        ended = Ended()
        for turn, orders in enumerate(plan(run), start=1):
            hand_in(settings, url, orders, turn, ended)
        lines = asyncio.run(judged(url, run, ended))
        if chosen.answers:
            lines = try_answers(settings, url, run, ended, lines)
    return show(lines, corpus)


def hand_in(settings: Settings, url: str, orders: Sequence[Order], turn: int, ended: Ended) -> None:
    """One round to its end. Both versions of a pair must be stored before the next one, so held prices are let through
    at once."""
    ended.refused |= asyncio.run(work(settings, orders, turn=turn))
    ended.approved.update(asyncio.run(approve_held(url)))


async def judged(url: str, run: Run, ended: Ended) -> list[Line]:
    connection = await asyncpg.connect(url)
    stored = Stored(connection)
    lines: list[Line] = []
    try:
        for mode in run.modes:
            for number, facts in enumerate(run.corpus.lists.values()):
                supplier = supplier_of(mode, "list", number)
                lines.append(
                    Line("lists", mode, facts.name, await judge_list(stored, run, ended, facts, f"{supplier} #1"))
                )
            for number, pair in enumerate(run.corpus.pairs):
                supplier = supplier_of(mode, "pair", number)
                lines.append(Line("pairs", mode, pair.name, await judge_pair(stored, ended, pair, supplier)))
        for name, order in run.others.items():
            outcome = await outcome_of(stored, ended, order.task_id(1))
            items = [Item(*row) for row in await stored.items(order.supplier)]
            if name in run.corpus.invoices:
                lines.append(Line("invoices", "-", name, judge_invoice(run.corpus.invoices[name], outcome, items)))
            elif name in run.corpus.pages:
                lines.append(Line("pages", "-", name, judge_page(run.corpus.pages[name], outcome, items)))
            else:
                lines.append(Line("torture", "-", name, judge_torture(outcome)))
    finally:
        await connection.close()
    return lines


async def outcome_of(stored: Stored, ended: Ended, task_id: str) -> Outcome:
    return ended.refused.get(task_id) or await stored.outcome(task_id)


async def judge_list(stored: Stored, run: Run, ended: Ended, facts: Facts, task: str) -> Verdict:
    supplier = task.rpartition(" #")[0]
    return judge(
        facts,
        await outcome_of(stored, ended, task),
        [Item(*row) for row in await stored.items(supplier)],
        await stored.rejects(task),
        duplicates=run.duplicates,
        approved=ended.approved[task],
        unaided=task.startswith("automatic"),
    )


async def judge_pair(stored: Stored, ended: Ended, pair: Pair, supplier: str) -> Verdict:
    tasks = (f"{supplier} #1", f"{supplier} #2")
    for task in tasks:
        outcome = await outcome_of(stored, ended, task)
        if (question := outcome.question) is not None:
            return Verdict("held", question)
        if outcome.status != "completed":
            return Verdict("WRONG", f"{outcome.status}: {outcome.refusal}")
    found = dict(zip(("keys_added", "prices_changed"), await stored.changes(*tasks), strict=True))
    wrong = [
        f"{name.replace('_', ' ')}: {count} instead of {pair.document[name]}"
        for name, count in found.items()
        if pair.document.get(name) not in {None, count}
    ]
    if wrong:
        return Verdict("WRONG", "; ".join(wrong))
    approved = ended.approved[tasks[1]]
    told = f"{found['keys_added']} added, {found['prices_changed']} prices changed"
    return Verdict("right", told + (f", {approved} of them held and approved" if approved else ""))


def try_answers(settings: Settings, url: str, run: Run, ended: Ended, lines: Sequence[Line]) -> list[Line]:
    """Lets a person who knows the facts answer: of each held list every ready answer is taken, and the first one that
    makes it right is told. An answer that does not is no fault: such a person would not have given it."""
    held = {line.name for line in lines if (line.group, line.mode, line.verdict.word) == ("lists", "automatic", "held")}
    numbered = [(number, facts) for number, facts in enumerate(run.corpus.lists.values()) if facts.name in held]

    async def ask(number: int) -> Mapping[str, object] | None:
        connection = await asyncpg.connect(url)
        try:
            outcome = await Stored(connection).outcome(f"{supplier_of('automatic', 'list', number)} #1")
        finally:
            await connection.close()
        return outcome.asked

    async def answer(facts: Facts, orders: Sequence[Order]) -> str:
        connection = await asyncpg.connect(url)
        try:
            for place, order in enumerate(orders, start=1):
                verdict = await judge_list(Stored(connection), run, ended, facts, order.task_id(TURN))
                if verdict.word == "right":
                    return f"answer {place} is right: {verdict.told}"
        finally:
            await connection.close()
        return "no ready answer is right"

    orders = {
        facts.name: answered(run, number, facts, question)
        for number, facts in numbered
        if (question := asyncio.run(ask(number))) is not None
    }
    hand_in(settings, url, [order for some in orders.values() for order in some], TURN, ended)
    told = {facts.name: asyncio.run(answer(facts, orders.get(facts.name, ()))) for _, facts in numbered}
    return [
        line._replace(verdict=Verdict("held", f"{told[line.name]}; {line.verdict.told}"))
        if line.group == "lists" and line.mode == "automatic" and line.name in told
        else line
        for line in lines
    ]


TURN = 3
"""Of the answers."""


def show(lines: Sequence[Line], corpus: Corpus) -> int:
    """Prints; 1 if anything is wrong."""
    for line in lines:
        if line.group != "torture" or line.verdict.word != "right":
            print(f"{line.verdict.word:<6} {line.mode:<10} {line.name}: {line.verdict.told}")
    for name in corpus.missing:
        print(f"       -          {name}: described, but not here")
    print()
    for group, mode in dict.fromkeys((line.group, line.mode) for line in lines):
        here = [line.verdict for line in lines if (line.group, line.mode) == (group, mode)]
        counts = Counter(verdict.word for verdict in here)
        shares = ", ".join(f"{counts[word]} {word} ({100 * counts[word] / len(here):.0f} %)" for word in WORDS)
        ready = sum(verdict.word == "held" and verdict.told.startswith("answer ") for verdict in here)
        then = f"; {ready} of those held are right after one ready answer" if ready else ""
        print(f"{group}{'' if mode == '-' else f', {mode}'}: {len(here)} in all: {shares}{then}")
    return 1 if any(line.verdict.word == "WRONG" for line in lines) else 0


WORDS: tuple[Word, ...] = ("right", "held", "WRONG")


if __name__ == "__main__":
    sys.exit(main())
