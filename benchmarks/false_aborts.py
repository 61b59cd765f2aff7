"""How often a sound list is stopped and a broken one is not: the shipped abort policies on simulated lists.

`python -m benchmarks.false_aborts [--runs 2000] [--policy conservative]`

The model. Sound: each row fails with probability 10 % (the background of the requirements); failures stand in clusters,
whose length is geometric with the given mean, as sections and pages do. Broken: the same, and from a row anywhere in
the first half on, each row fails with the given probability to the end of the list. A list is committed in chunks, and
the policy looks behind each commit, as in production. Intervals are Clopper-Pearson, 95 %.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contracts.account import Account
from resilience.abort.policy import CONSERVATIVE, POLICIES, AbortPolicy, Trigger, abort_policy_named
from resilience.abort.watch import RunWatch

BACKGROUND = 0.1
FALSE_LIMIT = 0.005
MISSED_LIMIT = 0.01
NAIVE = AbortPolicy(
    id="naive",
    triggers=(Trigger(id="ten_rows", unit="row", window=10, min_operations=10),),
    cluster=1,
    risk=0.999_999,
)
"""More than half of ten rows, without a bound: its risk is spent on one look, so that the bound never speaks."""


class Setting(NamedTuple):
    rows: int
    chunk: int
    cluster: int


SETTINGS = tuple(
    Setting(rows, chunk, cluster)
    for rows, chunk in ((1_000, 100), (20_000, 100), (20_000, 2_000), (100_000, 500), (100_000, 15_000))
    for cluster in (1, 5, 20)
)


def failing(rng: np.random.Generator, rows: int, *, rate: float, cluster: int) -> NDArray[np.bool_]:
    """One list: True where a row fails. Runs of good and bad rows with geometric lengths; the bad ones have `cluster`
    on average, the good ones what makes the share `rate`."""
    if cluster == 1:
        return rng.random(rows) < rate
    bad = np.zeros(rows, dtype=bool)
    mean_good = cluster * (1 - rate) / rate
    count = max(16, int(rows / (cluster + mean_good) * 3))
    at = 0
    while at < rows:
        lengths = np.empty(2 * count, dtype=np.int64)
        lengths[0::2] = rng.geometric(1 / mean_good, count)
        lengths[1::2] = rng.geometric(1 / cluster, count)
        borders = np.cumsum(lengths) + at
        marks = np.zeros(rows + 1, dtype=np.int8)
        starts, ends = borders[0::2], borders[1::2]
        marks[starts[starts < rows]] += 1
        np.subtract.at(marks, np.minimum(ends[starts < rows], rows), 1)
        bad |= np.cumsum(marks[:rows]).astype(bool)
        at = int(borders[-1])
    return bad


def stops_at(policy: AbortPolicy, bad: NDArray[np.bool_], chunk: int, codes: Iterable[str]) -> int | None:
    """The row behind which the policy stops this list; None if never. Failures take the given codes in turn."""
    watch, total, names = RunWatch(policy), Account(), list(codes)
    sums = np.add.reduceat(bad, np.arange(0, len(bad), chunk))
    for look, failed in enumerate(sums.tolist(), start=1):
        read = min(chunk, len(bad) - (look - 1) * chunk)
        shares = Counter({name: failed // len(names) for name in names})
        shares[names[0]] += failed - shares.total()
        account = Account(read=read, new=read - failed, rejected=shares)
        total.add(account)
        watch.record(account)
        if watch.verdict(total, look=look) is not None:
            return min(look * chunk, len(bad))
    return None


def interval(hits: int, runs: int) -> tuple[float, float]:
    """Clopper-Pearson, 95 %, by bisection on the binomial tail."""
    low = 0.0 if hits == 0 else _solve(lambda p: _at_least(hits, runs, p), 0.025)
    high = 1.0 if hits == runs else _solve(lambda p: _at_least(hits + 1, runs, p), 0.975)
    return low, high


def _solve(tail, wanted: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) < wanted else (low, middle)
    return low


def _at_least(hits: int, runs: int, p: float) -> float:
    if p in {0.0, 1.0}:
        return p
    n = np.arange(hits, runs + 1)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, runs + 1)))])
    return float(
        np.exp(
            factorials[runs] - factorials[n] - factorials[runs - n] + n * np.log(p) + (runs - n) * np.log1p(-p)
        ).sum()
    )


def false_aborts(policy: AbortPolicy, setting: Setting, runs: int, rng: np.random.Generator) -> int:
    codes = ("price_not_a_number", "row_ragged")
    return sum(
        stops_at(policy, failing(rng, setting.rows, rate=BACKGROUND, cluster=setting.cluster), setting.chunk, codes)
        is not None
        for _ in range(runs)
    )


def missed(
    policy: AbortPolicy, setting: Setting, runs: int, rate: float, rng: np.random.Generator
) -> tuple[int, list[int]]:
    """(lists that went through, rows between the beginning of the failure and the stop of the others)."""
    gone, delays = 0, []
    for _ in range(runs):
        bad = failing(rng, setting.rows, rate=BACKGROUND, cluster=setting.cluster)
        begin = int(rng.integers(0, setting.rows // 2))
        bad[begin:] |= rng.random(setting.rows - begin) < rate
        stop = stops_at(policy, bad, setting.chunk, ("price_not_a_number",))
        if stop is None:
            gone += 1
        else:
            delays.append(max(stop - begin, 0))
    return gone, delays


def lines(policy: AbortPolicy, runs: int, seed: int) -> Iterator[tuple[str, bool]]:
    """What is printed, and whether it is within its limit."""
    rng = np.random.default_rng(seed)
    yield f"policy {policy.id}, {runs} lists a line, background {BACKGROUND:.0%}, seed {seed}", True
    hits_of_all = runs_of_all = 0
    for setting in SETTINGS:
        hits = false_aborts(policy, setting, runs, rng)
        hits_of_all, runs_of_all = hits_of_all + hits, runs_of_all + runs
        yield f"  sound   {_told(setting)}  stopped {_share(hits, runs)}", hits / runs < FALSE_LIMIT
    yield (
        f"false aborts in all: {_share(hits_of_all, runs_of_all)}, allowed < {FALSE_LIMIT:.1%}",
        (interval(hits_of_all, runs_of_all)[1] < FALSE_LIMIT),
    )
    gone_of_all = broken_of_all = 0
    for rate in (1.0, 0.9, 0.75):
        for setting in SETTINGS:
            gone, delays = missed(policy, setting, max(runs // 5, 1), rate, rng)
            gone_of_all, broken_of_all = gone_of_all + gone, broken_of_all + max(runs // 5, 1)
            late = f"{int(np.median(delays)):>6,} rows" if delays else "never"
            yield (
                (
                    f"  broken  {_told(setting)}  {rate:>4.0%} fail  missed {_share(gone, max(runs // 5, 1))}  "
                    f"stopped after (median) {late}"
                ),
                gone / max(runs // 5, 1) < MISSED_LIMIT,
            )
    yield (
        f"missed in all: {_share(gone_of_all, broken_of_all)}, allowed < {MISSED_LIMIT:.0%}",
        (interval(gone_of_all, broken_of_all)[1] < MISSED_LIMIT),
    )


def _told(setting: Setting) -> str:
    return f"{setting.rows:>7,} rows, chunks of {setting.chunk:>6,}, clusters of {setting.cluster:>2}"


def _share(hits: int, runs: int) -> str:
    low, high = interval(hits, runs)
    return f"{hits / runs:6.2%} [{low:.2%}, {high:.2%}]"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--policy", choices=[name for name in POLICIES if name != "off"], default=CONSERVATIVE)
    parser.add_argument("--seed", type=int, default=20)
    chosen = parser.parse_args()
    held = True
    for line, good in lines(abort_policy_named(chosen.policy), chosen.runs, chosen.seed):
        print(line if good else f"{line}  ABOVE ITS LIMIT", flush=True)
        held &= good
    rng = np.random.default_rng(chosen.seed)
    print("for comparison, more than half of 10 rows without a bound, looked at every 10 rows:")
    for rows in (1_000, 20_000):
        setting, runs = Setting(rows, 10, 5), min(chosen.runs, 200)
        print(f"  sound   {_told(setting)}  stopped {_share(false_aborts(NAIVE, setting, runs, rng), runs)}")
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
