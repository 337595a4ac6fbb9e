"""The life of runs on a clock that the test moves, and every call that the platform refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rerun_action.simulator import (
    Case,
    Machine,
    PastRun,
    Pick,
    Plan,
    Platform,
    Refusal,
    Request,
    Row,
    Scenario,
    Seconds,
    Suite,
)

if TYPE_CHECKING:
    from rerun_action.simulator.scenario import ChildStyle, StopRoute

# As in the samples of the documentation.
RUN_KEYS = """
    id execution executionId startTime endTime duration result status message executedBy buildNo environmentId
    totalCount failedCount passedCount stoppedCount notExecutedCount queuedCount runningCount visualTestResult
    environment childResult reRunParentId triggeredType totalRunningCount executionDetails totalQueuedCount
    mobileInspectionId environmentResultsDTO executionResultConfig isReRunEnabled consolidatedResult
    consolidatedStatus resultType consolidatedDuration runTestCasesInParallel runTestSuitesInParallel scheduledId
    testPlanHookResults
"""
EXECUTION_KEYS = """
    id applicationVersionId name description mailList elementTimeOut pageTimeOut environmentId screenshot
    recoveryAction onAbortedAction onSuitePreRequisiteFail onStepPreRequisiteFail reRunType isManual
    applicationVersion lastRun slack createdDate updatedDate createdById updatedById matchBrowserVersion
    notificationStatusList msTeamsConnectorNotificationEnabled retrySessionCreation retrySessionCreationTimeout
    lastRunId googleChatConnectorNotificationEnabled slackConnectorNotificationEnabled entityType environments
    hookData postHookId postPlanHook visualTestResultTimeOut onTestCasePreRequisiteFail executionType
"""
DETAILS_KEYS = """
    page_timeout element_timeout recovery_action on_aborted_action screenshot_option group_prerequisite_fail
    test_case_prerequisite_fail test_step_prerequisite_fail global_param_name
"""


class Clock:
    """A clock that stands still until a test moves it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def plain(*results: str | None) -> Case:
    return Case(11, "Pay", Suite(21, "Checkout"), Machine(31, "Chrome"), results)


def driven(**rows: str) -> Case:
    sets = tuple(Row(name, (result,)) for name, result in rows.items())
    return Case(12, "Ship", Suite(21, "Checkout"), Machine(31, "Chrome"), rows=sets)


CASES = (plain("FAILURE", "SUCCESS"), driven(fr="SUCCESS", pl="FAILURE"), plain("SUCCESS"))
SECONDS = Seconds(created=1, queued=2, running=8)


def account(
    clock: Clock,
    cases: tuple[Case, ...] = CASES,
    *,
    runs: tuple[PastRun, ...] = (PastRun(101, 1),),
    rerun_type: str = "NONE",
    child: ChildStyle = "object",
    stop_route: StopRoute = "both",
) -> Platform:
    """Make an account with plans 1 and 2, and one finished run, 101, of plan 1.

    Its results are 5001; 5002 with the rows 5003, 5004; 5005.
    """
    plan = Plan(1, "Nightly", cases, rerun_type, 5, SECONDS)
    other = Plan(2, "Weekly", (plain("SUCCESS"),), seconds=SECONDS)
    return Platform(Scenario(plans=(plan, other), runs=runs, child=child, stop_route=stop_route), clock)


def body(*asked: object, plan: object = 1, run: object = 101, **more: object) -> dict[str, object]:
    return {
        "executionId": plan,
        "executionResultId": run,
        "isReRun": True,
        "reRunType": "USER_PICKED",
        "testCaseResultRequests": list(asked),
    } | more


def keys(words: str) -> set[str]:
    return set(words.split())


def refused(call: Any, *args: Any) -> tuple[int, object]:
    with pytest.raises(Refusal) as caught:
        call(*args)
    assert caught.value.body == {
        "timeStamp": None,
        "error": str(caught.value),
        "code": None,
        "fieldErrors": None,
        "objectErrors": None,
    }
    return caught.value.status, caught.value.body["error"]


def state(platform: Platform, run: int) -> tuple[object, object]:
    reply = platform.get_run(run)
    return reply["status"], reply["result"]


