"""The image that the Dockerfile gives, and the program in it."""

import json
import os
import pty
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerun_action import __version__
from rerun_action.simulator import Simulator
from tests.support import engine
from tests.support.processes import HELD, SCHEMA, environment, wait_until
from tests.support.scenarios import FAILS, FLAKES, KEY, LONG, PASSES, PLAN, case, data_driven, scenario
from tests.support.tls import Authority, proxy

STRANGER = 12345
"""A uid that no image knows, as Jenkins uses one."""
REPORTS = "/reports"
NO_PRIVILEGES = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder that anybody may write to, as a mounted one has to be for a uid that owns nothing."""
    folder = tmp_path / "reports"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(scenario(case(1, *FLAKES), data_driven(2, ("a", *PASSES), ("b", *FLAKES)))) as running:
        yield running


def inputs(simulator: Simulator | None, **given: object) -> dict[str, str]:
    return environment(simulator, Path(REPORTS), **given)


def mount(folder: Path, at: str = REPORTS) -> tuple[str, str]:
    return "--volume", f"{folder}:{at}"


def report(folder: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    SCHEMA.validate(content)
    return content


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_its_configuration(image: str) -> None:
    (facts,) = json.loads(engine.answer("inspect", image))
    config = facts["Config"]
    assert config["Entrypoint"] == ["/usr/local/bin/python", "-Iu", "/entrypoint.py"]
    assert (config["User"], config["WorkingDir"], config["Cmd"]) == ("", "", None)
    assert {name.rpartition(".")[2] for name in config["Labels"]} == {"title", "description", "licenses"}
    assert not [entry for entry in config["Env"] if "TESTSIGMA" in entry or "PIP_" in entry]


def test_it_holds_what_is_pinned_and_nothing_of_the_build(image: str) -> None:
    listing = "import importlib.metadata as m\nfor d in m.distributions(): print(d.name, d.version)"
    code, text = engine.run(image, "--entrypoint=", command=("python", "-c", listing))
    assert code == 0
    locked = (engine.ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", locked, re.MULTILINE))
    pairs = (line.split() for line in text.splitlines())
    installed = {name.lower().replace("_", "-"): version for name, version in pairs}
    installed.pop("pip")  # of the base image
    assert installed == {**pins, "testsigma-rerun-action": __version__}


def test_anybody_can_read_it_and_nothing_of_the_build_is_left(image: str) -> None:
    script = (
        "cd /usr/local/lib/python3*/site-packages;"
        "find . -name '*.py' -not -path './pip/*' | wc -l;"
        "find . /entrypoint.py /usr/bin/ps /usr/bin/kill -not -perm -o=r | wc -l;"
        "ls -d /source /install /root/.cache 2>/dev/null | wc -l"
    )
    code, text = engine.run(image, "--entrypoint=", command=("sh", "-c", script))
    sources, unreadable, left_behind = map(int, text.split())
    assert code == 0
    assert sources > 200
    assert (unreadable, left_behind) == (0, 0)


def sources_read(text: str) -> list[str]:
    """The modules that `python -v` found no bytecode for, but the entrypoint, which never has any."""
    read = re.findall(r"^# code object from '?([^'\n]+\.py)'?$", text, re.MULTILINE)
    return [path for path in read if path != "/entrypoint.py"]


def test_a_run_compiles_nothing(image: str, simulator: Simulator, reports: Path) -> None:
    (reports / "flakes.yml").write_text("- {case: case 9, owner: me, reason: slow, expires: 2099-12-31}\n")
    code, text = engine.run(
        image, *NO_PRIVILEGES, "--user", f"{STRANGER}:{STRANGER}", "--entrypoint=", *mount(reports),
        environ=inputs(simulator, quarantine_file=f"{REPORTS}/flakes.yml"),
        command=("python", "-Iuv", "/entrypoint.py"),
    )  # fmt: skip
    assert code == 0
    assert "import 'rerun_action.reports.html'" in text
    assert "import 'yaml'" in text
    assert sources_read(text) == []


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_a_start_writes_nothing_and_compiles_nothing(argument: str, image: str) -> None:
    code, text = engine.run(
        image, *NO_PRIVILEGES, "--user", f"{STRANGER}:{STRANGER}", "--entrypoint=",
        command=("python", "-Iuv", "/entrypoint.py", argument),
    )  # fmt: skip
    assert code == 0
    assert sources_read(text) == []


# --- how it is started ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [(), (*NO_PRIVILEGES, "--tmpfs", "/tmp", "--user", f"{STRANGER}:{STRANGER}")])  # noqa: S108
def test_the_demo_needs_no_network(flags: tuple[str, ...], image: str) -> None:
    code, text = engine.run(image, *flags, command=("demo",), network=("--network", "none"))
    assert code == 1, text
    assert "Verdict: failed (exit code 1) - 2 tests failed again; 5 tests failed and passed in a later run" in text


def test_the_demo_says_what_it_lacks_on_a_read_only_file_system(image: str) -> None:
    code, text = engine.run(image, "--read-only", command=("demo",))
    said = "demo: there is no place for its reports: give report-dir, or `--tmpfs /tmp` to `docker run`\n"
    assert (code, text) == (2, said)


def test_help_and_version(image: str) -> None:
    assert engine.run(image, command=("--version",)) == (0, f"testsigma-rerun-action {__version__}\n")
    code, text = engine.run(image, command=("--help",))
    assert code == 0
    assert "execution-id  (TESTSIGMA_EXECUTION_ID, TESTSIGMA_EXECUTION_RESULT_ID; required)" in text


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param((), id="root"),
        pytest.param(("--cap-drop", "ALL"), id="root without capabilities"),
        pytest.param(("--user", f"{STRANGER}:{STRANGER}"), id="any uid"),
        pytest.param((*NO_PRIVILEGES, "--user", f"{STRANGER}:{STRANGER}"), id="any uid, read-only, no capabilities"),
        pytest.param((*NO_PRIVILEGES, "--env", "HOME=/nonexistent"), id="root, read-only, no home"),
    ],
)
def test_it_reruns_and_reports(flags: tuple[str, ...], image: str, simulator: Simulator, reports: Path) -> None:
    code, text = engine.run(image, *flags, *mount(reports), environ=inputs(simulator))
    assert code == 0, text
    assert simulator.platform.triggers == [
        {
            "executionId": PLAN,
            "executionResultId": 100,
            "isReRun": True,
            "reRunType": "USER_PICKED",
            "testCaseResultRequests": [
                {"id": 5001},
                {"id": 5002, "iterationReRunType": "USER_PICKED", "iterationResultIds": [5004]},
            ],
        }
    ]
    assert {path.name for path in reports.iterdir()} == {
        "report.json", "junit.xml", "summary.md", "index.html", "outputs.env",
    }  # fmt: skip
    assert report(reports)["result"] == "flaky"
    assert KEY not in text


def test_files_of_root_belong_to_the_owner_of_the_folder(image: str, simulator: Simulator, reports: Path) -> None:
    own = ("chown", f"{STRANGER}:{STRANGER + 1}", REPORTS)
    assert engine.run(image, "--entrypoint=", *mount(reports), command=own) == (0, "")
    code, text = engine.run(image, *mount(reports), environ=inputs(simulator))
    assert code == 0, text
    assert {(path.stat().st_uid, path.stat().st_gid) for path in reports.iterdir()} == {(STRANGER, STRANGER + 1)}


def test_a_folder_that_can_not_be_written_to_is_told_before_anything_is_sent(image: str, simulator: Simulator) -> None:
    code, text = engine.run(image, "--read-only", environ=inputs(simulator))
    assert code == 2
    assert "  - report-dir (TESTSIGMA_REPORT_DIR): /reports can't be written to: Read-only file system" in text
    assert simulator.platform.requests == []


def test_a_workspace_can_not_take_over(image: str, simulator: Simulator, reports: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    for name in ("requests.py", "json.py", "rerun_action.py", "sitecustomize.py", "yaml.py", "jinja2.py"):
        (workspace / name).write_text("raise SystemExit('taken over')\n", encoding="utf-8")
    code, text = engine.run(
        image, *mount(reports), *mount(workspace, "/workspace"), "--workdir", "/workspace",
        "--env", "PYTHONPATH=/workspace", "--env", "PYTHONSTARTUP=/workspace/json.py", "--env", "PATH=/workspace",
        environ=inputs(simulator),
    )  # fmt: skip
    assert code == 0, text


def test_an_emptied_entrypoint_as_gitlab_has_it(image: str, simulator: Simulator, reports: Path) -> None:
    code, text = engine.run(
        image, "--entrypoint=", *mount(reports), environ=inputs(simulator),
        command=("sh", "-c", "exec /usr/local/bin/python -Iu /entrypoint.py"),
    )  # fmt: skip
    assert code == 0, text


# --- what it ends with ------------------------------------------------------------------------------------------------

ENDS: dict[str, tuple[int, dict[str, object]]] = {
    "flaky": (0, {}),
    "flaky, and that fails": (6, {"fail_on_flaky": "true"}),
    "declined": (5, {"max_failures": 1}),
    "refused": (3, {"api_key": "another-key"}),
    "wrong configuration": (2, {"max_reruns": 99}),
}


@pytest.mark.parametrize("name", ENDS)
def test_exit_codes_pass_through(name: str, image: str, simulator: Simulator, reports: Path) -> None:
    code, given = ENDS[name]
    assert engine.run(image, *mount(reports), environ=inputs(simulator, **given))[0] == code
    assert report(reports)["exit_code"] == code


def test_what_still_fails_fails(image: str, reports: Path) -> None:
    with Simulator(scenario(case(1, *FAILS))) as simulator:
        code, text = engine.run(image, *mount(reports), environ=inputs(simulator))
    assert (code, report(reports)["result"]) == (1, "failed"), text


def test_the_deadline(image: str, reports: Path) -> None:
    with Simulator(scenario(case(1, *FAILS), seconds=LONG)) as simulator:
        code, text = engine.run(image, *mount(reports), environ=inputs(simulator, timeout_minutes=0.03))
        assert simulator.platform.live_runs() == []
    assert (code, report(reports)["result"]) == (4, "timed-out"), text


# --- how it is ended --------------------------------------------------------------------------------------------------


def _docker_stop(container: engine.Container) -> None:
    engine.answer("stop", container.name)


def _interrupt(container: engine.Container) -> None:
    container.process.send_signal(signal.SIGINT)  # Ctrl-C on `docker run`: its client hands the signal on


def _as_github_does(container: engine.Container) -> None:
    engine.answer("kill", "--signal", "INT", container.name)


@pytest.mark.parametrize(
    ("end", "code"), [(_docker_stop, 143), (_interrupt, 130), (_as_github_does, 130)], ids=["stop", "ctrl-c", "kill"]
)
@pytest.mark.parametrize("flags", [(), ("--init",)], ids=["as PID 1", "with --init"])
def test_a_cancelled_container_leaves_no_rerun(
    end: Callable[[engine.Container], None], code: int, flags: tuple[str, ...], image: str, reports: Path
) -> None:
    with Simulator(scenario(case(1, *FAILS), seconds=LONG)) as simulator:
        with engine.running(image, *flags, *mount(reports), environ=inputs(simulator)) as container:
            wait_until(lambda: bool(simulator.platform.triggers))
            began = time.monotonic()
            end(container)
            ended, text = container.end()
            took = time.monotonic() - began
        assert simulator.platform.live_runs() == []
        assert [path for path, _ in simulator.platform.stops] == ["/api/v1/execution_results/101"]
    assert ended == code, text
    assert took < 9, "the engine kills after 10 seconds"
    written = report(reports)
    assert written["result"] == "cancelled"
    assert written["stop"] == {"run_id": 101, "route": "run", "status": 200, "confirmed": True}


@pytest.mark.parametrize(("name", "code"), [("INT", 130), ("TERM", 143)])
def test_a_signal_to_process_1_before_its_handlers_stand_waits_for_them(
    name: str, code: int, image: str, reports: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(HELD, encoding="utf-8")
    find = ("python", "-Ic", "import site; print(site.getsitepackages()[0], end='')")
    _, packages = engine.run(image, "--entrypoint=", command=find)
    with Simulator(scenario(case(1, *FAILS), seconds=LONG)) as simulator:
        with engine.running(
            image, *mount(reports), *mount(tmp_path / "sitecustomize.py", f"{packages}/sitecustomize.py"),
            environ={**inputs(simulator), "HOLD_IN": REPORTS},
        ) as container:  # fmt: skip
            wait_until((reports / "held").exists)
            engine.answer("kill", "--signal", name, container.name)
            (reports / "go").touch()
            ended, text = container.end()
        assert simulator.platform.triggers == []
    assert (ended, report(reports)["result"]) == (code, "cancelled"), text


def test_ctrl_c_at_a_terminal(image: str, reports: Path) -> None:
    ours, theirs = pty.openpty()
    with Simulator(scenario(case(1, *FAILS), seconds=LONG)) as simulator:
        with engine.running(
            image, "--interactive", "--tty", *mount(reports), environ=inputs(simulator), terminal=theirs
        ) as container:
            os.close(theirs)
            wait_until(lambda: bool(simulator.platform.triggers))
            os.write(ours, b"\x03")
            code = container.process.wait(timeout=60)
        os.close(ours)
        assert simulator.platform.live_runs() == []
    assert (code, report(reports)["result"]) == (130, "cancelled")


# --- where it has to get through --------------------------------------------------------------------------------------


def test_a_companys_authority_and_proxy(image: str, simulator: Simulator, reports: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    port = int(simulator.url.rpartition(":")[2])
    with proxy(tmp_path) as (proxy_port, log), authority.in_front_of(port) as url:
        code, text = engine.run(
            image, *mount(reports), *mount(authority.bundle, "/company-ca.pem"),
            "--env", "REQUESTS_CA_BUNDLE=/company-ca.pem", "--env", f"HTTPS_PROXY=http://127.0.0.1:{proxy_port}",
            environ=inputs(simulator, server_url=url),
        )  # fmt: skip
    assert code == 0, text
    assert "CONNECT localhost:" in log.read_text(encoding="utf-8")
