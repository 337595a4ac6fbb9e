"""`python entrypoint.py` as a process, over sockets, against the simulator."""

import itertools
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from rerun_action.simulator import PastRun, Pick, Scenario, Simulator
from tests.support.processes import (
    HELD,
    Outcome,
    act,
    act_and_signal,
    environment,
    outcome,
    run_apart,
    run_here,
    started,
    wait_until,
)
from tests.support.scenarios import FAILS, FIRST, FLAKES, KEY, LONG, PASSES, PLAN, case, data_driven, scenario

HABITS = ("own", "rerun", "first", "both")
STOP = {"canStopAll": False, "result": "STOPPED"}


def picked(*requests: dict[str, Any], parent: int = FIRST) -> dict[str, Any]:
    return {
        "executionId": PLAN,
        "executionResultId": parent,
        "isReRun": True,
        "reRunType": "USER_PICKED",
        "testCaseResultRequests": list(requests),
    }


def rows(result_id: int, *iteration_result_ids: int) -> dict[str, Any]:
    return {"id": result_id, "iterationReRunType": "USER_PICKED", "iterationResultIds": list(iteration_result_ids)}


def verdicts(outcome: Outcome) -> list[tuple[str, str | None, str]]:
    return [(leaf["case"], leaf["iteration"], leaf["verdict"]) for leaf in outcome.report["leaves"]]


def check_counts(outcome: Outcome) -> None:
    counts = outcome.report["counts"]
    five = ("passed", "flaky", "failed", "unresolved", "quarantined")
    assert sum(counts[name] for name in five) == counts["total"] == len(outcome.report["leaves"])
    assert outcome.report["exit_code"] == outcome.code


# name: (scenario, exit code, result, requests of the one trigger or None, verdicts)
STORIES: dict[str, tuple[Any, int, str, list[dict[str, Any]] | None, list[tuple[str, str | None, str]]]] = {
    "plain": (
        [case(1, *FLAKES), case(2, *PASSES), case(3, "ABORTED", "FAILURE")],
        1,
        "failed",
        [{"id": 5001}, {"id": 5003}],
        [("case 1", None, "flaky"), ("case 2", None, "passed"), ("case 3", None, "failed")],
    ),
    "data-driven": (
        [data_driven(1, ("a", *PASSES), ("b", *FLAKES), ("c", "NOT_EXECUTED", "SUCCESS"))],
        0,
        "flaky",
        [rows(5001, 5003, 5004)],
        [("case 1", "a", "passed"), ("case 1", "b", "flaky"), ("case 1", "c", "flaky")],
    ),
    "mixed": (
        [data_driven(1, ("a", *FLAKES), ("b", *PASSES)), case(2, *FLAKES), case(3, "STOPPED", "SUCCESS")],
        0,
        "flaky",
        [rows(5001, 5002), {"id": 5004}, {"id": 5005}],
        [
            ("case 1", "a", "flaky"),
            ("case 1", "b", "passed"),
            ("case 2", None, "flaky"),
            ("case 3", None, "flaky"),
        ],
    ),
    "a data-driven case that failed without a failed row": (
        [data_driven(1, ("a", *PASSES), ("b", *PASSES), results=("FAILURE", "SUCCESS"))],
        0,
        "flaky",
        [{"id": 5001}],
        [("case 1", None, "flaky"), ("case 1", "a", "passed"), ("case 1", "b", "passed")],
    ),
    "the same case on two machines": (
        [case(1, *FLAKES, machine=1), case(1, *PASSES, machine=2)],
        0,
        "flaky",
        [{"id": 5001}],
        [("case 1", None, "flaky"), ("case 1", None, "passed")],
    ),
    "the same case twice on one machine": (
        [case(1, *PASSES), case(1, *FLAKES)],
        0,
        "flaky",
        [{"id": 5002}],
        [("case 1", None, "passed"), ("case 1", None, "flaky")],
    ),
    "the same row twice": (
        [data_driven(1, ("a", *FLAKES), ("a", *FAILS))],
        1,
        "failed",
        [rows(5001, 5002, 5003)],
        [("case 1", "a", "flaky"), ("case 1", "a", "failed")],
    ),
    "nothing failed": (
        [case(1, *PASSES), data_driven(2, ("a", *PASSES))],
        0,
        "clean",
        None,
        [("case 1", None, "passed"), ("case 2", "a", "passed")],
    ),
    "everything failed": (
        [case(1, *FAILS), data_driven(2, ("a", *FAILS))],
        1,
        "failed",
        [{"id": 5001}, rows(5002, 5003)],
        [("case 1", None, "failed"), ("case 2", "a", "failed")],
    ),
    "asked for and not seen again": (
        [case(1, "FAILURE", "GONE"), case(2, *FLAKES)],
        1,
        "failed",
        [{"id": 5001}, {"id": 5002}],
        [("case 1", None, "unresolved"), ("case 2", None, "flaky")],
    ),
}


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize(("name", "habit"), [*itertools.product(STORIES, HABITS)])
def test_a_story(name: str, habit: str, tmp_path: Path) -> None:
    cases, code, result, requests, expected = STORIES[name]
    with Simulator(scenario(*cases, habit=habit)) as simulator:
        outcome = act(simulator, tmp_path, run_apart if habit == "own" else run_here)
        assert simulator.platform.triggers == ([picked(*requests)] if requests else [])
        assert simulator.platform.stops == []
        assert simulator.platform.live_runs() == []
    assert (outcome.code, outcome.report["result"]) == (code, result), outcome.text
    assert verdicts(outcome) == expected
    check_counts(outcome)
    assert f"Verdict: {result} (exit code {code})" in outcome.text


