"""action.yml as a GitHub runner runs it: inputs, outputs, job summary, log and exit code, on a real engine."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from rerun_action.hosts import github
from rerun_action.simulator import Scenario, Simulator
from tests.container import tools
from tests.support import engine, workflows
from tests.support.needed import program
from tests.support.processes import SCHEMA
from tests.support.scenarios import FAILS, FIRST, FLAKES, KEY, PASSES, PLAN, case, data_driven, scenario

HERE = Path(__file__).parent
REPORTS = {"report.json", "junit.xml", "summary.md", "index.html", "outputs.env"}
USER = 1234
"""Who owns the checkout on a runner, while the action runs as root."""


@dataclass(frozen=True)
class Step:
    """What a step left behind."""

    code: int
    log: list[str]
    outputs: dict[str, str]
    summary: str
    result: dict[str, Any]
    workspace: Path

    def report(self, folder: str = "testsigma-rerun") -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.workspace / folder / "report.json").read_text(encoding="utf-8"))
        SCHEMA.validate(content)
        return content


@pytest.fixture(scope="session")
def runner(image: str) -> Path:
    """The package that plays the runner; the image is built, so that its own build takes no time."""
    assert image
    return tools.npm_package("run_action.mjs")


def run(
    runner: Path,
    folder: Path,
    simulator: Simulator,
    inputs: dict[str, str],
    env: dict[str, str] | None = None,
    event: str = "push",
) -> Step:
    """Run action.yml as one step; `env` are the job's variables."""
    workspace, temp = folder / "workspace", folder / "temp"
    for path in (workspace, temp):
        path.mkdir()
    if os.geteuid() == 0:
        os.chown(workspace, USER, USER)
    declared = yaml.safe_load((engine.ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    job = {
        "checkout": str(engine.ROOT),
        "workspace": str(workspace),
        "temp": str(temp),
        "inputs": inputs,
        "env": {
            # a runner hands on every declared input, empty where `with:` has none; the package leaves empty ones away
            **{f"INPUT_{name.upper()}": "" for name in declared},
            "TESTSIGMA_SERVER_URL": simulator.url,
            "TESTSIGMA_POLL_INTERVAL_SECONDS": "0.1",
            **(env or {}),
        },
        "event": {"name": event, "payload": {"ref": "refs/heads/main"}},
    }
    environ = {
        **os.environ,
        "PATH": f"{HERE / 'shim'}{os.pathsep}{os.environ['PATH']}",
        "DOCKER": engine.CLIENT,
    }
    done = subprocess.run(
        [program("node"), str(runner)],
        input=json.dumps(job), env=environ, capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["error"] is None
    assert result["stderr"] == ""
    assert result["complaints"] == [], "what a runner warns of: commands that are no longer to be used"
    return Step(
        result["exitCode"], result["stdout"].splitlines(), result["outputs"], result["summary"], result, workspace
    )


def commands(step: Step, *names: str) -> list[str]:
    return [line for line in step.log if re.match(rf"::(?:{'|'.join(names)})[ :]", line)]


def test_a_flaky_run(runner: Path, tmp_path: Path) -> None:
    world = scenario(case(1, *FLAKES), case(2, *PASSES), data_driven(3, ("a", *PASSES), ("b", *FLAKES)))
    with Simulator(world) as simulator:
        step = run(
            runner, tmp_path, simulator,
            {"api-key": KEY, "execution-id": str(FIRST), "test-plan-id": str(PLAN), "max-failures": "2",
             "include": "case:case 1\ncase:case 3"},
            {"TESTSIGMA_EXECUTION_ID": "999", "TESTSIGMA_MAX_FAILURES": "0", "TESTSIGMA_REPORT_DIR": "out/testsigma"},
        )  # fmt: skip
        assert simulator.platform.triggers == [
            {
                "executionId": PLAN,
                "executionResultId": FIRST,
                "isReRun": True,
                "reRunType": "USER_PICKED",
                "testCaseResultRequests": [
                    {"id": 5001},
                    {"id": 5003, "iterationReRunType": "USER_PICKED", "iterationResultIds": [5005]},
                ],
            }
        ]
    assert step.code == 0, step.log
    assert step.outputs == {
        "result": "flaky",
        "exit-code": "0",
        "run-id": "101",
        "rerun-ids": "101",
        "total-count": "4",
        "passed-count": "2",
        "flaky-count": "2",
        "failed-count": "0",
        "unresolved-count": "0",
        "rerun-count": "2",
        "report-dir": "out/testsigma",
        "run-url": f"{simulator.url}/ui/td/runs/101",
    }

    # the log: masked before anything else, folded, what was flaky as a warning
    assert step.log[0] == f"::add-mask::{KEY}"
    assert KEY not in "\n".join(step.log[1:])
    assert step.result["secrets"] == [KEY]
    assert len(commands(step, "group")) == len([line for line in step.log if line == "::endgroup::"]) > 0
    assert commands(step, "error", "warning", "notice") == [
        "::warning title=flaky%3A suite / case 1 on machine 1::FAILURE in run 100, then passed in run 101",
        "::warning title=flaky%3A suite / case 3 [b] on machine 1::FAILURE in run 100, then passed in run 101",
    ]

    # the files lie in the checkout and belong to its owner, and the summary is one of them
    folder = step.workspace / "out" / "testsigma"
    assert {path.name for path in folder.iterdir()} == REPORTS
    owner = step.workspace.stat()
    for path in (folder.parent, folder, *folder.iterdir()):
        assert (path.stat().st_uid, path.stat().st_gid) == (owner.st_uid, owner.st_gid), path
    assert step.summary == (folder / "summary.md").read_text(encoding="utf-8")
    assert step.summary.startswith("## ⚠️ Testsigma rerun: flaky (exit code 0)\n")
    assert step.report("out/testsigma")["policy"]["max-failures"] == 2


def test_a_failed_step(runner: Path, tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FAILS), case(2, *FLAKES))) as simulator:
        step = run(runner, tmp_path, simulator, {"api-key": KEY, "execution-id": str(FIRST)})
    assert step.code == 1, step.log
    assert step.outputs == {
        "result": "failed",
        "exit-code": "1",
        "run-id": "101",
        "rerun-ids": "101",
        "total-count": "2",
        "passed-count": "0",
        "flaky-count": "1",
        "failed-count": "1",
        "unresolved-count": "0",
        "rerun-count": "2",
        "report-dir": "testsigma-rerun",
        "run-url": f"{simulator.url}/ui/td/runs/101",
    }
    assert commands(step, "error", "warning", "notice") == [
        "::error title=Testsigma rerun%3A failed::1 test failed again; 1 test failed and passed in a later run",
        "::error title=failed%3A suite / case 1 on machine 1::FAILURE again in run 101",
        "::warning title=flaky%3A suite / case 2 on machine 1::FAILURE in run 100, then passed in run 101",
    ]
    assert step.summary.startswith("## ❌ Testsigma rerun: failed (exit code 1)\n")
    assert step.report()["exit_code"] == 1


def test_a_fork_without_secrets(runner: Path, tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FLAKES))) as simulator:
        step = run(runner, tmp_path, simulator, {"api-key": "", "execution-id": str(FIRST)}, event="pull_request")
        assert simulator.platform.requests == []
    assert step.code == 2
    assert (step.outputs["result"], step.outputs["exit-code"], step.outputs["run-id"]) == ("error", "2", "")
    assert list(step.outputs) == list(github.OUTPUTS)
    assert step.result["secrets"] == []
    (error,) = step.result["errors"]
    assert "api-key: is required and is empty. GitHub gives no secrets to pull requests from forks" in error
    assert {path.name for path in (step.workspace / "testsigma-rerun").iterdir()} == REPORTS


