"""Whole stories, line by line.

When, and what: asked of the platform (`>`), said while it happens (`|`), published (`=`).
"""

from dataclasses import replace
from textwrap import dedent

import pytest

from rerun_action.core.filters import pattern_of
from rerun_action.core.model import (
    FreshRun,
    Leaf,
    LeafReport,
    Listing,
    Observation,
    OnEnd,
    Origin,
    Outcome,
    Policy,
    Progress,
    Report,
    Result,
    RunReport,
    StopReply,
    StopRoute,
    Verdict,
)
from rerun_action.core.pace import Rhythm
from rerun_action.errors import ExitCode, NotFound, Refused, Unclear
from tests.support.fake_time import FakeTime
from tests.support.listings import case, listing
from tests.support.scripted import (
    CREATED,
    EACH_SECOND,
    FAILED,
    SERVER,
    STOPPED,
    A,
    F,
    P,
    Slow,
    Told,
    going,
    run,
    tell,
    unanswered,
)

PASSED = {2: [listing(2, case(21, P))]}
GATEWAY = Unclear("the rerun was triggered, but a gateway answered", gateway=True)
UNCLEAR = Unclear("the rerun was triggered, but no answer came")
FRESH = FreshRun(7)


TRUE_PAUSE = Rhythm.pause


@pytest.fixture(autouse=True)
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is looked at every three seconds: the rhythm has tests of its own."""
    monkeypatch.setattr(Rhythm, "pause", lambda *_: 3.0)


def expect(told: Told, script: str) -> None:
    assert told.script.splitlines() == dedent(script).strip().splitlines()


def test_a_fresh_run() -> None:
    told = tell(
        {1: [going(1, status="STATUS_CREATED"), run(1)], 2: [going(2, 1), run(2, P, 1)]},
        FAILED | PASSED,
        execution=FRESH,
        start=going(1, status="STATUS_CREATED"),
        trigger=CREATED,
    )
    expect(
        told,
        """
        0.00 > start plan 7
        0.00 | run 1 of test plan 7 started: .../1
        0.00 | fresh 1 STATUS_CREATED None 0
        3.00 > run 1
        6.00 > run 1
        6.00 | fresh 1 STATUS_COMPLETED FAILURE 0
        6.00 > listing 1
        6.00 | round 1: 1 of 2
        6.00 > trigger 7 1 11
        6.00 | triggered 2 1 .../2
        6.00 | triggered 2 STATUS_CREATED None 0
        9.00 > run 2
        9.00 | triggered 2 STATUS_IN_PROGRESS None 0
        12.00 > run 2
        12.00 | triggered 2 STATUS_COMPLETED SUCCESS 0
        12.00 > listing 2
        12.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        12.00 = run 1 fresh asked None polls 3: FAILURE
        12.00 = run 2 triggered asked 1 polls 2: SUCCESS
        """,
    )


def test_a_signal_while_the_fresh_run_is_started() -> None:
    told = tell({}, {}, execution=FRESH, start=unanswered())
    expect(
        told,
        """
        0.00 > start plan 7
        0.00 = cancelled 143: cancelled by SIGTERM while the run was being triggered, and no answer came.
               Look for a new run of test plan 7 before you run this job again
        """,
    )


def test_unclear_and_it_shows_at_once() -> None:
    told = tell({1: [run(1), run(1, child_id=2)], 2: [going(2, 1), run(2, P, 1)]}, FAILED | PASSED, trigger=UNCLEAR)
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | warning: the rerun was triggered, but no answer came. Looking for a rerun that it may have
               started
        0.00 > run 1
        0.00 > run 2
        0.00 | run 2 has shown: it is the rerun that was triggered
        0.00 | triggered 2 1 .../2
        0.00 | recovered 2 STATUS_IN_PROGRESS None 0
        3.00 > run 2
        3.00 | recovered 2 STATUS_COMPLETED SUCCESS 0
        3.00 > listing 2
        3.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        3.00 = run 1 execution asked None polls 2: FAILURE
        3.00 = run 2 recovered asked 1 polls 2: SUCCESS
        """,
    )


def test_unclear_and_it_shows_late_below_somebody_elses() -> None:
    told = tell(
        {1: [run(1), run(1), run(1), run(1, last_run_id=3)], 2: [run(2, F, 1)], 3: [going(3, 2), run(3, P, 2)]},
        FAILED | {2: [listing(2, case(21, F))], 3: [listing(3, case(31, P))]},
        trigger=UNCLEAR,
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | warning: the rerun was triggered, but no answer came. Looking for a rerun that it may have
               started
        0.00 > run 1
        1.00 > run 1
        2.50 > run 1
        2.50 > run 3
        2.50 > run 2
        2.50 | run 3 has shown: it is the rerun that was triggered
        2.50 | triggered 3 1 .../3
        2.50 > listing 2
        2.50 | recovered 3 STATUS_IN_PROGRESS None 0
        5.50 > run 3
        5.50 | recovered 3 STATUS_COMPLETED SUCCESS 0
        5.50 > listing 3
        5.50 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        5.50 = run 1 execution asked None polls 4: FAILURE
        5.50 = run 2 found asked None polls 1: FAILURE
        5.50 = run 3 recovered asked 1 polls 2: SUCCESS
        """,
    )


def test_kept_by_a_gateway_sent_again() -> None:
    told = tell({1: [run(1, last_run_id=1)], 2: [run(2, P, 1)]}, FAILED | PASSED, trigger=[GATEWAY, going(2, 1)])
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | warning: the rerun was triggered, but a gateway answered. Looking for a rerun that it may
               have started
        0.00 > run 1
        1.00 > run 1
        2.50 > run 1
        4.75 > run 1
        8.12 > run 1
        13.12 > run 1
        18.12 > run 1
        23.12 > run 1
        28.12 > run 1
        30.00 > run 1
        30.00 | no rerun has shown and the plan has no new run: triggering once more
        30.00 > trigger 7 1 11
        30.00 | triggered 2 1 .../2
        30.00 | triggered 2 STATUS_IN_PROGRESS None 0
        33.00 > run 2
        33.00 | triggered 2 STATUS_COMPLETED SUCCESS 0
        33.00 > listing 2
        33.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        33.00 = run 1 execution asked None polls 11: FAILURE
        33.00 = run 2 triggered asked 1 polls 1: SUCCESS
        """,
    )


