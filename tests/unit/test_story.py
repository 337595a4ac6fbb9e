"""The story against a scripted platform, in time that passes only when somebody waits."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rerun_action.core.filters import pattern_of
from rerun_action.core.model import (
    FreshRun,
    Listing,
    OnEnd,
    Origin,
    Outcome,
    Pick,
    Policy,
    Progress,
    QuarantineEntry,
    Result,
    Run,
    StopReply,
    StopReport,
    StopRoute,
    Verdict,
)
from rerun_action.core.pace import Rhythm
from rerun_action.errors import Cancelled, DeadlinePassed, EndAtOnce, NotFound, Refused, Unclear, Unreachable
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


def test_the_few_requests_of_an_ordinary_story() -> None:
    told = tell(
        {1: [run(1)], 2: [going(2, 1), run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
        trigger=CREATED,
        plan=7,
    )
    assert (told.report.outcome, told.report.exit_code) == (Outcome.FLAKY, 0)
    assert told.platform.log == [
        ("run", 1),
        ("listing", 1),
        ("trigger", 7, 1, (Pick(11),)),
        ("run", 2),
        ("run", 2),
        ("listing", 2),
    ]
    assert told.notes == [
        "execution 1 STATUS_COMPLETED FAILURE 0",
        "round 1: 1 of 2",
        f"triggered 2 1 {SERVER}/ui/td/runs/2",
        "triggered 2 STATUS_CREATED None 0",
        "triggered 2 STATUS_IN_PROGRESS None 0",
        "triggered 2 STATUS_COMPLETED SUCCESS 0",
    ]
    assert len(told.published) == 1


def test_pauses_are_those_of_the_rhythm_and_unknown_states_are_waited_for() -> None:
    told = tell(
        {1: [going(1, status="STATUS_BREAKFAST")] * 8 + [run(1, P)]},
        {1: [listing(1, case(11, P))]},
        policy=Policy(poll_interval_seconds=5.0),
    )
    assert told.report.outcome is Outcome.CLEAN
    rhythm, elapsed, expected = Rhythm(5.0), 0.0, list[float]()
    for _ in range(8):
        expected.append(rhythm.pause(elapsed, Progress()))
        elapsed += expected[-1]
    assert told.time.sleeps == pytest.approx(expected)
    assert told.notes[:2] == ["execution 1 STATUS_BREAKFAST None 0", "execution 1 STATUS_COMPLETED SUCCESS 0"]


def test_a_change_of_the_counters_is_a_line_and_no_change_is_none() -> None:
    one, two = Progress(3, 1, 0), Progress(3, 1, 1)
    told = tell(
        {1: [going(1), going(1), going(1, progress=one), going(1, progress=one), going(1, progress=two), run(1, P)]},
        {1: [listing(1, case(11, P))]},
        policy=EACH_SECOND,
    )
    assert [line.split("None ")[1] for line in told.notes if "IN_PROGRESS" in line] == ["0", "1 4 s left", "2 2 s left"]


def test_there_is_a_sign_of_life_every_minute() -> None:
    told = tell(
        {1: [*[going(1)] * 120, run(1, P)]}, {1: [listing(1, case(11, P))]}, policy=Policy(poll_interval_seconds=300.0)
    )
    assert told.time.at > 1000
    assert told.notes.count("execution 1 STATUS_IN_PROGRESS None 0") >= told.time.at // 60


def test_what_is_expected_of_a_rerun_is_its_share_of_the_first_runs_time() -> None:
    told = tell(
        {1: [run(1, seconds=100.0)], 2: [going(2, 1), run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
        trigger=CREATED,
        policy=EACH_SECOND,
    )
    # half of what is left beside the 30 s that it takes whatever its size
    assert "triggered 2 STATUS_CREATED None 0 65 s left" in told.notes
    assert "triggered 2 STATUS_IN_PROGRESS None 0 64 s left" in told.notes


# --- the chain --------------------------------------------------------------------------------------------------------


def test_the_plans_last_run_is_a_child_only_if_its_parents_lead_here() -> None:
    told = tell(
        {1: [run(1, last_run_id=4)], 2: [run(2, F, 1)], 4: [run(4, P, 2)]},
        FAILED | {2: [listing(2, case(21, F))], 4: [listing(4, case(41, P))]},
    )
    assert [link.run.id for link in told.report.runs] == [1, 2, 4]
    assert told.report.outcome is Outcome.FLAKY
    assert told.platform.count("trigger") == 0


@pytest.mark.parametrize("stranger", [run(9, P), run(9, P, 8)])
def test_a_stranger_is_looked_at_once_and_left_alone(stranger: Run) -> None:
    told = tell(
        {1: [run(1, last_run_id=9)], 9: [stranger], 2: [run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
        trigger=CREATED,
    )
    assert [link.run.id for link in told.report.runs] == [1, 2]
    assert told.platform.log.count(("run", 9)) == 1


def test_a_parent_that_can_not_be_read_ends_it() -> None:
    told = tell({2: [run(2, F, 1)]}, {}, execution=2)
    assert (told.report.outcome, told.report.exit_code) == (Outcome.ERROR, 3)


@pytest.mark.parametrize(
    "runs",
    [
        {1: [run(1, F, 2)], 2: [run(2, F, 1)]},
        {1: [run(1, child_id=2)], 2: [run(2, F, 1, child_id=3)], 3: [run(3, F, 2, child_id=1, last_run_id=1)]},
        {1: [run(1, last_run_id=8)], 8: [run(8, F, 9)], 9: [run(9, F, 8)]},
    ],
)
def test_a_chain_in_a_circle_ends(runs: dict[int, list[Any]]) -> None:
    rows = {number: [listing(number, case(11, P))] for number in runs}
    told = tell(runs, rows)
    assert told.report.exit_code == 3


def test_a_rerun_in_flight_is_waited_for_before_anything_is_read() -> None:
    told = tell(
        {1: [run(1, child_id=2)], 2: [going(2, 1), run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
    )
    assert told.platform.log == [("run", 1), ("run", 2), ("run", 2), ("listing", 1), ("listing", 2)]
    assert [link.origin for link in told.report.runs] == [Origin.EXECUTION, Origin.FOUND]
    assert told.report.outcome is Outcome.FLAKY


def test_a_run_that_came_between_joins_before_ours() -> None:
    told = tell(
        {1: [run(1)], 5: [run(5, F, 1)], 6: [run(6, P, 5)]},
        FAILED | {5: [listing(5, case(51, F))], 6: [listing(6, case(61, P))]},
        trigger=going(6, parent=5),
    )
    assert [(link.run.id, link.origin) for link in told.report.runs] == [
        (1, Origin.EXECUTION),
        (5, Origin.FOUND),
        (6, Origin.TRIGGERED),
    ]
    assert [o.run_id for o in told.report.leaves[0].observations] == [1, 5, 6]
    assert told.report.outcome is Outcome.FLAKY


@pytest.mark.parametrize("where", ["run", "listing", "trigger"])
def test_another_plan_anywhere_is_a_contradiction(where: str) -> None:
    other = Run(2, 8, "STATUS_IN_PROGRESS", None, 1)
    told = tell(
        {1: [run(1, child_id=2 if where == "run" else None)], 2: [other, Run(2, 8, "STATUS_COMPLETED", F, 1)]},
        {1: [Listing(1, 8 if where == "listing" else 7, (case(11, F),))]},
        trigger=other,
        stop=STOPPED,
    )
    assert told.report.exit_code == 3
    said = "run 2 of another test plan (8)" if where == "trigger" else "of test plan 7, but belongs to plan 8"
    assert said in told.report.message
    assert told.platform.count("stop") == 0  # a run of another plan is not ours, whatever answered


def test_the_plan_of_the_listing_is_checked_where_the_run_names_none() -> None:
    told = tell({1: [Run(1, None, "STATUS_COMPLETED", F)]}, dict(FAILED), plan=999)
    assert told.report.exit_code == 3
    assert told.report.message.startswith("test-plan-id: execution 1 belongs to test plan 7, not 999")
    assert told.platform.count("trigger") == 0


def test_the_listing_of_another_run_is_a_contradiction() -> None:
    told = tell({1: [run(1)]}, {1: [replace(FAILED[1][0], named_run_id=5)]})
    assert told.report.message == "the results of run 1 were asked for, those of 5 came"


@pytest.mark.parametrize("child", [run(50, P), run(50, P, 49)])
def test_a_child_result_whose_parents_lead_elsewhere_is_no_child(child: Run) -> None:
    told = tell(
        {1: [run(1, child_id=50)], 50: [child], 49: [run(49)], 2: [run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
        trigger=CREATED,
    )
    assert [link.run.id for link in told.report.runs] == [1, 2]
    assert told.platform.count("trigger") == 1


@pytest.mark.parametrize(("parent", "stops"), [(40, 1), (None, 1)])
def test_an_answer_that_is_no_rerun_of_this_execution_is_a_contradiction(parent: int | None, stops: int) -> None:
    told = tell(
        {1: [run(1)], 40: [run(40)], 50: [going(50, parent), run(50, Result.STOPPED, parent)]},
        dict(FAILED),
        trigger=going(50, parent),
        stop=StopReply(StopRoute.RUN, 200, 50),
    )
    assert told.report.exit_code == 3
    assert "run 50, which is no rerun of this execution" in told.report.message
    assert told.platform.count("stop") == stops


def test_an_answer_without_a_parent_is_looked_at_again() -> None:
    told = tell(
        {1: [run(1)], 2: [going(2, 1), run(2, P, 1)]}, FAILED | {2: [listing(2, case(21, P))]}, trigger=going(2)
    )
    assert told.report.outcome is Outcome.FLAKY


def test_the_plan_of_the_listing_is_used_where_the_run_names_none() -> None:
    bare = Run(1, None, "STATUS_COMPLETED", F)
    told = tell({1: [bare], 2: [run(2, P, 1)]}, FAILED | {2: [listing(2, case(21, P))]}, trigger=CREATED, plan=7)
    assert told.platform.log[2][:3] == ("trigger", 7, 1)


# --- listings ---------------------------------------------------------------------------------------------------------


def test_the_first_runs_listing_is_read_when_the_reruns_own_does_not_show_a_leaf() -> None:
    merged = listing(1, case(21, P), case(12, P, name=2))
    told = tell({1: [run(1)], 2: [run(2, P, 1)]}, {1: [*FAILED[1], merged], 2: [listing(2)]}, trigger=CREATED)
    assert told.report.outcome is Outcome.FLAKY
    assert [o.run_id for o in told.report.leaves[0].observations] == [1, 2]


def test_the_first_runs_listing_is_looked_at_again_too() -> None:
    merged = [listing(1, case(21, result), case(12, P, name=2)) for result in (Result.RUNNING, P)]
    told = tell({1: [run(1)], 2: [run(2, P, 1)]}, {1: [*FAILED[1], *merged], 2: [listing(2)]}, trigger=CREATED)
    assert told.report.outcome is Outcome.FLAKY
    assert told.time.at < 5


def test_the_execution_itself_is_looked_at_again_while_it_is_not_settled() -> None:
    looks = [listing(1, case(10, F, (11, "a", Result.RUNNING)), case(12, P, name=2))] * 2
    looks.append(listing(1, case(10, F, (11, "a", P)), case(12, P, name=2)))
    told = tell(
        {1: [run(1)], 2: [run(2, P, 1)]}, {1: looks, 2: [listing(2, case(20, P, (21, "a", P)))]}, trigger=CREATED
    )
    # the row has passed, so the case failed by itself
    assert [entry[3] for entry in told.platform.log if entry[0] == "trigger"] == [(Pick(10),)]
    assert told.report.outcome is Outcome.FLAKY


def test_what_is_seen_nowhere_is_unresolved() -> None:
    told = tell({1: [run(1)], 2: [run(2, P, 1)]}, FAILED | {2: [listing(2)]}, trigger=CREATED)
    assert (told.report.outcome, told.report.exit_code) == (Outcome.FAILED, 1)
    assert told.report.counts()["unresolved"] == 1
    assert told.time.at < 5


@pytest.mark.parametrize("unsettled", [Result.RUNNING, Result.QUEUED, Result.UNKNOWN])
def test_unsettled_results_are_looked_at_again_for_a_minute(unsettled: Result) -> None:
    open_listing = listing(2, case(21, unsettled))
    runs = {1: [run(1)], 2: [run(2, P, 1)]}
    told = tell(runs, FAILED | {2: [open_listing, open_listing, listing(2, case(21, P))]}, trigger=CREATED)
    assert told.report.outcome is Outcome.FLAKY
    runs = {1: [run(1)], 2: [run(2, P, 1)]}
    told = tell(runs, FAILED | {2: [open_listing]}, trigger=CREATED, policy=EACH_SECOND)
    assert (told.report.outcome, told.report.counts()["unresolved"]) == (Outcome.FAILED, 1)
    assert told.time.at == pytest.approx(61.0)


def test_a_listing_that_takes_longer_than_the_minute_is_not_the_last_look() -> None:
    told = tell(
        {1: [run(1)]},
        {1: [listing(1, case(11, Result.RUNNING)), Slow(70.0, listing(1, case(11, Result.RUNNING))), FLAKED]},
        policy=Policy(exclude=(pattern_of("*"),)),
    )
    assert told.platform.count("listing") == 3
    assert [leaf.verdict for leaf in told.report.leaves] == [Verdict.FAILED]


FLAKED = listing(1, case(11, F))


def test_an_unknown_result_of_the_execution_is_not_rerun_and_not_passed() -> None:
    told = tell({1: [run(1, P)]}, {1: [listing(1, case(11, Result.UNKNOWN), case(12, P, name=2))]})
    assert (told.report.outcome, told.platform.count("trigger")) == (Outcome.FAILED, 0)


def test_unknown_words_and_a_short_listing_are_said() -> None:
    short = Listing(1, 7, (case(11, P),), frozenset({"FOO"}))
    told = tell({1: [run(1, P, progress=Progress(total=3))]}, {1: [short]})
    assert told.report.outcome is Outcome.CLEAN
    assert 'warning: run 1 lists results that this action does not know: "FOO"' in told.notes
    assert "warning: run 1 counts 3 results, but lists only 1" in told.notes


@pytest.mark.parametrize("result", [F, A, Result.STOPPED, Result.UNKNOWN, None])
def test_a_rerun_that_failed_and_lists_only_passes_is_a_contradiction(result: Result | None) -> None:
    runs = {1: [run(1)], 2: [run(2, result, 1)]}
    told = tell(runs, FAILED | {2: [listing(2, case(21, P))]}, trigger=CREATED)
    assert told.report.exit_code == (1 if result is Result.STOPPED else 3)


def test_somebody_elses_stop_is_a_failure_and_said() -> None:
    runs = {1: [run(1)], 2: [going(2, 1), run(2, Result.STOPPED, 1)]}
    told = tell(runs, FAILED | {2: [listing(2, case(21, Result.STOPPED))]}, trigger=CREATED)
    assert (told.report.outcome, told.report.exit_code) == (Outcome.FAILED, 1)
    assert told.report.message == "somebody else stopped rerun 2; 1 test failed again"
    assert told.platform.count("stop") == 0


# --- the trigger ------------------------------------------------------------------------------------------------------


def test_a_refused_trigger_ends_it() -> None:
    told = tell({1: [run(1)]}, dict(FAILED), trigger=Refused("the test plan is busy"))
    assert (told.report.exit_code, told.report.message) == (3, "the test plan is busy")
    assert told.platform.count("trigger") == 1
    assert told.platform.count("stop") == 0


UNCLEAR = Unclear("the rerun was triggered, but")
GATEWAY = Unclear("the rerun was triggered, but", gateway=True)


def test_an_unclear_trigger_whose_run_does_not_show_says_where_to_look() -> None:
    told = tell({1: [run(1, last_run_id=1)]}, dict(FAILED), trigger=UNCLEAR)
    assert told.report.exit_code == 3
    assert told.report.message == (
        "the rerun was triggered, but, and no rerun has shown since. Look for a rerun of "
        f"{SERVER}/ui/td/runs/1 before you run this job again"
    )
    assert told.platform.count("trigger") == 1
    assert told.time.at == pytest.approx(30.0)


def test_an_unclear_trigger_whose_run_shows_and_can_not_be_looked_at_says_so() -> None:
    told = tell({1: [run(1), run(1, child_id=2)], 2: [Unreachable("gone")]}, dict(FAILED), trigger=UNCLEAR)
    assert told.report.message == (
        "the rerun was triggered, but, and run 2 shows as a rerun, but could not be looked at. Look at "
        f"{SERVER}/ui/td/runs/2 before you run this job again"
    )


@pytest.mark.parametrize("fault", [UNCLEAR, GATEWAY])
@pytest.mark.parametrize("shown", [{"child_id": 2}, {"last_run_id": 2}])
def test_an_unclear_trigger_whose_run_shows_is_taken_as_ours(fault: Unclear, shown: dict[str, Any]) -> None:
    told = tell(
        {1: [run(1), run(1), run(1), run(1, **shown)], 2: [going(2, 1), run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
        trigger=fault,
    )
    assert (told.report.outcome, told.report.exit_code) == (Outcome.FLAKY, 0)
    assert [(link.run.id, link.origin, link.requested) for link in told.report.runs][1] == (2, Origin.RECOVERED, 1)
    assert told.platform.count("trigger") == 1


@pytest.mark.parametrize(
    ("fault", "before", "after", "triggers"),
    [
        (GATEWAY, 1, 1, 2),
        (UNCLEAR, 1, 1, 1),
        (GATEWAY, None, None, 1),
        (GATEWAY, None, 1, 1),
        (GATEWAY, 1, 9, 1),
        (GATEWAY, 1, None, 1),
    ],
)
def test_a_trigger_is_sent_once_more_only_if_a_gateway_kept_it(
    fault: Unclear, before: int | None, after: int | None, triggers: int
) -> None:
    told = tell(
        {1: [run(1, last_run_id=before), run(1, last_run_id=after)], 2: [run(2, P, 1)], 9: [run(9, P)]},
        FAILED | {2: [listing(2, case(21, P))]},
        trigger=[fault, going(2, 1)],
    )
    assert told.platform.count("trigger") == triggers
    assert told.report.exit_code == (0 if triggers == 2 else 3)


def test_after_a_second_unclear_answer_the_run_is_looked_for_again_and_nothing_is_sent_a_third_time() -> None:
    told = tell({1: [run(1, last_run_id=1)]}, dict(FAILED), trigger=GATEWAY)
    assert (told.platform.count("trigger"), told.report.exit_code) == (2, 3)
    assert told.time.at == pytest.approx(60.0)


def test_a_run_that_was_known_before_the_trigger_is_not_taken_as_ours() -> None:
    told = tell({1: [run(1, last_run_id=9)], 9: [run(9, P)]}, dict(FAILED), trigger=UNCLEAR)
    assert told.report.exit_code == 3
    assert [link.run.id for link in told.report.runs] == [1]


def test_a_recovered_rerun_is_ours_to_stop() -> None:
    told = tell(
        {1: [run(1), run(1, child_id=2)], 2: [*[going(2, 1)] * 20, run(2, Result.STOPPED, 1)]},
        dict(FAILED),
        trigger=UNCLEAR,
        stop=STOPPED,
        policy=Policy(timeout_minutes=0.25, poll_interval_seconds=1.0),
    )
    assert (told.report.exit_code, told.platform.count("stop")) == (4, 1)


@pytest.mark.parametrize(("shown", "stops"), [({"child_id": 2}, 1), ({}, 0)])
def test_a_trigger_that_a_signal_interrupts_is_looked_for_and_stopped(shown: dict[str, Any], stops: int) -> None:
    told = tell(
        {1: [run(1), run(1, **shown)], 2: [going(2, 1), run(2, Result.STOPPED, 1)]},
        dict(FAILED),
        trigger=unanswered(),
        stop=STOPPED,
    )
    assert (told.report.exit_code, told.platform.count("stop")) == (143, stops)
    assert ("stop confirmed" if stops else "no rerun has shown since. Look for a rerun of") in told.report.message


def test_a_signal_before_the_trigger_has_left_leaves_nothing_in_doubt() -> None:
    told = tell({1: [run(1)]}, dict(FAILED), trigger=Cancelled(15))
    assert (told.report.exit_code, told.report.message) == (143, "cancelled by SIGTERM")
    assert [told.platform.count(call) for call in ("run", "trigger", "stop")] == [1, 1, 0]


def test_a_signal_before_a_fresh_run_has_left_leaves_nothing_in_doubt() -> None:
    told = tell({}, {}, execution=FreshRun(7), start=Cancelled(2))
    assert (told.report.exit_code, told.report.message) == (130, "cancelled by SIGINT")


def test_after_an_outage_that_hid_the_child_nothing_is_sent_again() -> None:
    told = tell({1: [run(1, last_run_id=1), Unreachable("down")]}, dict(FAILED), trigger=GATEWAY)
    assert (told.platform.count("trigger"), told.report.exit_code) == (1, 3)


def test_a_child_that_is_not_known_everywhere_yet_is_waited_for() -> None:
    for shown in ({"child_id": 2}, {"last_run_id": 2}):
        told = tell(
            {1: [run(1, last_run_id=1), run(1, **shown)], 2: [NotFound("404"), NotFound("404"), run(2, P, 1)]},  # type: ignore[arg-type]
            FAILED | {2: [listing(2, case(21, P))]},
            trigger=GATEWAY,
        )
        assert (told.platform.count("trigger"), told.report.outcome) == (1, Outcome.FLAKY)
        assert told.report.runs[1].origin is Origin.RECOVERED


def test_a_busy_plan_after_an_unclear_trigger_is_looked_at_again() -> None:
    looks = [run(1, last_run_id=1)] * 12 + [run(1, child_id=2)]
    told = tell(
        {1: looks, 2: [run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
        trigger=[GATEWAY, Refused("the test plan is busy")],
    )
    assert (told.platform.count("trigger"), told.report.outcome) == (2, Outcome.FLAKY)
    assert told.report.runs[1].origin is Origin.RECOVERED


def test_what_came_between_is_no_answer_to_our_request() -> None:
    told = tell(
        {1: [run(1)], 5: [run(5, F, 1)], 6: [run(6, P, 5)]},
        FAILED | {5: [listing(5, case(51, F))], 6: [listing(6)]},
        trigger=going(6, parent=5),
    )
    assert (told.report.outcome, told.report.counts()["unresolved"]) == (Outcome.FAILED, 1)


def test_a_run_that_is_not_known_at_once_is_waited_for() -> None:
    unknown = NotFound("404")
    runs: dict[int, list[Any]] = {1: [run(1)], 2: [unknown, unknown, run(2, P, 1)]}
    told = tell(runs, FAILED | {2: [listing(2, case(21, P))]}, trigger=CREATED)
    assert told.report.outcome is Outcome.FLAKY
    never: dict[int, list[Any]] = {1: [run(1)], 2: [unknown]}
    told = tell(never, dict(FAILED), trigger=CREATED, stop=STOPPED)
    assert told.report.exit_code == 3
    assert told.platform.count("stop") == 1
    assert told.time.at >= 30


# --- what comes in flight ---------------------------------------------------------------------------------------------


def test_a_plan_that_reruns_by_itself_is_watched_before_anything_is_triggered() -> None:
    told = tell(
        {1: [*[run(1, reruns_by_itself=True)] * 4, run(1, child_id=2)], 2: [going(2, 1), run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
    )
    assert (told.report.outcome, told.platform.count("trigger")) == (Outcome.FLAKY, 0)
    assert [link.origin for link in told.report.runs] == [Origin.EXECUTION, Origin.FOUND]


def test_a_plan_that_reruns_by_itself_and_did_not_is_rerun_after_half_a_minute() -> None:
    told = tell(
        {1: [run(1, reruns_by_itself=True)], 2: [run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
        trigger=CREATED,
        policy=EACH_SECOND,
    )
    assert (told.report.outcome, told.platform.count("trigger")) == (Outcome.FLAKY, 1)
    assert 30 <= told.time.at < 33


def test_a_look_that_takes_longer_than_the_watch_is_not_its_last() -> None:
    quiet = run(1, reruns_by_itself=True)
    told = tell(
        {1: [quiet, Slow(40.0, quiet), run(1, child_id=2)], 2: [run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
    )
    assert (told.report.outcome, told.platform.count("trigger")) == (Outcome.FLAKY, 0)


def test_a_rerun_that_shows_in_the_last_look_is_taken_in_before_the_next_round() -> None:
    told = tell(
        {1: [run(1)], 2: [run(2, F, 1, child_id=3)], 3: [run(3, P, 2)]},
        FAILED | {2: [listing(2, case(21, F))], 3: [listing(3, case(31, P))]},
        trigger=CREATED,
        policy=Policy(max_reruns=2),
    )
    assert (told.report.outcome, told.platform.count("trigger")) == (Outcome.FLAKY, 1)
    assert [link.origin for link in told.report.runs] == [Origin.EXECUTION, Origin.TRIGGERED, Origin.FOUND]


def test_what_stays_unsettled_may_be_a_rerun_that_nobody_knew_of() -> None:
    # the first run's listing shows its rerun, which the plan started by itself and which takes its time
    late = [*[run(1, reruns_by_itself=True)] * 2, run(1, child_id=2)]
    told = tell(
        {1: late, 2: [going(2, 1), going(2, 1), run(2, P, 1)]},
        {1: [listing(1, case(21, Result.RUNNING))], 2: [listing(2, case(21, P))]},
    )
    assert (told.report.outcome, told.platform.count("trigger")) == (Outcome.CLEAN, 0)
    assert [link.run.id for link in told.report.runs] == [1, 2]


def test_a_failed_run_that_lists_only_passes_may_have_a_rerun_that_nobody_knew_of() -> None:
    told = tell(
        {1: [run(1, reruns_by_itself=True), run(1, child_id=2)], 2: [run(2, P, 1)]},
        {1: [listing(1, case(21, P))], 2: [listing(2, case(21, P))]},
    )
    assert (told.report.outcome, [link.run.id for link in told.report.runs]) == (Outcome.CLEAN, [1, 2])


def test_a_dry_run_waits_for_no_explanation() -> None:
    told = tell({1: [run(1, reruns_by_itself=True)]}, {1: [listing(1, case(21, P))]}, policy=Policy(dry_run=True))
    assert (told.report.exit_code, told.time.at, told.platform.count("run")) == (3, 0.0, 1)


def test_a_rerun_that_came_during_the_delay_is_taken_in_first() -> None:
    told = tell(
        {1: [run(1), run(1, child_id=2)], 2: [going(2, 1), run(2, F, 1)], 3: [run(3, P, 2)]},
        FAILED | {2: [listing(2, case(21, F))], 3: [listing(3, case(31, P))]},
        trigger=going(3, 2),
        policy=Policy(rerun_delay_seconds=60.0, max_reruns=2),
    )
    assert told.report.outcome is Outcome.FLAKY
    assert [entry[2:] for entry in told.platform.log if entry[0] == "trigger"] == [(2, (Pick(21),))]
    assert [link.origin for link in told.report.runs] == [Origin.EXECUTION, Origin.FOUND, Origin.TRIGGERED]


def test_a_trigger_that_answers_with_an_old_run_is_a_contradiction_and_stops_nothing() -> None:
    told = tell({1: [run(1)]}, dict(FAILED), trigger=going(1))
    assert told.report.exit_code == 3
    assert told.platform.count("stop") == 0


# --- rounds, breakers, dry run, fresh runs ----------------------------------------------------------------------------


def test_three_rounds_shrink_and_name_the_newest_run_and_ids() -> None:
    told = tell(
        {1: [run(1)], 2: [run(2, F, 1)], 3: [run(3, F, 2)], 4: [run(4, P, 3)]},
        {
            1: [listing(1, case(11, F), case(12, F, name=2), case(13, F, name=3))],
            2: [listing(2, case(21, P), case(22, F, name=2), case(23, F, name=3))],
            3: [listing(3, case(32, P, name=2), case(33, F, name=3))],
            4: [listing(4, case(43, P, name=3))],
        },
        trigger=[going(2, 1), going(3, 2), going(4, 3)],
        policy=Policy(max_reruns=10, rerun_delay_seconds=7.0),
    )
    assert [entry for entry in told.platform.log if entry[0] == "trigger"] == [
        ("trigger", 7, 1, (Pick(11), Pick(12), Pick(13))),
        ("trigger", 7, 2, (Pick(22), Pick(23))),
        ("trigger", 7, 3, (Pick(33),)),
    ]
    assert told.report.outcome is Outcome.FLAKY
    assert [link.requested for link in told.report.runs] == [None, 3, 2, 1]
    assert [line for line in told.notes if line.startswith("round")] == [
        "round 1: 3 of 3",
        "round 2: 2 of 3",
        "round 3: 1 of 3",
    ]
    assert told.time.sleeps.count(7.0) == 3


def test_max_reruns_ends_the_rounds() -> None:
    told = tell(
        {1: [run(1)], 2: [run(2, F, 1)], 3: [run(3, F, 2)]},
        FAILED | {2: [listing(2, case(21, F))], 3: [listing(3, case(31, F))]},
        trigger=[going(2, 1), going(3, 2)],
        policy=Policy(max_reruns=2),
    )
    assert told.platform.count("trigger") == 2
    assert (told.report.outcome, told.report.exit_code) == (Outcome.FAILED, 1)


def test_a_rerun_that_was_waited_for_is_a_round() -> None:
    for max_reruns, triggers in ((1, 0), (2, 1)):
        told = tell(
            {1: [run(1, child_id=2)], 2: [going(2, 1), run(2, F, 1)], 3: [run(3, P, 2)]},
            FAILED | {2: [listing(2, case(21, F))], 3: [listing(3, case(31, P))]},
            trigger=going(3, 2),
            policy=Policy(max_reruns=max_reruns),
        )
        assert told.platform.count("trigger") == triggers


def test_a_leaf_that_was_not_seen_again_is_not_asked_for_again() -> None:
    told = tell(
        {1: [run(1)], 2: [run(2, F, 1)], 3: [run(3, P, 2)]},
        {
            1: [listing(1, case(11, F), case(12, F, name=2))],
            2: [listing(2, case(21, F))],
            3: [listing(3, case(31, P))],
        },
        trigger=[going(2, 1), going(3, 2)],
        policy=Policy(max_reruns=5),
    )
    assert [entry[3] for entry in told.platform.log if entry[0] == "trigger"] == [(Pick(11), Pick(12)), (Pick(21),)]
    assert (told.report.outcome, told.report.counts()["unresolved"]) == (Outcome.FAILED, 1)


def test_a_passed_leaf_that_fails_in_a_rerun_is_picked_in_the_next_round() -> None:
    told = tell(
        {1: [run(1)], 2: [run(2, F, 1)], 3: [run(3, P, 2)]},
        FAILED | {2: [listing(2, case(21, P), case(22, F, name=2))], 3: [listing(3, case(32, P, name=2))]},
        trigger=[going(2, 1), going(3, 2)],
        policy=Policy(max_reruns=2),
    )
    assert [entry[3] for entry in told.platform.log if entry[0] == "trigger"] == [(Pick(11),), (Pick(22),)]
    assert told.report.counts()["flaky"] == 2


BREAKERS = [
    (Policy(max_failures=1), 2, 4, False),
    (Policy(max_failures=2), 2, 4, True),
    (Policy(max_failures=0), 1, 4, False),
    (Policy(max_failure_percent=50.0), 2, 4, True),
    (Policy(max_failure_percent=49.9), 2, 4, False),
    (Policy(max_failure_percent=0.0), 1, 4, False),
    (Policy(max_failure_percent=100.0), 4, 4, True),
    (Policy(max_failures=1, exclude=(pattern_of("case 1"),)), 2, 4, False),
]


def broken(failed: int, total: int) -> dict[int, list[Any]]:
    return {1: [listing(1, *(case(10 + n, F if n <= failed else P, name=n) for n in range(1, total + 1)))]}


@pytest.mark.parametrize(("policy", "failed", "total", "goes"), BREAKERS)
def test_breakers_trip_when_strictly_exceeded(policy: Policy, failed: int, total: int, goes: bool) -> None:
    rerun = [listing(2, *(case(20 + n, P, name=n) for n in range(1, failed + 1)))]
    told = tell({1: [run(1)], 2: [run(2, P, 1)]}, broken(failed, total) | {2: rerun}, trigger=CREATED, policy=policy)
    assert told.platform.count("trigger") == goes
    assert (told.report.outcome, told.report.exit_code) == ((Outcome.FLAKY, 0) if goes else (Outcome.DECLINED, 5))


def test_a_breaker_gives_the_figures_and_the_input() -> None:
    told = tell({1: [run(1)]}, broken(3, 8), policy=Policy(max_failure_percent=25.0))
    assert told.report.message == (
        "3 of 8 tests (37.5 %) failed, more than max-failure-percent allows (25 %). Look for a common cause, or raise "
        "the input"
    )


def test_quarantined_failures_do_not_trip_a_breaker() -> None:
    known = QuarantineEntry("case 1", "owner", "why", date.max)
    policy = Policy(max_failures=1, quarantine=(known,))
    rerun = [listing(2, case(22, P, name=2))]
    told = tell({1: [run(1)], 2: [run(2, P, 1)]}, broken(2, 4) | {2: rerun}, trigger=CREATED, policy=policy)
    assert (told.report.outcome, told.report.counts()["quarantined"]) == (Outcome.FLAKY, 1)


def test_after_a_rerun_was_waited_for_a_refusal_is_a_failure() -> None:
    told = tell(
        {1: [run(1, child_id=2)], 2: [going(2, 1), run(2, F, 1)]},
        broken(3, 4) | {2: [listing(2, case(21, F), case(22, F, name=2), case(23, F, name=3))]},
        policy=Policy(max_reruns=5, max_failures=1),
    )
    assert (told.report.outcome, told.report.exit_code) == (Outcome.FAILED, 1)
    assert "No further rerun: 3 of 4 tests (75.0 %) failed, more than max-failures allows (1)" in told.report.message


def long_chain(reruns: int) -> tuple[dict[int, list[Any]], dict[int, list[Any]]]:
    runs = {n: [run(n, F, n - 1 or None, child_id=n + 1 if n <= reruns else None)] for n in range(1, reruns + 2)}
    return runs, {n: [listing(n, case(10 * n, F))] for n in runs}


def test_the_platforms_limit_is_declined_before_the_first_round() -> None:
    told = tell(*long_chain(10))
    assert (told.report.outcome, told.report.exit_code) == (Outcome.DECLINED, 5)
    assert told.report.message == "Testsigma reruns a run 10 times at most, and this one has had 10 reruns"
    assert told.platform.count("trigger") == 0
    assert f"round 1: {told.report.message} of 1" in told.notes
    assert [leaf.reason for leaf in told.report.leaves] == ["FAILURE in run 11; left out: the rerun was declined"]


def test_the_platforms_limit_is_a_failure_after_a_round() -> None:
    runs, listings = long_chain(9)
    runs[11], listings[11] = [run(11, F, 10)], [listing(11, case(110, F))]
    told = tell(runs, listings, trigger=going(11, 10), policy=Policy(max_reruns=3))
    assert (told.report.outcome, told.report.exit_code) == (Outcome.FAILED, 1)
    assert "No further rerun: Testsigma reruns a run 10 times at most" in told.report.message
    assert told.platform.count("trigger") == 1


def test_a_percentage_is_compared_as_it_was_written() -> None:
    rerun = [listing(2, *(case(1000 + n, P, name=n) for n in range(1, 70)))]
    policy = Policy(max_failure_percent=18.4)
    told = tell({1: [run(1)], 2: [run(2, P, 1)]}, broken(69, 375) | {2: rerun}, trigger=CREATED, policy=policy)
    assert told.platform.count("trigger") == 1


def test_breakers_look_only_once() -> None:
    told = tell(
        {1: [run(1)], 2: [run(2, F, 1)], 3: [run(3, P, 2)]},
        broken(1, 3)
        | {
            2: [listing(2, case(21, F, name=1), case(22, F, name=2))],
            3: [listing(3, case(31, P, name=1), case(32, P, name=2))],
        },
        trigger=[going(2, 1), going(3, 2)],
        policy=Policy(max_reruns=2, max_failures=1),
    )
    assert (told.platform.count("trigger"), told.report.outcome) == (2, Outcome.FLAKY)


@pytest.mark.parametrize(("listed", "triggers"), [(F, 0), (P, 0)])
def test_a_given_rerun_that_is_waited_for_is_a_round(listed: Result, triggers: int) -> None:
    told = tell(
        {1: [run(1)], 2: [going(2, 1), run(2, listed, 1)]}, FAILED | {2: [listing(2, case(21, listed))]}, execution=2
    )
    assert told.platform.count("trigger") == triggers


def test_a_green_run_of_a_plan_that_reruns_by_itself_is_not_watched() -> None:
    told = tell(
        {1: [run(1, P, reruns_by_itself=True)], 2: [run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
        trigger=CREATED,
    )
    assert told.time.at < 5


def test_a_fresh_run_that_somebody_else_stops_is_not_rerun() -> None:
    told = tell({1: [going(1), run(1, Result.STOPPED)]}, dict(FAILED), execution=FRESH, start=going(1))
    assert (told.report.outcome, told.platform.count("trigger")) == (Outcome.FAILED, 0)
    assert told.report.message.startswith("somebody else stopped run 1; ")


def test_fail_on_flaky() -> None:
    runs = {1: [run(1)], 2: [run(2, P, 1)]}
    rows = FAILED | {2: [listing(2, case(21, P))]}
    told = tell(runs, rows, trigger=CREATED, policy=Policy(fail_on_flaky=True))
    assert (told.report.outcome, told.report.exit_code) == (Outcome.FLAKY, 6)
    told = tell({1: [run(1, P)]}, {1: [listing(1, case(11, P))]}, policy=Policy(fail_on_flaky=True))
    assert (told.report.outcome, told.report.exit_code) == (Outcome.CLEAN, 0)


def test_only_quarantined_failures_are_clean() -> None:
    known = QuarantineEntry("case 1", "owner", "why", date.max)
    told = tell({1: [run(1)]}, dict(FAILED), policy=Policy(quarantine=(known,)))
    assert (told.report.outcome, told.report.exit_code) == (Outcome.CLEAN, 0)
    assert told.platform.count("trigger") == 0


def test_stale_entries_are_announced_and_an_expired_one_counts() -> None:
    entries = (
        QuarantineEntry("case 1", "team", "why", date(2030, 1, 1), line=3),
        QuarantineEntry("case 9", "team", "why", date.max, line=8),
    )
    policy = Policy(quarantine=entries, quarantine_file="q.yml", today=date(2030, 1, 2), include=(pattern_of("x"),))
    told = tell({1: [run(1)]}, dict(FAILED), policy=policy)
    assert told.report.outcome is Outcome.FAILED
    assert [line for line in told.notes if "quarantine" in line] == [
        'warning: the quarantine of "case 1" (q.yml, line 3, owner team) expired on 2030-01-01: the test counts again',
        'warning: the quarantine of "case 9" (q.yml, line 8, owner team) matches no test of this execution',
    ]


def test_a_quarantined_flake_does_not_fail_on_flaky() -> None:
    known = QuarantineEntry("case 1", "owner", "why", date.max)
    told = tell(
        {1: [run(1, child_id=2)], 2: [run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
        policy=Policy(quarantine=(known,), fail_on_flaky=True),
    )
    assert (told.report.outcome, told.report.exit_code) == (Outcome.CLEAN, 0)


@pytest.mark.parametrize(
    ("places", "hint"),
    [
        ([(F, 1), (F, 1), (P, 2)], 'all 2 failures are on machine "machine 1"'),
        ([(F, 1), (F, 2), (P, 2)], None),
        ([(F, 1), (P, 2)], None),
        ([(F, 1), (F, 1), (P, 1)], None),
        ([(A, 1), (Result.NOT_EXECUTED, 2), (P, 2)], "all 2 failures are ABORTED or NOT_EXECUTED while 1 test passed"),
        ([(A, 1), (A, 2)], None),
    ],
)
def test_hints_to_a_common_cause(places: list[tuple[Result, int]], hint: str | None) -> None:
    rows = [case(10 + n, result, name=n, machine=machine) for n, (result, machine) in enumerate(places, start=1)]
    told = tell({1: [run(1)]}, {1: [listing(1, *rows)]}, policy=Policy(dry_run=True))
    assert [line for line in told.notes if "all" in line] == ([f"warning: {hint}"] if hint else [])


def test_a_dry_run_decides_and_triggers_nothing() -> None:
    told = tell({1: [run(1)]}, dict(FAILED), policy=Policy(dry_run=True))
    assert (told.report.outcome, told.report.exit_code) == (Outcome.DRY_RUN, 0)
    assert told.report.message == "would rerun 1 of 2 tests"
    assert "payload: 7 1 (Pick(case_result_id=11, iteration_result_ids=()),)" in told.notes
    assert told.platform.count("trigger") == 0
    assert [leaf.reason for leaf in told.report.leaves] == ["FAILURE in run 1; would be rerun", "passed in run 1"]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (Policy(dry_run=True, max_failures=0), "would decline: 1 of 2 tests (50.0 %) failed, more than max-failures"),
        (Policy(dry_run=True, include=(pattern_of("x"),)), "would rerun nothing: 1 test failed and was not rerun"),
    ],
)
def test_a_dry_run_ends_well_whatever_it_would_do(policy: Policy, said: str) -> None:
    told = tell({1: [run(1)]}, dict(FAILED), policy=policy)
    assert (told.report.outcome, told.report.exit_code) == (Outcome.DRY_RUN, 0)
    assert told.report.message.startswith(said)
    assert "payload: None" in told.notes


def test_a_dry_run_takes_an_unfinished_chain_as_it_stands() -> None:
    rows = [listing(1, case(11, F), case(12, Result.QUEUED, name=2))]
    told = tell({1: [going(1)]}, {1: rows}, policy=Policy(dry_run=True))
    assert (told.report.exit_code, told.report.message) == (0, "would rerun 1 of 2 tests")
    assert told.time.sleeps == []
    told = tell({1: [going(1)]}, {1: [listing(1)]}, policy=Policy(dry_run=True))
    assert told.report.exit_code == 0


FRESH = FreshRun(7, "1.2.3", {"url": "https://shop.example"})


def test_a_fresh_run_is_started_waited_for_and_rerun() -> None:
    told = tell(
        {1: [going(1), run(1)], 2: [run(2, P, 1)]},
        FAILED | {2: [listing(2, case(21, P))]},
        execution=FRESH,
        plan=7,
        start=going(1, status="STATUS_CREATED"),
        trigger=CREATED,
    )
    assert told.platform.log[0] == ("start", FRESH)
    assert (told.report.outcome, told.report.execution_id) == (Outcome.FLAKY, "new")
    assert [link.origin for link in told.report.runs] == [Origin.FRESH, Origin.TRIGGERED]


def test_a_fresh_run_is_ours_to_stop() -> None:
    told = tell(
        {1: [*[going(1)] * 99, run(1, Result.STOPPED)]},
        {},
        execution=FRESH,
        start=going(1),
        stop=StopReply(StopRoute.RUN, 200, 1),
        policy=EACH_SECOND,
        time=FakeTime(signal_at=100.0),
    )
    assert (told.report.exit_code, told.report.message) == (143, "cancelled by SIGTERM; run 1: stop confirmed")
    assert told.platform.count("stop") == 1


def test_a_dry_run_starts_no_fresh_run() -> None:
    told = tell({}, {}, execution=FRESH, policy=Policy(dry_run=True))
    assert (told.report.outcome, told.platform.log) == (Outcome.DRY_RUN, [])


def test_an_unclear_start_says_where_to_look() -> None:
    told = tell({}, {}, execution=FRESH, start=Unclear("the run was triggered, but"))
    assert told.report.exit_code == 3
    assert told.report.message.endswith("Look for a new run of test plan 7 before you run this job again")


# --- the end ----------------------------------------------------------------------------------------------------------


def slow(after_stop: list[Any], **more: Any) -> Told:
    """A rerun that never ends by itself; the runs after the stop are as given."""
    time = more.pop("time", None) or FakeTime(signal_at=100.0)
    looks = more.pop("looks", 99)
    return tell(
        {1: [run(1)], 2: [*[going(2, 1)] * looks, *after_stop]},
        dict(FAILED),
        trigger=CREATED,
        stop=more.pop("stop", STOPPED),
        time=time,
        policy=more.pop("policy", EACH_SECOND),
    )


def test_a_signal_stops_reports_confirms_and_reports_again() -> None:
    told = slow([going(2, 1), run(2, Result.STOPPED, 1)])
    assert (told.report.outcome, told.report.exit_code) == (Outcome.CANCELLED, 143)
    assert told.report.message == "cancelled by SIGTERM; run 2: stop confirmed"
    assert told.report.stop == StopReport(2, StopRoute.RUN, 200, confirmed=True)
    first, last = told.published
    assert first.stop == StopReport(2, StopRoute.RUN, None, confirmed=False)
    assert first.message == "cancelled by SIGTERM; run 2: stop requested, not confirmed yet"
    assert last is told.report
    assert (told.time.endings, told.time.stops_sent) == (1, 1)
    assert 100.0 <= told.time.at < 102.0


def test_a_stop_that_is_not_seen_gives_the_link() -> None:
    told = slow([NotFound("404"), going(2, 1)], stop=StopReply(StopRoute.RUN, 400, refusal="no"))
    assert told.report.stop == StopReport(2, StopRoute.RUN, 400, confirmed=False)
    assert told.report.message == (
        "cancelled by SIGTERM; stop not confirmed (no); run 2 may still be going: stop it by hand at "
        f"{SERVER}/ui/td/runs/2"
    )
    assert told.time.at == pytest.approx(129.0)


@pytest.mark.parametrize("after", [going(2, 1), run(2, P, 1)])
def test_a_stop_of_another_run_is_said_and_not_confirmed(after: Run) -> None:
    told = slow([after], stop=StopReply(StopRoute.COLLECTION, 200, 9))
    assert told.report.stop == StopReport(2, StopRoute.COLLECTION, 200, confirmed=False)
    assert "the platform stopped run 9 instead of 2" in told.report.message


@pytest.mark.parametrize("fault", [Unreachable("nobody there"), EndAtOnce()])
def test_a_stop_that_can_not_be_sent_or_waited_for_gives_the_link(fault: Exception) -> None:
    told = slow([going(2, 1)], stop=fault)
    assert told.report.exit_code == 143
    assert told.report.stop == StopReport(2, StopRoute.RUN, None, confirmed=False)
    assert told.report.message.endswith(f"run 2 may still be going: stop it by hand at {SERVER}/ui/td/runs/2")


@pytest.mark.parametrize(
    ("ending", "policy", "exit_code", "stops"),
    [
        (None, Policy(timeout_minutes=1), 4, 1),
        (None, Policy(timeout_minutes=1, on_timeout=OnEnd.LEAVE), 4, 0),
        (None, Policy(timeout_minutes=1, on_cancel=OnEnd.LEAVE), 4, 1),
        (Unreachable("gone"), Policy(on_timeout=OnEnd.LEAVE), 3, 0),
        (Unreachable("gone"), Policy(), 3, 1),
        (DeadlinePassed("late"), Policy(), 4, 1),
        (Refused("api-key: revoked"), Policy(on_timeout=OnEnd.LEAVE, on_cancel=OnEnd.LEAVE), 3, 1),
        (RuntimeError("a fault of ours"), Policy(), 3, 1),
    ],
)
def test_whatever_ends_it_early_our_rerun_is_stopped_unless_it_may_stay(
    ending: Exception | None, policy: Policy, exit_code: int, stops: int
) -> None:
    after = [ending or going(2, 1)] * (1 if ending else 20)
    told = slow([*after, run(2, Result.STOPPED, 1)], time=FakeTime(), policy=policy, looks=3)
    assert told.report.exit_code == exit_code
    assert told.platform.count("stop") == stops
    if not stops:
        assert told.report.message.endswith(f"run 2 was left running, as asked: {SERVER}/ui/td/runs/2")


def test_the_deadline_is_not_passed_by_much() -> None:
    told = slow([going(2, 1)] * 20 + [run(2, Result.STOPPED, 1)], time=FakeTime(), policy=Policy(timeout_minutes=1))
    assert told.report.message.startswith("the deadline (timeout-minutes: 1) passed while run 2 was in progress")
    assert told.time.at < 60 + 30.5


@pytest.mark.parametrize(
    ("minutes", "takes", "reruns"), [(2.0, 109.9, 1), (2.0, 110.1, 0), (0.5, 26.98, 1), (0.5, 27.1, 0)]
)
def test_nothing_is_triggered_that_could_only_be_stopped_again(minutes: float, takes: float, reruns: int) -> None:
    """The last ten seconds are too few for a rerun; of a deadline below 100 s, the last tenth."""
    policy = replace(EACH_SECOND, timeout_minutes=minutes, rerun_delay_seconds=takes)
    runs = {1: [run(1)], 2: [run(2, P, 1)]}
    told = tell(runs, FAILED | {2: [listing(2, case(21, P))]}, trigger=going(2, 1), policy=policy)
    assert told.platform.count("trigger") == reruns
    assert told.report.outcome is (Outcome.FLAKY if reruns else Outcome.TIMED_OUT)
    if not reruns:
        left = minutes * 60 - takes
        assert told.report.message == (
            f"the deadline (timeout-minutes: {minutes:g}) is only {left:.0f} s away: too near for a rerun, none was "
            "triggered"
        )


def test_what_was_not_started_here_is_never_stopped() -> None:
    for runs in ({1: [going(1)]}, {1: [run(1, child_id=2)], 2: [going(2, 1)]}):
        told = tell({**runs}, dict(FAILED), time=FakeTime(signal_at=100.0))
        assert told.report.exit_code == 143
        assert told.platform.count("stop") == 0
        assert "this step did not start it" in told.report.message


def test_a_signal_during_a_call_that_then_fails_still_decides() -> None:
    time = FakeTime(signal_at=0.0)
    told = tell({1: [Unreachable("gone")]}, {}, time=time)
    assert (told.report.exit_code, told.report.message) == (143, "cancelled by SIGTERM (gone)")


def test_a_run_that_ended_just_before_the_deadline_is_seen() -> None:
    """The rhythm would sleep past the deadline: one more look comes 5 seconds before it."""
    listed, policy = {1: [listing(1, case(11, P))]}, Policy(timeout_minutes=1.0)
    told = tell({1: [going(1)]}, {}, policy=policy)
    assert told.report.outcome is Outcome.TIMED_OUT
    assert told.time.at == pytest.approx(60.0)
    looks = told.platform.count("run")
    told = tell({1: [*[going(1)] * (looks - 1), run(1, P)]}, listed, policy=policy)
    assert told.report.outcome is Outcome.CLEAN
    assert 55.0 <= told.time.at < 60.0
