"""The field names that the documentation shows, and the words that may stand in some of them (API page, "Calls")."""

LISTING = frozenset({"executionId", "executionResultId", "result", "status", "testCases"})
CASE = frozenset({
    "testCaseId", "testCaseName", "testCaseResultId", "result", "isDataDrivenCase", "iterationResults", "testSuiteId",
    "testSuiteName", "testSuiteResultId", "machineId", "machineTitle", "machineResultId",
})  # fmt: skip
ROW = frozenset({"iterationResultId", "setName", "result"})
PAGE = frozenset({
    "content", "pageable", "totalPages", "totalElements", "last", "first", "number", "size", "numberOfElements", "sort",
    "empty", "offset", "pageNumber", "pageSize", "paged", "unpaged", "sorted", "unsorted",
})  # fmt: skip
"""Spring's, around a list that comes in pages."""
RUN = frozenset({
    "id", "execution", "executionId", "startTime", "endTime", "duration", "result", "status", "message", "executedBy",
    "buildNo", "environmentId", "totalCount", "failedCount", "passedCount", "stoppedCount", "notExecutedCount",
    "queuedCount", "runningCount", "visualTestResult", "environment", "childResult", "reRunParentId", "triggeredType",
    "totalRunningCount", "executionDetails", "totalQueuedCount", "mobileInspectionId", "environmentResultsDTO",
    "executionResultConfig", "isReRunEnabled", "consolidatedResult", "consolidatedStatus", "resultType",
    "consolidatedDuration", "runTestCasesInParallel", "runTestSuitesInParallel", "scheduledId", "testPlanHookResults",
    "page_timeout", "element_timeout", "recovery_action", "on_aborted_action", "screenshot_option",
    "group_prerequisite_fail", "test_case_prerequisite_fail", "test_step_prerequisite_fail", "global_param_name",
})  # fmt: skip
PLAN = frozenset({
    "id", "applicationVersionId", "name", "description", "mailList", "elementTimeOut", "pageTimeOut", "environmentId",
    "screenshot", "recoveryAction", "onAbortedAction", "onSuitePreRequisiteFail", "onStepPreRequisiteFail", "reRunType",
    "isManual", "applicationVersion", "lastRun", "slack", "createdDate", "updatedDate", "createdById", "updatedById",
    "matchBrowserVersion", "notificationStatusList", "msTeamsConnectorNotificationEnabled", "retrySessionCreation",
    "retrySessionCreationTimeout", "lastRunId", "googleChatConnectorNotificationEnabled",
    "slackConnectorNotificationEnabled", "entityType", "environments", "hookData", "postHookId", "postPlanHook",
    "visualTestResultTimeOut", "onTestCasePreRequisiteFail", "executionType",
})  # fmt: skip
ERROR = frozenset({"timeStamp", "error", "code", "fieldErrors", "objectErrors", "timestamp", "path"})
"""Of a refusal: Testsigma's, and what Spring adds in one of its own."""
NAMES = LISTING | CASE | ROW | PAGE | RUN | PLAN | ERROR

IDS = frozenset({
    "id", "executionId", "executionResultId", "testCaseId", "testCaseResultId", "iterationResultId", "testSuiteId",
    "testSuiteResultId", "machineId", "machineResultId", "reRunParentId", "childResult", "lastRunId", "lastRun",
    "executedBy", "environmentId", "applicationVersionId", "createdById", "updatedById", "mobileInspectionId",
    "scheduledId", "postHookId",
})  # fmt: skip
"""Fields that hold an id, as a number or as a string of digits."""
COUNTERS = frozenset({
    "totalCount", "failedCount", "passedCount", "stoppedCount", "notExecutedCount", "queuedCount", "runningCount",
    "totalRunningCount", "totalQueuedCount", "duration", "consolidatedDuration", "totalPages", "totalElements",
    "number", "size", "numberOfElements", "offset", "pageNumber", "pageSize",
})  # fmt: skip
TIMES = frozenset({"startTime", "endTime", "createdDate", "updatedDate", "timeStamp", "timestamp"})
"""Fields that hold milliseconds since 1970."""

STATES = frozenset({"result", "status", "consolidatedResult", "consolidatedStatus"})
"""Fields that hold a result or a status."""
STATUSES = frozenset({
    "STATUS_CREATED", "STATUS_QUEUED", "STATUS_PRE_FLIGHT", "STATUS_IN_PROGRESS", "STATUS_COMPLETED", "QUEUED",
})  # fmt: skip
RESULTS = frozenset({
    "SUCCESS", "FAILURE", "ABORTED", "NOT_EXECUTED", "QUEUED", "STOPPED", "PASSED", "FAILED", "RUNNING",
})  # fmt: skip
RERUN_TYPES = frozenset({
    "NONE", "ALL_TESTS", "ONLY_FAILED_TESTS", "ALL_ITERATIONS", "ONLY_FAILED_ITERATIONS", "USER_PICKED",
})  # fmt: skip
WORDS = {
    "reRunType": RERUN_TYPES,
    "triggeredType": frozenset({"API", "MANUAL"}),
    "resultType": frozenset({"ORIGINAL"}),
    "entityType": frozenset({"EXECUTION"}),
    "executionType": frozenset({"CROSS_BROWSER", "CUSTOM"}),
    "screenshot": frozenset({"ALL_TYPES"}),
    "screenshot_option": frozenset({"ALL_TYPES"}),
}
"""The words that the documentation shows in other fields."""
