"""Companies' networks: certificate authorities of their own, and proxies on the way out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rerun_action.simulator import Simulator
from tests.support.processes import Outcome, environment, outcome, started
from tests.support.scenarios import FLAKES, KEY, case, scenario
from tests.support.tls import Authority, proxy

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(scenario(case(1, *FLAKES))) as running:
        yield running


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def reach(simulator: Simulator, authority: Authority, folder: Path, **variables: object) -> Outcome:
    """Run the action against the simulator behind TLS, with these variables of the environment."""
    with authority.in_front_of(int(simulator.url.rpartition(":")[2])) as url:
        environ = environment(None, folder / "reports", server_url=url, timeout_minutes=variables.pop("minutes", 1))
        with started({**environ, **{name: str(value) for name, value in variables.items()}}) as process:
            text, _ = process.communicate(timeout=60)
    return outcome(process, text, folder / "reports")


def test_an_authority_that_nobody_named_is_not_trusted(
    simulator: Simulator, authority: Authority, tmp_path: Path
) -> None:
    done = reach(simulator, authority, tmp_path)
    assert (done.code, done.report["message"]) == (
        3,
        (
            "server-url: the server's certificate is not trusted here; if your company uses a CA of its own, name its "
            "bundle (a PEM file) in REQUESTS_CA_BUNDLE"
        ),
    )
    assert simulator.platform.requests == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_companys_authority(variable: str, simulator: Simulator, authority: Authority, tmp_path: Path) -> None:
    done = reach(simulator, authority, tmp_path, **{variable: authority.bundle})
    assert (done.code, done.report["result"]) == (0, "flaky"), done.text


def test_the_bundle_of_requests_wins(simulator: Simulator, authority: Authority, tmp_path: Path) -> None:
    (other := tmp_path / "other").mkdir()
    files = {"REQUESTS_CA_BUNDLE": authority.bundle, "SSL_CERT_FILE": Authority(other).bundle}
    assert reach(simulator, authority, tmp_path, **files).code == 0


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "can't be read: No such file or directory"), ("", "holds no certificate in PEM form")],
)
def test_a_bundle_that_is_none(
    content: str | None, reason: str, variable: str, simulator: Simulator, authority: Authority, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content, encoding="utf-8")
    done = reach(simulator, authority, tmp_path, **{variable: bundle})
    assert done.code == 2
    assert f"  - {variable}: {bundle} {reason}; in a container the file has to be mounted at this path\n" in done.text
    assert simulator.platform.requests == []


def test_a_proxy_carries_everything_and_sees_no_key(simulator: Simulator, authority: Authority, tmp_path: Path) -> None:
    with proxy(tmp_path) as (port, log):
        done = reach(
            simulator, authority, tmp_path, SSL_CERT_FILE=authority.bundle, HTTPS_PROXY=f"http://127.0.0.1:{port}"
        )
    assert (done.code, done.report["result"]) == (0, "flaky"), done.text
    assert "CONNECT localhost:" in log.read_text(encoding="utf-8")
    assert KEY not in log.read_text(encoding="utf-8")


def test_a_host_that_needs_no_proxy(simulator: Simulator, authority: Authority, tmp_path: Path) -> None:
    done = reach(
        simulator, authority, tmp_path, SSL_CERT_FILE=authority.bundle, HTTPS_PROXY=NOWHERE, NO_PROXY="localhost"
    )
    assert done.code == 0, done.text


def test_a_proxy_that_is_not_there(simulator: Simulator, authority: Authority, tmp_path: Path) -> None:
    done = reach(simulator, authority, tmp_path, SSL_CERT_FILE=authority.bundle, HTTPS_PROXY=NOWHERE, minutes=0.02)
    assert done.code == 3
    assert done.report["message"].endswith(
        "could not be reached until the deadline: the proxy named in HTTPS_PROXY gave no connection"
    )


def test_a_proxy_that_wants_a_password(simulator: Simulator, authority: Authority, tmp_path: Path) -> None:
    with proxy(tmp_path, user="made-up:word") as (port, _):
        refused, served = (
            reach(
                simulator,
                authority,
                tmp_path,
                SSL_CERT_FILE=authority.bundle,
                HTTPS_PROXY=f"http://{user}127.0.0.1:{port}",
            )
            for user in ("", "made-up:word@")
        )
    assert (refused.code, refused.report["message"]) == (
        3,
        "HTTPS_PROXY: the proxy wants a user name and password (407); give http://user:password@host:port",
    )
    assert served.code == 0, served.text
    assert "made-up:word" not in served.text


def test_a_proxy_address_that_is_none(simulator: Simulator, authority: Authority, tmp_path: Path) -> None:
    done = reach(simulator, authority, tmp_path, SSL_CERT_FILE=authority.bundle, HTTPS_PROXY="http:///nothing")
    assert (done.code, done.report["message"]) == (
        3,
        (
            "HTTPS_PROXY: not the address of a proxy that can be used here; give http://host:port, or name the host of "
            "server-url in NO_PROXY"
        ),
    )
