"""What doctor says of the way to the server: names, connections, certificates, proxies."""

import datetime as dt
import socket
import time
from pathlib import Path

import pytest
import trustme

from rerun_action.simulator import Fault, PastRun, Pick, Simulator
from tests.support.doctor import Visit, VisitApart
from tests.support.network import answers_plainly, closes_at_once, listening, proxy, tls_in_front_of
from tests.support.scenarios import FAILS, FLAKES, PASSES, PLAN, case, data_driven, scenario
from tests.support.tls import Authority

HABITS = ("own", "rerun", "first", "both")
CASES = (case(1, *FLAKES), case(2, *PASSES), data_driven(3, ("a", *PASSES), ("b", *FLAKES), ("c", *FAILS)))
CHAIN = (PastRun(98, PLAN), PastRun(99, PLAN, 98, picked=(Pick(0), Pick(2, (1, 2)))))
FAR = 60.0


# --- the way there ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def bundle(ca: trustme.CA, folder: Path) -> Path:
    path = folder / "company-ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return path


def host_line(url: str, folder: Path, **more: str) -> str:
    visit = Visit(url, folder, more=more)
    line = visit.line("host").replace(url.removeprefix("https://").removeprefix("http://"), "HOST")
    assert visit.code == (0 if line.startswith("ok") else 1)
    return line


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_company_ca_that_is_named(variable: str, ca: trustme.CA, tmp_path: Path) -> None:
    path = bundle(ca, tmp_path)
    with Simulator(scenario(*CASES)) as simulator, tls_in_front_of(simulator.url, ca.issue_cert("localhost")) as url:
        line = host_line(url, tmp_path, **{variable: str(path)})
    assert line == f"ok       host: HOST answers over TLS; certificates from {path} ({variable}); no proxy"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            "foreign",
            (
                "problem  host: the certificate of HOST is not trusted here (certificates from the built-in list "
                "(certifi)). Next: if your company uses a CA of its own, name its bundle in REQUESTS_CA_BUNDLE"
            ),
        ),
        (
            "name",
            (
                "problem  host: the certificate of HOST is for another name. "
                "Next: check the host in server-url; if it is right, somebody else answers in its place"
            ),
        ),
        (
            "expired",
            (
                "problem  host: the certificate of HOST is not valid today. "
                "Next: check this machine's clock; if it is right, the certificate has to be renewed"
            ),
        ),
    ],
)
def test_a_certificate_that_does_not_do(fault: str, said: str, ca: trustme.CA, tmp_path: Path) -> None:
    past = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - trustme wants it so
    certificate = {
        "foreign": lambda: ca.issue_cert("localhost"),
        "name": lambda: ca.issue_cert("elsewhere.example"),
        "expired": lambda: ca.issue_cert("localhost", not_before=past, not_after=past + dt.timedelta(1)),
    }[fault]()
    more = {} if fault == "foreign" else {"REQUESTS_CA_BUNDLE": str(bundle(ca, tmp_path))}
    with Simulator(scenario(*CASES)) as simulator, tls_in_front_of(simulator.url, certificate) as url:
        assert host_line(url, tmp_path, **more) == said
        assert simulator.platform.requests == []


def test_a_bundle_that_is_not_there_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "none.pem"
    visit = Visit("https://localhost:9", tmp_path, more={"REQUESTS_CA_BUNDLE": str(path)})
    assert visit.code == 2
    assert f"  - REQUESTS_CA_BUNDLE: {path} can't be read: No such file or directory" in visit.text


def test_a_host_that_does_not_resolve(tmp_path: Path) -> None:
    assert host_line("https://testsigma.invalid", tmp_path) == (
        "problem  host: HOST has no address here (DNS). "
        "Next: check server-url; if this machine gets out through a proxy only, name it in HTTPS_PROXY"
    )


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    visit = Visit(f"http://127.0.0.1:{port}", tmp_path)
    assert visit.lines[1:] == [
        "ok       inputs: no fault",
        (
            f"problem  host: 127.0.0.1:{port} refuses the connection. "
            "Next: check host and port of server-url, and that the server is up"
        ),
        "note     key, execution: could not look: the host does not answer as Testsigma would",
        (
            "note     plan, finished, listing, pages, page 1, values, merging, parent and child, own rerun, reruns: "
            "could not look: no execution was found"
        ),
        "note     clock: could not look: no reply says what time it is",
        "note     decision: could not look: no execution was found",
        "The action could not run: host. Sent: 1 x GET, nothing else.",
    ]
    assert visit.code == 1