def test_kept_by_a_gateway_sent_again_unclear_again_shows() -> None:
    told = tell(
        {1: [run(1, last_run_id=1)] * 12 + [run(1, child_id=2)], 2: [run(2, P, 1)]},
        FAILED | PASSED,
        trigger=[GATEWAY, UNCLEAR],
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | warning: the rerun was triggered, but a gateway answered. Looking for a rerun that it may
               have started
        0.00 > run 1
        1.00 > run 1
        2.50 > run 1
        4.75 > run 1
        8.12 > run 1
        13.12 > run 1
        18.12 > run 1
        23.12 > run 1
        28.12 > run 1
        30.00 > run 1
        30.00 | no rerun has shown and the plan has no new run: triggering once more
        30.00 > trigger 7 1 11
        30.00 > run 1
        31.00 > run 1
        31.00 > run 2
        31.00 | run 2 has shown: it is the rerun that was triggered
        31.00 | triggered 2 1 .../2
        31.00 | recovered 2 STATUS_COMPLETED SUCCESS 0
        31.00 > listing 2
        31.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        31.00 = run 1 execution asked None polls 13: FAILURE
        31.00 = run 2 recovered asked 1 polls 1: SUCCESS
        """,
    )


def test_kept_by_a_gateway_then_busy_and_it_never_shows() -> None:
    told = tell({1: [run(1, last_run_id=1)]}, FAILED, trigger=[GATEWAY, Refused("the plan is busy")])
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | warning: the rerun was triggered, but a gateway answered. Looking for a rerun that it may
               have started
        0.00 > run 1
        1.00 > run 1
        2.50 > run 1
        4.75 > run 1
        8.12 > run 1
        13.12 > run 1
        18.12 > run 1
        23.12 > run 1
        28.12 > run 1
        30.00 > run 1
        30.00 | no rerun has shown and the plan has no new run: triggering once more
        30.00 > trigger 7 1 11
        30.00 > run 1
        31.00 > run 1
        32.50 > run 1
        34.75 > run 1
        38.12 > run 1
        43.12 > run 1
        48.12 > run 1
        53.12 > run 1
        58.12 > run 1
        60.00 > run 1
        60.00 = error 3: the plan is busy
        60.00 = run 1 execution asked None polls 21: FAILURE
        """,
    )


def test_unclear_a_signal() -> None:
    told = tell(
        {1: [run(1)] * 5 + [run(1, child_id=2)], 2: [going(2, 1), run(2, Result.STOPPED, 1)]},
        FAILED,
        trigger=UNCLEAR,
        stop=STOPPED,
        time=FakeTime(signal_at=4.0),
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | warning: the rerun was triggered, but no answer came. Looking for a rerun that it may have
               started
        0.00 > run 1
        1.00 > run 1
        2.50 > run 1
        4.00 = cancelled 143: cancelled by SIGTERM; looking for a rerun that the trigger may have started
        4.00 = run 1 execution asked None polls 4: FAILURE
        4.00 > run 1
        5.00 > run 1
        5.00 > run 2
        5.00 | run 2 has shown: it is the rerun that was triggered
        5.00 | triggered 2 1 .../2
        5.00 > stop 2
        5.00 = cancelled 143: cancelled by SIGTERM; run 2: stop requested, not confirmed yet [stop not
               confirmed]
        5.00 = run 1 execution asked None polls 6: FAILURE
        5.00 = run 2 recovered asked 1 polls 1: STATUS_IN_PROGRESS
        5.00 | cancelled by SIGTERM; stopping run 2
        5.00 > run 2
        5.00 = cancelled 143: cancelled by SIGTERM; run 2: stop confirmed [stop confirmed]
        5.00 = run 1 execution asked None polls 6: FAILURE
        5.00 = run 2 recovered asked 1 polls 2: STOPPED
        """,
    )


def test_child_not_known_everywhere() -> None:
    told = tell(
        {1: [run(1), run(1, child_id=2)], 2: [NotFound("404"), NotFound("404"), run(2, P, 1)]},
        FAILED | PASSED,
        trigger=UNCLEAR,
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | warning: the rerun was triggered, but no answer came. Looking for a rerun that it may have
               started
        0.00 > run 1
        0.00 > run 2
        1.00 > run 1
        1.00 > run 2
        2.50 > run 1
        2.50 > run 2
        2.50 | run 2 has shown: it is the rerun that was triggered
        2.50 | triggered 2 1 .../2
        2.50 | recovered 2 STATUS_COMPLETED SUCCESS 0
        2.50 > listing 2
        2.50 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        2.50 = run 1 execution asked None polls 4: FAILURE
        2.50 = run 2 recovered asked 1 polls 1: SUCCESS
        """,
    )