def counters(reply: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in reply.items() if name.endswith("Count") and value}


def results(platform: Platform, run: int) -> list[Any]:
    """Give the result of each plain case, and [result, *results of rows] of each other."""
    cases: Any = platform.list_results(run)["testCases"]
    return [
        [case["result"], *(row["result"] for row in case["iterationResults"])]
        if case["isDataDrivenCase"]
        else case["result"]
        for case in cases
    ]


# Time


def test_a_run_advances_with_the_clock(clock: Clock) -> None:
    platform = account(clock)
    platform.trigger({"executionId": 1})
    # Four leaves share eight seconds; the script of the first is at its second entry.
    seen = []
    for moment in (0, 1, 3, 5, 6, 7, 9, 10.999, 11):
        clock.now = 1000.0 + moment
        seen.append((*state(platform, 1001), *results(platform, 1001)))

    queued = ("QUEUED", ["QUEUED", "QUEUED", "QUEUED"], "QUEUED")
    done = ("SUCCESS", ["FAILURE", "SUCCESS", "FAILURE"])
    assert seen == [
        ("STATUS_CREATED", "QUEUED", *queued),
        ("STATUS_QUEUED", "QUEUED", *queued),
        ("STATUS_IN_PROGRESS", None, "RUNNING", ["QUEUED", "QUEUED", "QUEUED"], "QUEUED"),
        ("STATUS_IN_PROGRESS", None, "SUCCESS", ["RUNNING", "RUNNING", "QUEUED"], "QUEUED"),
        ("STATUS_IN_PROGRESS", None, "SUCCESS", ["RUNNING", "RUNNING", "QUEUED"], "QUEUED"),
        ("STATUS_IN_PROGRESS", None, "SUCCESS", ["RUNNING", "SUCCESS", "RUNNING"], "QUEUED"),
        ("STATUS_IN_PROGRESS", None, *done, "RUNNING"),
        ("STATUS_IN_PROGRESS", None, *done, "RUNNING"),
        ("STATUS_COMPLETED", "FAILURE", *done, "SUCCESS"),
    ]


def test_the_counters_follow(clock: Clock) -> None:
    platform = account(clock, (plain("SUCCESS"), plain("ABORTED"), plain("STOPPED"), plain("NOT_EXECUTED")))
    platform.trigger({"executionId": 1})
    seen = []
    for moment in (0, 1, 5, 11):
        clock.now = 1000.0 + moment
        seen.append(counters(platform.get_run(1001)))

    assert seen == [
        {},
        {"totalCount": 4, "queuedCount": 4},
        {"totalCount": 4, "queuedCount": 2, "runningCount": 1, "passedCount": 1},
        {"totalCount": 4, "passedCount": 1, "failedCount": 1, "stoppedCount": 1, "notExecutedCount": 1},
    ]


def test_a_run_says_when_it_began_and_ended(clock: Clock) -> None:
    platform = account(clock)
    platform.trigger({"executionId": 1})
    live = platform.get_run(1001)
    assert (live["startTime"], live["endTime"], live["duration"]) == (1_000_000, None, None)

    clock.now = 2000.0
    done = platform.get_run(1001)
    assert (done["startTime"], done["endTime"], done["duration"]) == (1_000_000, 1_011_000, 11_000)


def test_a_past_run_may_finish_while_the_simulator_runs(clock: Clock) -> None:
    platform = account(clock, runs=(PastRun(101, 1, finishes_in=4),))
    assert state(platform, 101) == ("STATUS_IN_PROGRESS", None)
    assert results(platform, 101) == ["FAILURE", ["RUNNING", "SUCCESS", "RUNNING"], "QUEUED"]
    assert platform.live_runs() == [101]

    clock.now = 1004.0
    assert state(platform, 101) == ("STATUS_COMPLETED", "FAILURE")
    assert platform.live_runs() == []


def test_a_past_run_may_be_far_from_its_end(clock: Clock) -> None:
    platform = account(clock, runs=(PastRun(101, 1, finishes_in=60),))

    assert state(platform, 101) == ("STATUS_CREATED", "QUEUED")
    assert platform.get_run(101)["startTime"] == 1_000_000


