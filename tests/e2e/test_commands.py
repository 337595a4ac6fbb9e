"""The other ways to run it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from rerun_action import __version__
from tests.support.processes import ENTRYPOINT, act, started

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def test_the_demo_shows_the_product_and_ends_with_its_exit_code(tmp_path: Path) -> None:
    with started(ENVIRONMENT | {"TESTSIGMA_REPORT_DIR": str(tmp_path)}, "demo") as process:
        text, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["counts"] == {
        "total": 40,
        "passed": 33,
        "flaky": 5,
        "failed": 2,
        "unresolved": 0,
        "quarantined": 0,
        "rerun": 7,
    }
    chrome = "on Chrome on Windows 11"
    for line in (
        f"  failed       Checkout / Redeem a voucher {chrome}: FAILURE again in run 1002",
        f"  flaky        Checkout / Ship abroad [Poland] {chrome}: FAILURE in run 1001, then passed in run 1002",
        "Verdict: failed (exit code 1) - 2 tests failed again; 5 tests failed and passed in a later run",
    ):
        assert line in text.splitlines()
    assert "ends with exit code 1 (failed)" in text


def test_the_demo_takes_nothing_from_a_users_environment_but_the_folder(tmp_path: Path) -> None:
    environ = ENVIRONMENT | {
        "TESTSIGMA_REPORT_DIR": str(tmp_path),
        "TESTSIGMA_API_KEY": "a real key",
        "TESTSIGMA_SERVER_URL": "https://app.testsigma.com",
        "TESTSIGMA_RERUN_RESULTS": "nonsense",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    with started(environ, "demo") as process:
        process.communicate(timeout=20)
    assert process.returncode == 1


def test_the_simulator_serves_until_a_signal_and_says_how_to_use_it(tmp_path: Path) -> None:
    with started(ENVIRONMENT, "simulator") as process:
        assert process.stdout is not None
        assert "listening" in process.stdout.readline()
        exports = dict(process.stdout.readline().split("export ")[1].strip().split("=", 1) for _ in range(3))
        request = urllib.request.Request(  # noqa: S310 - our own simulator
            f"{exports['TESTSIGMA_SERVER_URL']}/api/v1/execution_results/{exports['TESTSIGMA_EXECUTION_ID']}",
            headers={"Authorization": f"Bearer {exports['TESTSIGMA_API_KEY']}"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - our own simulator
            assert json.load(reply)["id"] == int(exports["TESTSIGMA_EXECUTION_ID"])
        inputs = {name.removeprefix("TESTSIGMA_").lower(): value for name, value in exports.items()}
        assert act(None, tmp_path, **inputs).code == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulator", "--port", "99999"], "--port: can't listen on 127.0.0.1:99999"),
        (["simulator", "--scenario", "/nonexistent.json"], "--scenario: /nonexistent.json: cannot be read"),
        (["simulator", "--bogus"], "unrecognized arguments: --bogus"),
        (["dmeo"], "unknown arguments: dmeo"),
    ],
)
def test_wrong_arguments_are_explained(arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ENTRYPOINT), *arguments], capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("module", [False, True])
def test_the_version(module: bool) -> None:
    command = ["-m", "rerun_action"] if module else [str(ENTRYPOINT)]
    done = subprocess.run(
        [sys.executable, *command, "--version"], capture_output=True, text=True, check=True, cwd=ENTRYPOINT.parent
    )
    assert done.stdout == f"testsigma-rerun-action {__version__}\n"


def test_a_reader_that_goes_away_does_not_change_the_exit_code(tmp_path: Path) -> None:
    command = f"{sys.executable} {ENTRYPOINT} demo | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["/bin/bash", "-c", command],
        env=ENVIRONMENT | {"TESTSIGMA_REPORT_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stderr == ""
    assert (tmp_path / "report.json").exists()
