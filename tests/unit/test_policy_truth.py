"""Every combination that matters, and random ledgers, against an oracle that was written another way."""

import itertools
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerun_action.core.filters import pattern_of
from rerun_action.core.ledger import Ledger
from rerun_action.core.model import (
    FAILING,
    CaseResult,
    Iterations,
    Outcome,
    Policy,
    QuarantineEntry,
    RerunRequest,
    Result,
    Verdict,
)
from rerun_action.core.policy import decide, quarantine, request
from rerun_action.core.verdict import judge, outcome
from tests.support.listings import case, listing

F, P = Result.FAILURE, Result.SUCCESS
TODAY = date(2030, 6, 15)
VALID, LAST_DAY, EXPIRED = date(2030, 12, 31), TODAY, date(2030, 6, 14)
FILTERS = {"none": (), "names it": ("case:case 1",), "names another": ("case:case 2",)}
QUARANTINES = {"none": None, "valid": VALID, "its last day": LAST_DAY, "expired": EXPIRED}
WORTH = {"all": FAILING, "FAILURE only": frozenset({F})}


def ledger_of(*cases: CaseResult) -> Ledger:
    ledger = Ledger()
    ledger.read([listing(1, *cases)])
    return ledger


def entry(name: str, expires: date) -> QuarantineEntry:
    return QuarantineEntry(name, "owner", "why", expires)


@pytest.mark.parametrize(("result", "row"), [*itertools.product(Result, [False, True])])
def test_the_truth_table(result: Result, row: bool) -> None:
    """One leaf of case 1, plain or a row beside a passed row, under each of 144 policies."""
    for policy in itertools.product(FILTERS, FILTERS, QUARANTINES, WORTH, Iterations):
        check(result, row, *policy)


def check(
    result: Result, row: bool, include: str, exclude: str, quarantined: str, worth: str, iterations: Iterations
) -> None:
    """What is decided, asked for and judged."""
    policy = Policy(
        rerun_results=WORTH[worth],
        iterations=iterations,
        include=tuple(map(pattern_of, FILTERS[include])),
        exclude=tuple(map(pattern_of, FILTERS[exclude])),
        quarantine=tuple(entry("case 1", day) for day in [QUARANTINES[quarantined]] if day),
        today=TODAY,
    )
    ledger = ledger_of(case(10, F, (11, "a", result), (12, "b", P)) if row else case(10, result))
    number = next(n for n, h in enumerate(ledger.histories) if h.leaf.iteration == ("a" if row else None))
    entries = quarantine(ledger, policy)
    decisions = decide(ledger, policy, entries)
    asked = request(ledger, decisions, policy)
    verdict = judge(ledger, decisions, entries)[number]

    # the oracle: a table of conditions, first match wins
    in_quarantine = quarantined in ("valid", "its last day")
    known_failure = result in (F, Result.ABORTED, Result.NOT_EXECUTED, Result.STOPPED)
    is_worth_it = known_failure and (worth == "all" or result is F)
    is_named = include != "names another" and exclude != "names it"
    expected = is_worth_it and is_named and not in_quarantine
    assert decisions[number].rerun == expected

    expected_ids: list[tuple[int, tuple[int, ...]]] = []
    if expected:
        whole = not row or iterations is Iterations.ALL
        expected_ids = [(10, () if whole else (11,))]
    # a data-driven case that is FAILURE is explained by the row, unless the row passed
    if row and result is P and is_named and not in_quarantine:
        expected_ids = [(10, ())]
    assert [(pick.case_result_id, pick.iteration_result_ids) for pick in asked.picks] == expected_ids

    if result is P:
        assert verdict.verdict is Verdict.PASSED
    elif in_quarantine:
        assert verdict.verdict is Verdict.QUARANTINED
        assert "quarantined until" in verdict.reason
    elif known_failure:
        assert verdict.verdict is Verdict.FAILED
        assert ("left out" in verdict.reason) == (not expected)
    else:
        assert verdict.verdict is Verdict.UNRESOLVED


# --- random ledgers ---------------------------------------------------------------------------------------------------

any_result = st.sampled_from(list(Result))
names = st.integers(1, 4)
globs = st.sampled_from(
    ["case:case 1", "case 2", "case:*", "suite:suite", "machine:machine 1", "machine:*2", "nothing"]
)


@st.composite
def cases(draw: st.DrawFn, first_id: int) -> list[CaseResult]:
    drawn = draw(
        st.lists(st.tuples(names, st.integers(1, 2), any_result, st.lists(any_result, max_size=3)), max_size=6)
    )
    made, next_id = [], first_id
    for name, machine, result, rows in drawn:
        row_ids = range(next_id + 1, next_id + 1 + len(rows))
        named = [(row_id, f"row {n}", row) for n, (row_id, row) in enumerate(zip(row_ids, rows, strict=True))]
        made.append(case(next_id, result, *named, name=name, machine=machine))
        next_id += 1 + len(rows)
    return made


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    return Policy(
        rerun_results=draw(st.frozensets(st.sampled_from(sorted(FAILING)), min_size=1)),
        iterations=draw(st.sampled_from(Iterations)),
        include=tuple(map(pattern_of, draw(st.lists(globs, max_size=2)))),
        exclude=tuple(map(pattern_of, draw(st.lists(globs, max_size=2)))),
        max_reruns=draw(st.integers(1, 3)),
        quarantine=tuple(
            entry(f"case {name}", day)
            for name, day in draw(st.lists(st.tuples(names, st.sampled_from([VALID, EXPIRED])), max_size=2))
        ),
        today=TODAY,
    )


