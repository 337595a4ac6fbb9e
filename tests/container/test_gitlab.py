"""The component and the example pipelines, run by gitlab-ci-local: what a runner does, job by job.

It is not GitLab. It pastes inputs into the parsed file, where GitLab pastes them into its text: that is shown in
tests/integration/test_gitlab_component.py. With `allow_failure:exit_codes` it tells a warning from a failure, but ends
with 0 in both cases and goes on: the tests read what it says of each job. `resource_group` and `timeout` it leaves out.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rerun_action import __version__
from rerun_action.simulator import Simulator
from tests.container import tools
from tests.container.tools import STOP, run, wait_until
from tests.support import engine
from tests.support.engine import ROOT, answer
from tests.support.gitlab import component
from tests.support.needed import program
from tests.support.scenarios import FAILS, FIRST, FLAKES, KEY, LONG, PASSES, PLAN, case, scenario

EXAMPLES = ROOT / "examples/gitlab"
REPORTS = {"index.html", "junit.xml", "outputs.env", "report.json", "summary.md"}
ANSI = re.compile(r"\x1b\[[0-9;]*[mK]")
FLAKY = (case(1, *FLAKES), *(case(number, *PASSES) for number in range(2, 11)))
RED = (case(1, *FAILS), *(case(number, *PASSES) for number in range(2, 11)))


@pytest.fixture(scope="session")
def helper(image: str) -> str:
    """What gitlab-ci-local copies artifacts with."""
    assert image  # where it could be built, this one can be too
    return engine.build(ROOT / "tests/container/gitlab")


@pytest.fixture(scope="session")
def local_gitlab() -> Path:
    program("rsync"), program("git")  # gitlab-ci-local calls them
    return tools.npm_tool("gitlab-ci-local")


@dataclass(frozen=True)
class Pipeline:
    """A user's repository with a pipeline in it, and what came of running it."""

    directory: Path
    text: str

    def job(self, name: str) -> str:
        """Return what is said of a job at its end: finished, or WARN or FAIL with the exit code."""
        ends = re.findall(rf"^{name} +finished in [0-9.]+ m?s *(.*)$", self.text, re.MULTILINE)
        assert len(ends) == 1, self.text
        return str(ends[0]).strip() or "finished"

    def said(self, name: str) -> list[str]:
        return re.findall(rf"^{name} +> (.*)$", self.text, re.MULTILINE)

    def artifacts(self, name: str) -> dict[str, str]:
        folder = self.directory / ".gitlab-ci-local/artifacts" / name
        return {
            str(path.relative_to(folder)): path.read_text(encoding="utf-8")
            for path in folder.rglob("*")
            if path.is_file() and ".gitlab-ci-reports" not in path.parts
        }


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the component where the download of it would be."""
    git = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "PATH": os.environ["PATH"]}
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    for command in (("init", "--quiet"), (*who, "commit", "--quiet", "--allow-empty", "--message", "Start")):
        assert run("git", *command, cwd=tmp_path, env=git).returncode == 0
    cache = tmp_path / ".gitlab-ci-local/includes/gitlab.com/OWNER/testsigma-rerun-action" / f"v{__version__}/templates"
    cache.mkdir(parents=True)
    shutil.copy(ROOT / "templates/rerun.yml", cache)
    return tmp_path


def pipeline(
    local_gitlab: Path, repository: Path, file: str, simulator: Simulator, inputs: str, *options: str
) -> Pipeline:
    """Run an example with one more line of inputs."""
    text = (EXAMPLES / file).read_text(encoding="utf-8")
    assert text.count("    inputs:\n") == 1
    (repository / ".gitlab-ci.yml").write_text(text.replace("    inputs:\n", f"    inputs:\n      {inputs}\n"))
    variables = {
        "TESTSIGMA_API_KEY": KEY,
        "TESTSIGMA_SERVER_URL": simulator.url,
        "TESTSIGMA_POLL_INTERVAL_SECONDS": "0.1",
        "GITLAB_CI": "true",  # it says false by itself
    }
    done = run(
        local_gitlab,
        *(part for name, value in variables.items() for part in ("--variable", f"{name}={value}")),
        *("--ignore-predefined-vars", "GITLAB_CI", "--home", str(repository), "--no-color", *options),
        cwd=repository,
        env={**os.environ, "HOME": str(repository)},
    )
    assert done.returncode == 0, done.stdout
    assert KEY not in done.stdout
    kept = [path for path in repository.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert [path for path in kept if KEY in path.read_text(encoding="utf-8", errors="replace")] == []
    return Pipeline(repository, ANSI.sub("", done.stdout))


@pytest.fixture(params=["docker", "shell"])
def executor(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """A line of inputs and gitlab-ci-local's options. A shell runner has no image: it runs the checkout."""
    if request.param == "shell":
        return f"command: {sys.executable} -u {ROOT}/entrypoint.py", "--force-shell-executor", "--shell-isolation"
    return docker_executor(request)


def docker_executor(request: pytest.FixtureRequest) -> tuple[str, ...]:
    image, helper = request.getfixturevalue("image"), request.getfixturevalue("helper")
    return f"image: {image}", "--container-executable", str(tools.SHIM), "--helper-image", helper


