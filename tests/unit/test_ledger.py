"""The ledger: the same truth, whichever listing shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from rerun_action.core.ledger import Ledger, assign
from rerun_action.core.model import CaseResult, Listing, Pick, RerunRequest, Result
from tests.support.listings import case, listing

F, P, A = Result.FAILURE, Result.SUCCESS, Result.ABORTED


def read(*batches: Sequence[Listing]) -> Ledger:
    ledger = Ledger()
    for batch in batches:
        ledger.read(batch)
    return ledger


def ask(ledger: Ledger, run_id: int, *numbers: int) -> None:
    ledger.ask(run_id, RerunRequest((Pick(1),), numbers, numbers))


def seen(ledger: Ledger) -> list[list[tuple[int | None, int, str]]]:
    return [[(o.run_id, o.result_id, o.result.value) for o in h.observations] for h in ledger.histories]


# Run 1, in which leaf A failed (id 11) and leaf B passed (id 12), and its rerun 2 of A, which passed (id 21).
ROOT_OWN = listing(1, case(11, F, name=1), case(12, P, name=2))
ROOT_MERGED = listing(1, case(21, P, name=1), case(12, P, name=2))
RERUN_OWN = listing(2, case(21, P, name=1))
RERUN_MERGED = listing(2, case(21, P, name=1), case(12, P, name=2))

ARRIVING_LATE: Mapping[str, tuple[Listing, Listing, list[list[tuple[int | None, int, str]]]]] = {
    "own rows only": (ROOT_OWN, RERUN_OWN, [[(1, 11, "FAILURE"), (2, 21, "SUCCESS")], [(1, 12, "SUCCESS")]]),
    "merged on the rerun": (ROOT_OWN, RERUN_MERGED, [[(1, 11, "FAILURE"), (2, 21, "SUCCESS")], [(1, 12, "SUCCESS")]]),
    "merged on the first": (ROOT_MERGED, RERUN_OWN, [[(2, 21, "SUCCESS")], [(1, 12, "SUCCESS")]]),
    "merged on both": (ROOT_MERGED, RERUN_MERGED, [[(None, 21, "SUCCESS")], [(None, 12, "SUCCESS")]]),
}


@pytest.mark.parametrize("habit", ARRIVING_LATE)
def test_arriving_after_the_rerun_each_habit_gives_the_latest_state(habit: str) -> None:
    root, rerun, expected = ARRIVING_LATE[habit]
    ledger = read([root, rerun])
    assert seen(ledger) == expected
    assert [history.latest for history in ledger.histories] == [P, P]


@pytest.mark.parametrize("after", [RERUN_OWN, RERUN_MERGED], ids=["own", "merged"])
def test_present_during_the_rerun_only_the_new_id_is_a_new_observation(after: Listing) -> None:
    ledger = read([ROOT_OWN])
    ask(ledger, 2, 0)
    ledger.read([after])
    assert seen(ledger) == [[(1, 11, "FAILURE"), (2, 21, "SUCCESS")], [(1, 12, "SUCCESS")]]
    assert not ledger.histories[0].unseen


def test_an_old_observation_in_a_merged_listing_is_not_a_new_one() -> None:
    ledger = read([ROOT_OWN])
    ask(ledger, 2, 0)
    ledger.read([listing(2, case(11, F, name=1), case(12, P, name=2))])
    assert ledger.histories[0].unseen
    assert seen(ledger) == [[(1, 11, "FAILURE")], [(1, 12, "SUCCESS")]]


def test_the_newest_run_rules_even_when_only_the_first_listing_is_merged() -> None:
    # run 2 failed A again (21), run 3 passed it (31); the first run's listing already shows 31
    ledger = read([listing(1, case(31, P)), listing(2, case(21, F)), listing(3, case(31, P))])
    assert [o[1] for o in seen(ledger)[0]] == [21, 31]
    assert ledger.histories[0].latest is P


def test_a_pass_that_fails_in_a_later_run_has_failed() -> None:
    ledger = read([ROOT_OWN], [listing(2, case(21, P, name=1), case(22, A, name=2))])
    assert ledger.histories[1].latest is A


def test_the_same_id_with_another_result_is_a_new_observation() -> None:
    ledger = read([ROOT_OWN], [listing(1, case(11, P, name=1), case(12, P, name=2))])
    assert seen(ledger)[0] == [(1, 11, "FAILURE"), (1, 11, "SUCCESS")]
    assert ledger.histories[0].latest is P


def test_an_unfinished_result_is_replaced_by_what_it_becomes() -> None:
    ledger = read([listing(1, case(11, Result.RUNNING))])
    assert ledger.unsettled_runs() == {1}
    ledger.read([listing(1, case(11, F))])
    assert seen(ledger) == [[(1, 11, "FAILURE")]]
    assert ledger.unsettled_runs() == frozenset()


def test_an_unfinished_result_of_an_unknown_run_is_looked_for_where_it_was_listed_last() -> None:
    unfinished = case(11, Result.RUNNING)
    ledger = read([listing(1, unfinished), listing(2, unfinished), listing(3, case(32, P, name=2))])
    assert seen(ledger)[0] == [(None, 11, "RUNNING")]
    assert ledger.unsettled_runs() == {2}


def test_an_unfinished_result_is_looked_for_where_it_was_listed_last() -> None:
    ledger = read([listing(1, case(11, Result.RUNNING))], [listing(2, case(11, Result.RUNNING))])
    assert ledger.unsettled_runs() == {2}


def test_a_leaf_that_joins_in_a_rerun_counts() -> None:
    ledger = read([listing(1, case(11, F, name=1))], [listing(2, case(21, P, name=1), case(22, F, name=9))])
    assert [history.latest for history in ledger.histories] == [P, F]


def test_an_old_result_that_a_later_listing_carries_along_does_not_beat_a_newer_one() -> None:
    # each listing shows its own rows beside those of the first run
    ledger = read([listing(1, case(11, P)), listing(2, case(21, F)), listing(3, case(11, P))])
    assert [o[1] for o in seen(ledger)[0]] == [11, 21]
    assert ledger.histories[0].latest is F


def test_what_the_listing_of_a_run_shows_beside_its_own_result_is_a_later_runs() -> None:
    # the plan's own rerun has begun, and the first run's listing shows it before anybody could know of it
    ledger = read([ROOT_OWN], [ROOT_MERGED])
    assert seen(ledger) == [[(1, 11, "FAILURE"), (None, 21, "SUCCESS")], [(1, 12, "SUCCESS")]]


def test_the_same_goes_for_several_listings_read_again() -> None:
    ledger = read([ROOT_OWN, listing(2, case(22, F, name=2))], [ROOT_MERGED, listing(2, case(22, F, name=2))])
    assert seen(ledger)[0] == [(1, 11, "FAILURE"), (None, 21, "SUCCESS")]


def test_a_leaf_that_only_a_later_run_has_says_nothing_of_the_listings_between() -> None:
    # merged on both; leaf C is new in run 3, leaf A failed in run 1 and passed in run 3
    root = listing(1, case(31, P, name=1), case(22, P, name=2), case(33, P, name=3))
    between = listing(2, case(11, F, name=1), case(22, P, name=2))
    newest = listing(3, case(31, P, name=1), case(22, P, name=2), case(33, P, name=3))
    assert seen(read([root, between, newest]))[0] == [(None, 11, "FAILURE"), (None, 31, "SUCCESS")]


def test_a_case_result_from_before_the_case_was_a_leaf_of_its_own_is_old_news() -> None:
    # run 1: the case passed, its row failed; run 2: the row passed, and the case failed without a failed row
    first = listing(1, case(10, P, (11, "a", F)))
    ledger = read([first], [listing(2, case(20, F, (21, "a", P)))], [replace(first, run_id=2)])
    assert [history.leaf.iteration for history in ledger.histories] == ["a", None]
    assert seen(ledger) == [[(1, 11, "FAILURE"), (2, 21, "SUCCESS")], [(2, 20, "FAILURE")]]


def test_a_case_result_from_before_that_has_changed_since_is_news() -> None:
    first = listing(1, case(10, P, (11, "a", F)))
    changed = listing(1, case(10, Result.STOPPED, (11, "a", F)))
    ledger = read([first], [listing(2, case(20, P, (21, "a", P)))], [listing(3, case(30, F, (31, "a", P)))], [changed])
    assert ledger.histories[1].latest is Result.STOPPED


def test_of_a_case_that_becomes_a_leaf_of_its_own_nothing_is_said_to_be_of_a_run_that_it_may_not_be_of() -> None:
    # merged on both: run 1 failed without a failed row, run 3 passed; run 2 has nothing of it and lists run 1's
    passed, failed = case(30, P, (31, "a", P)), case(10, F, (11, "a", P))
    other = case(22, P, name=2)
    ledger = read([listing(1, passed, other), listing(2, failed, other), listing(3, passed, other)])
    assert seen(ledger)[2] == [(None, 10, "FAILURE"), (None, 30, "SUCCESS")]


def test_a_case_result_beside_one_that_its_rows_explained_is_a_later_runs() -> None:
    first = listing(1, case(11, F, (12, "a", F), (13, "b", P)))
    ledger = read([first], [listing(1, case(21, F, (22, "a", P), (13, "b", P)))])
    assert seen(ledger) == [
        [(1, 12, "FAILURE"), (None, 22, "SUCCESS")],
        [(1, 13, "SUCCESS")],
        [(None, 21, "FAILURE")],
    ]


def test_a_known_result_is_newer_than_what_comes_to_light_before_it() -> None:
    # the first run's listing showed run 3's failure when nobody could know of runs 2 and 3
    ledger = read([listing(1, case(31, F))], [listing(2, case(21, P)), listing(3, case(31, F))])
    assert seen(ledger) == [[(2, 21, "SUCCESS"), (3, 31, "FAILURE")]]
    assert ledger.histories[0].latest is F


def test_a_known_result_that_a_later_listing_carries_along_is_not_newer() -> None:
    ledger = read([listing(1, case(11, F))], [listing(2, case(21, P)), listing(3, case(11, F))])
    assert [o[1] for o in seen(ledger)[0]] == [11, 21]


def test_in_how_many_runs_a_leaf_was_seen() -> None:
    (history, _) = read([ROOT_MERGED, RERUN_MERGED]).histories
    assert [o.run_id for o in history.observations] == [None]
    assert [history.seen_in(runs) for runs in ((), (2,), (2, 3))] == [0, 1, 1]
    assert history.seen_in((2,), unsure=False) == 0


def test_an_id_that_is_unfinished_for_a_while_and_fails_again_is_no_new_observation() -> None:
    ledger = read([listing(1, case(11, F))])
    ask(ledger, 2, 0)
    ledger.read([listing(2, case(11, Result.RUNNING))])
    ledger.read([listing(2, case(11, F))])
    assert seen(ledger) == [[(1, 11, "FAILURE")]]
    assert ledger.histories[0].unseen


def test_an_id_that_is_listed_twice_is_one_result() -> None:
    twice = case(10, F, (11, "a", F), (11, "a", F))
    ledger = read([listing(1, twice, twice)])
    assert seen(ledger) == [[(1, 11, "FAILURE")]]


def test_the_same_case_in_two_suites_is_two_leaves() -> None:
    other = case(12, P)._replace(suite_id=2)
    ledger = read([listing(1, case(11, F), other)], [listing(2, case(22, F)._replace(suite_id=2))])
    assert [[i for _, i, _ in o] for o in seen(ledger)] == [[11], [12, 22]]


# --- rows -----------------------------------------------------------------------------------------------------------


def test_rows_are_leaves_and_their_case_is_not() -> None:
    ledger = read([listing(1, case(10, F, (11, "a", F), (12, "b", P)))])
    assert [(h.leaf.iteration, h.latest) for h in ledger.histories] == [("a", F), ("b", P)]


def test_a_data_driven_case_that_failed_without_a_failed_row_is_a_leaf_of_its_own() -> None:
    ledger = read([listing(1, case(10, F, (11, "a", P)))])
    assert [(h.leaf.iteration, h.latest) for h in ledger.histories] == [(None, F), ("a", P)]
    ledger.read([listing(2, case(20, P, (21, "a", P)))])
    assert [(h.leaf.iteration, h.latest) for h in ledger.histories] == [(None, P), ("a", P)]


def test_a_case_result_that_a_failed_row_explained_is_old_news_once_the_row_has_passed() -> None:
    # a merged listing shows the row of the rerun, but still the case result of the first run
    ledger = read([listing(1, case(10, F, (11, "a", F)))], [listing(2, case(10, F, (21, "a", P)))])
    assert [(h.leaf.iteration, h.latest) for h in ledger.histories] == [("a", P)]


def test_an_unfinished_row_explains_no_failed_case() -> None:
    ledger = read([listing(1, case(10, F, (11, "a", Result.RUNNING)))], [listing(1, case(10, F, (11, "a", P)))])
    assert [(h.leaf.iteration, h.latest) for h in ledger.histories] == [("a", P), (None, F)]


def test_a_failed_row_inside_a_passed_case_is_a_failed_row() -> None:
    ledger = read([listing(1, case(10, P, (11, "a", F), (12, "b", P)))])
    assert [(h.leaf.iteration, h.latest) for h in ledger.histories] == [("a", F), ("b", P)]


def test_a_data_driven_case_that_was_never_begun_is_a_leaf_and_its_rows_join_later() -> None:
    ledger = read([listing(1, case(10, Result.NOT_EXECUTED))], [listing(2, case(20, P, (21, "a", P)))])
    assert [(h.leaf.iteration, h.latest) for h in ledger.histories] == [(None, P), ("a", P)]


def test_rows_merged_under_a_new_case_result_keep_their_history() -> None:
    # the documented listing: rows of the first run and of the rerun under one new case result
    ledger = read(
        [listing(1, case(10, F, (11, "a", P), (12, "b", F), (13, "c", F)))],
        [listing(2, case(20, F, (11, "a", P), (22, "b", P), (13, "c", F)))],
    )
    assert [[(r, i) for r, i, _ in o] for o in seen(ledger)] == [[(1, 11)], [(1, 12), (2, 22)], [(1, 13)]]
    assert [h.seen[-1].case_result_id for h in ledger.histories] == [20, 20, 20]


# --- the same name more than once -------------------------------------------------------------------------------------


def test_the_same_case_on_two_machines_is_two_leaves() -> None:
    ledger = read([listing(1, case(11, F, machine=1), case(12, P, machine=2))], [listing(2, case(21, P, machine=1))])
    assert [[i for _, i, _ in o] for o in seen(ledger)] == [[11, 21], [12]]


@pytest.mark.parametrize(
    ("asked", "rerun", "expected"),
    [
        ((1,), [case(21, P)], [[11], [12, 21]]),
        ((0,), [case(21, P)], [[11, 21], [12]]),
        ((0, 1), [case(21, P), case(22, F)], [[11, 21], [12, 22]]),
        # merged: the occurrence that is shown by its old id was not run
        ((0, 1), [case(11, F), case(22, P)], [[11], [12, 22]]),
        ((0,), [case(11, F), case(12, F), case(21, P)], [[11, 21], [12]]),
        # one result for two that were asked for speaks for neither
        ((0, 1), [case(21, P)], [[11], [12], [21]]),
        # two results for one that was asked for: both have to pass
        ((0,), [case(21, P), case(22, F)], [[11, 21, 22], [12]]),
        ((0,), [case(21, F), case(22, P)], [[11, 21, 22], [12]]),
    ],
)
def test_the_same_case_twice_on_one_machine(
    asked: tuple[int, ...], rerun: list[CaseResult], expected: list[list[int]]
) -> None:
    ledger = read([listing(1, case(11, F), case(12, F))])
    ask(ledger, 2, *asked)
    ledger.read([listing(2, *rerun)])
    assert [[i for _, i, _ in o] for o in seen(ledger)] == expected
    for number in asked:
        history = ledger.histories[number]
        passed = [o.result for o in history.observations if o.run_id == 2]
        assert (history.latest is P) == (bool(passed) and all(result is P for result in passed))


@pytest.mark.parametrize(
    "again",
    [
        # in another order, by the ids of the cases; and under new ones, by those of their rows
        [case(20, P, (21, "a", P)), case(10, F, (11, "a", F), (12, "b", P))],
        [case(40, P, (21, "a", P)), case(30, F, (12, "b", P), (11, "a", F))],
    ],
)
def test_the_same_case_twice_is_told_apart_by_what_is_known_of_each(again: list[CaseResult]) -> None:
    ledger = read([listing(1, case(10, F, (11, "a", F), (12, "b", P)), case(20, F, (21, "a", F)))])
    ledger.read([listing(1, *again)])
    assert seen(ledger) == [
        [(1, 11, "FAILURE")],
        [(1, 12, "SUCCESS")],
        [(1, 21, "FAILURE"), (1, 21, "SUCCESS")],
    ]
    later = read([listing(1, case(10, F, (11, "a", F)), case(20, F, (21, "a", F)))])
    ask(later, 2, 0, 1)
    later.read([listing(2, case(40, P, (41, "a", P)), case(20, F, (21, "a", F)))])  # the second one was not run
    assert [[i for _, i, _ in o] for o in seen(later)] == [[11, 41], [21]]


@pytest.mark.parametrize(
    ("asked", "rerun", "expected"),
    [
        ((1,), [(21, "a", P)], [[11], [12, 21], [13]]),
        ((0, 1), [(21, "a", P), (22, "a", F)], [[11, 21], [12, 22], [13]]),
        ((0, 1), [(11, "a", F), (22, "a", P), (13, "b", P)], [[11], [12, 22], [13]]),
        ((0, 1), [(21, "a", P)], [[11], [12], [13], [21]]),
    ],
)
def test_the_same_row_name_twice_in_one_case(
    asked: tuple[int, ...], rerun: list[tuple[int, str, Result]], expected: list[list[int]]
) -> None:
    ledger = read([listing(1, case(10, F, (11, "a", F), (12, "a", F), (13, "b", P)))])
    ask(ledger, 2, *asked)
    ledger.read([listing(2, case(20, P, *rerun))])
    assert [[i for _, i, _ in o] for o in seen(ledger)] == expected


def test_a_pass_that_can_not_be_told_apart_is_nobodys_pass() -> None:
    ledger = read([listing(1, case(11, F), case(12, P))], [listing(2, case(21, P))])
    assert [history.latest for history in ledger.histories] == [F, P, P]


@pytest.mark.parametrize(
    ("slots", "represented", "covered", "fresh", "expected"),
    [
        (0, set(), set(), 2, [(), ()]),
        (1, set(), set(), 1, [(0,)]),
        (1, set(), {0}, 2, [(0,), (0,)]),
        (2, set(), {1}, 1, [(1,)]),
        (2, {0}, {0}, 1, [(1,)]),
        (2, {0, 1}, {0}, 1, [(0,)]),
        (3, set(), {0, 2}, 2, [(0,), (2,)]),
        (3, set(), {0, 2}, 1, [()]),
        (3, set(), {0, 2}, 3, [(0, 2), (0, 2), (0, 2)]),
        (2, set(), set(), 2, [(0,), (1,)]),
        (2, set(), set(), 1, [()]),
    ],
)
def test_assign(
    slots: int, represented: set[int], covered: set[int], fresh: int, expected: list[tuple[int, ...]]
) -> None:
    assert assign(slots, represented, covered, fresh) == expected
