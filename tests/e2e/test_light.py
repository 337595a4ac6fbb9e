"""Light: what is imported before the first request, what that says, and how few connections a rerun takes."""

import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from rerun_action.simulator import Simulator
from tests.support.processes import ENTRYPOINT, act, environment
from tests.support.scenarios import FLAKES, PASSES, case, scenario

LATER = {
    "jinja2",
    "markupsafe",
    "yaml",
    "html",
    "xml",
    "difflib",
    "rerun_action.quarantine",
    "rerun_action.demo",
    "rerun_action.simulator",
    *(f"rerun_action.reports.{name}" for name in ("dotenv", "html", "json_report", "junit", "markdown")),
}
"""What a run uses after its first request, or not at all."""


class Sight(NamedTuple):
    modules: set[str]
    head: str


def at_the_first_request(directory: Path, **inputs: object) -> Sight:
    """What has been imported when the first request arrives, and how that begins."""
    log = directory / "imports"
    with socket.create_server(("127.0.0.1", 0)) as server, log.open("w") as stderr:
        server.settimeout(30)
        given = {"server_url": f"http://127.0.0.1:{server.getsockname()[1]}", **inputs}
        environ = environment(None, directory / "reports", **given)
        command = [sys.executable, "-X", "importtime", "-u", str(ENTRYPOINT)]
        with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=stderr) as process:
            try:
                connection, _ = server.accept()
                with connection:
                    head = connection.recv(65536).decode()
            finally:
                process.kill()
    return Sight(set(re.findall(r"\| +([\w.]+)$", log.read_text(), re.MULTILINE)), head)


def test_nothing_is_imported_that_the_first_request_does_not_need(tmp_path: Path) -> None:
    sight = at_the_first_request(tmp_path)
    assert {"requests", "pydantic_settings", "rerun_action.rerun"} <= sight.modules
    assert sight.modules & LATER == set()


def test_yaml_is_for_those_who_have_a_quarantine_file(tmp_path: Path) -> None:
    file = tmp_path / "flakes.yml"
    file.write_text("- {case: Pay, owner: me, reason: slow, expires: 2099-12-31}\n")
    sight = at_the_first_request(tmp_path, quarantine_file=file)
    assert sight.modules & LATER == {"yaml", "rerun_action.quarantine"}


def test_the_collector_stays_out_of_the_way_of_large_listings() -> None:
    program = "import gc, sys; from rerun_action.__main__ import start; start(); print(gc.get_threshold()[0])"
    done = subprocess.run(
        [sys.executable, "-c", program, "--version"], cwd=ENTRYPOINT.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "1000000"


def test_the_first_request_takes_compressed_replies_and_keeps_its_connection(tmp_path: Path) -> None:
    first, *headers = at_the_first_request(tmp_path).head.splitlines()
    assert first == "GET /api/v1/execution_results/100 HTTP/1.1"
    assert {"Accept: application/json", "Accept-Encoding: gzip, deflate", "Connection: keep-alive"} <= set(headers)


def test_a_rerun_takes_two_connections(tmp_path: Path) -> None:
    cases = (case(1, *FLAKES), *(case(number, *PASSES) for number in range(2, 40)))
    with Simulator(scenario(*cases)) as simulator:
        outcome = act(simulator, tmp_path)
        requests = [(request.method, request.path.rpartition("/")[2]) for request in simulator.platform.requests]
    assert (outcome.code, outcome.report["counts"]["total"]) == (0, 39)
    assert requests[:3] == [("GET", "100"), ("GET", "test_case_results"), ("POST", "execution_results")]
    assert len(requests) > 5
    # one for what is asked before the trigger, and one for the trigger, which trusts no kept connection, and the rest
    assert simulator.connections == 2