def test_the_whole_report(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES), case(2, *PASSES))) as simulator:
        outcome = act(simulator, tmp_path, test_plan_id=PLAN)
        url = simulator.url
    report = outcome.report
    runs = report.pop("runs")
    assert report == {
        "schema_version": 1,
        "result": "flaky",
        "exit_code": 0,
        "message": "1 test failed and passed in a later run; nothing fails any more",
        "execution_id": FIRST,
        "run_id": 101,
        "test_plan_id": PLAN,
        "server_url": url,
        "run_url": f"{url}/ui/td/runs/101",
        "policy": {
            "rerun-results": ["FAILURE", "ABORTED", "NOT_EXECUTED", "STOPPED"],
            "iterations": "failed",
            "include": [],
            "exclude": [],
            "max-reruns": 1,
            "max-failures": None,
            "max-failure-percent": None,
            "rerun-delay-seconds": 0.0,
            "fail-on-flaky": False,
            "quarantine-file": None,
            "timeout-minutes": 1.0,
            "on-timeout": "stop",
            "on-cancel": "stop",
            "poll-interval-seconds": 0.1,
            "dry-run": False,
        },
        "counts": {
            "total": 2,
            "passed": 1,
            "flaky": 1,
            "failed": 0,
            "unresolved": 0,
            "quarantined": 0,
            "rerun": 1,
        },
        "stop": None,
        "leaves": [
            {
                "suite": "suite",
                "case": "case 1",
                "iteration": None,
                "machine": "machine 1",
                "verdict": "flaky",
                "reason": "FAILURE in run 100, then passed in run 101",
                "rerun": True,
                "observations": [
                    {"run_id": 100, "result_id": 5001, "result": "FAILURE"},
                    {"run_id": 101, "result_id": 5003, "result": "SUCCESS"},
                ],
            },
            {
                "suite": "suite",
                "case": "case 2",
                "iteration": None,
                "machine": "machine 1",
                "verdict": "passed",
                "reason": "passed in run 100",
                "rerun": False,
                "observations": [{"run_id": 100, "result_id": 5002, "result": "SUCCESS"}],
            },
        ],
    }
    assert [(run["run_id"], run["origin"], run["requested"], run["status"], run["result"]) for run in runs] == [
        (100, "execution", None, "STATUS_COMPLETED", "FAILURE"),
        (101, "triggered", 1, "STATUS_COMPLETED", "SUCCESS"),
    ]
    assert runs[0]["polls"] == 1
    assert runs[1]["polls"] > 1
    assert all(run["started_at"].endswith("Z") and run["ended_at"].endswith("Z") for run in runs)


