"""Rows of the fault matrix as processes, in real time; and what a process leaves behind that is killed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rerun_action.simulator import Fault, Patch, Reply, Seconds, Simulator, just_json, redirect
from tests.support.processes import ENTRYPOINT, act, act_and_signal, environment, started
from tests.support.scenarios import FLAKES, KEY, LONG, PASSES, case, scenario

pytestmark = pytest.mark.usefixtures("uncounted")

ROWS: dict[str, tuple[Fault, int, str, int, int]] = {
    # fault, exit code, result, POSTs, runs started
    "run: 503": (Fault("run", Reply(503), times=2), 0, "flaky", 1, 1),
    "run: reset": (Fault("run", "reset"), 0, "flaky", 1, 1),
    "run: redirected": (Fault("run", redirect("https://elsewhere.example/")), 3, "error", 0, 0),
    "listing: cut": (Fault("listing", "truncate"), 0, "flaky", 1, 1),
    "listing: another shape": (Fault("listing", just_json([])), 3, "error", 0, 0),
    "trigger: 502, accepted": (Fault("trigger", Reply(502), processed=True), 0, "flaky", 1, 1),
    "trigger: reset, accepted": (Fault("trigger", "reset", processed=True), 0, "flaky", 1, 1),
    "trigger: 429": (Fault("trigger", Reply(429, {"Retry-After": "1"})), 0, "flaky", 2, 1),
    "trigger: 500": (Fault("trigger", Reply(500, body={"error": "Boom"})), 3, "error", 1, 0),
    "poll: an HTML page": (Fault("run", "html", run=101), 0, "flaky", 1, 1),
    "poll: 404 at first": (Fault("run", Reply(404), run=101), 0, "flaky", 1, 1),
    "poll: a failed run that lists only passes": (
        Fault("run", Patch({"result": "FAILURE"}), run=101, times=None),
        3,
        "error",
        1,
        1,
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_fault(name: str, tmp_path: Path) -> None:
    fault, code, result, posts, runs = ROWS[name]
    with Simulator(scenario(case(1, *FLAKES), case(2, *PASSES), faults=(fault,))) as simulator:
        outcome = act(simulator, tmp_path)
        platform = simulator.platform
        seen = (outcome.code, outcome.report["result"], len(platform.triggers), len(platform.started))
        assert seen == (code, result, posts, runs), outcome.text
        assert platform.live_runs() == []


def test_a_signal_while_a_request_hangs_is_heard_at_once(tmp_path: Path) -> None:
    hangs = Fault("run", "hang", run=101, skip=1, times=None)
    with Simulator(scenario(case(1, *FLAKES), seconds=LONG, faults=(hangs,))) as simulator:

        def hanging() -> bool:
            return sum(r.method == "GET" and r.path.endswith("/101") for r in simulator.platform.requests) == 2

        with started(environment(simulator, tmp_path)) as process:
            while not hanging():
                time.sleep(0.01)
            time.sleep(0.2)
            sent = time.monotonic()
            process.send_signal(signal.SIGTERM)
            while not simulator.platform.stops:
                time.sleep(0.01)
            assert time.monotonic() - sent < 1.0
            # the confirmation hangs too: the report is there all the same, and a later signal ends it
            time.sleep(1.2)
            assert '"result": "cancelled"' in (tmp_path / "report.json").read_text(encoding="utf-8")
            process.send_signal(signal.SIGTERM)
            text, _ = process.communicate(timeout=10)
    assert process.returncode == 143
    assert "stop it by hand" in text


def test_a_report_is_there_before_the_stop_is_answered(tmp_path: Path) -> None:
    world = scenario(case(1, *FLAKES), seconds=LONG, faults=(Fault("stop", "hang", times=None),))
    with Simulator(world) as simulator, started(environment(simulator, tmp_path)) as process:
        while not simulator.platform.triggers:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 5
        while not (tmp_path / "report.json").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        process.kill()
    assert "stop requested, not confirmed yet" in (tmp_path / "report.json").read_text(encoding="utf-8")


def test_a_signal_after_the_deadline_does_not_keep_the_stop_from_being_sent(tmp_path: Path) -> None:
    world = scenario(case(1, *FLAKES), seconds=LONG, faults=(Fault("stop", "reset", times=2),))
    with Simulator(world) as simulator:
        outcome = act_and_signal(
            simulator, tmp_path, lambda: bool(simulator.platform.stops), signal.SIGTERM, timeout_minutes=0.02
        )
        assert simulator.platform.live_runs() == []
    assert (outcome.code, outcome.report["result"]) == (4, "timed-out")


def test_what_a_killed_process_left_going_is_taken_in_by_the_next(tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES), seconds=Seconds(created=0.2, queued=0.2, running=3.0))) as simulator:
        with started(environment(simulator, tmp_path)) as process:
            while not simulator.platform.triggers:
                time.sleep(0.01)
            process.kill()
        outcome = act(simulator, tmp_path)
        assert simulator.platform.started == [101]
        assert simulator.platform.stops == []
    assert (outcome.code, outcome.report["result"]) == (0, "flaky")
    assert [run["origin"] for run in outcome.report["runs"]] == ["execution", "found"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", ">/dev/full"])
def test_without_an_output_it_works_all_the_same(closed: str, tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES))) as simulator:
        done = subprocess.run(
            ["/bin/bash", "-c", f"{sys.executable} {ENTRYPOINT} {closed}"],
            env=environment(simulator, tmp_path),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done
    assert "Traceback" not in done.stdout + done.stderr
    assert '"result": "flaky"' in (tmp_path / "report.json").read_text(encoding="utf-8")


def test_a_platform_that_quotes_the_key_does_not_get_it_into_the_report(tmp_path: Path) -> None:
    quoting = Fault("trigger", Reply(400, body={"error": f"bad token {KEY}"}))
    with Simulator(scenario(case(1, *FLAKES), faults=(quoting,))) as simulator:
        outcome = act(simulator, tmp_path)
    assert outcome.code == 3
    assert "bad token ***" in outcome.report["message"]
    assert KEY not in (tmp_path / "report.json").read_text(encoding="utf-8")


def test_a_key_in_the_wrong_input_is_not_shown(tmp_path: Path) -> None:
    outcome = act(None, tmp_path, execution_id=KEY)
    assert outcome.code == 2
    assert KEY not in (tmp_path / "report.json").read_text(encoding="utf-8")
