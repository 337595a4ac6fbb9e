"""What is asked of the platform, and why."""

import itertools
from datetime import date

import pytest

from rerun_action.core.filters import pattern_of
from rerun_action.core.ledger import Ledger
from rerun_action.core.model import (
    FAILING,
    CaseResult,
    Decision,
    Iterations,
    OnEnd,
    Pick,
    Policy,
    QuarantineEntry,
    RerunRequest,
    Result,
)
from rerun_action.core.policy import decide, declined, hints, refusal, request, warnings
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


def entry(name: str, expires: date) -> QuarantineEntry:
    return QuarantineEntry(name, "team", "known", expires, line=3)


def test_what_looks_wrong_with_the_policy_is_said() -> None:
    day = date(2030, 1, 2)
    policy = Policy(
        include=(pattern_of("case *"), pattern_of("Case 1")),
        exclude=(pattern_of("suite:none"),),
        quarantine=(entry("case 1", day), entry("case 2", date(2030, 1, 1)), entry("case 9", day)),
        quarantine_file="flakes.yml",
        today=day,
    )
    assert [*warnings(ledger_of(case(11, F), case(12, P, name=2)), policy)] == [
        'the quarantine of "case 2" (flakes.yml, line 3, owner team) expired on 2030-01-01: the test counts again',
        'the quarantine of "case 9" (flakes.yml, line 3, owner team) matches no test of this execution',
        'include "Case 1" matches no test of this execution (patterns are case-sensitive)',
        'exclude "suite:none" matches no test of this execution (patterns are case-sensitive)',
    ]
    only = Policy(exclude=(pattern_of("none"),))
    assert [*warnings(ledger_of(case(11, F)), only)] == [
        'exclude "none" matches no test of this execution (patterns are case-sensitive)'
    ]
    assert [*warnings(ledger_of(case(11, F)), Policy())] == []


def test_hints_name_what_failures_share_and_passes_do_not() -> None:
    ledger = ledger_of(case(11, A), case(12, A, name=2), case(13, P, name=3, machine=2))
    assert [*hints(ledger)] == [
        'all 2 failures are on machine "machine 1"',
        "all 2 failures are ABORTED or NOT_EXECUTED while 1 test passed",
    ]
    other_suite = case(14, P, name=4)._replace(suite="other")
    assert [*hints(ledger_of(case(11, F), case(12, F, name=2, machine=2), other_suite))] == [
        'all 2 failures are in suite "suite"'
    ]
    assert [*hints(ledger_of(case(11, A), case(13, P, name=3, machine=2)))] == []


def test_declined_decisions_rerun_nothing_and_keep_the_reasons_of_the_others() -> None:
    left = Decision(rerun=False, reason="it passed")
    assert declined([Decision(rerun=True, reason="it ended with FAILURE"), left]) == (
        Decision(rerun=False, reason="the rerun was declined"),
        left,
    )


def test_nothing_refuses_nothing() -> None:
    assert refusal(ledger_of(), Policy(max_failures=0, max_failure_percent=0.0), (), 0) is None


def test_the_policy_by_the_names_that_the_user_knows() -> None:
    policy = Policy(
        rerun_results=frozenset({A, F}),
        iterations=Iterations.ALL,
        include=(pattern_of("suite:Checkout"),),
        exclude=(pattern_of("Pay*"), pattern_of("machine:Safari")),
        max_reruns=3,
        max_failures=20,
        max_failure_percent=12.5,
        rerun_delay_seconds=5.0,
        fail_on_flaky=True,
        quarantine_file="flakes.yml",
        timeout_minutes=30.0,
        on_timeout=OnEnd.LEAVE,
        on_cancel=OnEnd.STOP,
        poll_interval_seconds=10.0,
        dry_run=True,
        quarantine=(entry("case 1", date.max),),
    )
    assert policy.by_input_name() == {
        "rerun-results": ["FAILURE", "ABORTED"],
        "iterations": "all",
        "include": ["suite:Checkout"],
        "exclude": ["Pay*", "machine:Safari"],
        "max-reruns": 3,
        "max-failures": 20,
        "max-failure-percent": 12.5,
        "rerun-delay-seconds": 5.0,
        "fail-on-flaky": True,
        "quarantine-file": "flakes.yml",
        "timeout-minutes": 30.0,
        "on-timeout": "leave",
        "on-cancel": "stop",
        "poll-interval-seconds": 10.0,
        "dry-run": True,
    }


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (Policy(include=(pattern_of("case 2"),)), "include does not name it"),
        (
            Policy(include=(pattern_of("*"),), exclude=(pattern_of("machine:mach*"),)),
            "exclude names it (machine:mach*)",
        ),
    ],
)
def test_what_is_left_out_says_by_which_input(policy: Policy, reason: str) -> None:
    assert decide(ledger_of(case(11, F)), policy) == (Decision(rerun=False, reason=reason),)


def test_where_no_round_is_left_nothing_is_taken() -> None:
    (decision,) = decide(ledger_of(case(11, F)), Policy(max_reruns=3), rounds_left=0)
    assert decision == Decision(rerun=False, reason="max-reruns allows 3, and they are used up")