def test_the_account_can_be_read(tmp_path: Path) -> None:
    cases = [case(1, *FLAKES), data_driven(2, ("a", *FAILS)), case(3, "ABORTED")]
    with Simulator(scenario(*cases)) as simulator:
        outcome = act(simulator, tmp_path, rerun_results="FAILURE")
        url = simulator.url
    lines = outcome.text.splitlines()
    order = [
        "execution 100: finished, FAILURE",
        "3 tests: 0 passed, 3 failed",
        "Round 1, 2 of 3 failed tests to be rerun:",
        "  rerun  suite / case 1 on machine 1: it ended with FAILURE",
        "  rerun  suite / case 2 [a] on machine 1: it ended with FAILURE",
        "  left   suite / case 3 on machine 1: ABORTED is not in rerun-results",
        f"rerun 101 triggered for 2 tests: {url}/ui/td/runs/101",
        "rerun 101: created",
        "rerun 101: finished, FAILURE",
        "  failed       suite / case 2 [a] on machine 1: FAILURE again in run 101",
        "  flaky        suite / case 1 on machine 1: FAILURE in run 100, then passed in run 101",
        f"Verdict: failed (exit code 1) - {outcome.report['message']}",
        f"Run:     {url}/ui/td/runs/101",
        f"Reports: {tmp_path} (open index.html)",
    ]
    places = [next(n for n, told in enumerate(lines) if told.startswith(line)) for line in order]
    assert places == sorted(places)


def test_iterations_all_reruns_the_case_as_a_whole(tmp_path: Path) -> None:
    cases = [data_driven(1, ("a", *FLAKES), ("b", "SUCCESS", "FAILURE"))]
    with Simulator(scenario(*cases)) as simulator:
        outcome = act(simulator, tmp_path, iterations="all")
        assert simulator.platform.triggers == [picked({"id": 5001})]
    assert outcome.code == 1
    assert verdicts(outcome) == [("case 1", "a", "flaky"), ("case 1", "b", "failed")]
    assert outcome.report["counts"]["rerun"] == 2
    assert "rerun 101 triggered for 1 test, and 1 more row of the same cases: " in outcome.text


def test_nothing_worth_a_rerun_triggers_nothing_and_stays_red(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, "ABORTED", "SUCCESS"))) as simulator:
        outcome = act(simulator, tmp_path, rerun_results="failed")
        assert simulator.platform.triggers == []
    assert (outcome.code, outcome.report["result"]) == (1, "failed")
    assert outcome.report["leaves"][0]["reason"] == "ABORTED in run 100; left out: ABORTED is not in rerun-results"


# --- the execution that is given --------------------------------------------------------------------------------------


def test_a_running_execution_is_waited_for(tmp_path: Path) -> None:
    running = scenario(case(1, *FLAKES), case(2, *PASSES), runs=(PastRun(FIRST, PLAN, finishes_in=4.0),))
    with Simulator(running) as simulator:
        outcome = act(simulator, tmp_path)
        assert len(simulator.platform.triggers) == 1
    assert (outcome.code, outcome.report["result"]) == (0, "flaky")
    assert outcome.report["runs"][0]["polls"] > 1