def test_answered_with_no_parent() -> None:
    told = tell({1: [run(1)], 2: [run(2, P, 9)], 9: [run(9)]}, FAILED, trigger=going(2), stop=STOPPED)
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | triggered 2 1 .../2
        0.00 > run 2
        0.00 > run 9
        0.00 = error 3: the platform answered the trigger with run 2, which is no rerun of this execution
               (its parent: 9)
        0.00 = run 1 execution asked None polls 1: FAILURE
        0.00 = run 2 triggered asked 1 polls 1: SUCCESS
        """,
    )


def test_answered_with_its_own_parent() -> None:
    told = tell({1: [run(1)], 2: [going(2, 2)]}, FAILED, trigger=going(2, 2), stop=STOPPED)
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | triggered 2 1 .../2
        0.00 > stop 2
        0.00 = error 3: the platform answered the trigger with run 2, which is no rerun of this execution
               (its parent: 2); run 2: stop requested, not confirmed yet [stop not confirmed]
        0.00 = run 1 execution asked None polls 1: FAILURE
        0.00 = run 2 triggered asked 1 polls 0: STATUS_IN_PROGRESS
        0.00 | the platform answered the trigger with run 2, which is no rerun of this execution (its
               parent: 2); stopping run 2
        0.00 > run 2
        0.25 > run 2
        0.62 > run 2
        1.19 > run 2
        2.03 > run 2
        3.30 > run 2
        5.20 > run 2
        8.04 > run 2
        12.31 > run 2
        17.31 > run 2
        22.31 > run 2
        27.31 > run 2
        29.00 > run 2
        29.00 = error 3: the platform answered the trigger with run 2, which is no rerun of this execution
                (its parent: 2); stop not confirmed; run 2 may still be going: stop it by hand at .../2
                [stop not confirmed]
        29.00 = run 1 execution asked None polls 1: FAILURE
        29.00 = run 2 triggered asked 1 polls 13: STATUS_IN_PROGRESS
        """,
    )


def test_no_plan() -> None:
    told = tell({1: [replace(run(1), plan_id=None)]}, {1: [Listing(1, None, FAILED[1][0].cases)]})
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 = error 3: the platform names no test plan for run 1: nothing can be triggered
        0.00 = run 1 execution asked None polls 1: FAILURE
        """,
    )


def test_answer_of_another_plan() -> None:
    told = tell({1: [run(1)]}, FAILED, trigger=replace(going(2, 1), plan_id=8))
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | warning: the platform answered the trigger with run 2 of another test plan (8). Looking for a
               rerun that it may have started
        0.00 > run 1
        1.00 > run 1
        2.50 > run 1
        4.75 > run 1
        8.12 > run 1
        13.12 > run 1
        18.12 > run 1
        23.12 > run 1
        28.12 > run 1
        30.00 > run 1
        30.00 = error 3: the platform answered the trigger with run 2 of another test plan (8), and no rerun
                has shown since. Look for a rerun of .../1 before you run this job again
        30.00 = run 1 execution asked None polls 11: FAILURE
        """,
    )


def test_in_flight_then_watched() -> None:
    told = tell(
        {1: [run(1, child_id=2)], 2: [going(2, 1), run(2, F, 1, reruns_by_itself=True)], 3: [run(3, P, 2)]},
        FAILED | {2: [listing(2, case(21, F))], 3: [listing(3, case(31, P))]},
        trigger=going(3, 2),
        policy=Policy(max_reruns=2),
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > run 2
        0.00 | rerun 2 of this execution is still going: waiting for it first
        0.00 | found 2 STATUS_IN_PROGRESS None 0
        3.00 > run 2
        3.00 | found 2 STATUS_COMPLETED FAILURE 0
        3.00 > listing 1
        3.00 > listing 2
        3.00 | round 1: 1 of 2
        3.00 | test plan 7 reruns failures by itself: watching for such a rerun
        3.00 > run 2
        4.00 > run 2
        5.50 > run 2
        7.75 > run 2
        11.12 > run 2
        16.12 > run 2
        21.12 > run 2
        26.12 > run 2
        31.12 > run 2
        33.00 > run 2
        33.00 > trigger 7 2 21
        33.00 | triggered 3 1 .../3
        33.00 | triggered 3 STATUS_IN_PROGRESS None 0
        36.00 > run 3
        36.00 | triggered 3 STATUS_COMPLETED SUCCESS 0
        36.00 > listing 3
        36.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        36.00 = run 1 execution asked None polls 1: FAILURE
        36.00 = run 2 found asked None polls 12: FAILURE
        36.00 = run 3 triggered asked 1 polls 1: SUCCESS
        """,
    )


def test_deadline_while_watched() -> None:
    told = tell({1: [run(1, reruns_by_itself=True)]}, FAILED, policy=Policy(timeout_minutes=0.2))
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 | test plan 7 reruns failures by itself: watching for such a rerun
        0.00 > run 1
        1.00 > run 1
        2.50 > run 1
        4.75 > run 1
        8.12 > run 1
        12.00 = timed-out 4: the deadline (timeout-minutes: 0.2) passed while run 1 was watched for a rerun
        12.00 = run 1 execution asked None polls 6: FAILURE
        """,
    )


def test_deadline_during_delay() -> None:
    told = tell({1: [run(1)]}, FAILED, policy=Policy(timeout_minutes=0.2, rerun_delay_seconds=60))
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        12.00 = timed-out 4: the deadline (timeout-minutes: 0.2) passed during rerun-delay-seconds
        12.00 = run 1 execution asked None polls 1: FAILURE
        """,
    )


def test_deadline_while_unsettled() -> None:
    told = tell({1: [run(1)]}, {1: [listing(1, case(11, Result.RUNNING))]}, policy=Policy(timeout_minutes=0.2))
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        1.00 > listing 1
        2.50 > listing 1
        4.75 > listing 1
        8.12 > listing 1
        12.00 = timed-out 4: the deadline (timeout-minutes: 0.2) passed while run 1 had unfinished results
        12.00 = run 1 execution asked None polls 1: FAILURE
        """,
    )


