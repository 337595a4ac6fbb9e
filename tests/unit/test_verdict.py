"""What the observations add up to."""

from collections.abc import Sequence
from datetime import date

import pytest

from rerun_action.core.ledger import Ledger
from rerun_action.core.model import Outcome, Pick, Policy, QuarantineEntry, RerunRequest, Result, Run, Verdict
from rerun_action.core.policy import decide
from rerun_action.core.verdict import contradiction, judge, message, outcome
from tests.support.listings import case, listing

F, P, U, R = Result.FAILURE, Result.SUCCESS, Result.UNKNOWN, Result.RUNNING


def ledger_of(*results: Result | None, asked: bool = False) -> Ledger:
    """A ledger of one leaf: its results in run 1, 2, …; None where the run does not list it."""
    ledger = Ledger()
    for number, result in enumerate(results, start=1):
        if asked and number == len(results):
            ledger.ask(number, RerunRequest((Pick(1),), (0,), (0,)))
        ledger.read([listing(number, *([case(number, result)] if result else []))])
    return ledger


@pytest.mark.parametrize(
    ("results", "asked", "verdict", "reason"),
    [
        ([P], False, Verdict.PASSED, "passed in run 1"),
        ([P, P], True, Verdict.PASSED, "passed in run 2"),
        ([F, P], True, Verdict.FLAKY, "FAILURE in run 1, then passed in run 2"),
        ([F, P], False, Verdict.FLAKY, "FAILURE in run 1, then passed in run 2"),
        ([F, F, P], True, Verdict.FLAKY, "FAILURE in run 1, then passed in run 3"),
        ([Result.ABORTED, F], True, Verdict.FAILED, "FAILURE again in run 2"),
        ([P, F], True, Verdict.FAILED, "FAILURE after it had passed in run 2"),
        ([P, F, F], True, Verdict.FAILED, "FAILURE again in run 3"),
        ([P, P, F], True, Verdict.FAILED, "FAILURE after it had passed in run 3"),
        (
            [F, None],
            True,
            Verdict.UNRESOLVED,
            "FAILURE in run 1; it was asked for again, and no new result of it was seen",
        ),
        ([F, U], True, Verdict.UNRESOLVED, "the platform gave a result that is not known in run 2"),
        ([F, R], True, Verdict.UNRESOLVED, "still RUNNING when it was last looked at in run 2"),
        ([U], False, Verdict.UNRESOLVED, "the platform gave a result that is not known in run 1"),
        ([F], False, Verdict.FAILED, "FAILURE in run 1"),
    ],
)
def test_the_verdict_of_a_leaf(results: Sequence[Result | None], asked: bool, verdict: Verdict, reason: str) -> None:
    (leaf,) = judge(ledger_of(*results, asked=asked))
    assert (leaf.verdict, leaf.reason, leaf.rerun) == (verdict, reason, asked)


def test_a_pass_from_before_it_was_asked_for_is_no_answer() -> None:
    ledger = ledger_of(F, P)
    ledger.ask(3, RerunRequest((Pick(1),), (0,), (0,)))
    ledger.read([listing(3)])
    (leaf,) = judge(ledger)
    assert (leaf.verdict, leaf.reason) == (
        Verdict.UNRESOLVED,
        "passed in run 2, but it was asked for after that, and no new result of it was seen",
    )


def test_where_nobody_knows_the_run_none_is_named() -> None:
    ledger = Ledger()
    ledger.read([listing(1, case(21, P)), listing(2, case(21, P))])
    (leaf,) = judge(ledger)
    assert (leaf.verdict, leaf.reason) == (Verdict.PASSED, "passed")


def test_a_leaf_that_was_picked_and_not_triggered_says_so() -> None:
    ledger = ledger_of(F)
    (leaf,) = judge(ledger, decide(ledger, Policy()))
    assert leaf.reason == "FAILURE in run 1; picked for a rerun"


def test_a_leaf_that_was_left_out_says_why() -> None:
    ledger = ledger_of(F)
    policy = Policy(rerun_results=frozenset({Result.ABORTED}))
    (leaf,) = judge(ledger, decide(ledger, policy))
    assert leaf.reason == "FAILURE in run 1; left out: FAILURE is not in rerun-results"


def test_a_sibling_row_that_came_along_and_was_not_listed_keeps_its_pass() -> None:
    ledger = Ledger()
    ledger.read([listing(1, case(10, F, (11, "a", F), (12, "b", P)))])
    ledger.ask(2, RerunRequest((Pick(10),), wanted=(0,), covered=(0, 1)))
    ledger.read([listing(2, case(20, P, (21, "a", P)))])
    assert [(leaf.verdict, leaf.rerun) for leaf in judge(ledger)] == [(Verdict.FLAKY, True), (Verdict.PASSED, True)]


@pytest.mark.parametrize(
    ("histories", "expected", "said"),
    [
        ([[P]], Outcome.CLEAN, "nothing that counts failed; 1 of 1 test passed"),
        ([[F, P]], Outcome.FLAKY, "1 test failed and passed in a later run; nothing fails any more"),
        (
            [[F, F], [F, P], [F, P]],
            Outcome.FAILED,
            "1 test failed again; 2 tests failed and passed in a later run",
        ),
        ([[F, U]], Outcome.FAILED, "1 test ended without a result that counts"),
        ([[F], [F]], Outcome.FAILED, "2 tests failed and were not rerun"),
    ],
)
def test_the_outcome_of_the_whole(histories: list[list[Result]], expected: Outcome, said: str) -> None:
    leaves = [judge(ledger_of(*results))[0] for results in histories]
    assert outcome(leaves) is expected
    assert message(expected, leaves) == said


def test_what_failed_in_quarantine_is_said_and_does_not_count() -> None:
    entries = [QuarantineEntry("case 1", "team", "known", date.max)]
    ledger = Ledger()
    ledger.read([listing(1, case(11, F), case(12, F, name=2), case(13, P, name=3))])
    ledger.read([listing(2, case(22, P, name=2))])
    leaves = judge(ledger, quarantined=[*entries, None, None])
    assert [leaf.verdict for leaf in leaves] == [Verdict.QUARANTINED, Verdict.FLAKY, Verdict.PASSED]
    assert outcome(leaves) is Outcome.FLAKY
    assert message(Outcome.FLAKY, leaves) == (
        "1 test failed and passed in a later run; nothing that counts fails any more; 1 test failed in quarantine"
    )


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (F, "run 1 ended with FAILURE, but every test case listed for it passed and no later rerun explains that"),
        (None, "run 1 ended with no result, but every test case listed for it passed and no later rerun explains that"),
    ],
)
def test_a_contradiction_is_told(result: Result | None, said: str) -> None:
    assert contradiction(Run(1, 7, "STATUS_COMPLETED", result), ledger_of(P)) == said


@pytest.mark.parametrize("result", [*Result, None])
@pytest.mark.parametrize("leaf", [P, F])
def test_a_failed_run_that_lists_only_passes_is_a_contradiction(result: Result | None, leaf: Result) -> None:
    run = Run(1, 7, "STATUS_COMPLETED", result)
    assert (contradiction(run, ledger_of(leaf)) is not None) == (result is not P and leaf is P)


def test_a_finished_run_without_results_is_a_contradiction() -> None:
    assert contradiction(Run(1, 7, "STATUS_COMPLETED", P), ledger_of(None)) == (
        "run 1 has finished, but no test case results are listed for it"
    )