CHAIN = (PastRun(98, PLAN), PastRun(FIRST, PLAN, parent=98, picked=(Pick(0), Pick(1))))


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("child", ["object", "id", "none"])
@pytest.mark.parametrize("given", [98, FIRST])
def test_an_execution_that_is_itself_a_rerun_or_has_one(habit: str, child: str, given: int, tmp_path: Path) -> None:
    cases = (case(1, *FLAKES), case(2, "FAILURE", "FAILURE", "SUCCESS"), case(3, *PASSES))
    with Simulator(scenario(*cases, runs=CHAIN, habit=habit, child=child)) as simulator:
        outcome = act(simulator, tmp_path, run_apart if habit == "own" else run_here, execution_id=given)
        # run 98 gave 5001 to 5003, its rerun 100 gave 5004 and 5005
        assert simulator.platform.triggers == [picked({"id": 5005})]
    assert (outcome.code, outcome.report["result"]) == (0, "flaky")
    assert [run["run_id"] for run in outcome.report["runs"]] == [98, FIRST, 101]
    assert outcome.report["execution_id"] == given
    assert outcome.report["counts"]["rerun"] == 1
    assert [leaf["case"] for leaf in outcome.report["leaves"]] == ["case 1", "case 2", "case 3"]
    assert outcome.report["leaves"][2]["verdict"] == "passed"


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("habit", HABITS)
def test_a_rerun_that_already_passed_needs_no_other(habit: str, tmp_path: Path) -> None:
    chain = (PastRun(98, PLAN), PastRun(FIRST, PLAN, parent=98, picked=(Pick(0),)))
    with Simulator(scenario(case(1, *FLAKES), case(2, *PASSES), runs=chain, habit=habit)) as simulator:
        outcome = act(simulator, tmp_path, execution_id=98)
        assert simulator.platform.triggers == []
    # where the first run's listing is merged, nothing shows any more that case 1 had failed
    merged = habit in ("first", "both")
    assert (outcome.code, outcome.report["result"]) == (0, "clean" if merged else "flaky")
    assert outcome.report["counts"]["rerun"] == 0


def test_a_rerun_in_flight_is_waited_for_and_never_stopped(tmp_path: Path) -> None:
    chain = (PastRun(98, PLAN), PastRun(FIRST, PLAN, parent=98, picked=(Pick(0),), finishes_in=4.0))
    with Simulator(scenario(case(1, *FLAKES), runs=chain)) as simulator:
        outcome = act(simulator, tmp_path, execution_id=98)
        assert simulator.platform.triggers == []
    assert (outcome.code, outcome.report["result"]) == (0, "flaky")
    assert [run["origin"] for run in outcome.report["runs"]] == ["execution", "found"]


def test_the_plans_last_run_is_not_taken_for_a_child(tmp_path: Path) -> None:
    runs = (PastRun(98, PLAN), PastRun(99, PLAN))
    with Simulator(scenario(case(1, "FAILURE", "FAILURE", "SUCCESS"), runs=runs, child="none")) as simulator:
        outcome = act(simulator, tmp_path, execution_id=98)
        assert simulator.platform.triggers == [picked({"id": 5001}, parent=98)]
    assert [run["run_id"] for run in outcome.report["runs"]] == [98, 101]
    assert outcome.code == 0


def test_zero_leaves(tmp_path: Path) -> None:
    with Simulator(scenario(runs=(PastRun(FIRST, PLAN, result="SUCCESS"),))) as simulator:
        outcome = act(simulator, tmp_path)
        assert simulator.platform.triggers == []
    assert (outcome.code, outcome.report["result"]) == (3, "error")
    assert "no test case results are listed" in outcome.text


def test_a_failed_execution_without_a_failed_leaf(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *PASSES), runs=(PastRun(FIRST, PLAN, result="FAILURE"),))) as simulator:
        outcome = act(simulator, tmp_path)
        assert simulator.platform.triggers == []
    assert (outcome.code, outcome.report["result"]) == (3, "error")
    assert "every test case listed for it passed" in outcome.text


def test_a_listing_shorter_than_the_count_is_a_warning(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *PASSES), runs=(PastRun(FIRST, PLAN, total_count=5),))) as simulator:
        outcome = act(simulator, tmp_path)
    assert outcome.code == 0
    assert "warning: run 100 counts 5 results, but lists only 1" in outcome.text