def test_unsettled_for_a_minute() -> None:
    told = tell(
        {1: [run(1)]},
        {1: [listing(1, case(11, Result.RUNNING), case(12, F, name=2))]},
        policy=Policy(exclude=(pattern_of("case 2"),)),
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        1.00 > listing 1
        2.50 > listing 1
        4.75 > listing 1
        8.12 > listing 1
        13.19 > listing 1
        20.78 > listing 1
        32.17 > listing 1
        49.26 > listing 1
        60.00 > listing 1
        60.00 | round 1: 0 of 2
        60.00 > run 1
        60.00 = failed 1: 1 test failed and was not rerun; 1 test ended without a result that counts
        60.00 = run 1 execution asked None polls 2: FAILURE
        """,
    )


def test_a_stop_that_another_run_takes() -> None:
    told = tell(
        {1: [run(1)], 2: [*[going(2, 1)] * 3, going(2, 1), run(2, P, 1)]},
        FAILED,
        trigger=CREATED,
        policy=EACH_SECOND,
        time=FakeTime(signal_at=2.5),
        stop=StopReply(StopRoute.COLLECTION, 200, 9),
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | triggered 2 1 .../2
        0.00 | triggered 2 STATUS_CREATED None 0
        2.50 > stop 2
        2.50 = cancelled 143: cancelled by SIGTERM; run 2: stop requested, not confirmed yet [stop not
               confirmed]
        2.50 = run 1 execution asked None polls 1: FAILURE
        2.50 = run 2 triggered asked 1 polls 0: STATUS_CREATED
        2.50 | cancelled by SIGTERM; stopping run 2
        2.50 > run 2
        2.75 > run 2
        3.12 > run 2
        3.69 > run 2
        4.53 > run 2
        4.53 = cancelled 143: cancelled by SIGTERM; the platform stopped run 9 instead of 2, which ended by
               itself [stop not confirmed]
        4.53 = run 1 execution asked None polls 1: FAILURE
        4.53 = run 2 triggered asked 1 polls 5: SUCCESS
        """,
    )


def test_a_stop_that_another_run_takes_while_ours_goes_on() -> None:
    told = tell(
        {1: [run(1)], 2: [going(2, 1)]},
        FAILED,
        trigger=CREATED,
        policy=EACH_SECOND,
        time=FakeTime(signal_at=2.5),
        stop=StopReply(StopRoute.COLLECTION, 200, 9),
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | triggered 2 1 .../2
        0.00 | triggered 2 STATUS_CREATED None 0
        2.50 > stop 2
        2.50 = cancelled 143: cancelled by SIGTERM; run 2: stop requested, not confirmed yet [stop not
               confirmed]
        2.50 = run 1 execution asked None polls 1: FAILURE
        2.50 = run 2 triggered asked 1 polls 0: STATUS_CREATED
        2.50 | cancelled by SIGTERM; stopping run 2
        2.50 > run 2
        2.75 > run 2
        3.12 > run 2
        3.69 > run 2
        4.53 > run 2
        5.53 > run 2
        6.53 > run 2
        7.53 > run 2
        8.53 > run 2
        9.53 > run 2
        10.53 > run 2
        11.53 > run 2
        12.53 > run 2
        13.53 > run 2
        14.53 > run 2
        15.53 > run 2
        16.53 > run 2
        17.53 > run 2
        18.53 > run 2
        19.53 > run 2
        20.53 > run 2
        21.53 > run 2
        22.53 > run 2
        23.53 > run 2
        24.53 > run 2
        25.53 > run 2
        26.53 > run 2
        27.53 > run 2
        28.53 > run 2
        29.53 > run 2
        30.53 > run 2
        31.50 > run 2
        31.50 = cancelled 143: cancelled by SIGTERM; the platform stopped run 9 instead of 2, stop not
                confirmed; run 2 may still be going: stop it by hand at .../2 [stop not confirmed]
        31.50 = run 1 execution asked None polls 1: FAILURE
        31.50 = run 2 triggered asked 1 polls 32: STATUS_IN_PROGRESS
        """,
    )


def test_a_stop_that_comes_too_late() -> None:
    told = tell(
        {1: [run(1)], 2: [going(2, 1), going(2, 1), going(2, 1), run(2, P, 1)]},
        FAILED,
        trigger=CREATED,
        policy=EACH_SECOND,
        time=FakeTime(signal_at=2.5),
        stop=STOPPED,
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | triggered 2 1 .../2
        0.00 | triggered 2 STATUS_CREATED None 0
        2.50 > stop 2
        2.50 = cancelled 143: cancelled by SIGTERM; run 2: stop requested, not confirmed yet [stop not
               confirmed]
        2.50 = run 1 execution asked None polls 1: FAILURE
        2.50 = run 2 triggered asked 1 polls 0: STATUS_CREATED
        2.50 | cancelled by SIGTERM; stopping run 2
        2.50 > run 2
        2.75 > run 2
        3.12 > run 2
        3.69 > run 2
        3.69 = cancelled 143: cancelled by SIGTERM; run 2: stop confirmed, it had ended with SUCCESS by then
               [stop confirmed]
        3.69 = run 1 execution asked None polls 1: FAILURE
        3.69 = run 2 triggered asked 1 polls 4: SUCCESS
        """,
    )


def test_a_fresh_run_that_goes_on_elsewhere_is_left_running() -> None:
    told = tell(
        {1: [going(1)]},
        {},
        execution=FRESH,
        start=going(1),
        policy=Policy(on_cancel=OnEnd.LEAVE),
        time=FakeTime(signal_at=2.5),
    )
    expect(
        told,
        """
        0.00 > start plan 7
        0.00 | run 1 of test plan 7 started: .../1
        0.00 | fresh 1 STATUS_IN_PROGRESS None 0
        2.50 = cancelled 143: cancelled by SIGTERM; run 1 was left running, as asked: .../1
        2.50 = run 1 fresh asked None polls 1: STATUS_IN_PROGRESS
        """,
    )


