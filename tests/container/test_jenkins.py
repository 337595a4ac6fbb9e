"""The Jenkinsfiles: parsed by npm-groovy-lint, and their `sh` steps run in the image as Jenkins runs them.

npm-groovy-lint checks Groovy: that a file parses, and how it is written. It knows nothing of pipelines: a directive or
a step that does not exist is no fault to it. Only a Jenkins could tell.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rerun_action import __version__
from rerun_action.simulator import Scenario, Simulator
from tests.container import tools
from tests.container.tools import STOP, run, wait_until
from tests.support import readme
from tests.support.engine import NETWORK, ROOT, answer
from tests.support.needed import program
from tests.support.scenarios import FAILS, FIRST, FLAKES, KEY, LONG, PASSES, PLAN, case, scenario

JENKINSFILE = ROOT / "examples/jenkins/Jenkinsfile"
WITHOUT_PLUGIN = ROOT / "examples/jenkins/docker-run.Jenkinsfile"
USER = (os.getuid(), os.getgid()) if os.getuid() else (12345, 12345)
"""Jenkins runs the container as the agent's user, whom the image does not know and who is not root."""
REPORTS = ["index.html", "junit.xml", "outputs.env", "report.json", "summary.md"]
COOKIE = "JENKINS_SERVER_COOKIE"


# --- what stands in the files -----------------------------------------------------------------------------------------


