"""What is asked of the platform, and why."""

import itertools

import pytest

from rerun_action.core.ledger import Ledger
from rerun_action.core.model import FAILING, CaseResult, Decision, Iterations, Pick, Policy, RerunRequest, Result
from rerun_action.core.policy import decide, request
from tests.support.listings import case, listing

F, P, A = Result.FAILURE, Result.SUCCESS, Result.ABORTED


def ledger_of(*cases: CaseResult) -> Ledger:
    ledger = Ledger()
    ledger.read([listing(1, *cases)])
    return ledger


def ask_for(ledger: Ledger, policy: Policy) -> RerunRequest:
    return request(ledger, decide(ledger, policy), policy)


@pytest.mark.parametrize(
    ("result", "worth_it"), [*itertools.product(Result, [FAILING, frozenset({F}), frozenset({A})])]
)
def test_a_leaf_is_taken_exactly_when_its_result_is_worth_it(result: Result, worth_it: frozenset[Result]) -> None:
    (decision,) = decide(ledger_of(case(11, result)), Policy(rerun_results=worth_it))
    expected = {
        True: f"it ended with {result}",
        False: {
            Result.SUCCESS: "it passed",
            Result.QUEUED: "its result is QUEUED, not a final one",
            Result.RUNNING: "its result is RUNNING, not a final one",
            Result.UNKNOWN: "its result is none that is known",
        }.get(result, f"{result} is not in rerun-results"),
    }[result in worth_it]
    assert decision == Decision(result in worth_it, expected)


def test_rows_are_grouped_under_their_case_result() -> None:
    ledger = ledger_of(case(10, F, (11, "a", F), (12, "b", P), (13, "c", A)), case(20, F, name=2))
    assert ask_for(ledger, Policy()) == RerunRequest((Pick(10, (11, 13)), Pick(20)), (0, 2, 3), (0, 2, 3))


def test_iterations_all_asks_for_the_case_alone_and_covers_its_passed_rows() -> None:
    ledger = ledger_of(case(10, F, (11, "a", F), (12, "b", P), (13, "c", A)), case(20, P, (21, "a", P), name=2))
    assert ask_for(ledger, Policy(iterations=Iterations.ALL)) == RerunRequest((Pick(10),), (0, 2), (0, 1, 2))


def test_a_case_that_failed_without_a_failed_row_is_asked_for_as_a_whole() -> None:
    ledger = ledger_of(case(10, F, (11, "a", P), (12, "b", P)))
    assert ask_for(ledger, Policy()) == RerunRequest((Pick(10),), (0,), (0, 1, 2))


def test_the_newest_ids_are_asked_for() -> None:
    ledger = ledger_of(case(10, F, (11, "a", F), (12, "b", F)), case(20, F, name=2))
    ledger.read([listing(2, case(30, F, (31, "a", F), (12, "b", F)), case(40, F, name=2))])
    assert ask_for(ledger, Policy()).picks == (Pick(30, (31, 12)), Pick(40))


def test_rows_of_one_case_are_one_entry_even_if_different_runs_listed_them_last() -> None:
    ledger = ledger_of(case(10, F, (11, "a", F), (12, "b", F)))
    ledger.read([listing(2, case(30, F, (31, "a", F)))])
    assert ask_for(ledger, Policy()).picks == (Pick(30, (31, 12)),)
    assert ask_for(ledger, Policy(iterations=Iterations.ALL)).picks == (Pick(30),)


def test_what_was_asked_for_and_not_seen_again_is_not_asked_for_again() -> None:
    ledger = ledger_of(case(11, F), case(12, F, name=2))
    ledger.ask(2, RerunRequest((Pick(11),), (0,), (0,)))
    assert [d.reason for d in decide(ledger, Policy())] == [
        "it was asked for and not seen again",
        "it ended with FAILURE",
    ]


def test_nothing_to_ask_for_is_an_empty_request() -> None:
    assert ask_for(ledger_of(case(11, P)), Policy()) == RerunRequest((), (), ())


def test_an_observation_of_an_unknown_run_counts_as_a_round_only_if_it_may_have_been_one() -> None:
    merged = case(21, F)
    ledger = Ledger()
    ledger.read([listing(1, merged), listing(2, merged)])  # nobody can tell which of the two it was
    ledger.ask(3, RerunRequest((Pick(21),), (0,), (0,)))
    ledger.read([listing(3, case(31, F))])
    policy = Policy(max_reruns=2)
    assert [d.rerun for d in decide(ledger, policy, reruns={3})] == [True]
    assert [d.rerun for d in decide(ledger, policy, reruns={2, 3})] == [False]