def test_somebody_elses_run_goes_on_after_a_signal() -> None:
    told = tell({1: [going(1)]}, {}, time=FakeTime(signal_at=2.5))
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_IN_PROGRESS None 0
        2.50 = cancelled 143: cancelled by SIGTERM; run 1 goes on, this step did not start it: .../1
        2.50 = run 1 execution asked None polls 1: STATUS_IN_PROGRESS
        """,
    )


def test_parents_without_an_end() -> None:
    parents = {number: [run(number, F, number + 1)] for number in range(500, 700)}
    told = tell({1: [run(1, last_run_id=500)], **parents}, dict(FAILED), trigger=CREATED)
    assert told.script.splitlines()[-2:] == [
        "0.00 = error 3: the parents of run 500 have no end",
        "0.00 = run 1 execution asked None polls 1: FAILURE",
    ]
    assert told.platform.count("run") == 101


def test_rows_and_whole_cases_are_picked_round_by_round() -> None:
    told = tell(
        {1: [run(1)], 2: [run(2, F, 1)], 3: [run(3, P, 2)]},
        {
            1: [listing(1, case(11, F, (12, "a", F), (13, "b", P), (14, "c", A)), case(15, F, name=2))],
            2: [listing(2, case(21, F, (22, "a", F), (24, "c", P)), case(25, P, name=2))],
            3: [listing(3, case(31, P, (32, "a", P)))],
        },
        trigger=[going(2, 1), going(3, 2)],
        policy=Policy(max_reruns=2),
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 3 of 4
        0.00 > trigger 7 1 11[12, 14] 15
        0.00 | triggered 2 3 .../2
        0.00 | triggered 2 STATUS_IN_PROGRESS None 0
        3.00 > run 2
        3.00 | triggered 2 STATUS_COMPLETED FAILURE 0
        3.00 > listing 2
        3.00 | round 2: 1 of 4
        3.00 > trigger 7 2 21[22]
        3.00 | triggered 3 1 .../3
        3.00 | triggered 3 STATUS_IN_PROGRESS None 0
        6.00 > run 3
        6.00 | triggered 3 STATUS_COMPLETED SUCCESS 0
        6.00 > listing 3
        6.00 = flaky 0: 3 tests failed and passed in a later run; nothing fails any more
        6.00 = run 1 execution asked None polls 1: FAILURE
        6.00 = run 2 triggered asked 3 polls 1: FAILURE
        6.00 = run 3 triggered asked 1 polls 1: SUCCESS
        """,
    )


def test_a_given_rerun_leads_up_to_the_first_run_and_down_to_the_newest() -> None:
    told = tell(
        {1: [run(1)], 2: [run(2, F, 1)], 3: [run(3, F, 2, child_id=4)], 4: [run(4, F, 3)], 5: [run(5, P, 4)]},
        {number: [listing(number, case(10 * number + 1, F))] for number in (1, 2, 3, 4)}
        | {5: [listing(5, case(51, P))]},
        execution=3,
        trigger=going(5, 4),
    )
    expect(
        told,
        """
        0.00 > run 3
        0.00 > run 2
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 | execution 2 STATUS_COMPLETED FAILURE 0
        0.00 | execution 3 STATUS_COMPLETED FAILURE 0
        0.00 > run 4
        0.00 > listing 1
        0.00 > listing 2
        0.00 > listing 3
        0.00 > listing 4
        0.00 | round 1: 1 of 1
        0.00 > trigger 7 4 41
        0.00 | triggered 5 1 .../5
        0.00 | triggered 5 STATUS_IN_PROGRESS None 0
        3.00 > run 5
        3.00 | triggered 5 STATUS_COMPLETED SUCCESS 0
        3.00 > listing 5
        3.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        3.00 = run 1 execution asked None polls 1: FAILURE
        3.00 = run 2 execution asked None polls 1: FAILURE
        3.00 = run 3 execution asked None polls 1: FAILURE
        3.00 = run 4 execution asked None polls 1: FAILURE
        3.00 = run 5 triggered asked 1 polls 1: SUCCESS
        """,
    )


def test_the_plans_last_run_follows_the_chain_and_a_stranger_is_left_alone() -> None:
    told = tell(
        {1: [run(1, last_run_id=8)], 2: [run(2, P, 1)], 8: [run(8, F, 7)], 7: [Refused("403")]},
        FAILED | PASSED,
        trigger=going(2, 1, last_run_id=2),
        policy=Policy(rerun_delay_seconds=5),
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > run 8
        0.00 > run 7
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        5.00 > run 1
        5.00 > trigger 7 1 11
        5.00 | triggered 2 1 .../2
        5.00 | triggered 2 STATUS_IN_PROGRESS None 0
        8.00 > run 2
        8.00 | triggered 2 STATUS_COMPLETED SUCCESS 0
        8.00 > listing 2
        8.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        8.00 = run 1 execution asked None polls 2: FAILURE
        8.00 = run 2 triggered asked 1 polls 1: SUCCESS
        """,
    )


def test_a_chain_in_a_circle() -> None:
    told = tell({1: [run(1, F, 2)], 2: [run(2, F, 1)]}, {}, execution=1)
    expect(
        told,
        """
        0.00 > run 1
        0.00 > run 2
        0.00 > run 1
        0.00 = error 3: the chain of reruns has no end: run 1 follows itself
        0.00 = run 2 execution asked None polls 1: FAILURE
        0.00 = run 1 execution asked None polls 1: FAILURE
        """,
    )


def test_an_execution_that_is_not_there() -> None:
    expect(
        tell({}, {}),
        """
        0.00 > run 1
        0.00 = error 3: execution-id: there is no execution 1 at https://testsigma.example. Most often it is
               a test plan id (`executionId` in API bodies is one): give the number at the end of a run's
               address, .../<number>. the platform does not know it (404).
        """,
    )


def test_an_execution_of_another_plan() -> None:
    expect(
        tell({1: [run(1)]}, {}, plan=8),
        """
        0.00 > run 1
        0.00 = error 3: test-plan-id: execution 1 belongs to test plan 7, not 8; correct one of the two
               inputs. Nothing was triggered
        """,
    )


def test_all_is_well() -> None:
    told = tell({1: [run(1, P)]}, {1: [listing(1, case(11, P), case(12, P, name=2))]})
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED SUCCESS 0
        0.00 > listing 1
        0.00 | round 1: 0 of 2
        0.00 = clean 0: nothing that counts failed; 2 of 2 tests passed
        0.00 = run 1 execution asked None polls 1: SUCCESS
        """,
    )


