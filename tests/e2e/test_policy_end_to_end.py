"""The policy as its users set it: rounds, filters, breakers, quarantine, dry run, fresh run."""

import json
import signal
from pathlib import Path

import pytest

from rerun_action.simulator import PastRun, Simulator
from tests.e2e.test_end_to_end import HABITS, picked, rows, verdicts
from tests.support.processes import act, act_and_signal
from tests.support.scenarios import FAILS, FLAKES, LONG, PASSES, PLAN, case, data_driven, scenario

pytestmark = pytest.mark.usefixtures("uncounted")

# fails in run 100 and, where it says so, in the reruns 101 and 102
CASES = (
    case(1, *FLAKES),
    data_driven(2, ("a", *PASSES), ("b", "FAILURE", "FAILURE", "SUCCESS"), ("c", *FLAKES)),
    case(3, "FAILURE", "ABORTED", "FAILURE", "SUCCESS"),
    case(4, *PASSES),
)


@pytest.mark.parametrize("habit", HABITS)
def test_three_rounds(habit: str, tmp_path: Path) -> None:
    with Simulator(scenario(*CASES, habit=habit)) as simulator:
        outcome = act(simulator, tmp_path, max_reruns=3)
        triggers = simulator.platform.triggers
    # run 100 gave 5001 | 5002: 5003 5004 5005 | 5006 | 5007, run 101 gave 5008 | 5009: 5010 5011 | 5012,
    # run 102 gave 5013: 5014 | 5015
    assert triggers == [
        picked({"id": 5001}, rows(5002, 5004, 5005), {"id": 5006}, parent=100),
        picked(rows(5009, 5010), {"id": 5012}, parent=101),
        picked({"id": 5015}, parent=102),
    ]
    assert (outcome.code, outcome.report["result"]) == (0, "flaky")
    assert [(run["run_id"], run["origin"], run["requested"]) for run in outcome.report["runs"]] == [
        (100, "execution", None),
        (101, "triggered", 4),
        (102, "triggered", 2),
        (103, "triggered", 1),
    ]
    assert outcome.report["counts"]["rerun"] == 4
    assert outcome.report["leaves"][4]["observations"] == [
        {"run_id": 100, "result_id": 5006, "result": "FAILURE"},
        {"run_id": 101, "result_id": 5012, "result": "ABORTED"},
        {"run_id": 102, "result_id": 5015, "result": "FAILURE"},
        {"run_id": 103, "result_id": 5016, "result": "SUCCESS"},
    ]


def test_filters_keep_the_build_red(tmp_path: Path) -> None:
    cases = [case(1, *FLAKES), case(2, *FLAKES, machine=2), case(3, *FLAKES)]
    with Simulator(scenario(*cases)) as simulator:
        outcome = act(simulator, tmp_path, include="machine:machine 1\ncase:case 2", exclude="*3")
        assert simulator.platform.triggers == [picked({"id": 5001}, {"id": 5002})]
    assert (outcome.code, outcome.report["result"]) == (1, "failed")
    assert outcome.report["leaves"][2]["reason"] == "FAILURE in run 100; left out: exclude names it (*3)"
    assert outcome.report["policy"]["include"] == ["machine:machine 1", "case:case 2"]


def test_a_pattern_that_matches_nothing_is_a_warning(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *PASSES), case(2, *FLAKES, machine=2))) as simulator:
        include = "case:case ?,suite:Suite,machine:machine 2,tag:foo"
        outcome = act(simulator, tmp_path, include=include, exclude="case:case [12],*9")
    assert outcome.code == 0
    assert [line for line in outcome.text.splitlines() if line.startswith("warning: ")] == [
        f"warning: {pattern} matches no test of this execution (patterns are case-sensitive)"
        for pattern in ('include "suite:Suite"', 'include "tag:foo"', 'exclude "case:case [12]"', 'exclude "*9"')
    ]


