"""The demo: forty leaves, seven failures, five of them by bad luck."""

from __future__ import annotations

from typing import Any, TypeAlias

from rerun_action.simulator import Platform, demo_scenario
from rerun_action.simulator.demo import PLAN_ID, RUN_ID

Leaf: TypeAlias = tuple[str, str, str | None]
"""Machine, case, and data set if there is one."""


def leaves(platform: Platform, run: int) -> dict[Leaf, str]:
    """Give the result of each leaf."""
    found: dict[Leaf, str] = {}
    cases: Any = platform.list_results(run)["testCases"]
    for case in cases:
        where = case["machineTitle"], case["testCaseName"]
        if case["isDataDrivenCase"]:
            found |= {(*where, row["setName"]): row["result"] for row in case["iterationResults"]}
        else:
            found[(*where, None)] = case["result"]
    return found


def failures(platform: Platform, run: int) -> dict[Leaf, str]:
    return {leaf: result for leaf, result in leaves(platform, run).items() if result != "SUCCESS"}


BROKEN: dict[Leaf, str] = {
    ("Chrome on Windows 11", "Redeem a voucher", None): "FAILURE",
    ("Safari on macOS 15", "Pay by invoice", None): "FAILURE",
}


def test_the_demo_tells_its_story() -> None:
    now = [1000.0]
    platform = Platform(demo_scenario(), lambda: now[0])
    first = platform.get_run(RUN_ID)
    assert (first["executionId"], first["status"], first["result"]) == (PLAN_ID, "STATUS_COMPLETED", "FAILURE")
    assert len(leaves(platform, RUN_ID)) == 40
    assert failures(platform, RUN_ID) == BROKEN | {
        ("Chrome on Windows 11", "Pay by PayPal", None): "ABORTED",
        ("Chrome on Windows 11", "Ship abroad", "Poland"): "FAILURE",
        ("Safari on macOS 15", "Search for a product", None): "FAILURE",
        ("Safari on macOS 15", "Switch the currency", "GBP"): "FAILURE",
        ("Safari on macOS 15", "Reset the password", None): "NOT_EXECUTED",
    }

    cases: Any = platform.list_results(RUN_ID)["testCases"]
    asked = []
    for case in cases:
        rows = [row["iterationResultId"] for row in case["iterationResults"] if row["result"] != "SUCCESS"]
        if rows:
            iterations = {"iterationReRunType": "USER_PICKED", "iterationResultIds": rows}
            asked.append({"id": case["testCaseResultId"]} | iterations)
        elif case["result"] != "SUCCESS":
            asked.append({"id": case["testCaseResultId"]})
    rerun: Any = platform.trigger(
        {
            "executionId": PLAN_ID,
            "executionResultId": RUN_ID,
            "isReRun": True,
            "reRunType": "USER_PICKED",
            "testCaseResultRequests": asked,
        }
    )["id"]

    now[0] += 3.9
    assert platform.live_runs() == [rerun]
    now[0] += 0.1
    assert platform.live_runs() == []
    assert len(leaves(platform, rerun)) == 40
    assert failures(platform, rerun) == BROKEN
