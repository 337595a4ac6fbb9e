"""Companies' networks: certificate authorities of their own, and proxies on the way out."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from rerun_action.simulator import Simulator
from tests.support.network import answers_plainly, listening
from tests.support.processes import Outcome, Run, act, environment, outcome, run_apart, run_here
from tests.support.scenarios import FLAKES, KEY, case, scenario
from tests.support.tls import Authority, proxy

pytestmark = pytest.mark.usefixtures("uncounted")

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(scenario(case(1, *FLAKES))) as running:
        yield running


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def reach(
    simulator: Simulator,
    authority: Authority,
    folder: Path,
    served: Mapping[str, Any] = MappingProxyType({}),
    run: Run = run_apart,
    /,
    **variables: Any,
) -> Outcome:
    """Run the action against the simulator behind TLS (`served`: how), with these variables of the environment."""
    with authority.in_front_of(int(simulator.url.rpartition(":")[2]), **served) as url:
        environ = environment(None, folder / "reports", server_url=url, timeout_minutes=variables.pop("minutes", 1))
        code, text = run({**environ, **{name: str(value) for name, value in variables.items()}})
    return outcome(code, text, folder / "reports")


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


@pytest.mark.parametrize("address", ["http:///nothing", "http://.bad:80", "http://proxy:99999", "gopher://proxy:80"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_address_that_is_none(
    variable: str, address: str, simulator: Simulator, authority: Authority, tmp_path: Path
) -> None:
    run = run_apart if variable == "HTTPS_PROXY" else run_here
    done = reach(simulator, authority, tmp_path, {}, run, SSL_CERT_FILE=authority.bundle, **{variable: address})
    assert (done.code, done.report["message"]) == (
        2,
        (
            f"the configuration has a fault: {variable}: not the address of a proxy that can be used here; give "
            "http://host:port, or name the host of server-url in NO_PROXY"
        ),
    )
    assert simulator.platform.requests == []


def test_a_proxy_address_that_is_none_does_not_matter_where_no_proxy_is_used(
    simulator: Simulator, authority: Authority, tmp_path: Path
) -> None:
    proxies = {"HTTPS_PROXY": "http://.bad:80", "NO_PROXY": "localhost"}
    assert reach(simulator, authority, tmp_path, SSL_CERT_FILE=authority.bundle, **proxies).code == 0
    assert act(simulator, tmp_path / "plain").code == 0


@pytest.mark.parametrize("variable", ["https_proxy", "ALL_PROXY", "all_proxy"])
def test_the_proxy_is_named_by_its_variable(
    variable: str, simulator: Simulator, authority: Authority, tmp_path: Path
) -> None:
    given = {variable: NOWHERE, "SSL_CERT_FILE": authority.bundle, "minutes": 0.02}
    assert (
        reach(simulator, authority, tmp_path, **given)
        .report["message"]
        .endswith(f"could not be reached until the deadline: the proxy named in {variable} gave no connection")
    )


def test_a_proxy_that_is_not_trusted(simulator: Simulator, authority: Authority, tmp_path: Path) -> None:
    (other := tmp_path / "other").mkdir()
    with Authority(other).in_front_of(9) as address:
        secret = address.replace("https://", "https://made-up:word@")
        done = reach(simulator, authority, tmp_path, SSL_CERT_FILE=authority.bundle, HTTPS_PROXY=secret)
    assert (done.code, done.report["message"]) == (
        3,
        (
            "HTTPS_PROXY: the proxy's certificate is not trusted: no authority in SSL_CERT_FILE's bundle vouches for "
            "it; add your company's CA to it"
        ),
    )
    assert "made-up" not in done.text


def test_a_proxy_that_does_not_speak_tls(simulator: Simulator, authority: Authority, tmp_path: Path) -> None:
    with listening(answers_plainly) as port:
        secret = f"https://made-up:word@127.0.0.1:{port}"
        done = reach(simulator, authority, tmp_path, SSL_CERT_FILE=authority.bundle, HTTPS_PROXY=secret)
    assert (done.code, done.report["message"]) == (
        3,
        "HTTPS_PROXY: the proxy does not speak TLS; write its address with http://",
    )
    assert "made-up" not in done.text


@pytest.mark.parametrize(
    ("served", "message"),
    [
        (
            {"until": datetime(2020, 1, 1, tzinfo=UTC)},
            "(or one that vouches for it) has expired or is not valid yet; check it and this machine's clock",
        ),
        ({"host": "elsewhere.example"}, "is for another host; check the address"),
        ({"host": "127.0.0.2"}, "is for another host; check the address"),
    ],
    ids=["expired", "another host", "another address"],
)
def test_a_certificate_that_does_not_fit(
    served: dict[str, Any], message: str, simulator: Simulator, authority: Authority, tmp_path: Path
) -> None:
    done = reach(simulator, authority, tmp_path, served, SSL_CERT_FILE=authority.bundle)
    assert (done.code, done.report["message"]) == (3, f"server-url: the server's certificate {message}")


def test_a_bundle_of_others(simulator: Simulator, authority: Authority, tmp_path: Path) -> None:
    (other := tmp_path / "other").mkdir()
    done = reach(simulator, authority, tmp_path, CURL_CA_BUNDLE=Authority(other).bundle)
    assert (done.code, done.report["message"]) == (
        3,
        (
            "server-url: the server's certificate is not trusted: no authority in CURL_CA_BUNDLE's bundle vouches for "
            "it; add your company's CA to it"
        ),
    )


def test_a_folder_as_bundle_holds_hashed_names(simulator: Simulator, authority: Authority, tmp_path: Path) -> None:
    (folder := tmp_path / "authorities").mkdir()
    (folder / "company.pem").write_bytes(authority.bundle.read_bytes())
    done = reach(simulator, authority, tmp_path, REQUESTS_CA_BUNDLE=folder)
    assert (done.code, done.report["message"]) == (
        2,
        (
            f"the configuration has a fault: REQUESTS_CA_BUNDLE: {folder} is a folder without certificates under "
            "hashed names, as `openssl rehash` gives them; in a container the file has to be mounted at this path"
        ),
    )