def test_a_past_run_may_contradict_its_leaves(clock: Clock) -> None:
    reply = account(clock, runs=(PastRun(101, 1, result="PASSED", total_count=7),)).get_run(101)

    assert (reply["result"], reply["totalCount"], reply["failedCount"]) == ("PASSED", 7, 2)


# Replies


def test_a_run_has_the_documented_keys(clock: Clock) -> None:
    platform = account(clock)
    reply: Any = platform.get_run(101)

    assert reply.keys() == keys(RUN_KEYS)
    assert reply["execution"].keys() == keys(EXECUTION_KEYS)
    assert reply["executionDetails"].keys() == keys(DETAILS_KEYS)


def test_the_reply_to_a_trigger_is_the_documented_one() -> None:
    # Even with a run that is over at once.
    plan = Plan(336, "Nightly", (plain("FAILURE"),))
    platform = Platform(Scenario(plans=(plan,), runs=(PastRun(469, 336),)), lambda: 1679291448.332)

    reply = platform.trigger(body({"id": 5001}, plan=336, run=469))

    assert reply.keys() == keys(RUN_KEYS)
    assert counters(reply) == {}
    assert {name: value for name, value in reply.items() if value and name != "executionDetails"} == {
        "id": 1001,
        "executionId": 336,
        "startTime": 1679291448332,
        "result": "QUEUED",
        "status": "STATUS_CREATED",
        "message": "Test Plan execution is initiated and waiting to be queued",
        "executedBy": 12,
        "reRunParentId": 469,
        "triggeredType": "API",
        "consolidatedResult": "QUEUED",
        "consolidatedStatus": "STATUS_CREATED",
        "resultType": "ORIGINAL",
    }
    assert platform.get_run(1001)["status"] == "STATUS_COMPLETED"


def test_a_fresh_run_has_no_parent_and_echoes_its_build(clock: Clock) -> None:
    platform = account(clock)

    reply = platform.trigger({"executionId": 1, "buildNo": "7", "runtimeData": {"url": "x"}})

    assert (reply["id"], reply["reRunParentId"], reply["buildNo"]) == (1001, None, "7")


@pytest.mark.parametrize("child", ["object", "id", "none"])
def test_a_parent_shows_its_rerun(clock: Clock, child: ChildStyle) -> None:
    platform = account(clock, child=child)
    assert platform.get_run(101)["childResult"] is None
    platform.trigger(body({"id": 5001}))

    shown: Any = platform.get_run(101)["childResult"]

    if child == "object":
        assert shown.keys() == keys(RUN_KEYS)
        assert (shown["id"], shown["reRunParentId"], shown["execution"]) == (1001, 101, None)
    else:
        assert shown == {"id": 1001, "none": None}[child]


def test_the_plan_names_its_last_run(clock: Clock) -> None:
    platform = account(clock, rerun_type="MANUAL_ONLY")
    platform.trigger({"executionId": 1})
    platform.trigger({"executionId": 2})

    execution: Any = platform.get_run(101)["execution"]

    assert execution["lastRunId"] == 1001
    assert (execution["id"], execution["name"], execution["reRunType"]) == (1, "Nightly", "MANUAL_ONLY")


# Triggers


def test_a_rerun_is_attached_to_the_tip_of_the_chain(clock: Clock) -> None:
    platform = account(clock)
    first = platform.trigger(body({"id": 5001}))
    clock.now = 1011.0

    second = platform.trigger(body({"id": 5002}, run=101))

    assert (first["id"], first["reRunParentId"]) == (1001, 101)
    assert (second["id"], second["reRunParentId"]) == (1002, 1001)