def test_a_fault_of_our_own_stops_what_was_started() -> None:
    told = tell({1: [run(1)], 2: [KeyError("oh"), run(2, Result.STOPPED, 1)]}, FAILED, trigger=CREATED, stop=STOPPED)
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | triggered 2 1 .../2
        0.00 | triggered 2 STATUS_CREATED None 0
        3.00 > run 2
        3.00 | crashed: KeyError('oh')
        3.00 > stop 2
        3.00 = error 3: a fault of the action itself (KeyError); run 2: stop requested, not confirmed yet
               [stop not confirmed]
        3.00 = run 1 execution asked None polls 1: FAILURE
        3.00 = run 2 triggered asked 1 polls 0: STATUS_CREATED
        3.00 | a fault of the action itself (KeyError); stopping run 2
        3.00 > run 2
        3.00 = error 3: a fault of the action itself (KeyError); run 2: stop confirmed [stop confirmed]
        3.00 = run 1 execution asked None polls 1: FAILURE
        3.00 = run 2 triggered asked 1 polls 1: STOPPED
        """,
    )


def test_a_run_without_results() -> None:
    expect(
        tell({1: [run(1)]}, {1: [listing(1)]}),
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 = error 3: run 1 has finished, but no test case results are listed for it. Look at .../1
        0.00 = run 1 execution asked None polls 1: FAILURE
        """,
    )


def test_a_failed_run_whose_tests_all_passed() -> None:
    expect(
        tell({1: [run(1)]}, {1: [listing(1, case(11, P))]}),
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 = error 3: run 1 ended with FAILURE, but every test case listed for it passed and no later
               rerun explains that. Look at .../1
        0.00 = run 1 execution asked None polls 1: FAILURE
        """,
    )


def test_a_failed_run_whose_tests_all_passed_as_its_rerun_has_it() -> None:
    told = tell(
        {1: [run(1, reruns_by_itself=True), run(1, child_id=2)], 2: [run(2, P, 1)]},
        {1: [listing(1, case(11, P))]} | PASSED,
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | test plan 7 reruns failures by itself: watching for such a rerun
        0.00 > run 1
        0.00 > run 2
        0.00 > listing 2
        0.00 | round 1: 0 of 1
        0.00 = clean 0: nothing that counts failed; 1 of 1 test passed
        0.00 = run 1 execution asked None polls 2: FAILURE
        0.00 = run 2 found asked None polls 1: SUCCESS
        """,
    )


def test_how_long_a_rerun_may_take_is_told_by_the_runs_before() -> None:
    cases = [case(10 + number, F, name=number) for number in range(1, 5)]
    told = tell(
        {
            1: [run(1, seconds=1030.0)],
            2: [going(2, 1), run(2, F, 1, seconds=400.0)],
            3: [going(3, 2), run(3, F, 2, seconds=200.0)],
            4: [run(4, P, 3)],
        },
        {
            1: [listing(1, *cases)],
            2: [listing(2, case(21, P, name=1), case(22, P, name=2), case(23, F, name=3), case(24, F, name=4))],
            3: [listing(3, case(33, P, name=3), case(34, F, name=4))],
            4: [listing(4, case(44, P, name=4))],
        },
        trigger=[going(2, 1), going(3, 2), going(4, 3)],
        policy=Policy(max_reruns=3),
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 4 of 4
        0.00 > trigger 7 1 11 12 13 14
        0.00 | triggered 2 4 .../2
        0.00 | triggered 2 STATUS_IN_PROGRESS None 0 1030 s left
        3.00 > run 2
        6.00 > run 2
        6.00 | triggered 2 STATUS_COMPLETED FAILURE 0 1024 s left
        6.00 > listing 2
        6.00 | round 2: 2 of 4
        6.00 > trigger 7 2 23 24
        6.00 | triggered 3 2 .../3
        6.00 | triggered 3 STATUS_IN_PROGRESS None 0 530 s left
        9.00 > run 3
        12.00 > run 3
        12.00 | triggered 3 STATUS_COMPLETED FAILURE 0 524 s left
        12.00 > listing 3
        12.00 | round 3: 1 of 4
        12.00 > trigger 7 3 34
        12.00 | triggered 4 1 .../4
        12.00 | triggered 4 STATUS_IN_PROGRESS None 0 100 s left
        15.00 > run 4
        15.00 | triggered 4 STATUS_COMPLETED SUCCESS 0 97 s left
        15.00 > listing 4
        15.00 = flaky 0: 4 tests failed and passed in a later run; nothing fails any more
        15.00 = run 1 execution asked None polls 1: FAILURE
        15.00 = run 2 triggered asked 4 polls 2: FAILURE
        15.00 = run 3 triggered asked 2 polls 2: FAILURE
        15.00 = run 4 triggered asked 1 polls 1: SUCCESS
        """,
    )


def test_an_answer_without_a_parent_for_good() -> None:
    told = tell({1: [run(1)], 2: [going(2), run(2, Result.STOPPED)]}, FAILED, trigger=going(2), stop=STOPPED)
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | triggered 2 1 .../2
        0.00 > run 2
        0.00 > stop 2
        0.00 = error 3: the platform answered the trigger with run 2, which is no rerun of this execution
               (its parent: none); run 2: stop requested, not confirmed yet [stop not confirmed]
        0.00 = run 1 execution asked None polls 1: FAILURE
        0.00 = run 2 triggered asked 1 polls 1: STATUS_IN_PROGRESS
        0.00 | the platform answered the trigger with run 2, which is no rerun of this execution (its
               parent: none); stopping run 2
        0.00 > run 2
        0.00 = error 3: the platform answered the trigger with run 2, which is no rerun of this execution
               (its parent: none); run 2: stop confirmed [stop confirmed]
        0.00 = run 1 execution asked None polls 1: FAILURE
        0.00 = run 2 triggered asked 1 polls 2: STOPPED
        """,
    )


