"""The one-command show, and the simulator alone (interface page, "Ways to run it")."""

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from rerun_action.errors import Cancelled, ExitCode
from rerun_action.signals import Signals
from rerun_action.simulator import Record, Simulator, demo_scenario, load
from rerun_action.simulator.demo import RUN_ID
from rerun_action.simulator.scenario import Scenario, ScenarioError

_INTRODUCTION = """\
This is the real action against an embedded Testsigma simulator, over real HTTP on loopback; no account is needed.
A web shop's nightly run has finished: 40 tests on two machines, some of them data-driven, and 7 failed.
"""
_EXPLANATION = """
What you saw: only the 7 failed tests were rerun, data-driven cases row by row. 5 of them passed this time: they are
flaky. 2 failed again, so the step ends with exit code 1 (failed) and would keep the pipeline red.
"""
_SCENARIO = "a scenario in JSON, or what `doctor --save` wrote (default: the demo's scenario)"
_HOUR = 3600.0


def run(
    act: Callable[[Mapping[str, str], Signals, TextIO], int],
    environ: Mapping[str, str],
    signals: Signals,
    stream: TextIO,
) -> int:
    """Run the action against the simulator; reports go to `report-dir` if it is given, else to a temporary folder."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"  # a company's proxy can't reach our loopback
    try:
        given = environ.get("INPUT_REPORT-DIR") or environ.get("TESTSIGMA_REPORT_DIR")
        folder = given or tempfile.mkdtemp(prefix="testsigma-rerun-demo-")
    except OSError:
        stream.write("demo: there is no place for its reports: give report-dir, or `--tmpfs /tmp` to `docker run`\n")
        return ExitCode.CONFIGURATION
    with Simulator(demo_scenario()) as simulator:
        stream.write(_INTRODUCTION + "\n")
        code = act(
            {
                **_inputs(simulator.platform.scenario, simulator.url, RUN_ID),
                "TESTSIGMA_REPORT_DIR": folder,
                "TESTSIGMA_POLL_INTERVAL_SECONDS": "1",
                "TESTSIGMA_LOG_LEVEL": environ.get("TESTSIGMA_LOG_LEVEL", ""),
            },
            signals,
            stream,
        )
    if code == ExitCode.FAILED:
        stream.write(_EXPLANATION)
    return code


def simulate(options: Sequence[str], signals: Signals, stream: TextIO) -> int:
    """Serve a scenario until a signal comes."""
    parser = argparse.ArgumentParser(prog="python entrypoint.py simulator", description="A Testsigma to rehearse with.")
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--scenario", type=Path, metavar="FILE", help=_SCENARIO)
    asked = parser.parse_args(options)
    try:
        world = load(asked.scenario) if asked.scenario else demo_scenario()
        simulator = Simulator(world, asked.port)
    except ScenarioError as error:
        parser.error(f"--scenario: {error}")
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a port"
        parser.error(f"--port: can't listen on 127.0.0.1:{asked.port}: {reason}")
    with simulator:
        use = (
            "look at this record with `doctor` or a dry run"
            if isinstance(world, Record)
            else "run the action against it"
        )
        stream.write(f"The simulator is listening; a signal (Ctrl-C) ends it. To {use}:\n")
        for name, value in _inputs(simulator.platform.scenario, simulator.url, *_ids(world)).items():
            stream.write(f"  export {name}={value}\n")
        stream.flush()
        try:
            while True:
                signals.sleep(_HOUR)
        except Cancelled:
            return ExitCode.PASSED


def _ids(world: Scenario | Record) -> tuple[object, object]:
    """Return the execution that there is to rerun, and its test plan where that was said."""
    if isinstance(world, Record):
        return world.execution_id or "new", world.test_plan_id
    return (world.runs[-1].id if world.runs else ""), None


def _inputs(scenario: Scenario, url: str, run_id: object, plan_id: object = None) -> dict[str, str]:
    plan = {} if plan_id is None else {"TESTSIGMA_TEST_PLAN_ID": str(plan_id)}
    return {
        "TESTSIGMA_SERVER_URL": url,
        "TESTSIGMA_API_KEY": scenario.api_key,
        "TESTSIGMA_EXECUTION_ID": str(run_id),
        **plan,
    }