@pytest.mark.parametrize(
    ("request_body", "message"),
    [
        (None, "top level: must be an object, not None"),
        ({}, "executionId: is missing"),
        ({"executionId": "1"}, "executionId: must be an integer, not '1'"),
        ({"executionId": 1, "build": "7"}, "build: is not a known key"),
        ({"executionId": 1, "buildNo": 7}, "buildNo: must be a string, not 7"),
        ({"executionId": 1, "runtimeData": []}, "runtimeData: must be an object, not []"),
        ({"executionId": 1, "executionResultId": 101}, "executionResultId: is not a known key"),
        (body(isReRun=False), "isReRun: must be true or left out"),
        (body(isReRun="true"), "isReRun: must be true or false, not 'true'"),
        (body(reRunType="ALL_TESTS"), "reRunType: must be USER_PICKED, not 'ALL_TESTS'"),
        (body(run=999), "executionResultId: 999 is not a run of Test Plan 1"),
        (body(run=102), "executionResultId: 102 is not a run of Test Plan 1"),
        (body(buildNo="7"), "buildNo: is not a known key"),
        (body(testCaseResultRequests=None), "testCaseResultRequests: must be a list, not None"),
        (body(5001), "testCaseResultRequests[0]: must be an object, not 5001"),
        (body({"id": 5001, "name": ""}), "testCaseResultRequests[0].name: is not a known key"),
        (
            body({"id": 11}),
            "testCaseResultRequests[0].id: 11 is not a testCaseResultId of this chain of runs",
        ),
        (
            body({"id": 5003}),
            "testCaseResultRequests[0].id: 5003 is not a testCaseResultId of this chain of runs",
        ),
        (
            body({"id": 5006}),
            "testCaseResultRequests[0].id: 5006 is not a testCaseResultId of this chain of runs",
        ),
        (
            body({"id": 5001}, {"id": 5001}),
            "testCaseResultRequests[1].id: 5001 names a case that was named before",
        ),
        (
            body({"id": 5002, "iterationReRunType": "USER_PICKED"}),
            "testCaseResultRequests[0].iterationResultIds: is missing",
        ),
        (
            body({"id": 5002, "iterationReRunType": "USER_PICKED", "iterationResultIds": []}),
            "testCaseResultRequests[0].iterationResultIds: must not be empty",
        ),
        (
            body({"id": 5002, "iterationResultIds": [5003]}),
            "testCaseResultRequests[0].iterationReRunType: is missing",
        ),
        (
            body({"id": 5002, "iterationReRunType": "FAILED", "iterationResultIds": [5003]}),
            "testCaseResultRequests[0].iterationReRunType: must be USER_PICKED, not 'FAILED'",
        ),
        (
            body({"id": 5002, "iterationReRunType": "USER_PICKED", "iterationResultIds": [5002]}),
            "testCaseResultRequests[0].iterationResultIds: 5002 is not an iterationResultId of case result 5002",
        ),
        (
            body({"id": 5001, "iterationReRunType": "USER_PICKED", "iterationResultIds": [5003]}),
            "testCaseResultRequests[0].iterationResultIds: 5003 is not an iterationResultId of case result 5001",
        ),
        (
            body({"id": 5002, "iterationReRunType": "USER_PICKED", "iterationResultIds": [5003, 5003]}),
            "testCaseResultRequests[0].iterationResultIds: 5003 names a row that was named before",
        ),
    ],
)
def test_a_wrong_trigger_is_refused_and_starts_nothing(clock: Clock, request_body: object, message: str) -> None:
    # Run 102, with the results 5006 and up, belongs to the other plan.
    platform = account(clock, runs=(PastRun(101, 1), PastRun(102, 2)))

    assert refused(platform.trigger, request_body) == (400, message)
    assert platform.live_runs() == []


def test_an_id_of_an_older_run_of_the_chain_names_the_same_case(clock: Clock) -> None:
    platform = account(clock, runs=(PastRun(101, 1), PastRun(102, 1, parent=101)))

    assert refused(platform.trigger, body({"id": 5001}, {"id": 5006})) == (
        400,
        "testCaseResultRequests[1].id: 5006 names a case that was named before",
    )
    assert platform.trigger(body({"id": 5001}, run=102))["reRunParentId"] == 102


def test_an_unknown_plan_is_a_500(clock: Clock) -> None:
    assert refused(account(clock).trigger, {"executionId": 3}) == (500, "Test Plan 3 is not found")


def test_a_plan_has_one_live_run(clock: Clock) -> None:
    platform = account(clock)
    platform.trigger(body({"id": 5001}))
    busy = (
        500,
        "The specified Test Plan is currently running. Please wait until the current run is completed, or stop it",
    )

    assert refused(platform.trigger, body({"id": 5001})) == busy
    assert refused(platform.trigger, {"executionId": 1}) == busy
    assert platform.trigger({"executionId": 2})["id"] == 1002

    clock.now = 1011.0
    assert platform.trigger({"executionId": 1})["id"] == 1003