def test_pages(tmp_path: Path) -> None:
    cases = [case(number, *FLAKES) for number in range(1, 6)]
    with Simulator(scenario(*cases, page_size=2)) as simulator:
        outcome = act(simulator, tmp_path)
        assert simulator.platform.triggers == [picked(*({"id": number} for number in range(5001, 5006)))]
    assert outcome.code == 0


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "code", "said"),
    [
        ({"api_key": "another-key"}, 3, "api-key: the platform does not accept the key (401)"),
        ({"execution_id": 999}, 3, "execution-id: there is no execution 999"),
        ({"execution_id": PLAN}, 3, "Most often it is a test plan id"),
        ({"test_plan_id": 7}, 3, f"test-plan-id: execution 100 belongs to test plan {PLAN}, not 7"),
    ],
)
def test_a_refusal_is_explained(inputs: dict[str, object], code: int, said: str, tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES))) as simulator:
        outcome = act(simulator, tmp_path, **inputs)
        assert [request for request in simulator.platform.requests if request.method != "GET"] == []
    assert (outcome.code, outcome.report["result"], outcome.report["exit_code"]) == (code, "error", code)
    assert said in outcome.text
    assert said in outcome.report["message"]
    assert len([line for line in outcome.text.splitlines() if "Verdict" in line]) == 1


def test_a_busy_plan_is_refused_with_the_next_step(tmp_path: Path) -> None:
    runs = (PastRun(98, PLAN), PastRun(99, PLAN, finishes_in=60))
    with Simulator(scenario(case(1, *FAILS), runs=runs)) as simulator:
        outcome = act(simulator, tmp_path, execution_id=98)
        assert len(simulator.platform.triggers) == 1
        assert simulator.platform.stops == []
    assert (outcome.code, outcome.report["result"]) == (3, "error")
    assert "the test plan is busy" in outcome.text


def test_nobody_there_until_the_deadline(tmp_path: Path) -> None:
    outcome = act(None, tmp_path, timeout_minutes=0.03)
    assert (outcome.code, outcome.report["result"]) == (3, "error")
    assert "could not be reached until the deadline: the connection was refused" in outcome.text


def test_every_fault_of_the_configuration_at_once(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES))) as simulator:
        outcome = act(
            simulator,
            tmp_path,
            api_key="a key with spaces",
            execution_id=None,
            test_plan_id="x",
            server_url=f"{simulator.url}/path",
            rerun_results="SUCCESS",
            iterations="some",
            timeout_minutes="soon",
            on_timeout="wait",
            on_cancel="wait",
            poll_interval_seconds="0",
            log_level="loud",
        )
        assert simulator.platform.requests == []
    assert outcome.code == 2
    names = [
        "api-key",
        "execution-id",
        "test-plan-id",
        "server-url",
        "rerun-results",
        "iterations",
        "timeout-minutes",
        "on-timeout",
        "on-cancel",
        "poll-interval-seconds",
        "log-level",
    ]
    faults = [line for line in outcome.text.splitlines() if line.startswith("  - ")]
    assert [fault[4:].split(" ")[0] for fault in faults] == names
    assert "a key with spaces" not in outcome.text
    assert (outcome.report["result"], outcome.report["exit_code"]) == ("error", 2)
    assert all(name in outcome.report["message"] for name in names)