def shell_steps(path: Path) -> list[str]:
    """Return the scripts of all `sh` steps, in order."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"\bsh\((?:returnStatus: true, script: )?(?:'''(.*?)'''|'([^'\n]*)')\)", text, re.DOTALL)
    assert len(found) == len(re.findall(r"\bsh\b\W", text)), "each `sh` step has to be understood here"
    return [textwrap.dedent(block).strip().replace("\\\\", "\\") or line for block, line in found]


def environment() -> dict[str, str]:
    """Return the stage's `environment`, with what Jenkins would put in for credentials and parameters."""
    block = re.search(r"environment \{(.*?)\n {12}\}", JENKINSFILE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    given = dict(re.findall(r"^\s*([A-Z_]+) = (credentials\('.*?'\)|'.*?'|\".*?\")", block[1], re.MULTILINE))
    stands_for = {"credentials('testsigma-api-key')": KEY, '"${params.EXECUTION_ID}"': "new"}
    return {name: stands_for.get(value, value.strip("'")) for name, value in given.items()}


@pytest.mark.timeout(300)  # Java twice, and slow
def test_groovy_parses_them(tmp_path: Path) -> None:
    lint = tools.npm_tool("npm-groovy-lint")
    program("java")
    # All in one small folder: it searches the folder that they have in common, however large that is.
    folder = tmp_path / "pipelines"
    folder.mkdir()
    for path in (JENKINSFILE, WITHOUT_PLUGIN):
        shutil.copy(path, folder / path.name)
    (folder / "readme.groovy").write_text(readme.blocks("groovy")[0], encoding="utf-8")
    (folder / "broken.groovy").write_text("pipeline {\n    stages (\n}\n", encoding="utf-8")
    report = tmp_path / "lint.json"
    quick = {**os.environ, "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}  # 7 s instead of 20
    run(lint, "--noserver", "--output", report, *folder.iterdir(), cwd=folder, env=quick)
    found = {
        Path(path).name: [(fault["severity"], fault["rule"]) for fault in file["errors"] if fault["severity"] != "info"]
        for path, file in json.loads(report.read_text(encoding="utf-8"))["files"].items()
    }
    assert found == {
        "Jenkinsfile": [],
        "docker-run.Jenkinsfile": [],
        "readme.groovy": [],
        "broken.groovy": [("error", "NglParseError")],
    }


def test_what_the_files_say_is_what_is_run_here() -> None:
    assert environment() == {
        "TESTSIGMA_API_KEY": KEY,
        "TESTSIGMA_EXECUTION_ID": "new",
        "TESTSIGMA_TEST_PLAN_ID": str(PLAN),
        "TESTSIGMA_MAX_FAILURE_PERCENT": "20",
        "TESTSIGMA_FAIL_ON_FLAKY": "true",
        "TESTSIGMA_TIMEOUT_MINUTES": "60",
    }
    assert shell_steps(JENKINSFILE) == [
        "exec /usr/local/bin/python -Iu /entrypoint.py",
        "cat testsigma-rerun/summary.md",
    ]
    for path in (JENKINSFILE, WITHOUT_PLUGIN):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"ghcr.io/OWNER/testsigma-rerun-action:\S+?(?='|\n)", text) == [
            f"ghcr.io/OWNER/testsigma-rerun-action:v{__version__}"
        ]
        assert "TESTSIGMA_API_KEY=" not in text


# --- the `docker` agent -----------------------------------------------------------------------------------------------


class Agent:
    """The container of a `docker` agent (Docker Pipeline plugin), and the steps in it (Durable Task plugin)."""

    def __init__(self, image: str, workspace: Path) -> None:
        self.workspace = workspace
        self.control = workspace.parent / f"{workspace.name}@tmp"
        for folder in (workspace, self.control):
            folder.mkdir()
            os.chown(folder, *USER)
        volumes = [part for folder in (workspace, self.control) for part in ("--volume", f"{folder}:{folder}:rw,z")]
        arguments = re.findall(r"args '(.*?)'", JENKINSFILE.read_text(encoding="utf-8"))
        options = [
            "--tty",
            "--detach",
            "--user",
            "{}:{}".format(*USER),
            *arguments,
            "--workdir",
            str(workspace),
            *volumes,
        ]
        self.container = answer("run", *NETWORK, *options, image, "cat")
        assert "cat" in answer("top", self.container, "-eo", "pid,comm").split()

    def start(self, script: str, variables: dict[str, str]) -> None:
        """Start a step in the background, as Jenkins does; what it ends with is written to a file."""
        file, log, result = (self.control / name for name in ("script.sh", "jenkins-log.txt", "jenkins-result.txt"))
        file.write_text(script, encoding="utf-8")
        step = f"{COOKIE}=$cookie sh -xe {file} > {log} 2>&1; echo $? > {result}.tmp; mv {result}.tmp {result}"
        environ = {**variables, COOKIE: "please-do-not-kill-me"}
        options = [part for name, value in environ.items() for part in ("--env", f"{name}={value}")]
        answer("exec", *options, self.container, "nohup", "sh", "-c", f"(cookie=durable-1; {step}) >&- 2>&- &")

    def end(self, seconds: float = 30.0) -> int:
        """Wait for the step's end; return its exit code."""
        result = self.control / "jenkins-result.txt"
        wait_until(result.exists, seconds)
        return int(result.read_text(encoding="utf-8"))

    def log(self) -> str:
        return (self.control / "jenkins-log.txt").read_text(encoding="utf-8")

    def abort(self) -> None:
        """End what carries the step's cookie, with the container's own programs."""
        listed = answer("exec", self.container, "ps", "-A", "-o", "pid,command", "e").splitlines()
        processes = [line.split()[0] for line in listed if f"{COOKIE}=durable-1" in line]
        assert processes
        answer("exec", self.container, "kill", *processes)

    def stop(self) -> None:
        answer("stop", "--time=1", self.container)

    def remove(self) -> None:
        run(tools.SHIM, "rm", "--force", self.container)


@pytest.fixture
def agent(image: str, tmp_path: Path) -> Iterator[Agent]:
    made = Agent(image, tmp_path / "workspace")
    yield made
    made.remove()


def variables(simulator: Simulator, **more: str) -> dict[str, str]:
    return {
        **environment(),
        "TESTSIGMA_SERVER_URL": simulator.url,
        "TESTSIGMA_POLL_INTERVAL_SECONDS": "0.1",
        **more,
    }


def check_reports(folder: Path, result: str) -> None:
    assert sorted(path.name for path in folder.iterdir()) == REPORTS
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["result"] == result
    for path in (folder, *folder.iterdir()):
        assert (path.stat().st_uid, path.stat().st_gid) == USER
        assert path.is_dir() or KEY not in path.read_text(encoding="utf-8")


MANY_PASSES = [case(number, *PASSES) for number in range(2, 11)]
ABORTED = scenario(case(1, *FLAKES), *MANY_PASSES, seconds=LONG)


@pytest.mark.parametrize(
    ("world", "code", "result"),
    [
        (scenario(case(1, *FLAKES), *MANY_PASSES, runs=()), 6, "flaky"),
        (scenario(case(1, *FAILS), *MANY_PASSES, runs=()), 1, "failed"),
        (scenario(*MANY_PASSES, runs=()), 0, "clean"),
    ],
    ids=["flaky", "failed", "clean"],
)
def test_the_steps_run_as_any_user(world: Scenario, code: int, result: str, agent: Agent) -> None:
    test, publish = shell_steps(JENKINSFILE)
    with Simulator(world) as simulator:
        agent.start(test, variables(simulator))
        assert agent.end() == code, agent.log()
        assert simulator.platform.triggers[0] == {"executionId": PLAN}
        assert simulator.platform.live_runs() == []
    assert KEY not in agent.log()
    check_reports(agent.workspace / "testsigma-rerun", result)
    junit = (agent.workspace / "testsigma-rerun/junit.xml").read_text(encoding="utf-8")
    assert junit.count("<testcase ") == len(world.plans[0].cases)
    assert junit.count("<flakyFailure ") == (result == "flaky")
    assert junit.count("<rerunFailure ") == (result == "failed")
    # the publishing stage, on another agent, with what was stashed
    published = run("sh", "-xe", "-c", publish, cwd=agent.workspace)
    assert published.returncode == 0
    assert f"Testsigma rerun: {result} (exit code {code})" in published.stdout


def test_an_abort_stops_the_rerun(agent: Agent) -> None:
    with Simulator(ABORTED) as simulator:
        agent.start(shell_steps(JENKINSFILE)[0], variables(simulator, TESTSIGMA_EXECUTION_ID=str(FIRST)))
        wait_until(lambda: simulator.platform.live_runs() == [101])
        agent.abort()
        code = agent.end(20)  # after that, Jenkins would not wait any longer
        # The step has ended: so has the program, and its report is the last one.
        check_reports(agent.workspace / "testsigma-rerun", "cancelled")
        report = json.loads((agent.workspace / "testsigma-rerun/report.json").read_text(encoding="utf-8"))
        agent.stop()
        assert simulator.platform.stops == [STOP]
        assert simulator.platform.live_runs() == []
    assert code == 143, agent.log()
    assert report["stop"] == {"run_id": 101, "route": "run", "status": 200, "confirmed": True}


def test_an_abort_that_leaves_one_second_stops_the_rerun(agent: Agent) -> None:
    """A step without exec: the shell ends at once, Jenkins takes the step for ended and stops the container."""
    without = shell_steps(JENKINSFILE)[0].removeprefix("exec ")
    with Simulator(ABORTED) as simulator:
        agent.start(without, variables(simulator, TESTSIGMA_EXECUTION_ID=str(FIRST)))
        wait_until(lambda: simulator.platform.live_runs() == [101])
        agent.abort()
        agent.end(1)
        agent.stop()
        assert simulator.platform.stops == [STOP]
        assert simulator.platform.live_runs() == []


# --- `docker run` -----------------------------------------------------------------------------------------------------


def started(image: str, workspace: Path, simulator: Simulator) -> subprocess.Popen[str]:
    """Start the step of the other Jenkinsfile on this machine; the inputs of the test are named like the key."""
    (step,) = shell_steps(WITHOUT_PLUGIN)
    step = step.replace(f"ghcr.io/OWNER/testsigma-rerun-action:v{__version__}", image)
    added = {"TESTSIGMA_SERVER_URL": simulator.url, "TESTSIGMA_POLL_INTERVAL_SECONDS": "0.1"}
    step = step.replace("-e TESTSIGMA_API_KEY ", "-e TESTSIGMA_API_KEY " + "".join(f"-e {name} " for name in added))
    assert shlex.split(step)[:2] == ["exec", "docker"]
    path = f"{tools.SHIM.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        ["/bin/sh", "-xe", "-c", step],
        env={**os.environ, **added, "PATH": path, "WORKSPACE": str(workspace), "TESTSIGMA_API_KEY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_docker_run_hands_on_the_key_by_its_name(image: str, tmp_path: Path) -> None:
    with (
        Simulator(scenario(case(1, *FLAKES), runs=())) as simulator,
        started(image, tmp_path, simulator) as process,
    ):
        arguments = []
        while process.poll() is None:
            command = Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8")
            arguments.append(command.split("\0"))
            time.sleep(0.05)
        text, _ = process.communicate()
    assert process.returncode == 0, text
    assert any("TESTSIGMA_API_KEY" in command for command in arguments)
    assert KEY not in text + str(arguments)
    assert (tmp_path / "testsigma-rerun/junit.xml").exists()


def test_docker_run_hands_on_an_abort(image: str, tmp_path: Path) -> None:
    with (
        Simulator(scenario(case(1, *PASSES), case(2, *FAILS), runs=(), seconds=LONG)) as simulator,
        started(image, tmp_path, simulator) as process,
    ):
        wait_until(lambda: simulator.platform.live_runs() == [101])
        process.terminate()
        text, _ = process.communicate(timeout=30)
        assert simulator.platform.stops == [STOP]
        assert simulator.platform.live_runs() == []
    assert process.returncode == 143, text