# --- the example, as it is written ------------------------------------------------------------------------------------


def example(job: str, world: Scenario, runner: Path, folder: Path) -> tuple[Simulator, Step]:
    """Run the step of the example with its own `with:`, its expressions replaced by what GitHub would put there."""
    values = {
        "secrets.TESTSIGMA_API_KEY": KEY,
        "vars.TESTSIGMA_TEST_PLAN_ID": str(PLAN),
        "github.run_number": "7",
        "inputs.execution-id || github.event.client_payload.execution-id": str(FIRST),
    }
    given = workflows.step(workflows.EXAMPLE, job, uses=workflows.ACTION)["with"]
    inputs = {
        name: re.sub(r"\$\{\{ (.*?) \}\}", lambda match: values[match[1]], str(value)) for name, value in given.items()
    }
    with Simulator(world) as simulator:
        step = run(runner, folder, simulator, inputs)
    kept = workflows.step(workflows.EXAMPLE, job, uses="actions/upload-artifact")["with"]["path"]
    assert {path.name for path in (step.workspace / kept).iterdir()} == REPORTS
    return simulator, step


def picked(run_id: int) -> dict[str, Any]:
    return {
        "executionId": PLAN,
        "executionResultId": run_id,
        "isReRun": True,
        "reRunType": "USER_PICKED",
        "testCaseResultRequests": [{"id": 5001}],
    }


def test_the_example_runs_the_plan_and_reruns_what_failed(runner: Path, tmp_path: Path) -> None:
    world = scenario(case(1, *FLAKES), *(case(number, *PASSES) for number in range(2, 7)), runs=())
    simulator, step = example("tests", world, runner, tmp_path)
    assert simulator.platform.triggers == [{"executionId": PLAN, "buildNo": "7"}, picked(101)]
    assert (step.code, step.outputs["result"], step.outputs["rerun-ids"]) == (0, "flaky", "102")
    assert [entry["origin"] for entry in step.report()["runs"]] == ["fresh", "triggered"]


def test_the_example_declines_to_rerun_a_broken_build(runner: Path, tmp_path: Path) -> None:
    simulator, step = example("tests", scenario(case(1, *FAILS), case(2, *FAILS), runs=()), runner, tmp_path)
    assert simulator.platform.triggers == [{"executionId": PLAN, "buildNo": "7"}]
    assert (step.code, step.outputs["result"], step.outputs["rerun-ids"]) == (5, "declined", "")


def test_the_example_reruns_what_failed_elsewhere(runner: Path, tmp_path: Path) -> None:
    simulator, step = example("failures", scenario(case(1, *FLAKES), case(2, *PASSES)), runner, tmp_path)
    assert simulator.platform.triggers == [picked(FIRST)]
    assert (step.code, step.outputs["result"], step.outputs["rerun-ids"]) == (0, "flaky", "101")
