"""When to look next: what holds whatever the estimate and the counters say, and what they are good for."""

import itertools
from collections.abc import Sequence
from math import log, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerun_action.core.model import Progress
from rerun_action.core.pace import LEAST_SECONDS, Rhythm, expected, pauses, remaining

NOTHING = Progress()
seconds = st.floats(0, 1e6)
estimates = st.none() | st.floats(-10, 1e7) | st.just(0.0)
caps = st.floats(0.1, 86_400)
any_count = st.none() | st.integers(0, 2**63)
any_progress = st.builds(Progress, any_count, any_count, any_count)


def looks(rhythm: Rhythm, until: float, ends: Sequence[float] = ()) -> list[float]:
    """When a run of this length is looked at, the last time after its end; `ends` are those of its leaves."""
    at = [0.0]
    while at[-1] < until:
        done = sum(end <= at[-1] for end in ends)
        at.append(at[-1] + rhythm.pause(at[-1], Progress(len(ends) or None, done if ends else None)))
    return at


@given(caps, estimates, st.lists(st.tuples(st.floats(0, 1e5), any_progress), min_size=1, max_size=12))
def test_a_pause_is_never_longer_than_the_cap_nor_shorter_than_a_second(
    cap: float, estimate: float | None, seen: list[tuple[float, Progress]]
) -> None:
    rhythm, elapsed = Rhythm(cap, estimate), 0.0
    for more, progress in seen:
        elapsed += more
        pause = rhythm.pause(elapsed, progress)
        assert min(LEAST_SECONDS, cap) <= pause <= cap


@given(st.floats(20, 20_000), caps, estimates)
def test_the_end_is_never_seen_later_than_the_cap(length: float, cap: float, estimate: float | None) -> None:
    cap = max(cap, length / 500)  # only to be done soon
    assert length <= looks(Rhythm(cap, estimate), length)[-1] <= length + cap


def worth_of(start: float, pause: float, expected: float, shape: float) -> float:
    """How many looks a pause is worth: a look costs 0.091 for each s^(3/8), and misses the run's end by its density."""

    def still_going(at: float) -> float:
        return 1 / (1 + float((at / expected) ** shape))

    steps, worth = 4000, 0.0
    for step in range(steps):
        sooner, later = (start + pause * part / steps for part in (step, step + 1))
        hazard = log(still_going(sooner) / still_going(later)) / (later - sooner)
        worth += sqrt(hazard / ((sooner + later) / 2) ** 0.75) * (later - sooner) / 0.091
    return worth


@settings(max_examples=30)
@given(st.floats(1, 5_000), st.none() | st.floats(5, 5_000))
def test_a_pause_is_as_long_as_one_look_is_worth(elapsed: float, estimate: float | None) -> None:
    pause = Rhythm(1e9, estimate).pause(elapsed, NOTHING)
    worth = worth_of(elapsed, pause, estimate or 60.0, 3.5 if estimate else 2.0)
    assert worth == pytest.approx(1.0, rel=0.01) or (worth > 1.0 and pause == LEAST_SECONDS)


def counted(total: int, *done: int) -> list[Progress]:
    return [Progress(total, number) for number in done]


@pytest.mark.parametrize(
    ("cap", "estimate", "seen", "expected_pauses"),
    [
        (60.0, None, [NOTHING] * 6, [3.67, 3.16, 2.99, 2.9, 2.85, 2.82]),
        (60.0, 300.0, [NOTHING] * 6, [57.2, 25.65, 20.12, 17.26, 15.46, 14.2]),
        (0.5, 300.0, [NOTHING] * 2, [0.5, 0.5]),
        # fewer leaves are left each time: ever denser; and no end is near while few of them have finished
        (
            60.0,
            300.0,
            counted(10, 0, 0, 1, 2, 4, 6, 7, 8, 9, 9, 10, 10),
            [60.0, 33.31, 60.0, 60.0, 60.0, 55.19, 41.13, 25.83, 11.85, 7.72, 12.28, 8.0],
        ),
        (
            60.0,
            None,
            counted(10, 0, 0, 1, 2, 4, 6, 7, 8, 9, 9, 10, 10),
            [3.67, 3.16, 5.05, 8.17, 8.74, 6.58, 5.28, 3.51, 1.67, 1.15, 1.77, 1.22],
        ),
        (60.0, 900.0, counted(100, 50, 50, 60, 90, 95, 99, 100), [60.0, 60.0, 60.0, 32.95, 15.42, 2.99, 3.02]),
        (60.0, 300.0, counted(1, 0, 0, 0, 1, 1), [57.2, 25.65, 20.12, 17.26, 15.46]),  # one leaf tells nothing
        (60.0, 300.0, counted(2, 0, 0, 1, 1, 2), [60.0, 33.31, 25.59, 14.37, 28.49]),
        (60.0, None, counted(2, 0, 0, 1, 1, 2), [3.67, 3.16, 1.0, 1.0, 1.21]),
        (60.0, None, counted(5, 3, 3, 4, 5), [3.67, 3.16, 1.0, 1.08]),  # found at 3: their time is not known
        (60.0, None, [NOTHING, NOTHING, *counted(5, 3, 4, 3)], [3.67, 3.16, 2.99, 1.34, 2.88]),
    ],
)
def test_the_rhythm_of_some_runs(
    cap: float, estimate: float | None, seen: list[Progress], expected_pauses: list[float]
) -> None:
    rhythm, elapsed, found = Rhythm(cap, estimate), 0.0, list[float]()
    for progress in seen:
        found.append(rhythm.pause(elapsed, progress))
        elapsed += found[-1]
    assert found == pytest.approx(expected_pauses, abs=0.006)