def test_the_example_runs_the_plan_reruns_what_failed_and_publishes(
    local_gitlab: Path, repository: Path, executor: tuple[str, ...]
) -> None:
    with Simulator(scenario(*FLAKY, runs=())) as simulator:
        done = pipeline(local_gitlab, repository, ".gitlab-ci.yml", simulator, *executor)
        started, rerun = simulator.platform.triggers
        assert simulator.platform.live_runs() == []
    commit = run("git", "rev-parse", "--short=8", "HEAD", cwd=repository).stdout.strip()
    assert started == {"executionId": PLAN, "buildNo": commit}
    assert rerun == {
        "executionId": PLAN,
        "executionResultId": 101,
        "isReRun": True,
        "reRunType": "USER_PICKED",
        "testCaseResultRequests": [{"id": 5001}],
    }
    assert done.job("testsigma-rerun") == "WARN 6"
    assert "section_start:" in done.text

    reports = done.artifacts("testsigma-rerun")
    assert set(reports) == {f"testsigma-rerun/{name}" for name in REPORTS}
    report = json.loads(reports["testsigma-rerun/report.json"])
    assert (report["result"], report["exit_code"]) == ("flaky", 6)
    assert '<flakyFailure message="FAILURE in run 101' in reports["testsigma-rerun/junit.xml"]

    assert done.job("publish") == "finished"
    assert done.said("publish") == ["flaky, 1 flaky and 0 failed of 10 tests", f"{simulator.url}/ui/td/runs/102"]
    assert done.artifacts("publish") == {"public/index.html": reports["testsigma-rerun/index.html"]}


def test_a_failure_is_red_and_published(local_gitlab: Path, repository: Path, executor: tuple[str, ...]) -> None:
    with Simulator(scenario(*RED, runs=())) as simulator:
        done = pipeline(local_gitlab, repository, ".gitlab-ci.yml", simulator, *executor)
        assert len(simulator.platform.triggers) == 2
    assert done.job("testsigma-rerun") == "FAIL 1"
    assert done.said("publish")[0] == "failed, 0 flaky and 1 failed of 10 tests"
    assert '<rerunFailure message="FAILURE in run 102' in done.artifacts("testsigma-rerun")["testsigma-rerun/junit.xml"]


@pytest.mark.parametrize(
    ("given", "end", "published"),
    [
        (FIRST, "finished", "flaky, 1 flaky and 0 failed of 10 tests"),
        ("", "FAIL 2", "error, 0 flaky and 0 failed of 0 tests"),
    ],
)
def test_a_run_of_another_job_is_taken_and_none_starts_nothing(
    given: object, end: str, published: str, local_gitlab: Path, repository: Path, request: pytest.FixtureRequest
) -> None:
    script = repository / "run-my-test-plan.sh"
    script.write_text(f"#!/bin/sh\necho RUN_ID={given} > run.env\n")
    script.chmod(0o755)
    with Simulator(scenario(*FLAKY)) as simulator:
        done = pipeline(local_gitlab, repository, "given-run.gitlab-ci.yml", simulator, *docker_executor(request))
        requests = simulator.platform.requests
        triggers = simulator.platform.triggers
    assert done.job("testsigma-rerun") == end
    assert done.said("publish") == [published]
    assert len(triggers) == (1 if given else 0)
    assert bool(requests) == bool(given)


# --- cancel -----------------------------------------------------------------------------------------------------------

EACH_PROCESS_BUT_THE_FIRST = """
for process in $(ls -r /proc | grep '^[0-9]'); do
  [ "$process" -eq 1 ] || [ "$process" -eq $$ ] || kill -TERM "$process" 2>/dev/null
done
"""
"""What the docker executor does inside the job's container on a cancel; but it waits some seconds for each."""


def test_a_cancelled_job_stops_its_rerun(image: str, tmp_path: Path) -> None:
    (script,) = component(**{"execution-id": FIRST})["testsigma-rerun"]["script"]
    # A runner hands the script to a shell, which is the container's first process, and runs it in a subshell.
    job = f"set -eo pipefail\n: | eval {shlex.quote(script)}\nexit 0\n"
    container = f"testsigma-rerun-gitlab-{os.getpid()}"
    with Simulator(scenario(case(1, *FLAKES), seconds=LONG)) as simulator:
        variables = {
            "TESTSIGMA_API_KEY": KEY,
            "TESTSIGMA_EXECUTION_ID": str(FIRST),
            "TESTSIGMA_SERVER_URL": simulator.url,
            "TESTSIGMA_POLL_INTERVAL_SECONDS": "0.1",
        }
        options = ["--rm", "--interactive", "--entrypoint=", f"--name={container}"]
        options += [f"--volume={tmp_path}:/builds", "--workdir=/builds", *(f"--env={name}" for name in variables)]
        with subprocess.Popen(
            [tools.SHIM, "run", *options, image, "sh", "-c", "exec /usr/bin/bash"],
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdin is not None
            process.stdin.write(job)
            process.stdin.close()
            process.stdin = None
            try:
                wait_until(lambda: simulator.platform.live_runs() == [101])
                answer("exec", container, "sh", "-c", EACH_PROCESS_BUT_THE_FIRST)
                text, _ = process.communicate(timeout=30)
            finally:
                run(tools.SHIM, "rm", "--force", container)
        assert simulator.platform.live_runs() == []
        assert simulator.platform.stops == [STOP]
    assert process.returncode == 143, text
    report = json.loads((tmp_path / "testsigma-rerun/report.json").read_text(encoding="utf-8"))
    assert (report["result"], report["stop"]["confirmed"]) == ("cancelled", True)
