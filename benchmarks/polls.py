"""How often a run is looked at, and how late its end is seen: simulated runs, the action's own pauses, no waiting.

Durations are log-uniform from 20 s to 2 h. The estimate is off by a log-normal factor (sigma 0.5). Where there are
counters, 1 to 300 leaves (log-uniform) run on 1 to 4 machines, each leaf as soon as a machine is free, their times
log-normal (sigma 0.8). Pauses are capped at 60 s, the default of poll-interval-seconds. A fixed beat looks at once and
then every n seconds. Lag is the time from the end of a run to the look that sees it; relative lag is its share of the
duration, and the mean of it is what is compared, as are all looks together.
"""

import bisect
import heapq
import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.table import Row, table
from rerun_action.core.model import Progress
from rerun_action.core.pace import Rhythm

RUNS = 4000
SHORTEST, LONGEST = 20.0, 7200.0
CAP = 60.0


@dataclass(frozen=True)
class SimulatedRun:
    """A run: how long it takes, how long it was expected to, and when each of its leaves ends. All in seconds."""

    seconds: float
    expected: float
    leaf_ends: Sequence[float]


@dataclass(frozen=True)
class Cost:
    """What watching the runs cost: looks in all, and the mean relative lag."""

    looks: int
    lag: float


def simulated(seed: int, count: int = RUNS, *, sigma: float = 0.5, bias: float = 1.0) -> list[SimulatedRun]:
    """Return random runs."""
    dice = random.Random(seed)
    return [
        _one(dice, math.exp(dice.uniform(math.log(SHORTEST), math.log(LONGEST))), sigma, bias) for _ in range(count)
    ]


def _one(dice: random.Random, seconds: float, sigma: float = 0.5, bias: float = 1.0) -> SimulatedRun:
    expected = seconds * bias * math.exp(dice.gauss(0, sigma))
    leaves = min(300, int(math.exp(dice.uniform(0, math.log(301)))))
    machines = [0.0] * dice.randint(1, 4)
    ends = []
    for _ in range(leaves):
        end = heapq.heappop(machines) + math.exp(dice.gauss(0, 0.8))
        heapq.heappush(machines, end)
        ends.append(end)
    scale = seconds / max(ends)
    return SimulatedRun(seconds, expected, sorted(end * scale for end in ends))


def watch(run: SimulatedRun, *, estimate: bool, counters: bool) -> tuple[int, float]:
    """Watch a run as the action does; return the looks and the lag in seconds."""
    rhythm = Rhythm(CAP, run.expected if estimate else None)
    elapsed, looks = 0.0, 0
    while True:
        looks += 1  # the first one is at the start: what the trigger answers is no look
        done = bisect.bisect_right(run.leaf_ends, elapsed)
        progress = Progress(len(run.leaf_ends), done) if counters else Progress()
        elapsed += rhythm.pause(elapsed, progress)
        if elapsed >= run.seconds:
            return looks, elapsed - run.seconds


def beat(run: SimulatedRun, every: float) -> tuple[int, float]:
    """Watch a run at a fixed beat."""
    last = math.ceil(run.seconds / every)
    return last + 1, last * every - run.seconds


def cost(runs: Sequence[SimulatedRun], how: Callable[[SimulatedRun], tuple[int, float]]) -> Cost:
    """Watch all runs."""
    watched = [how(run) for run in runs]
    lag = fmean(lag / run.seconds for run, (_, lag) in zip(runs, watched, strict=True))
    return Cost(sum(looks for looks, _ in watched), lag)


WORLDS = {
    # what is known: (estimate, counters, share of the reference's looks to reach, share of its lag)
    "with an estimate": (True, False, 7, 1.0),
    "with an estimate and counters": (True, True, 8, 0.6),
    "with neither": (False, False, 3, 1.0),
}


def rows(seed: int = 1) -> list[Row]:
    """Return the part of the table that is about looks."""
    runs = simulated(seed)
    every_5 = cost(runs, lambda run: beat(run, 5))
    table_rows = []
    for known, (estimate, counters, looks_to_reach, lag_to_reach) in WORLDS.items():
        ours = cost(runs, lambda run: watch(run, estimate=estimate, counters=counters))  # noqa: B023 - called at once
        looks, lag = every_5.looks / ours.looks, ours.lag / every_5.lag
        table_rows.append(
            Row(
                f"looks at {RUNS:,} runs, {known}",
                f"a look every 5 s: {every_5.looks:,} looks, relative lag {every_5.lag:.2%}",
                f"1/{looks:.2f} of the looks, {lag:.2f} x the lag",
                f"<= 1/{looks_to_reach}, <= {lag_to_reach:g} x",
                looks >= looks_to_reach and lag <= lag_to_reach,
            )
        )
        for every in (10, 15, 300):
            other = cost(runs, lambda run: beat(run, every))  # noqa: B023 - called at once
            fewer, sooner = ours.looks <= other.looks, ours.lag <= other.lag
            where = "ahead on both" if fewer and sooner else "fewer looks, later" if fewer else "more looks, sooner"
            table_rows.append(
                Row(
                    f"the same, {known}",
                    f"a look every {every} s",
                    f"{ours.looks / other.looks:.2f} x the looks, {ours.lag / other.lag:.2f} x the lag: {where}",
                )
            )
    return table_rows + peers(seed)


def peers(seed: int) -> list[Row]:
    """Return the two runs that other programs were measured with, as means over 300 random courses of each."""
    made = []
    for seconds in (97.0, 1837.0):
        dice = random.Random(seed)
        runs = [_one(dice, seconds) for _ in range(300)]
        for known, (estimate, counters, _, _) in WORLDS.items():
            watched = [watch(run, estimate=estimate, counters=counters) for run in runs]
            looks, lag = fmean(looks for looks, _ in watched), fmean(lag for _, lag in watched)
            five_looks, five_lag = beat(runs[0], 5)
            made.append(
                Row(
                    f"a run of {seconds:,.0f} s, {known}",
                    f"a look every 5 s: {five_looks} looks, {five_lag:.0f} s late",
                    f"{looks:.0f} looks, {lag:.1f} s late",
                )
            )
    return made


if __name__ == "__main__":
    for number in [int(argument) for argument in sys.argv[1:]] or [1]:
        sys.stdout.write(f"seed {number}\n\n{table(rows(number))}\n")
