"""When to look next: what holds whatever the estimate and the counters say, and what they are good for."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerun_action.core.model import Progress
from rerun_action.core.pace import LEAST_SECONDS, Rhythm, expected, pauses

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
    ],
)
def test_the_time_of_a_rerun(
    first: float | None, share: float, earlier: tuple[float, float] | None, seconds: float | None
) -> None:
    assert expected(first, share, earlier) == (None if seconds is None else pytest.approx(seconds))


def test_pauses_for_what_can_not_be_foreseen() -> None:
    rhythm = pauses(5.0)
    assert [next(rhythm) for _ in range(6)] == [1.0, 1.5, 2.25, 3.375, 5.0, 5.0]