@pytest.mark.parametrize(
    ("inputs", "name"), [({"max_failures": 1}, "max-failures"), ({"max_failure_percent": 50}, "percent")]
)
def test_a_breaker(inputs: dict[str, object], name: str, tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES), case(2, *FLAKES), case(3, *PASSES))) as simulator:
        outcome = act(simulator, tmp_path, **inputs)
        assert simulator.platform.triggers == []
    assert (outcome.code, outcome.report["result"], outcome.report["exit_code"]) == (5, "declined", 5)
    assert "2 of 3 tests (66.7 %) failed, more than" in outcome.report["message"]
    assert name in outcome.report["message"]
    lines = outcome.text.splitlines()
    assert f"No rerun: {outcome.report['message']}" in lines
    assert "  left   suite / case 1 on machine 1: the rerun was declined" in lines
    assert "  failed       suite / case 1 on machine 1: FAILURE in run 100; left out: the rerun was declined" in lines
    assert "Round" not in outcome.text
    assert "picked" not in outcome.text


def test_fail_on_flaky(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES))) as simulator:
        outcome = act(simulator, tmp_path, fail_on_flaky="true")
    assert (outcome.code, outcome.report["result"]) == (6, "flaky")


QUARANTINE = """\
- case: case 1
  owner: team-a
  reason: slow sandbox
  expires: 2999-12-31
- case: case 2
  iteration: b
  owner: team-b
  reason: old data
  expires: 2020-01-01
"""


def test_quarantine(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.yml"
    path.write_text(QUARANTINE)
    with Simulator(scenario(case(1, *FAILS), data_driven(2, ("a", *PASSES), ("b", *FLAKES)))) as simulator:
        outcome = act(simulator, tmp_path / "reports", quarantine_file=path)
        assert simulator.platform.triggers == [picked(rows(5002, 5004))]
    assert (outcome.code, outcome.report["result"]) == (0, "flaky")
    assert outcome.report["message"] == (
        "1 test failed and passed in a later run; nothing that counts fails any more; 1 test failed in quarantine"
    )
    assert verdicts(outcome) == [("case 1", None, "quarantined"), ("case 2", "a", "passed"), ("case 2", "b", "flaky")]
    assert outcome.report["leaves"][0]["reason"] == (
        "FAILURE in run 100; quarantined until 2999-12-31 by team-a: slow sandbox"
    )
    assert "(line 5" not in outcome.text
    assert f'quarantine of "case 2" ({path}, line 5, owner team-b) expired on 2020-01-01' in outcome.text


def test_a_malformed_quarantine_file_is_a_fault_with_its_line_like_the_others(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.yml"
    path.write_text(QUARANTINE + "- case: x\n")
    with Simulator(scenario(case(1, *FAILS))) as simulator:
        outcome = act(simulator, tmp_path / "reports", quarantine_file=path, max_reruns=11)
        assert simulator.platform.requests == []
    assert outcome.code == 2
    assert f"quarantine-file (TESTSIGMA_QUARANTINE_FILE): {path}, line 10: the entry has no `owner`" in outcome.text
    assert "max-reruns (TESTSIGMA_MAX_RERUNS): must be a whole number from 1 to 10, not '11'" in outcome.text


def test_a_dry_run_prints_each_decision_and_the_exact_payload(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES), case(2, *PASSES), case(3, "ABORTED"))) as simulator:
        outcome = act(simulator, tmp_path, dry_run="true", rerun_results="FAILURE")
        assert [request.method for request in simulator.platform.requests] == ["GET", "GET"]
    assert (outcome.code, outcome.report["result"]) == (0, "dry-run")
    payload = next(line for line in outcome.text.splitlines() if line.startswith("payload: "))
    assert json.loads(payload.removeprefix("payload: ")) == picked({"id": 5001})
    assert "After all runs:" not in outcome.text
    for line in (
        "Round 1, 1 of 2 failed tests would be rerun:",
        "As it stands:",
        "  failed       suite / case 1 on machine 1: FAILURE in run 100; would be rerun",
        "  rerun  suite / case 1 on machine 1: it ended with FAILURE",
        "  left   suite / case 3 on machine 1: ABORTED is not in rerun-results",
        "  left   suite / case 2 on machine 1: it passed",
    ):
        assert line in outcome.text.splitlines()


