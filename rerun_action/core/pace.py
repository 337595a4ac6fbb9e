"""When to look next, and how long it may still take.

Looks are as dense as the chance that the run has just ended makes them worth: sparse while nothing can be done yet,
dense around the expected end, ever sparser when a run is overdue. The expected end is the estimate, corrected by the
pace at which the run's counters move, if they do. Neither is trusted further: the pause has a cap whatever they say.
"""

from collections.abc import Callable, Iterator
from math import sqrt

from rerun_action.core.model import Progress

LEAST_SECONDS = 1.0
"""The shortest pause, unless the cap is shorter."""
_COST = 0.091
"""What a look costs beside the time by which the end is seen late; the longer a run takes, the more of that may be."""
_GROWTH = 0.75
"""How much more: by this power of the time, which makes the pauses of an overdue run grow nearly geometrically."""
_ESTIMATE_SHAPE = 3.5
"""How closely runs end around their estimate (log-logistic): half of them within a third."""
_BLIND_SECONDS, _BLIND_SHAPE = 60.0, 2.0
"""What is taken for the estimate where there is none; only the looks of the first minutes depend on it."""
_PRIOR_LEAVES = 5.0
"""How many finished leaves the estimate weighs as much as, beside the pace that the counters show."""
_LEAF_VARIANCE = 0.9
_COUNTED_SHAPE = 1.75
"""How much the times of leaves differ, and how closely the end follows from those that are left."""
_STEP = 0.04
"""How finely a pause is sought."""
_SETUP_SECONDS = 30.0
"""What is taken for the time that a run spends whatever its size."""


class Rhythm:
    """The pauses between two looks at one run. All times are seconds since it was first seen.

    `cap` is the longest pause, `expected` how long the run may take (None: nobody knows).
    """

    def __init__(self, cap: float, expected: float | None = None) -> None:
        self._cap = cap
        self._expected = expected if expected and expected > 0 else None
        self._found: int | None = None
        """How many leaves had finished when the counters were first seen: their times are not known."""
        self._done = 0
        self._moved_at = 0.0

    def pause(self, elapsed: float, progress: Progress) -> float:
        """Return how long to wait for the next look, after one at `elapsed` that showed these counters."""
        density = self._density(elapsed, progress)
        pause = least = min(LEAST_SECONDS, self._cap)
        worth = density(elapsed + least / 2) * least
        while worth < 1 and pause < self._cap:
            step = pause * _STEP
            rate = density(elapsed + pause + step / 2)
            pause += min(step, (1 - worth) / rate)
            worth += step * rate
        return min(pause, self._cap)

    def _density(self, elapsed: float, progress: Progress) -> Callable[[float], float]:
        """Return how many looks a second are worth while at each moment."""
        if progress.total and self._found is None:
            self._found = self._done = progress.done
            if progress.done:
                self._moved_at = elapsed
        done = progress.done
        if done != self._done:
            self._done, self._moved_at = done, elapsed
        found = self._found or 0
        total, finished = (progress.total or 0) - found, max(done - found, 0)
        began, left, shape = 0.0, self._expected or _BLIND_SECONDS, _ESTIMATE_SHAPE if self._expected else _BLIND_SHAPE
        if total > 1 and (finished > 0 or self._expected):
            began, left, shape = self._counted(total, min(finished, total - 1))

        def density(at: float) -> float:
            since = max(at - began, 1e-9)
            ending = shape / since / (1 + min(left / since, 1e9) ** shape)  # the hazard of a log-logistic distribution
            return sqrt(ending / at**_GROWTH) / _COST

        return density

    def _counted(self, total: int, finished: int) -> tuple[float, float, float]:
        """Return when the counters moved last, how long the rest may take from there, and how closely it will."""
        prior = _PRIOR_LEAVES if self._expected else 0.0
        seconds_per_leaf = (self._moved_at + prior * (self._expected or 0.0) / total) / (finished + prior)
        left = total - finished + (0.25 if finished else 0.0)
        spread = _LEAF_VARIANCE * (1 / (finished + prior) + finished / (total * (total - finished)))
        return self._moved_at, left * max(seconds_per_leaf, 1e-9), min(_COUNTED_SHAPE / sqrt(spread), 20.0)


def expected(first: float | None, share: float, earlier: tuple[float, float] | None = None) -> float | None:
    """Return how many seconds a rerun of this share of the leaves may take, None if there is nothing to go by.

    `first` is the time of the first run, `earlier` the share and the time of an earlier rerun. A part of the time is
    spent whatever the share: queueing, starting machines. Two runs tell it; one leaves it to a rule of thumb.
    """
    if first is None:
        return None
    setup = min(_SETUP_SECONDS, first / 2)
    if earlier is not None and earlier[0] < 1:
        part, seconds = earlier
        setup = min(max((seconds - first * part) / (1 - part), 0.0), seconds)
        return setup + max(seconds - setup, 0.0) * share / part if part else seconds
    return setup + (first - setup) * min(share, 1.0)


def pauses(cap: float, *, first: float = 1.0) -> Iterator[float]:
    """Yield pauses for what can't be foreseen, in seconds: from `first`, growing by half, never beyond `cap`."""
    pause = first
    while pause < cap:
        yield pause
        pause *= 1.5
    while True:
        yield cap


def remaining(elapsed: float, progress: Progress, expected: float | None) -> float | None:
    """Return the seconds that a run may still take, None if there is nothing to go by.

    The counters are hints (API page, "Values"): good enough for a reader, never for a decision.
    """
    if progress.total and 0 < progress.done < progress.total:
        return elapsed * (progress.total - progress.done) / progress.done
    return expected - elapsed if expected is not None and expected > elapsed else None