def test_an_answer_with_the_very_run_that_was_given() -> None:
    told = tell({1: [run(1)] * 3 + [run(1, child_id=2)], 2: [run(2, P, 1)]}, FAILED | PASSED, trigger=going(1))
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | warning: the platform answered the trigger with run 1, which was there before. Looking for a
               rerun that it may have started
        0.00 > run 1
        1.00 > run 1
        2.50 > run 1
        2.50 > run 2
        2.50 | run 2 has shown: it is the rerun that was triggered
        2.50 | triggered 2 1 .../2
        2.50 | recovered 2 STATUS_COMPLETED SUCCESS 0
        2.50 > listing 2
        2.50 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        2.50 = run 1 execution asked None polls 4: FAILURE
        2.50 = run 2 recovered asked 1 polls 1: SUCCESS
        """,
    )


def test_a_listing_with_unknown_words_and_as_much_as_was_announced() -> None:
    odd = replace(listing(1, case(11, F), case(12, P, name=2)), unknown_words=frozenset({"b", "a"}), named_run_id=1)
    told = tell(
        {1: [run(1, progress=Progress(2))], 2: [run(2, P, 1, progress=Progress(9))]},
        {1: [odd]} | PASSED,
        trigger=going(2, 1),
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | warning: run 1 lists results that this action does not know: "a", "b"
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | triggered 2 1 .../2
        0.00 | triggered 2 STATUS_IN_PROGRESS None 0
        3.00 > run 2
        3.00 | triggered 2 STATUS_COMPLETED SUCCESS 0
        3.00 > listing 2
        3.00 | warning: run 2 counts 9 results, but lists only 1
        3.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        3.00 = run 1 execution asked None polls 1: FAILURE
        3.00 = run 2 triggered asked 1 polls 1: SUCCESS
        """,
    )


def test_a_run_that_was_found_and_is_gone() -> None:
    told = tell({1: [run(1, child_id=2)], 2: [going(2, 1), NotFound("the platform does not know it (404).")]}, {})
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > run 2
        0.00 | rerun 2 of this execution is still going: waiting for it first
        0.00 | found 2 STATUS_IN_PROGRESS None 0
        3.00 > run 2
        3.00 = error 3: the platform does not know it (404); run 2 goes on, this step did not start it:
               .../2
        3.00 = run 1 execution asked None polls 1: FAILURE
        3.00 = run 2 found asked None polls 1: STATUS_IN_PROGRESS
        """,
    )


def test_one_look_more_before_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rhythm, "pause", lambda *_: 40.0)
    expect(
        tell({1: [going(1)]}, {}, policy=Policy(timeout_minutes=1.0)),
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_IN_PROGRESS None 0
        40.00 > run 1
        55.00 > run 1
        60.00 = timed-out 4: the deadline (timeout-minutes: 1) passed while run 1 was in progress; run 1
                goes on, this step did not start it: .../1
        60.00 = run 1 execution asked None polls 3: STATUS_IN_PROGRESS
        """,
    )


def test_a_dry_run_of_a_fresh_run() -> None:
    expect(
        tell({}, {}, execution=FRESH, policy=Policy(dry_run=True)),
        """
        0.00 = dry-run 0: would start a fresh run of test plan 7, then rerun its failures
        """,
    )


def test_the_whole_report() -> None:
    policy = Policy(max_reruns=2)
    told = tell({1: [run(1)], 2: [run(2, P, 1)]}, FAILED | PASSED, trigger=going(2, 1), policy=policy)
    assert told.report == Report(
        Outcome.FLAKY,
        ExitCode.PASSED,
        "1 test failed and passed in a later run; nothing fails any more",
        execution_id=1,
        server_url=SERVER,
        policy=policy,
        test_plan_id=7,
        runs=(
            RunReport(run(1), Origin.EXECUTION, None, 1),
            RunReport(run(2, P, 1), Origin.TRIGGERED, 1, 1),
        ),
        stop=None,
        leaves=(
            LeafReport(
                Leaf("suite", "case 1", "machine 1"),
                Verdict.FLAKY,
                "FAILURE in run 1, then passed in run 2",
                rerun=True,
                observations=(Observation(1, 11, F), Observation(2, 21, P)),
            ),
            LeafReport(
                Leaf("suite", "case 2", "machine 1"),
                Verdict.PASSED,
                "passed in run 1",
                rerun=False,
                observations=(Observation(1, 12, P),),
            ),
        ),
    )


def test_a_rerun_that_explains_nothing() -> None:
    told = tell(
        {1: [run(1, reruns_by_itself=True), run(1, child_id=2)], 2: [run(2, F, 1)]},
        {1: [listing(1, case(11, P))]} | PASSED,
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | test plan 7 reruns failures by itself: watching for such a rerun
        0.00 > run 1
        0.00 > run 2
        0.00 > listing 2
        0.00 = error 3: run 2 ended with FAILURE, but every test case listed for it passed and no later
               rerun explains that. Look at .../2
        0.00 = run 1 execution asked None polls 2: FAILURE
        0.00 = run 2 found asked None polls 1: FAILURE
        """,
    )


def test_where_nothing_may_be_rerun_no_breaker_speaks() -> None:
    told = tell({1: [run(1)]}, FAILED, policy=Policy(max_failures=0, exclude=(pattern_of("*"),)))
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 0 of 2
        0.00 = failed 1: 1 test failed and was not rerun
        0.00 = run 1 execution asked None polls 1: FAILURE
        """,
    )


def test_a_recovered_run_of_another_plan() -> None:
    other = replace(going(2, 1), plan_id=8)
    told = tell(
        {1: [run(1), run(1, child_id=2)], 2: [other, run(2, Result.STOPPED, 1)]},
        FAILED,
        trigger=UNCLEAR,
        stop=STOPPED,
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | warning: the rerun was triggered, but no answer came. Looking for a rerun that it may have
               started
        0.00 > run 1
        0.00 > run 2
        0.00 > stop 2
        0.00 = error 3: run 2 is in the chain of test plan 7, but belongs to plan 8; run 2: stop requested,
               not confirmed yet [stop not confirmed]
        0.00 = run 1 execution asked None polls 2: FAILURE
        0.00 = run 2 recovered asked 1 polls 1: STATUS_IN_PROGRESS
        0.00 | run 2 is in the chain of test plan 7, but belongs to plan 8; stopping run 2
        0.00 > run 2
        0.00 = error 3: run 2 is in the chain of test plan 7, but belongs to plan 8; run 2: stop confirmed
               [stop confirmed]
        0.00 = run 1 execution asked None polls 2: FAILURE
        0.00 = run 2 recovered asked 1 polls 2: STOPPED
        """,
    )


def test_a_listing_of_another_plan() -> None:
    expect(
        tell({1: [run(1)]}, {1: [Listing(1, 8, (case(11, F),))]}),
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 = error 3: run 1 lists results of test plan 7, but belongs to plan 8
        0.00 = run 1 execution asked None polls 1: FAILURE
        """,
    )


