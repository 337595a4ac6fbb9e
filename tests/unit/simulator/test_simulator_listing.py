"""What listings show: the four habits, rows and cases, what is gone, what the platform added, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rerun_action.simulator import (
    Case,
    FirstIds,
    Machine,
    PastRun,
    Pick,
    Plan,
    Platform,
    Row,
    Scenario,
    Suite,
)

if TYPE_CHECKING:
    from rerun_action.simulator.scenario import Habit, Script

SUITE = Suite(21, "Checkout")
CHROME = Machine(31, "Chrome")


def plain(*results: str | None, case_id: int = 11, requires: int | None = None) -> Case:
    return Case(case_id, "Pay", SUITE, CHROME, results, requires=requires)


def driven(results: Script = (), **rows: Script) -> Case:
    return Case(12, "Ship", SUITE, CHROME, results, tuple(Row(name, script) for name, script in rows.items()))


def account(*cases: Case, habit: Habit = "own", list_prerequisites: bool = False) -> Platform:
    plan = Plan(1, "Nightly", cases, list_prerequisites=list_prerequisites)
    return Platform(Scenario(plans=(plan,), runs=(PastRun(101, 1),), habit=habit), lambda: 1000.0)


def rerun(platform: Platform, *asked: object) -> Any:
    return platform.trigger(
        {
            "executionId": 1,
            "executionResultId": 101,
            "isReRun": True,
            "reRunType": "USER_PICKED",
            "testCaseResultRequests": list(asked),
        }
    )["id"]


def rows(case: int, *iterations: int) -> object:
    return {"id": case, "iterationReRunType": "USER_PICKED", "iterationResultIds": list(iterations)}


def listed(platform: Platform, run: int) -> list[Any]:
    """Give (id, result) of each plain case, (id, result, [(id, set, result) of each row]) of each other."""
    found = []
    cases: Any = platform.list_results(run)["testCases"]
    for case in cases:
        entry = case["testCaseResultId"], case["result"]
        iterations = [tuple(row.values()) for row in case["iterationResults"]]
        found.append((*entry, iterations) if case["isDataDrivenCase"] else entry)
    return found


ROOT = [
    (5001, "FAILURE"),
    (5002, "FAILURE", [(5003, "fr", "SUCCESS"), (5004, "pl", "FAILURE"), (5005, "se", "FAILURE")]),
]
FIRST_RERUN = [(5006, "SUCCESS"), (5007, "SUCCESS", [(5008, "pl", "SUCCESS")])]
SECOND_RERUN = [(5009, "FAILURE", [(5010, "se", "FAILURE")])]
AFTER_FIRST = [
    (5006, "SUCCESS"),
    (5007, "FAILURE", [(5003, "fr", "SUCCESS"), (5008, "pl", "SUCCESS"), (5005, "se", "FAILURE")]),
]
AFTER_SECOND = [
    (5006, "SUCCESS"),
    (5009, "FAILURE", [(5003, "fr", "SUCCESS"), (5008, "pl", "SUCCESS"), (5010, "se", "FAILURE")]),
]


@pytest.mark.parametrize(
    ("habit", "root", "first", "second"),
    [
        ("own", ROOT, FIRST_RERUN, SECOND_RERUN),
        ("rerun", ROOT, AFTER_FIRST, AFTER_SECOND),
        ("first", AFTER_SECOND, FIRST_RERUN, SECOND_RERUN),
        ("both", AFTER_SECOND, AFTER_FIRST, AFTER_SECOND),
    ],
)
def test_a_habit_decides_what_a_listing_merges(
    habit: Habit, root: list[Any], first: list[Any], second: list[Any]
) -> None:
    platform = account(
        plain("FAILURE", "SUCCESS"),
        driven(fr=("SUCCESS",), pl=("FAILURE", "SUCCESS"), se=("FAILURE",)),
        habit=habit,
    )
    assert listed(platform, 101) == ROOT

    assert rerun(platform, rows(5002, 5004), {"id": 5001}) == 1001
    assert rerun(platform, rows(5007, 5005)) == 1002

    assert listed(platform, 101) == root
    assert listed(platform, 1001) == first
    assert listed(platform, 1002) == second


def test_an_entry_has_every_documented_key() -> None:
    platform = account(driven(pl=("FAILURE",)))

    assert platform.list_results(101) == {
        "executionId": 1,
        "executionResultId": 101,
        "result": "FAILURE",
        "status": "STATUS_COMPLETED",
        "testCases": [
            {
                "testCaseId": 12,
                "testCaseName": "Ship",
                "testCaseResultId": 5001,
                "result": "FAILURE",
                "isDataDrivenCase": True,
                "iterationResults": [{"iterationResultId": 5002, "setName": "pl", "result": "FAILURE"}],
                "testSuiteId": 21,
                "testSuiteName": "Checkout",
                "testSuiteResultId": 2001,
                "machineId": 31,
                "machineTitle": "Chrome",
                "machineResultId": 2002,
            }
        ],
    }


def test_suites_and_machines_have_one_result_per_run_and_machine() -> None:
    cases = [
        Case(1, "Pay", Suite(suite, ""), Machine(machine, ""), ("SUCCESS",))
        for suite, machine in [(21, 31), (21, 31), (22, 31), (21, 32)]
    ]
    platform = account(*cases)

    entries: Any = platform.list_results(101)["testCases"]

    assert [(entry["testSuiteResultId"], entry["machineResultId"]) for entry in entries] == [
        (2001, 2002),
        (2001, 2002),
        (2003, 2002),
        (2004, 2005),
    ]


def test_a_script_advances_once_per_execution_and_its_last_entry_repeats() -> None:
    platform = account(plain("FAILURE", None, "PURPLE"), plain("FAILURE"))

    shown = [listed(platform, 101)[0]]
    for newest in (5001, 5003, 5004):
        shown += listed(platform, rerun(platform, {"id": newest}))

    assert shown == [(5001, "FAILURE"), (5003, None), (5004, "PURPLE"), (5005, "PURPLE")]


def test_the_same_case_may_stand_in_a_plan_twice() -> None:
    platform = account(plain("FAILURE", "SUCCESS"), plain("FAILURE"))

    run = rerun(platform, {"id": 5001}, {"id": 5002})

    assert listed(platform, run) == [(5003, "SUCCESS"), (5004, "FAILURE")]


def test_a_case_may_have_a_result_that_its_rows_do_not_give() -> None:
    platform = account(driven(("FAILURE", "SUCCESS"), pl=("SUCCESS", "FAILURE")), habit="rerun")
    assert listed(platform, 101) == [(5001, "FAILURE", [(5002, "pl", "SUCCESS")])]
    assert platform.get_run(101)["result"] == "FAILURE"

    run = rerun(platform, {"id": 5001})

    assert listed(platform, run) == [(5003, "SUCCESS", [(5004, "pl", "FAILURE")])]
    assert platform.get_run(run)["result"] == "FAILURE"


@pytest.mark.parametrize(
    ("habit", "shown"),
    [
        ("own", [(5005, "SUCCESS", [(5006, "fr", "SUCCESS")])]),
        ("rerun", [(5001, "FAILURE"), (5005, "FAILURE", [(5006, "fr", "SUCCESS"), (5004, "pl", "FAILURE")])]),
    ],
)
def test_what_is_gone_does_not_appear_and_gets_no_id(habit: Habit, shown: list[Any]) -> None:
    platform = account(plain("FAILURE", "GONE"), driven(fr=("FAILURE", "SUCCESS"), pl=("FAILURE", "GONE")), habit=habit)

    run = rerun(platform, {"id": 5001}, {"id": 5002})

    assert listed(platform, run) == shown
    assert platform.get_run(run)["result"] == "SUCCESS"


@pytest.mark.parametrize(
    "case",
    [
        plain("FAILURE", "GONE"),
        driven(pl=("FAILURE", "GONE")),
        driven(("FAILURE", "GONE"), pl=("FAILURE",)),
        driven(("FAILURE",), pl=("FAILURE", "GONE")),
    ],
)
def test_a_run_of_which_everything_is_gone_is_empty_and_successful(case: Case) -> None:
    platform = account(case)

    run = rerun(platform, {"id": 5001})

    assert listed(platform, run) == []
    assert platform.get_run(run)["result"] == "SUCCESS"


def test_a_prerequisite_runs_along() -> None:
    cases = (plain("SUCCESS", "ABORTED"), plain("SUCCESS", requires=0), plain("FAILURE", "SUCCESS", requires=1))
    hiding, showing = account(*cases), account(*cases, list_prerequisites=True)

    assert rerun(hiding, {"id": 5003}) == rerun(showing, {"id": 5003}) == 1001

    assert listed(hiding, 1001) == [(5006, "SUCCESS")]
    assert listed(showing, 1001) == [(5004, "ABORTED"), (5005, "SUCCESS"), (5006, "SUCCESS")]
    assert hiding.get_run(1001)["totalCount"] == 3
    assert hiding.get_run(1001)["result"] == "FAILURE"


def test_past_runs_execute_what_was_picked_in_them() -> None:
    plan = Plan(1, "Nightly", (plain("FAILURE", "SUCCESS"), driven(fr=("SUCCESS",), pl=("FAILURE", "ABORTED"))))
    picked = (Pick(1, (1,)), Pick(0))
    platform = Platform(
        Scenario(plans=(plan,), runs=(PastRun(101, 1), PastRun(102, 1, 101, picked)), ids=FirstIds(200, 60))
    )

    assert listed(platform, 102) == [(64, "SUCCESS"), (65, "FAILURE", [(66, "pl", "ABORTED")])]
    assert platform.get_run(102)["reRunParentId"] == 101


def paged(size: int | None, count: int = 5) -> Platform:
    plan = Plan(1, "Nightly", (plain("SUCCESS"),) * count)
    return Platform(Scenario(plans=(plan,), runs=(PastRun(101, 1),), page_size=size))


def page(platform: Platform, number: int = 0, size: int | None = None) -> tuple[list[int], dict[str, object]]:
    reply: Any = platform.list_results(101, number, size)
    cases = reply.pop("testCases")
    for name in ("executionId", "executionResultId", "result", "status"):
        del reply[name]
    return [case["testCaseResultId"] for case in cases], reply


def test_pages() -> None:
    platform = paged(2)
    fields = {"totalPages": 3, "totalElements": 5, "size": 2}

    assert page(platform) == ([5001, 5002], fields | {"number": 0, "first": True, "last": False})
    assert page(platform, 1) == ([5003, 5004], fields | {"number": 1, "first": False, "last": False})
    assert page(platform, 2) == ([5005], fields | {"number": 2, "first": False, "last": True})
    assert page(platform, 3) == ([], fields | {"number": 3, "first": False, "last": True})
    assert page(platform, 1, 4) == (
        [5005],
        {"totalPages": 2, "totalElements": 5, "size": 4, "number": 1, "first": False, "last": True},
    )


def test_an_empty_listing_has_no_pages() -> None:
    fields = {"totalPages": 0, "totalElements": 0, "size": 2, "number": 0, "first": True, "last": True}

    assert page(paged(2, 0)) == ([], fields)


def test_without_pages_everything_is_listed_whatever_is_asked() -> None:
    assert page(paged(None), 1, 2) == ([5001, 5002, 5003, 5004, 5005], {})