def test_a_fresh_run_and_the_rerun_of_its_failures(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES), runs=())) as simulator:
        outcome = act(
            simulator,
            tmp_path,
            execution_id="new",
            test_plan_id=PLAN,
            build_no="1.2.3",
            runtime_data="url=https://shop.example/?a=b\nuser = tester",
        )
        assert simulator.platform.triggers == [
            {
                "executionId": PLAN,
                "buildNo": "1.2.3",
                "runtimeData": {"url": "https://shop.example/?a=b", "user": "tester"},
            },
            picked({"id": 5001}, parent=101),
        ]
        url = simulator.url
    assert (outcome.code, outcome.report["result"], outcome.report["execution_id"]) == (0, "flaky", "new")
    assert f": a fresh run of test plan {PLAN} at {url}" in outcome.text.splitlines()[0]
    assert [run["origin"] for run in outcome.report["runs"]] == ["fresh", "triggered"]


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_empty_execution_never_starts_a_run(empty: str | None, tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES))) as simulator:
        outcome = act(simulator, tmp_path, execution_id=empty, test_plan_id=PLAN)
        assert simulator.platform.requests == []
    assert outcome.code == 2


def test_new_needs_a_plan(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES))) as simulator:
        outcome = act(simulator, tmp_path, execution_id="new")
        assert simulator.platform.requests == []
    assert outcome.code == 2
    assert "test-plan-id (TESTSIGMA_TEST_PLAN_ID): is required with execution-id: new" in outcome.text


def test_a_fresh_run_is_stopped_with_the_job(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES), runs=(), seconds=LONG)) as simulator:
        outcome = act_and_signal(
            simulator,
            tmp_path,
            lambda: bool(simulator.platform.triggers),
            signal.SIGTERM,
            execution_id="new",
            test_plan_id=PLAN,
        )
        assert simulator.platform.live_runs() == []
        assert [path for path, _ in simulator.platform.stops] == ["/api/v1/execution_results/101"]
    assert (outcome.code, outcome.report["result"]) == (143, "cancelled")


def test_the_plans_own_rerun_that_is_going_counts_as_a_round(tmp_path: Path) -> None:
    cases = (case(1, *FLAKES), case(2, *FAILS))
    runs = (PastRun(98, PLAN), PastRun(99, PLAN, parent=98, finishes_in=4.0))
    with Simulator(scenario(*cases, runs=runs)) as simulator:
        outcome = act(simulator, tmp_path, execution_id=98)
        assert simulator.platform.triggers == []
    assert (outcome.code, outcome.report["result"]) == (1, "failed")
    assert [run["origin"] for run in outcome.report["runs"]] == ["execution", "found"]
    assert "max-reruns allows 1, and they are used up" in outcome.text


def test_what_looks_like_a_misspelt_variable_is_a_warning(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *PASSES))) as simulator:
        outcome = act(simulator, tmp_path, max_rerun=3, junit_report_url="x")
    warnings = [line for line in outcome.text.splitlines() if line.startswith("warning: ")]
    assert warnings == ["warning: TESTSIGMA_MAX_RERUN is not an input and has no effect; TESTSIGMA_MAX_RERUNS is one"]


def test_a_misspelt_variable_explains_a_missing_input(tmp_path: Path) -> None:
    outcome = act(None, tmp_path, api_key=None, apikey="made-up", execution_id=None, run_id=5)
    assert outcome.code == 2
    assert outcome.text.splitlines()[-1] == f"Reports: {tmp_path} (open index.html)"
    assert [line for line in outcome.text.splitlines() if line.startswith("warning: ")] == [
        "warning: TESTSIGMA_APIKEY is not an input and has no effect; TESTSIGMA_API_KEY is one",
        "warning: TESTSIGMA_RUN_ID is not an input and has no effect; TESTSIGMA_EXECUTION_ID is one",
    ]


def test_reports_that_could_not_be_written_are_not_named(tmp_path: Path) -> None:
    outcome = act(None, tmp_path, report_dir="/dev/null/reports")
    assert outcome.code == 2
    assert "report-dir (TESTSIGMA_REPORT_DIR): /dev/null/reports can't be written to: Not a directory" in outcome.text
    assert "Reports:" not in outcome.text


def test_what_an_earlier_step_hands_on_is_no_misspelt_variable(tmp_path: Path) -> None:
    handed_on = {"rerun_result": "flaky", "rerun_exit_code": 0, "rerun_execution_id": 99}
    with Simulator(scenario(case(1, *PASSES))) as simulator:
        outcome = act(simulator, tmp_path, **handed_on)
    assert "warning: " not in outcome.text
