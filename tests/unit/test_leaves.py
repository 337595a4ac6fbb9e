"""Cases that stay folded, or are begun at once: the ledger says of them what matching everything would have said."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerun_action.core import ledger as ledgers
from rerun_action.core import policy as policies
from rerun_action.core.filters import pattern_of
from rerun_action.core.ledger import Ledger
from rerun_action.core.model import (
    CaseResult,
    Decision,
    Iterations,
    Leaf,
    LeafReport,
    Listing,
    Observation,
    Policy,
    QuarantineEntry,
    RerunRequest,
    Result,
    Run,
    Verdict,
)
from rerun_action.core.policy import decide, hints, quarantine, refusal, request, stale_entries
from rerun_action.core.verdict import contradiction, judge, judge_opened, message, outcome
from tests.support.listings import case, listing

F, P = Result.FAILURE, Result.SUCCESS

WORDS = st.sampled_from([P, P, P, P, F, Result.ABORTED, Result.RUNNING, Result.UNKNOWN])
IDS = st.integers(1, 12)  # few, so that the same ones come back: in the same listing, under other names, in other runs
ROWS = st.lists(st.tuples(IDS, st.sampled_from("abc"), WORDS), max_size=3)
CASES = st.builds(
    lambda result_id, result, rows, name, machine: case(result_id, result, *rows, name=name, machine=machine),
    IDS,
    WORDS,
    ROWS,
    st.integers(1, 4),
    st.sampled_from([1, 1, 1, 2]),
)
LISTINGS = st.lists(CASES, max_size=5)
PASSING = st.builds(
    lambda *named: [case(i, P, *rows, name=n) for n, (i, rows) in enumerate(named, 1)],
    *[st.tuples(IDS, st.lists(st.tuples(IDS, st.sampled_from("abc"), st.just(P)), max_size=3)) for _ in range(3)],
)
BATCHES = st.builds(
    lambda first, later: [first, *later],
    PASSING.map(lambda cases: [cases]) | st.lists(LISTINGS, min_size=1, max_size=2),
    st.lists(st.lists(LISTINGS | PASSING, min_size=1, max_size=2), max_size=2),
)
POLICIES = st.builds(
    Policy,
    iterations=st.sampled_from(Iterations),
    max_failures=st.sampled_from([None, 2]),
    quarantine=st.sampled_from([(), (QuarantineEntry("case 1", "me", "why", date.max),)]),
)


@contextmanager
def matching_everything() -> Iterator[None]:
    with (
        patch.object(ledgers, "all_named_differently", lambda _: False),
        patch.object(ledgers, "is_simple", lambda _: False),
    ):
        yield


def play(batches: Sequence[Sequence[Sequence[CaseResult]]], policy: Policy) -> tuple[list[object], Ledger]:
    """All that the ledger is asked on the way, round after round, and the ledger at its end."""
    ledger, told = Ledger(), list[object]()
    run_id = 100
    for batch in batches:
        ledger.read([Listing(run_id + place, 7, tuple(cases)) for place, cases in enumerate(batch)])
        run_id += len(batch)
        entries = quarantine(ledger, policy)
        decisions = decide(ledger, policy, entries)
        asked = request(ledger, decisions, policy)
        told += [len(ledger), asked, decisions, entries, refusal(ledger, policy, entries, 0)]
        told += [judge(ledger, decisions, entries), contradiction(Run(1, 7, "", F), ledger), ledger.unsettled_runs()]
        told += [{*hints(ledger)}, [*stale_entries(ledger, policy)], sorted(ledger.leaves())]
        told += [(h.number, h.latest, h.unseen) for h in ledger.unpassed]
        ledger.ask(run_id, asked)
    return told, ledger


def state(ledger: Ledger) -> list[object]:
    return [
        (h.number, h.leaf, h.seen, h.rerun, h.asked_after, h.case.result_ids, h.case.explained, h.case.newest_result_id)
        for h in ledger.histories
    ]


@given(BATCHES, POLICIES)
def test_folding_changes_nothing(batches: list[list[list[CaseResult]]], policy: Policy) -> None:
    told, ledger = play(batches, policy)
    with matching_everything():
        expected, matched = play(batches, policy)
        assert told == expected
        assert state(ledger) == state(matched)


@given(BATCHES, POLICIES)
def test_what_is_told_of_a_part_agrees_with_what_is_told_of_all(
    batches: list[list[list[CaseResult]]], policy: Policy
) -> None:
    _, ledger = play(batches, policy)
    leaves, opened = judge(ledger), judge_opened(ledger)
    assert {number: leaves[number] for number in opened} == opened
    assert all(leaf.verdict is Verdict.PASSED for number, leaf in enumerate(leaves) if number not in opened)
    result = outcome(leaves)
    assert outcome(opened.values()) is result
    assert message(result, opened.values(), len(leaves) - len(opened)) == message(result, leaves)


MANY = listing(
    1,
    case(10, P, name=1),
    case(20, P, (21, "a", P), (22, "b", P), name=2),
    case(30, P, (31, "a", P), (32, "b", F), name=3),
    case(40, F, name=4),
    case(50, P, (51, "a", P), (52, "a", P), name=5),
)


def first_listing() -> Ledger:
    ledger = Ledger()
    ledger.read([MANY])
    return ledger


def test_only_what_shows_nothing_but_passes_is_folded() -> None:
    ledger = first_listing()
    assert [h.number for h in ledger.opened] == [3, 4, 5, 6, 7]
    assert list(ledger.passes()) == [
        (0, Leaf("suite", "case 1", "machine 1"), Observation(1, 10, P)),
        (1, Leaf("suite", "case 2", "machine 1", "a"), Observation(1, 21, P)),
        (2, Leaf("suite", "case 2", "machine 1", "b"), Observation(1, 22, P)),
    ]
    assert len(ledger) == 8
    assert judge(ledger)[1] == LeafReport(
        Leaf("suite", "case 2", "machine 1", "a"), Verdict.PASSED, "passed in run 1", False, (Observation(1, 21, P),)
    )


def test_it_stays_folded_while_it_is_shown_again_as_it_was() -> None:
    ledger = first_listing()
    ledger.read([listing(2, *MANY.cases)])
    assert [number for number, _, _ in ledger.passes()] == [0, 1, 2]


def test_one_that_is_shown_otherwise_is_unfolded_and_keeps_its_number() -> None:
    ledger = first_listing()
    ledger.read([listing(2, case(70, F, name=1), case(20, P, (21, "a", P), (82, "b", F), name=2))])
    assert [number for number, _, _ in ledger.passes()] == []
    assert [(h.number, h.latest) for h in ledger.opened][:3] == [(0, F), (1, P), (2, F)]
    assert [o.run_id for o in ledger.histories[2].observations] == [1, 2]


@pytest.mark.parametrize(("result_id", "result"), [(70, P), (10, F)])
def test_one_that_has_another_result_or_another_id_is_unfolded(result_id: int, result: Result) -> None:
    ledger = first_listing()
    ledger.read([listing(2, case(result_id, result, name=1))])
    assert ledger.histories[0].observations == (Observation(1, 10, P), Observation(2, result_id, result))


def test_one_that_is_asked_for_is_unfolded() -> None:
    ledger = first_listing()
    ledger.ask(2, RerunRequest((), wanted=(0,), covered=(0, 1)))
    assert [(h.number, h.rerun, h.unseen) for h in ledger.histories[:3]] == [
        (0, True, True),
        (1, True, False),
        (2, False, False),
    ]


def test_a_name_that_stands_twice_in_the_first_listing_folds_nothing() -> None:
    ledger = Ledger()
    ledger.read([listing(1, case(10, P), case(11, P), case(12, P, name=2))])
    assert len(ledger.opened) == 3


def test_the_first_listings_of_a_chain_are_matched() -> None:
    ledger = Ledger()
    ledger.read([listing(1, case(10, P)), listing(2, case(10, P))])
    assert len(ledger.opened) == 1


def test_decisions_come_for_folded_leaves_too() -> None:
    decisions = decide(first_listing(), Policy())
    assert decisions[:3] == (Decision(False, "it passed"),) * 3
    assert [decision.rerun for decision in decisions] == [False] * 4 + [True, True, False, False]


def test_what_is_said_before_the_first_decision_unfolds_nothing() -> None:
    ledger = Ledger()
    ledger.read([listing(1, case(10, Result.SUCCESS), case(11, Result.FAILURE, name=2))])
    assert [history.number for history in ledger.opened] == [1]
    for policy in (Policy(), Policy(include=(pattern_of("case 1"),), exclude=(pattern_of("nothing"),))):
        said = list(policies.warnings(ledger, policy))
        assert said == [
            'exclude "nothing" matches no test of this execution (patterns are case-sensitive)' for _ in policy.exclude
        ]
    assert [history.number for history in ledger.opened] == [1]
