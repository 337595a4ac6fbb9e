"""Random worlds: a plan and its past, somebody's inputs, and a theme: what goes wrong between them.

The first of each choice is the plainest: that is where hypothesis shrinks a failing history to.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import strategies as st

from rerun_action.core.filters import pattern_of
from rerun_action.core.model import FAILING, FreshRun, Iterations, OnEnd, Policy, QuarantineEntry
from rerun_action.simulator import Case, FirstIds, Machine, PastRun, Patch, Pick, Plan, Row, Scenario, Seconds, Suite
from tests.support.direct import World
from tests.support.scenarios import FIRST, PLAN
from tests.support.troubles import troubles

TODAY = date(2030, 6, 1)
OTHER_PLAN = 337
FRESH = 200
"""The first new run gets this id."""

_COIN = st.booleans()
_SOMETIMES = st.integers(0, 3).map(lambda number: number == 3)
_RARELY = st.integers(0, 7).map(lambda number: number == 7)
_MOSTLY = st.integers(0, 3).map(lambda number: number < 3)
_NEVER = st.just(value=False)


# --- plans ------------------------------------------------------------------------------------------------------

_WORDS = st.sampled_from(
    ["SUCCESS"] * 8 + ["FAILURE"] * 6 + ["ABORTED", "NOT_EXECUTED", "STOPPED", "GONE", None, "BREAKFAST", "FAILED"]
)
_ODD_WORDS = st.sampled_from(["SUCCESS", "FAILURE", None, "ABORTED", "BREAKFAST", "STOPPED", "NOT_EXECUTED", "GONE"])
_SUITES = st.sampled_from([Suite(21, "Pay"), Suite(22, "Find")])
_MACHINES = st.sampled_from([Machine(31, "Chrome"), Machine(32, "Safari")])
_DURATIONS = [Seconds(1.0, 2.0, 20.0), Seconds(0.5, 0.5, 3.0), Seconds(5.0, 10.0, 100.0), Seconds(0.0, 0.0, 600.0)]


@st.composite
def _cases(draw: st.DrawFn, theme: str) -> tuple[Case, ...]:
    scripts = st.lists(_ODD_WORDS if theme == "rules" else _WORDS, min_size=1, max_size=5).map(tuple)
    cases: list[Case] = []
    for place in range(draw(st.integers(1, 5))):
        number = draw(st.integers(1, 3)) if draw(_RARELY) else 11 + place
        rows: tuple[Row, ...] = ()
        if draw(_SOMETIMES):
            rows = tuple(Row(draw(st.sampled_from("abca")), draw(scripts)) for _ in range(draw(st.integers(1, 3))))
        cases.append(
            Case(
                number,
                f"case {number}",
                draw(_SUITES),
                draw(_MACHINES),
                draw(scripts) if not rows or draw(_SOMETIMES) else (),
                rows,
                draw(st.integers(0, place - 1)) if place and draw(_RARELY) else None,
            )
        )
    return tuple(cases)


@st.composite
def _plans(draw: st.DrawFn, theme: str) -> Plan:
    return Plan(
        PLAN,
        "Nightly",
        draw(_cases(theme)),
        rerun_type=draw(st.sampled_from(["NONE", "NONE", "NONE", "ONLY_FAILED_TESTS"])),
        auto_rerun_after=draw(st.sampled_from([2.0, 0.0, 20.0, 300.0])),
        seconds=draw(st.sampled_from(_DURATIONS[2:] if theme == "end" else _DURATIONS)),
        list_prerequisites=draw(_COIN),
    )


# --- what was there before --------------------------------------------------------------------------------------

_RESULTS = st.sampled_from([None] * 6 + ["FAILURE", "SUCCESS", "STOPPED", "BREAKFAST"])


@st.composite
def _picks(draw: st.DrawFn, cases: tuple[Case, ...]) -> tuple[Pick, ...]:
    picks = []
    for place, case in enumerate(cases):
        if draw(_COIN):
            rows = tuple(row for row in range(len(case.rows)) if draw(_COIN))
            picks.append(Pick(place, rows or None))
    return tuple(picks) or (Pick(0),)


@st.composite
def _runs(draw: st.DrawFn, cases: tuple[Case, ...], theme: str) -> tuple[PastRun, ...]:
    """A chain of 0 to 3 reruns, seldom one as long as it may be; its last run may be going."""
    if theme == "trigger" and draw(_MOSTLY):
        return (PastRun(FIRST, PLAN, finishes_in=-60.0),)
    length = draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3])) if not draw(_RARELY) else draw(st.sampled_from([3, 10]))
    going = draw(st.sampled_from([-60.0, -1.0, 4.0, 40.0] if theme == "end" else [-60.0, -60.0, -1.0, 4.0, 40.0]))
    runs = [PastRun(FIRST, PLAN, finishes_in=-60.0 if length else going, result=draw(_RESULTS))]
    for run_id in range(FIRST + 1, FIRST + length + 1):
        end = going if run_id == FIRST + length else -60.0
        runs += [PastRun(run_id, PLAN, run_id - 1, draw(_picks(cases)), finishes_in=end, result=draw(_RESULTS))]
    if going < 0 and draw(_RARELY):
        runs.append(PastRun(FIRST + 50, PLAN, finishes_in=draw(st.sampled_from([-30.0, 3.0, 90.0]))))
    return tuple(runs)


# --- inputs -----------------------------------------------------------------------------------------------------

_PATTERNS = st.sampled_from([pattern_of(text) for text in ("case 11", "case:case 1*", "suite:Pay", "machine:Saf*")])
_FILTERS = st.lists(_PATTERNS, min_size=1, max_size=2).map(tuple)


@st.composite
def _entries(draw: st.DrawFn) -> QuarantineEntry:
    return QuarantineEntry(
        case=f"case {draw(st.integers(11, 13))}",
        owner="Team Shop",
        reason="flaky",
        expires=draw(st.sampled_from([TODAY, date(2030, 5, 31)])),
        suite="Pay" if draw(_SOMETIMES) else None,
        iteration="a" if draw(_SOMETIMES) else None,
    )


@st.composite
def _policies(draw: st.DrawFn, theme: str) -> Policy:
    """The inputs: plain ones, or each of them with a chance of its own to be another."""
    plain = Policy(max_reruns=draw(st.integers(1, 4)), poll_interval_seconds=10.0, today=TODAY)
    if draw({"rules": _NEVER, "trigger": _MOSTLY, "end": _MOSTLY}.get(theme, _COIN)):
        return plain
    given: dict[str, Any] = {}
    perhaps = _COIN if theme == "rules" else _SOMETIMES
    if draw(perhaps):
        given["rerun_results"] = frozenset(draw(st.sets(st.sampled_from(sorted(FAILING)), min_size=1)))
    if draw(_COIN):
        given["iterations"] = Iterations.ALL
    for name in ("include", "exclude"):
        if draw(perhaps):
            given[name] = draw(_FILTERS)
    if draw(perhaps):
        given["max_failures"] = draw(st.sampled_from([0, 0, 1, 2]))
    elif draw(perhaps):
        given["max_failure_percent"] = draw(st.sampled_from([0.0, 33.3, 50.0, 99.9]))
    if draw(perhaps):
        given["quarantine"] = tuple(draw(st.lists(_entries(), min_size=1, max_size=2)))
    return replace(
        plain,
        rerun_delay_seconds=draw(st.sampled_from([0.0, 0.0, 3.0, 45.0])),
        fail_on_flaky=draw(_SOMETIMES),
        poll_interval_seconds=draw(st.sampled_from([10.0, 5.0, 60.0])),
        dry_run=draw(_RARELY),
        quarantine_file="flaky.yml",
        **given,
    )


@st.composite
def _hurried(draw: st.DrawFn, policy: Policy) -> Policy:
    """The same inputs, with what decides over an early end; at times the deadline is too near for a rerun."""
    if draw(_RARELY):
        return replace(policy, dry_run=False, timeout_minutes=0.8, rerun_delay_seconds=45.0)
    return replace(
        policy,
        dry_run=False,
        timeout_minutes=draw(st.sampled_from([60.0, 60.0, 5.0, 1.0, 0.3])),
        on_timeout=draw(st.sampled_from([OnEnd.STOP, OnEnd.STOP, OnEnd.LEAVE])),
        on_cancel=draw(st.sampled_from([OnEnd.STOP, OnEnd.STOP, OnEnd.LEAVE])),
    )


# --- worlds -----------------------------------------------------------------------------------------------------

_THEMES = st.sampled_from(["calm"] * 3 + ["rules", "line", "line", "trigger", "trigger", "end", "end", "end", "others"])
_OTHER_EXECUTIONS: st.SearchStrategy[int | FreshRun] = st.sampled_from(
    [FreshRun(PLAN), FreshRun(PLAN, "build 7", {"a": "b"}), 99, FreshRun(99)]
)


@st.composite
def worlds(draw: st.DrawFn, theme: str | None = None) -> World:
    """A world with a theme: calm, odd words and rules, trouble on the line, at the trigger, at the end, by others."""
    theme = theme or draw(_THEMES)
    policy = draw(_policies(theme))
    plan = draw(_plans(theme))
    if theme in ("trigger", "end"):
        policy = draw(_hurried(policy))
        first = replace(plan.cases[0], rows=(), results=("FAILURE", *plan.cases[0].results))
        plan = replace(plan, cases=(first, *plan.cases[1:]))  # so that there is something to rerun
    elif theme == "line" and draw(_COIN):
        policy = draw(_hurried(policy))
    runs = draw(_runs(plan.cases, theme))
    plans = [plan]
    if draw(_RARELY):
        other = Case(1, "another", Suite(29, "Other"), Machine(31, "Chrome"), ("FAILURE",))
        plans.append(Plan(OTHER_PLAN, "Other", (other,), seconds=Seconds(1.0, 1.0, 50.0)))
        runs = (*runs, PastRun(FIRST + 60, OTHER_PLAN, finishes_in=draw(st.sampled_from([-5.0, 40.0]))))
    execution: int | FreshRun = draw(st.sampled_from([run.id for run in runs if run.plan == PLAN]))
    if draw(_RARELY):
        execution = draw(_OTHER_EXECUTIONS)
    test_plan_id = None
    if not isinstance(execution, FreshRun) and draw(_RARELY):
        test_plan_id = draw(st.sampled_from([PLAN, OTHER_PLAN]))
    trouble = draw(troubles(theme))
    faults = trouble.pop("faults", ())
    if isinstance(execution, FreshRun):  # nobody can know that a fresh run is another one than the platform says
        faults = tuple(fault for fault in faults if not (fault.processed and isinstance(fault.answer, Patch)))
    scenario = Scenario(
        tuple(plans),
        runs,
        habit=draw(st.sampled_from(["own", "rerun", "first", "both"])),
        child=draw(st.sampled_from(["object", "id", "none"])),
        stop_route=draw(st.sampled_from(["both", "run", "collection"])),
        page_size=draw(st.sampled_from([None, None, 1, 2])),
        ids=FirstIds(run=FRESH, result=5001),
        faults=faults,
    )
    return World(scenario, policy, execution, test_plan_id, **trouble)