def test_a_run_is_rerun_ten_times_at_most(clock: Clock) -> None:
    platform = account(clock)
    for _ in range(10):
        platform.trigger(body({"id": 5001}))
        clock.now += 11

    assert refused(platform.trigger, body({"id": 5001})) == (
        400,
        "executionResultId: 101 has been rerun 10 times already",
    )


def test_an_empty_rerun_never_ends_and_blocks_the_plan(clock: Clock) -> None:
    platform = account(clock)
    run = platform.trigger(body())["id"]
    clock.now += 1_000_000

    assert state(platform, 1001) == ("STATUS_IN_PROGRESS", None)
    assert refused(platform.trigger, {"executionId": 1})[0] == 500
    assert platform.stop({"canStopAll": False, "result": "STOPPED"}, 1001)["id"] == run
    assert state(platform, 1001) == ("STATUS_COMPLETED", "STOPPED")


def test_unknown_runs_are_404(clock: Clock) -> None:
    platform = account(clock)

    assert refused(platform.get_run, 1) == (404, "Execution result not found")
    assert refused(platform.list_results, 1) == (404, "Execution result not found")
    assert refused(platform.stop, {"result": "STOPPED"}, 1) == (404, "Execution result not found")


# The plan's own rerun


def test_a_plan_may_rerun_its_failures_by_itself(clock: Clock) -> None:
    platform = account(clock, rerun_type="ONLY_FAILED_TESTS")
    clock.now = 1004.999
    assert platform.get_run(101)["childResult"] is None

    clock.now = 1005.0
    assert platform.live_runs() == [1001]
    clock.now = 1006.0
    child: Any = platform.get_run(101)["childResult"]

    assert (child["id"], child["startTime"], child["status"]) == (1001, 1_005_000, "STATUS_QUEUED")
    clock.now = 1100.0
    assert results(platform, 1001) == ["SUCCESS", ["FAILURE", "FAILURE"]]
    # It reruns first runs only.
    assert platform.get_run(1001)["childResult"] is None


def test_a_case_that_failed_without_a_failed_row_is_rerun_as_a_whole(clock: Clock) -> None:
    rows = (Row("fr", ("SUCCESS",)), Row("pl", ("SUCCESS",)))
    case = Case(12, "Ship", Suite(21, ""), Machine(31, ""), ("FAILURE", "SUCCESS"), rows)
    platform = account(clock, (case,), rerun_type="ONLY_FAILED_TESTS")

    clock.now = 1100.0

    assert results(platform, 1001) == [["SUCCESS", "SUCCESS", "SUCCESS"]]


@pytest.mark.parametrize(
    "runs",
    [
        (PastRun(101, 1, result="SUCCESS"),),
        (PastRun(101, 1, picked=(Pick(2),)),),
        (PastRun(101, 1), PastRun(102, 1, parent=101)),
    ],
)
def test_it_reruns_no_success_and_nothing_twice(clock: Clock, runs: tuple[PastRun, ...]) -> None:
    platform = account(clock, runs=runs, rerun_type="ONLY_FAILED_TESTS")

    clock.now = 1100.0

    assert platform.trigger({"executionId": 1})["id"] == 1001


def test_it_leaves_a_stopped_run_and_a_busy_plan_alone(clock: Clock) -> None:
    platform = account(clock, rerun_type="ONLY_FAILED_TESTS")
    clock.now = 1003.0
    platform.trigger({"executionId": 1})
    clock.now = 1006.0
    platform.stop({"canStopAll": False, "result": "STOPPED"}, 1001)

    clock.now = 1100.0

    assert platform.live_runs() == []
    assert platform.trigger({"executionId": 1})["id"] == 1002


# Stop

STOP_ONE = {"canStopAll": False, "result": "STOPPED"}


def two_live_runs(clock: Clock, stop_route: StopRoute = "both") -> Platform:
    platform = account(clock, stop_route=stop_route)
    platform.trigger({"executionId": 1})
    platform.trigger({"executionId": 2})
    clock.now += 5
    return platform