@pytest.mark.parametrize("estimate", [None, 30.0, 300.0, 3000.0])
def test_an_overdue_run_is_looked_at_ever_less_often(estimate: float | None) -> None:
    at = [time for time in looks(Rhythm(1e6, estimate), 200_000) if time > 3 * (estimate or 60)]
    pauses_between = [later - sooner for sooner, later in itertools.pairwise(at)]
    assert pauses_between == pytest.approx(sorted(pauses_between))
    growth = pauses_between[-1] / pauses_between[-2]
    assert 1.0 < growth < 1.5


def test_looks_are_sparse_before_the_expected_end_and_dense_around_it() -> None:
    at = looks(Rhythm(60.0, 600.0), 900)
    before, around = (sum(low <= time < low + 200 for time in at) for low in (50, 500))
    assert at[1] == 60.0
    assert (before, around) == (5, 11)


def test_the_counters_move_the_dense_part_to_where_the_run_ends() -> None:
    leaves = [10.0 * number for number in range(1, 31)]  # done after 300 s, though 900 s were expected
    counted, uncounted = looks(Rhythm(60.0, 900.0), 300, leaves), looks(Rhythm(60.0, 900.0), 300)
    assert counted[-1] - 300 < 5 < uncounted[-1] - 300


def test_counters_that_stand_still_end_no_rhythm() -> None:
    rhythm = Rhythm(60.0, 100.0)
    at, elapsed = [], 0.0
    for _ in range(150):
        elapsed += rhythm.pause(elapsed, Progress(10, 10 if elapsed else 0))  # all done, but never final
        at.append(elapsed)
    assert at[-1] > 1000
    assert all(later - sooner <= 60.0 for sooner, later in itertools.pairwise(at))


def test_what_had_finished_before_the_first_look_says_nothing_of_the_pace() -> None:
    """A run that is found at 50 of 100 did not do these 50 in no time."""
    assert Rhythm(60.0, 600.0).pause(0.0, Progress(100, 50)) == Rhythm(60.0, 600.0).pause(0.0, Progress(50, 0))


@pytest.mark.parametrize(
    ("first", "share", "earlier", "seconds"),
    [
        (None, 0.5, None, None),
        (1030.0, 0.1, None, 130.0),  # 30 s whatever the share, and a tenth of the rest
        (10.0, 0.5, None, 7.5),  # of a short run, half at most is taken for its start
        (1000.0, 1.0, None, 1000.0),
        (1000.0, 0.05, (0.1, 190.0), 145.0),  # 100 s whatever the share, as two runs tell
        (1000.0, 0.05, (0.1, 100.0), 50.0),  # nothing but the share
        (1000.0, 0.05, (0.1, 40.0), 20.0),  # shorter than its share: the newer one is believed
        (1000.0, 0.05, (1.0, 800.0), 78.5),  # a rerun of everything tells nothing of the start
        (1000.0, 0.05, (0.0, 90.0), 90.0),  # nor does one of nothing
        (1000.0, 0.05, (0.1, 0.0), 0.0),
        (1000.0, 1.4, None, 1000.0),  # more leaves than the first run had, which it listed too few of
    ],
)
def test_the_time_of_a_rerun(
    first: float | None, share: float, earlier: tuple[float, float] | None, seconds: float | None
) -> None:
    assert expected(first, share, earlier) == (None if seconds is None else pytest.approx(seconds))


def test_pauses_for_what_can_not_be_foreseen() -> None:
    rhythm = pauses(5.0)
    assert [next(rhythm) for _ in range(6)] == [1.0, 1.5, 2.25, 3.375, 5.0, 5.0]


def test_a_cap_below_the_first_pause_is_all_there_is() -> None:
    rhythm = pauses(0.5)
    assert [next(rhythm) for _ in range(2)] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("elapsed", "progress", "estimate", "left"),
    [
        (60.0, Progress(40, 25, 5), None, 20.0),  # 30 of 40 in a minute
        (60.0, Progress(40, 25, 5), 500.0, 20.0),
        (60.0, Progress(40, 0, 0), 500.0, 440.0),
        (60.0, Progress(40, 40, 0), 500.0, 440.0),  # done, and not at its end: the counters are no help
        (60.0, NOTHING, 500.0, 440.0),
        (500.0, NOTHING, 500.0, None),
        (600.0, NOTHING, 500.0, None),
        (60.0, NOTHING, None, None),
    ],
)
def test_how_long_it_may_still_take(
    elapsed: float, progress: Progress, estimate: float | None, left: float | None
) -> None:
    assert remaining(elapsed, progress, estimate) == left