def test_an_unwritable_report_dir_is_a_fault_like_the_others(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with Simulator(scenario(case(1, *FLAKES))) as simulator:
        outcome = act(simulator, tmp_path / "file" / "folder", iterations="some")
        assert simulator.platform.requests == []
    assert outcome.code == 2
    assert "report-dir (TESTSIGMA_REPORT_DIR):" in outcome.text
    assert "iterations (TESTSIGMA_ITERATIONS):" in outcome.text


# --- signals and the deadline -----------------------------------------------------------------------------------------


def slow(**fields: Any) -> Scenario:
    return scenario(case(1, *FLAKES), case(2, *FLAKES), seconds=LONG, **fields)


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("route", ["run", "collection", "both"])
def test_a_signal_stops_the_rerun(signum: signal.Signals, code: int, route: str, tmp_path: Path) -> None:
    with Simulator(slow(stop_route=route)) as simulator:
        outcome = act_and_signal(simulator, tmp_path, lambda: bool(simulator.platform.triggers), signum)
        assert simulator.platform.live_runs() == []
        stops = simulator.platform.stops
        assert len(simulator.platform.triggers) == 1
    expected = [("/api/v1/execution_results/101", STOP), ("/api/v1/execution_results", STOP)]
    assert stops == (expected if route == "collection" else expected[:1])
    assert (outcome.code, outcome.report["result"], outcome.report["exit_code"]) == (code, "cancelled", code)
    assert outcome.report["stop"] == {
        "run_id": 101,
        "route": "collection" if route == "collection" else "run",
        "status": 200,
        "confirmed": True,
    }
    assert "run 101: stop confirmed" in outcome.text
    assert [leaf["verdict"] for leaf in outcome.report["leaves"]] == ["unresolved", "unresolved"]
    assert outcome.report["runs"][1]["result"] == "STOPPED"


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_decides_the_code_whatever_comes_after_it(second: signal.Signals, tmp_path: Path) -> None:
    with Simulator(slow()) as simulator, started(environment(simulator, tmp_path)) as process:
        while not simulator.platform.triggers:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        while process.poll() is None:  # to the very end of the interpreter
            time.sleep(0.005)
            process.send_signal(second)
        assert simulator.platform.live_runs() == []
    assert process.returncode == 143


def test_on_cancel_leave_leaves_it_and_says_so(tmp_path: Path) -> None:
    with Simulator(slow()) as simulator:
        outcome = act_and_signal(
            simulator, tmp_path, lambda: bool(simulator.platform.triggers), signal.SIGTERM, on_cancel="leave"
        )
        assert simulator.platform.live_runs() == [101]
        assert simulator.platform.stops == []
    assert outcome.code == 143
    assert "run 101 was left running, as asked" in outcome.text


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_the_handlers_stand_waits_for_them(signum: signal.Signals, code: int, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HELD, encoding="utf-8")
    with Simulator(scenario(case(1, *FAILS), seconds=LONG)) as simulator:
        environ = environment(simulator, tmp_path / "reports")
        with started({**environ, "PYTHONPATH": str(tmp_path), "HOLD_IN": str(tmp_path)}) as process:
            wait_until((tmp_path / "held").exists)
            process.send_signal(signum)
            (tmp_path / "go").touch()
            text, _ = process.communicate(timeout=60)
        assert simulator.platform.triggers == []
    done = outcome(process.returncode, text, tmp_path / "reports")
    assert (done.code, done.report["result"]) == (code, "cancelled"), text


def test_a_signal_while_the_execution_runs_stops_nothing(tmp_path: Path) -> None:
    running = scenario(case(1, *FLAKES), runs=(PastRun(FIRST, PLAN, finishes_in=60),))
    with Simulator(running) as simulator:
        outcome = act_and_signal(simulator, tmp_path, lambda: len(simulator.platform.requests) > 1, signal.SIGTERM)
        assert simulator.platform.live_runs() == [FIRST]
        assert simulator.platform.stops == []
    assert outcome.code == 143
    assert "run 100 goes on, this step did not start it" in outcome.text


def test_the_deadline_stops_the_rerun(tmp_path: Path) -> None:
    with Simulator(slow()) as simulator:
        outcome = act(simulator, tmp_path, timeout_minutes=0.03)
        assert simulator.platform.live_runs() == []
        assert [path for path, _ in simulator.platform.stops] == ["/api/v1/execution_results/101"]
    assert (outcome.code, outcome.report["result"]) == (4, "timed-out")
    assert "(timeout-minutes: 0.03) passed while run 101 was in progress" in outcome.text
    assert outcome.report["stop"]["confirmed"] is True


def test_on_timeout_leave_leaves_it(tmp_path: Path) -> None:
    with Simulator(slow()) as simulator:
        outcome = act(simulator, tmp_path, timeout_minutes=0.03, on_timeout="leave")
        assert simulator.platform.live_runs() == [101]
        assert simulator.platform.stops == []
    assert outcome.code == 4


def test_a_rerun_that_somebody_else_stops_fails(tmp_path: Path) -> None:
    with Simulator(slow()) as simulator:

        def stopped_by_somebody() -> bool:
            if simulator.platform.triggers and simulator.platform.live_runs() == [101]:
                simulator.platform.stop(STOP, 101)
                return True
            return False

        # SIGCONT does nothing to a process that runs: the signal here is only the moment
        outcome = act_and_signal(simulator, tmp_path, stopped_by_somebody, signal.SIGCONT)
        assert simulator.platform.stops == []
    assert (outcome.code, outcome.report["result"]) == (1, "failed")
    assert "somebody else stopped rerun 101" in outcome.text


def test_the_key_is_masked_first_on_github(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *PASSES))) as simulator:
        environ = environment(simulator, tmp_path, api_key=None) | {
            "GITHUB_ACTIONS": "true",
            "INPUT_API-KEY": KEY,
            "INPUT_EXECUTION-ID": "100",
            "INPUT_ITERATIONS": "",
            "TESTSIGMA_EXECUTION_ID": "1",
        }
        with started(environ) as process:
            text, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    first, *others = text.splitlines()
    assert first == f"::add-mask::{KEY}"
    assert not any(KEY in line or line.startswith("::") for line in others)