def test_the_run_route_stops_that_run(clock: Clock) -> None:
    platform = two_live_runs(clock)

    reply = platform.stop(STOP_ONE, 1001)

    assert (reply["id"], reply["status"], reply["result"]) == (1001, "STATUS_COMPLETED", "STOPPED")
    assert reply.keys() == keys(RUN_KEYS)
    assert (reply["message"], reply["duration"]) == ("User stopped the Test Plan", 5000)
    assert counters(reply) == {"totalCount": 3, "passedCount": 1, "runningCount": 2}
    assert platform.live_runs() == [1002]
    clock.now += 1000
    assert results(platform, 1001) == ["SUCCESS", ["STOPPED", "STOPPED", "STOPPED"], "STOPPED"]
    assert platform.get_run(1001) == reply


def test_the_collection_route_stops_the_newest_live_run(clock: Clock) -> None:
    platform = two_live_runs(clock)

    assert platform.stop(STOP_ONE)["id"] == 1002
    assert platform.live_runs() == [1001]


@pytest.mark.parametrize("everything", [{"canStopAll": True, "result": "STOPPED"}, {"result": "STOPPED"}])
@pytest.mark.parametrize(("run", "named"), [(None, 1002), (1001, 1001)])
def test_can_stop_all_is_the_default_and_stops_every_run(
    clock: Clock, everything: object, run: int | None, named: int
) -> None:
    platform = two_live_runs(clock)

    assert platform.stop(everything, run)["id"] == named
    assert platform.live_runs() == []


def test_only_the_route_of_the_scenario_exists(clock: Clock) -> None:
    missing = (405, "Request method 'PUT' is not supported here")

    assert refused(two_live_runs(clock, "run").stop, STOP_ONE) == missing
    assert refused(two_live_runs(clock, "collection").stop, STOP_ONE, 1001) == missing


@pytest.mark.parametrize(
    ("request_body", "message"),
    [
        ([], "top level: must be an object, not []"),
        ({"canStopAll": False}, "result: is missing"),
        ({"canStopAll": False, "result": "ABORTED"}, "result: must be STOPPED, not 'ABORTED'"),
        ({"canStopAll": "false", "result": "STOPPED"}, "canStopAll: must be true or false, not 'false'"),
        (STOP_ONE | {"id": 1001}, "id: is not a known key"),
    ],
)
def test_a_wrong_stop_is_refused_and_stops_nothing(clock: Clock, request_body: object, message: str) -> None:
    platform = two_live_runs(clock)

    assert refused(platform.stop, request_body, 1001) == (400, message)
    assert platform.live_runs() == [1001, 1002]


def test_there_must_be_something_to_stop(clock: Clock) -> None:
    platform = account(clock)

    assert refused(platform.stop, STOP_ONE) == (400, "No Test Plan is running")
    assert refused(platform.stop, STOP_ONE, 101) == (400, "Execution result 101 is completed already")


def test_what_was_started_and_stopped_is_remembered(clock: Clock) -> None:
    platform = account(clock, rerun_type="ONLY_FAILED_TESTS")
    clock.now = 1005.0
    assert platform.live_runs() == [1001]  # the plan's own rerun
    refused(platform.trigger, {"executionId": 1})
    platform.trigger({"executionId": 2})
    clock.now = 1020.0
    platform.trigger(body({"id": 5001}))
    platform.trigger({"executionId": 2})

    assert platform.started == [1002, 1003, 1004]
    refused(platform.stop, STOP_ONE, 101)
    assert platform.stopped == []
    platform.stop(STOP_ONE, 1004)
    platform.stop({"result": "STOPPED"})
    assert platform.stopped == [1004, 1003]
    platform.started.clear()
    assert platform.started == [1002, 1003, 1004]


# The journal


def test_the_journal_keeps_requests_in_order(clock: Clock) -> None:
    platform = account(clock)
    requests = [Request("POST", "/a", {"x": 1}), Request("GET", "/b", None), Request("PUT", "/c", STOP_ONE)]
    for request in requests:
        platform.record(request)

    assert platform.requests == requests
    assert platform.triggers == [{"x": 1}]
    assert platform.stops == [("/c", STOP_ONE)]
