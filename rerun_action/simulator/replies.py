"""The JSON of the replies, key for key as in the samples of the documentation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from rerun_action.simulator.run import COMPLETED, CREATED, IN_PROGRESS, QUEUED, Counts

if TYPE_CHECKING:
    from rerun_action.simulator.run import Run
    from rerun_action.simulator.scenario import ChildStyle, Plan

Json: TypeAlias = dict[str, object]

_MESSAGES = {
    CREATED: "Test Plan execution is initiated and waiting to be queued",
    QUEUED: "Test Plan execution is queued",
    IN_PROGRESS: "Test Plan execution is in progress",
    COMPLETED: "Test Plan execution completed",
}
_STOPPED_MESSAGE = "User stopped the Test Plan"
_USER = 12


class Refusal(Exception):
    """The platform says no: an HTTP status and the documented body of an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {
            "timeStamp": None,
            "error": message,
            "code": None,
            "fieldErrors": None,
            "objectErrors": None,
        }


def new_run(run: Run) -> Json:
    """Describe a run as the call that started it does: without its plan, before anything happened."""
    return _run(run, CREATED, "QUEUED", Counts(), execution=None, child=None)


def full_run(run: Run, now: float, last_run_id: int, child_style: ChildStyle) -> Json:
    """Describe a run as the poll does."""
    return _run_at(run, now, child_style, _execution(run.plan, last_run_id))


def _run_at(run: Run, now: float, child_style: ChildStyle, execution: Json | None) -> Json:
    child: int | Json | None = None
    if run.child is not None and child_style == "id":
        child = run.child.id
    elif run.child is not None and child_style == "object":
        child = _run_at(run.child, now, child_style, None)
    return _run(run, run.status(now), run.result(now), run.counts(now), execution=execution, child=child)


def _run(
    run: Run, status: str, result: str | None, counts: Counts, *, execution: Json | None, child: int | Json | None
) -> Json:
    started = math.floor(run.timeline.created_at * 1000)
    ended = math.floor(run.ends_at * 1000) if status == COMPLETED else None
    duration = None if ended is None else ended - started
    return {
        "id": run.id,
        "execution": execution,
        "executionId": run.plan.id,
        "startTime": started,
        "endTime": ended,
        "duration": duration,
        "result": result,
        "status": status,
        "message": _MESSAGES[status] if run.stopped_at is None else _STOPPED_MESSAGE,
        "executedBy": _USER,
        "buildNo": run.build_no,
        "environmentId": None,
        "totalCount": counts.total,
        "failedCount": counts.failed,
        "passedCount": counts.passed,
        "stoppedCount": counts.stopped,
        "notExecutedCount": counts.not_executed,
        "queuedCount": counts.queued,
        "runningCount": counts.running,
        "visualTestResult": None,
        "environment": None,
        "childResult": child,
        "reRunParentId": None if run.parent is None else run.parent.id,
        "triggeredType": "API",
        "totalRunningCount": 0,
        "executionDetails": {
            "page_timeout": 30,
            "element_timeout": 30,
            "recovery_action": "Run_Next_Testcase",
            "on_aborted_action": "Reuse_Session",
            "screenshot_option": "ALL_TYPES",
            "group_prerequisite_fail": "Abort",
            "test_case_prerequisite_fail": "Abort",
            "test_step_prerequisite_fail": "Run_Next_Testcase",
            "global_param_name": None,
        },
        "totalQueuedCount": 0,
        "mobileInspectionId": None,
        "environmentResultsDTO": None,
        "executionResultConfig": None,
        "isReRunEnabled": False,
        "consolidatedResult": result,
        "consolidatedStatus": status,
        "resultType": "ORIGINAL",
        "consolidatedDuration": duration,
        "runTestCasesInParallel": False,
        "runTestSuitesInParallel": False,
        "scheduledId": None,
        "testPlanHookResults": None,
    }


def _execution(plan: Plan, last_run_id: int) -> Json:
    return {
        "id": plan.id,
        "applicationVersionId": 47,
        "name": plan.name,
        "description": None,
        "mailList": "team@example.com",
        "elementTimeOut": 30,
        "pageTimeOut": 30,
        "environmentId": None,
        "screenshot": "ALL_TYPES",
        "recoveryAction": "Run_Next_Testcase",
        "onAbortedAction": "Reuse_Session",
        "onSuitePreRequisiteFail": "Abort",
        "onStepPreRequisiteFail": "Run_Next_Testcase",
        "reRunType": plan.rerun_type,
        "isManual": False,
        "applicationVersion": None,
        "lastRun": None,
        "slack": None,
        "createdDate": 1677482960000,
        "updatedDate": 1679304114000,
        "createdById": 9,
        "updatedById": _USER,
        "matchBrowserVersion": False,
        "notificationStatusList": ["1", "0", "9", "5", "3", "6"],
        "msTeamsConnectorNotificationEnabled": False,
        "retrySessionCreation": False,
        "retrySessionCreationTimeout": None,
        "lastRunId": last_run_id,
        "googleChatConnectorNotificationEnabled": False,
        "slackConnectorNotificationEnabled": False,
        "entityType": "EXECUTION",
        "environments": [],
        "hookData": None,
        "postHookId": None,
        "postPlanHook": None,
        "visualTestResultTimeOut": 2,
        "onTestCasePreRequisiteFail": "Abort",
        "executionType": "CROSS_BROWSER",
    }