def test_what_github_gets(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FAILS), case(2, *FLAKES))) as simulator:
        environ = environment(simulator, tmp_path / "reports") | {
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        }
        with started(environ) as process:
            text, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    lines = text.splitlines()
    assert lines[0] == f"::add-mask::{KEY}"
    assert lines.index("::group::Round 1, 2 of 2 failed tests to be rerun:") < lines.index("::endgroup::")
    assert [line for line in lines if line.startswith(("::error", "::warning"))] == [
        "::error title=Testsigma rerun%3A failed::1 test failed again; 1 test failed and passed in a later run",
        "::error title=failed%3A suite / case 1 on machine 1::FAILURE again in run 101",
        "::warning title=flaky%3A suite / case 2 on machine 1::FAILURE in run 100, then passed in run 101",
    ]
    outputs = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert (outputs["result"], outputs["rerun-ids"], outputs["failed-count"]) == ("failed", "101", "1")
    assert (tmp_path / "summary").read_text() == (tmp_path / "reports" / "summary.md").read_text()
    names = sorted(path.name for path in (tmp_path / "reports").iterdir())
    assert names == ["index.html", "junit.xml", "outputs.env", "report.json", "summary.md"]


def test_what_gitlab_gets(tmp_path: Path) -> None:
    with (
        Simulator(scenario(case(1, *FLAKES))) as simulator,
        started(environment(simulator, tmp_path) | {"GITLAB_CI": "true"}) as process,
    ):
        text, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "testsigma_rerun_1[collapsed=true]" in text
    assert "section_end:" in text
    assert "TESTSIGMA_RERUN_RESULT=flaky" in (tmp_path / "outputs.env").read_text().splitlines()


@pytest.mark.parametrize("inputs", [{"iterations": "x"}, {"api_key": "wrong"}])
def test_all_reports_are_there_when_it_ends_early(inputs: dict[str, object], tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES))) as simulator:
        outcome = act(simulator, tmp_path, **inputs)
    assert outcome.code in (2, 3)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["index.html", "junit.xml", "outputs.env", "report.json", "summary.md"]