def test_kept_by_a_gateway_and_the_last_look_is_refused() -> None:
    told = tell({1: [run(1, last_run_id=1)] * 10 + [Refused("403")]}, FAILED, trigger=GATEWAY)
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        0.00 > trigger 7 1 11
        0.00 | warning: the rerun was triggered, but a gateway answered. Looking for a rerun that it may
               have started
        0.00 > run 1
        1.00 > run 1
        2.50 > run 1
        4.75 > run 1
        8.12 > run 1
        13.12 > run 1
        18.12 > run 1
        23.12 > run 1
        28.12 > run 1
        30.00 > run 1
        30.00 = error 3: the rerun was triggered, but a gateway answered, and no rerun has shown since. Look
                for a rerun of .../1 before you run this job again
        30.00 = run 1 execution asked None polls 10: FAILURE
        """,
    )


def test_the_rhythm_of_a_rerun_follows_its_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rhythm, "pause", TRUE_PAUSE)
    told = tell(
        {1: [run(1, seconds=1030.0)], 2: [going(2, 1), going(2, 1), run(2, P, 1)]},
        {1: [listing(1, case(11, F), *(case(20 + number, P, name=number) for number in range(2, 11)))]}
        | {2: [listing(2, case(31, P))]},
        trigger=going(2, 1),
        policy=Policy(rerun_delay_seconds=50.0),
    )
    rhythm, first = Rhythm(60.0, 130.0), Rhythm(60.0, 130.0).pause(0.0, Progress())
    assert told.time.sleeps[:3] == [50.0, first, pytest.approx(rhythm.pause(first, Progress()))]


def test_a_rerun_that_follows_the_one_that_was_waited_for() -> None:
    told = tell(
        {1: [run(1, child_id=2)], 2: [going(2, 1), run(2, F, 1, child_id=3)], 3: [run(3, P, 2)]},
        FAILED | {2: [listing(2, case(21, F))], 3: [listing(3, case(31, P))]},
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > run 2
        0.00 | rerun 2 of this execution is still going: waiting for it first
        0.00 | found 2 STATUS_IN_PROGRESS None 0
        3.00 > run 2
        3.00 | found 2 STATUS_COMPLETED FAILURE 0
        3.00 > run 3
        3.00 > listing 1
        3.00 > listing 2
        3.00 > listing 3
        3.00 | round 1: 0 of 2
        3.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        3.00 = run 1 execution asked None polls 1: FAILURE
        3.00 = run 2 found asked None polls 2: FAILURE
        3.00 = run 3 found asked None polls 1: SUCCESS
        """,
    )


def test_somebody_elses_rerun_that_is_not_settled_is_looked_at_again() -> None:
    told = tell(
        {1: [run(1), run(1, child_id=2)], 2: [run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, Result.RUNNING)), listing(2, case(21, P))]},
        policy=Policy(rerun_delay_seconds=5),
    )
    expect(
        told,
        """
        0.00 > run 1
        0.00 | execution 1 STATUS_COMPLETED FAILURE 0
        0.00 > listing 1
        0.00 | round 1: 1 of 2
        5.00 > run 1
        5.00 > run 2
        5.00 > listing 2
        6.00 > listing 2
        6.00 | round 1: 0 of 2
        6.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        6.00 = run 1 execution asked None polls 2: FAILURE
        6.00 = run 2 found asked None polls 1: SUCCESS
        """,
    )


def test_a_look_that_took_long_is_no_fresh_one() -> None:
    told = tell({1: [Slow(8.0, run(1)), run(1, child_id=2)], 2: [run(2, P, 1)]}, FAILED | PASSED)
    expect(
        told,
        """
        0.00 > run 1
        8.00 | execution 1 STATUS_COMPLETED FAILURE 0
        8.00 > listing 1
        8.00 | round 1: 1 of 2
        8.00 > run 1
        8.00 > run 2
        8.00 > listing 2
        8.00 | round 1: 0 of 2
        8.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        8.00 = run 1 execution asked None polls 2: FAILURE
        8.00 = run 2 found asked None polls 1: SUCCESS
        """,
    )


def test_a_look_at_a_parent_does_not_make_that_at_the_newest_run_fresh() -> None:
    told = tell(
        {1: [run(1)], 2: [Slow(3.0, run(2, F, 1)), run(2, F, 1, child_id=3)], 3: [run(3, P, 2)]},
        FAILED | {2: [listing(2, case(21, F))], 3: [listing(3, case(31, P))]},
        execution=2,
    )
    expect(
        told,
        """
        0.00 > run 2
        3.00 > run 1
        3.00 | execution 1 STATUS_COMPLETED FAILURE 0
        3.00 | execution 2 STATUS_COMPLETED FAILURE 0
        3.00 > listing 1
        3.00 > listing 2
        3.00 | round 1: 1 of 2
        3.00 > run 2
        3.00 > run 3
        3.00 > listing 3
        3.00 | round 1: 0 of 2
        3.00 = flaky 0: 1 test failed and passed in a later run; nothing fails any more
        3.00 = run 1 execution asked None polls 1: FAILURE
        3.00 = run 2 execution asked None polls 2: FAILURE
        3.00 = run 3 found asked None polls 1: SUCCESS
        """,
    )
