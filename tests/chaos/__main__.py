"""`python -m tests.chaos`: storms of faults by seed and the sweep of all messages, bounded in time; `make chaos`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from tests.chaos.lists import orders, write_lists
from tests.chaos.recovery import Recovered, missed, table
from tests.chaos.site import Servers, servers
from tests.chaos.storm import FAULTS_OF_A_SEED, Outcome, Weather, run_seed, undisturbed
from tests.chaos.sweep import Swept, sweep

ROWS = 1_200
STORMS = 0.6
"""Share of the time in which seeds are begun; the rest is for the sweep."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every seed that was begun ends as it must and the recovery times are kept, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", default="1-20", help="FIRST-LAST or one number (default 1-20)")
    parser.add_argument("--minutes", type=float, default=15.0, help="no seed is begun that would end later (15)")
    parser.add_argument("--faults", type=int, default=FAULTS_OF_A_SEED, help="most faults of a seed")
    parser.add_argument("--sweep", type=int, default=1, help="kill at each of so many messages; 0 = none (1)")
    parser.add_argument("--keep", type=Path, help="directory for the logs of the workers")
    chosen = parser.parse_args(arguments)
    first, _, last = chosen.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    ends = monotonic() + chosen.minutes * 60
    home = chosen.keep or Path(tempfile.mkdtemp(prefix="pricemill-chaos-"))
    with servers() as both:
        share = STORMS if chosen.sweep else 1.0
        outcomes = asyncio.run(
            storms(
                both, seeds, home=home, until=monotonic() + chosen.minutes * 60 * share, weather=Weather(chosen.faults)
            )
        )
        swept = asyncio.run(sweep(both, home / "sweep", every=chosen.sweep, until=ends)) if chosen.sweep else Swept()
    return max(report(outcomes, wanted=len(seeds), home=home), report_sweep(swept))


async def storms(both: Servers, seeds: Sequence[int], *, home: Path, until: float, weather: Weather) -> list[Outcome]:
    lists = home / "lists"
    write_lists(lists, rows=ROWS)
    tasks = orders(lists)
    calm = await undisturbed(both, lists, home / "calm", tasks)
    outcomes: list[Outcome] = []
    for seed in seeds:
        longest = max((outcome.seconds for outcome in outcomes), default=0.0)
        if monotonic() + longest > until:
            break
        outcome = await run_seed(
            both, seed, calm=calm, lists=lists, home=home / f"seed-{seed}", tasks=tasks, weather=weather
        )
        outcomes.append(outcome)
        verdict = "as it must" if not outcome.wrong else "WRONG"
        print(f"seed {seed:3}  {len(outcome.faults):3} faults  {outcome.seconds:5.1f} s  {verdict}", flush=True)
        for line in outcome.wrong:
            print(f"    {line}", flush=True)
    return outcomes


def report(outcomes: Sequence[Outcome], *, wanted: int, home: Path) -> int:
    recovered: list[Recovered] = [one for outcome in outcomes for one in outcome.recovered]
    print(f"\n{table(recovered)}\n")
    failed = [outcome for outcome in outcomes if outcome.wrong]
    for outcome in failed:
        print(f"seed {outcome.seed} failed. Again: python -m tests.chaos --seeds {outcome.seed}")
        print("\n".join(f"  {line}" for line in (*outcome.faults, *outcome.wrong)))
        print(f"  logs of its workers: {home}/seed-{outcome.seed}")
    late = missed(recovered)
    for line in late:
        print(line)
    right, faults = len(outcomes) - len(failed), sum(len(outcome.faults) for outcome in outcomes)
    print(f"{right} of {len(outcomes)} seeds right, {wanted - len(outcomes)} not begun; {faults} faults")
    return 1 if failed or late or not outcomes else 0


def report_sweep(swept: Swept) -> int:
    if swept.messages:
        print(
            f"a load of two tasks is {swept.messages} messages; killed before or behind {len(swept.killed)} of them, "
            f"{swept.left} for which there was no time; {len(swept.wrong)} ended wrong"
        )
    for line in swept.wrong:
        print(f"  {line}")
    return 1 if swept.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
