"""The documented bodies, through settings, client and story: what is sent is asserted to the letter."""

import io
import json
from pathlib import Path
from typing import Any

import responses

from rerun_action.core.model import Outcome, Policy
from rerun_action.hosts.account import Account
from rerun_action.hosts.console import Console
from rerun_action.rerun import Story
from rerun_action.testsigma.client import Client
from tests.support.fake_time import FakeTime

HOST = "https://testsigma.example"
RUNS = f"{HOST}/api/v1/execution_results"
SAMPLES = Path(__file__).parents[1] / "support" / "samples"


def sample(name: str, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    return body | changes


def test_the_documented_listing_is_rerun_with_the_documented_request() -> None:
    listing = sample("test_case_results.json")
    case = listing["testCases"][0]
    passed = [
        {"iterationResultId": number, "setName": name, "result": "SUCCESS"}
        for number, name in ((8001, "travels"), (8002, "examples 1"))
    ]
    rerun = {**listing, "executionResultId": 990, "result": "SUCCESS"}
    rerun["testCases"] = [{**case, "testCaseResultId": 8000, "result": "SUCCESS", "iterationResults": passed}]
    console = Console(io.StringIO())
    time = FakeTime()
    with responses.RequestsMock() as http:
        http.get(f"{RUNS}/986", json=sample("run.json", id=986, executionId=268, execution=None))
        http.get(f"{RUNS}/986/test_case_results", json=listing)
        post = http.post(RUNS, json=sample("rerun_reply.json", id=990, executionId=268, reRunParentId=986))
        http.get(
            f"{RUNS}/990",
            json=sample("run.json", id=990, executionId=268, execution=None, result="SUCCESS", reRunParentId=986),
        )
        http.get(f"{RUNS}/990/test_case_results", json=rerun)
        report = Story(
            Client(HOST, "made-up-key", time, warn=console.warning, debug=console.debug),
            Policy(),
            execution_id=986,
            test_plan_id=268,
            server_url=HOST,
            time=time,
            account=Account(console),
            publish=lambda _: None,
        ).tell()
        assert post.call_count == 1
        assert json.loads(post.calls[0].request.body or "") == json.loads(
            '{"executionId":268,"executionResultId":986,"isReRun":true,"reRunType":"USER_PICKED","testCaseResultRequests":'
            '[{"id":7975,"iterationReRunType":"USER_PICKED","iterationResultIds":[7976,7965]}]}'
        )
    assert report.outcome is Outcome.FLAKY
    assert report.counts() == {
        "total": 3,
        "passed": 1,
        "flaky": 2,
        "failed": 0,
        "unresolved": 0,
        "quarantined": 0,
        "rerun": 2,
    }