def test_tls_to_a_port_without(tmp_path: Path) -> None:
    with listening(answers_plainly) as port:
        line = host_line(f"https://127.0.0.1:{port}", tmp_path)
    assert line == "problem  host: HOST answers, but does not speak TLS. Next: check the port of server-url"


def test_a_server_that_hangs_up(tmp_path: Path) -> None:
    with listening(closes_at_once) as port:
        line = host_line(f"http://127.0.0.1:{port}", tmp_path)
        assert line == (
            "problem  host: HOST closes the connection without an answer. Next: check scheme and port of server-url"
        )
        line = host_line(f"https://127.0.0.1:{port}", tmp_path)
        assert line == (
            "problem  host: the TLS handshake with HOST breaks off. "
            "Next: look for a firewall or a proxy that inspects TLS on the way"
        )


def test_a_server_that_is_silent(tmp_path: Path) -> None:
    began = time.monotonic()
    with Simulator(scenario(*CASES, faults=(Fault("any", "hang", times=None),))) as simulator:
        line = host_line(simulator.url, tmp_path)
    assert line == (
        "problem  host: HOST takes the connection and does not answer. "
        "Next: try again later; if it stays so, look for a firewall or a gateway that swallows requests"
    )
    assert time.monotonic() - began < 15


def test_a_proxy_is_named_without_its_password(ca: trustme.CA, tmp_path: Path) -> None:
    asked: list[str] = []
    path = bundle(ca, tmp_path)
    with (
        Simulator(scenario(*CASES)) as simulator,
        tls_in_front_of(simulator.url, ca.issue_cert("localhost")) as url,
        proxy(asked, password="made-up-password") as address,
    ):
        given = address.replace("http://", "http://user:made-up-password@")
        visit = VisitApart(url, tmp_path, more={"HTTPS_PROXY": given, "REQUESTS_CA_BUNDLE": str(path)})
        assert set(asked) == {"localhost"}
        assert visit.line("host").endswith(f"; proxy {address} (HTTPS_PROXY)")
        assert visit.code == 0
        assert "made-up-password" not in visit.text

        more = {"https_proxy": address, "REQUESTS_CA_BUNDLE": str(path)}
        visit = VisitApart(url, tmp_path, more=more)
        assert visit.problems() == [
            (
                f"problem  host: the proxy {address} (https_proxy) wants a user name and a password (407). "
                "Next: give them in the variable, as http://user:password@host:port"
            )
        ]
        asked.clear()
        visit = VisitApart(url, tmp_path, more=more | {"NO_PROXY": "localhost"})
        assert visit.line("host").endswith("; no proxy, as NO_PROXY has it")
        assert (visit.code, asked) == (0, [])


def test_a_proxy_that_refuses_the_way(tmp_path: Path) -> None:
    with proxy([], refusal="403 Forbidden") as address:
        line = host_line("https://localhost:9", tmp_path, HTTPS_PROXY=address)
    assert line == (
        f"problem  host: the proxy {address} (HTTPS_PROXY) refuses the way to HOST (403). Next: ask those who "
        "run it to let HOST through, or name the host in NO_PROXY if it can be reached without"
    )


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:9", "gives no connection. Next: check its host and port, and that it is up"),
        ("http://proxy.invalid:3128", "has no address here (DNS). Next: correct the variable, or take it away"),
    ],
)
def test_a_proxy_that_is_not_there(address: str, said: str, tmp_path: Path) -> None:
    line = host_line("https://localhost:9", tmp_path, ALL_PROXY=address)
    assert line == f"problem  host: the proxy {address} (ALL_PROXY) {said}"


def test_a_proxy_that_is_not_trusted(tmp_path: Path) -> None:
    with Authority(tmp_path).in_front_of(9) as address:
        line = host_line("https://localhost:9", tmp_path, HTTPS_PROXY=address)
    assert line == (
        f"problem  host: the certificate of the proxy {address} (HTTPS_PROXY) is not trusted here (certificates from "
        "the built-in list (certifi)). Next: if your company uses a CA of its own, name its bundle in "
        "REQUESTS_CA_BUNDLE"
    )