def oracle_takes(ledger: Ledger, policy: Policy, number: int, seen: int) -> bool:
    """Slow and obvious: no compiled patterns, no index, one question after the other."""

    def names_it(patterns: Sequence[str]) -> bool:
        leaf = ledger.histories[number].leaf
        for text in patterns:
            aspect, _, glob = text.rpartition(":")
            name = {"suite": leaf.suite, "machine": leaf.machine}.get(aspect, leaf.case)
            head, star, tail = glob.partition("*")
            if name == glob or (star and name.startswith(head) and name.endswith(tail)):
                return True
        return False

    history = ledger.histories[number]
    if history.latest not in policy.rerun_results:
        return False
    for known in policy.quarantine:
        if known.case == history.leaf.case and known.expires >= TODAY:
            return False
    if policy.include and not names_it([pattern.text for pattern in policy.include]):
        return False
    return not names_it([pattern.text for pattern in policy.exclude]) and seen < policy.max_reruns


@given(cases(100), cases(1000), policies())
def test_taken_and_left_against_the_oracle(first: list[CaseResult], second: list[CaseResult], policy: Policy) -> None:
    ledger = ledger_of(*first)
    ledger.read([listing(2, *second)])
    entries = quarantine(ledger, policy)
    decisions = decide(ledger, policy, entries, reruns={2})
    asked = request(ledger, decisions, policy)

    # disjoint and complete
    assert len(decisions) == len(ledger.histories)
    taken = [number for number, decision in enumerate(decisions) if decision.rerun]
    assert taken == [
        number
        for number, history in enumerate(ledger.histories)
        if oracle_takes(ledger, policy, number, sum(o.run_id == 2 for o in history.observations) > 0)
    ]
    assert all(decision.reason for decision in decisions)
    assert list(asked.wanted) == taken
    assert set(taken) <= set(asked.covered)

    # a leaf that passed is never rerun under iterations=failed, unless its case failed without a failed row
    whole = {id(ledger.histories[n].case) for n in taken if ledger.histories[n].leaf.iteration is None}
    for number in asked.covered:
        history = ledger.histories[number]
        if history.latest is P and policy.iterations is Iterations.FAILED:
            assert id(history.case) in whole

    # every id that is asked for was listed, and none twice
    listed = {c.result_id for c in (*first, *second)} | {r.result_id for c in (*first, *second) for r in c.rows}
    ids = [pick.case_result_id for pick in asked.picks] + [i for pick in asked.picks for i in pick.iteration_result_ids]
    assert set(ids) <= listed
    assert len(ids) == len(set(ids))


def play(ledger: Ledger, asked: RerunRequest, next_id: int, data: st.DataObject) -> tuple[list[CaseResult], int]:
    """List what was asked for with random results; some of it is lost."""
    rerun: list[CaseResult] = []
    for mine in {id(ledger.histories[n].case): ledger.histories[n].case for n in asked.covered}.values():
        leaves = [h for h in mine.members if h.number in asked.covered and data.draw(st.integers(0, 4))]
        rows = [h for h in leaves if h.leaf.iteration is not None]
        if not leaves:
            continue
        wanted = [P if h.latest is P else data.draw(st.sampled_from([P, F])) for h in rows]
        named = [
            (next_id + 1 + n, row.leaf.iteration or "", result)
            for n, (row, result) in enumerate(zip(rows, wanted, strict=True))
        ]
        result = data.draw(st.sampled_from([P, F])) if len(rows) < len(leaves) else P
        number = int(leaves[0].leaf.case.split()[1])
        machine = int(leaves[0].leaf.machine.split()[1])
        rerun.append(case(next_id, result, *named, name=number, machine=machine))
        next_id += 100
    return rerun, next_id


@given(cases(100), policies(), st.data())
def test_rounds_shrink_and_no_verdict_is_better_than_what_was_seen(
    first: list[CaseResult], policy: Policy, data: st.DataObject
) -> None:
    """Play rounds with a platform that lists what it was asked for, or loses some of it."""
    ledger = ledger_of(*first)
    ran: set[int] | None = None
    known = 0
    next_id = 10_000
    rounds = 0
    for rounds_left in range(policy.max_reruns, -1, -1):
        reruns = range(2, 2 + policy.max_reruns)
        decisions = decide(ledger, policy, quarantine(ledger, policy), reruns, rounds_left)
        asked = request(ledger, decisions, policy)
        if not asked.picks:
            break
        rounds += 1
        if ran is not None:
            joined = set(range(known, len(ledger.histories)))
            assert set(asked.wanted) <= ran | joined, "a round took what the round before had not run"
            assert len(asked.wanted) <= len(ran), "a round grew"
        ran, known = set(asked.covered), len(ledger.histories)
        run_id = 1 + rounds
        ledger.ask(run_id, asked)
        rerun, next_id = play(ledger, asked, next_id, data)
        ledger.read([listing(run_id, *rerun)])
    assert rounds <= policy.max_reruns

    leaves_judged = judge(ledger, (), quarantine(ledger, policy))
    whole = outcome(leaves_judged)
    for history, leaf in zip(ledger.histories, leaves_judged, strict=True):
        last = history.observations[-1].result
        if leaf.verdict in (Verdict.PASSED, Verdict.FLAKY):
            assert last is P
        if leaf.verdict is Verdict.FLAKY:
            assert any(o.result is not P for o in history.observations[:-1])
    if whole in (Outcome.CLEAN, Outcome.FLAKY):
        for history, leaf in zip(ledger.histories, leaves_judged, strict=True):
            ever_failed = any(o.result is not P for o in history.observations)
            assert not ever_failed or not leaf.counts or history.observations[-1].result is P
