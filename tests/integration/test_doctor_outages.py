"""doctor and a platform that is ill for long, in time that nobody waits for."""

import io
from pathlib import Path
from typing import Any

import pytest

from rerun_action.doctor import command
from rerun_action.simulator import Fault, Reply, Simulator
from tests.support.processes import environment
from tests.support.scenarios import FLAKES, PLAN, case, scenario
from tests.support.virtual import VirtualTime


def visit(fault: Fault, folder: Path, **inputs: object) -> tuple[int, list[str], float]:
    time: Any = VirtualTime()
    stream = io.StringIO()
    with Simulator(scenario(case(1, *FLAKES), faults=(fault,))) as simulator:
        code = command.run([], environment(simulator, folder, **inputs), time, stream)
        assert {request.method for request in simulator.platform.requests} == {"GET"}
        assert len(simulator.platform.requests) <= 20
        host = simulator.url.removeprefix("http://")
    return code, stream.getvalue().replace(host, "HOST").splitlines(), time.at


OUTAGES: dict[str, tuple[Any, str]] = {
    "html": (
        "html",
        "an HTML page instead of JSON. Next: check server-url; a proxy or a sign-in page may answer in its",
    ),
    "not JSON": (Reply(200, body="all is well"), "a body that is not valid JSON. Next: check server-url; a proxy or"),
    "empty": (
        Reply(200, body=""),
        "an empty body. Next: check server-url; a proxy or a sign-in page may answer in its",
    ),
    "502": (Reply(502), "HTTP 502. Next: it may be an outage of the platform or of a gateway: try again later"),
    "429": (Reply(429, {"Retry-After": "600"}), "HTTP 429. Next: it may be an outage of the platform or of a gateway"),
}


@pytest.mark.parametrize("what", OUTAGES)
def test_an_outage_is_named_after_ten_seconds(what: str, tmp_path: Path) -> None:
    answer, said = OUTAGES[what]
    code, lines, seconds = visit(Fault("run", answer, times=None), tmp_path)
    assert lines[2].startswith(f"problem  host: HOST answers with {said}")
    assert code == 1
    assert seconds == pytest.approx(10.0)


def test_an_outage_of_the_listing_alone(tmp_path: Path) -> None:
    code, lines, seconds = visit(Fault("listing", Reply(504), times=None), tmp_path)
    assert "ok       execution: 100 is there, its result is FAILURE" in lines
    assert (
        "problem  listing: the server answers with HTTP 504. "
        "Next: it may be an outage of the platform or of a gateway: try again later"
    ) in lines
    assert "ok       reruns: 0 of 10 are used" in lines
    assert code == 1
    assert seconds < 121


def test_a_listing_that_never_comes(tmp_path: Path) -> None:
    code, lines, seconds = visit(Fault("listing", "hang", times=None), tmp_path)
    assert "problem  listing: the server gives no complete answer. Next: try again later" in lines
    assert code == 1
    assert seconds < 121


def test_a_server_that_refuses_a_look_at_nobody_with_500_tells_nothing_of_the_key(tmp_path: Path) -> None:
    fault = Fault("run", Reply(500, body={"error": "no such run"}), times=None)
    code, lines, _ = visit(fault, tmp_path, execution_id="new", test_plan_id=PLAN)
    assert lines[2:5] == [
        "ok       host: HOST answers; plain http and no proxy, as it is loopback",
        "note     key: could not look: HTTP 500 does not tell",
        "note     execution: new: a fresh run would be started, there is none to look at yet",
    ]
    assert "note     decision: could not look: whether the key is accepted is not known" in lines
    assert code == 0
