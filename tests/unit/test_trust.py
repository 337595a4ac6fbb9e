"""Which certificate authorities vouch for the server, which proxy leads to it, and what is said if neither can be."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme

from rerun_action.testsigma import trust

SERVER = "https://testsigma.example"
MOUNT = "in a container the file has to be mounted at this path"


# --- the bundle -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "variable", "path"),
    [
        ({}, None, None),
        ({"REQUESTS_CA_BUNDLE": ""}, None, None),
        ({"SSL_CERT_FILE": "s.pem"}, "SSL_CERT_FILE", "s.pem"),
        ({"CURL_CA_BUNDLE": "c.pem", "SSL_CERT_FILE": "s.pem"}, "CURL_CA_BUNDLE", "c.pem"),
        ({"SSL_CERT_FILE": "s.pem", "REQUESTS_CA_BUNDLE": "r.pem"}, "REQUESTS_CA_BUNDLE", "r.pem"),
        ({"SSL_CERT_FILE": "s.pem", "CURL_CA_BUNDLE": "c.pem", "REQUESTS_CA_BUNDLE": ""}, "CURL_CA_BUNDLE", "c.pem"),
        ({"SSL_CERT_DIR": "certificates"}, None, None),
    ],
)
def test_the_first_variable_that_is_set_names_the_bundle(
    environ: Mapping[str, str], variable: str | None, path: str | None
) -> None:
    assert (trust.variable(environ), trust.ca_bundle(environ)) == (variable, path)


def test_without_a_variable_there_is_nothing_to_fault() -> None:
    assert trust.faults({"SSL_CERT_DIR": "nowhere"}) == []


def test_a_bundle_in_pem_form_is_right(tmp_path: Path) -> None:
    bundle = tmp_path / "company-ca.pem"
    trustme.CA(organization_name="Example Company").cert_pem.write_to_path(bundle)
    assert trust.faults({"SSL_CERT_FILE": str(bundle)}) == []


def test_a_folder_of_certificates_under_hashed_names_is_right(tmp_path: Path) -> None:
    (tmp_path / "0a1b2c3d.0").touch()
    assert trust.faults({"REQUESTS_CA_BUNDLE": str(tmp_path)}) == []


def test_a_folder_without_hashed_names_is_told_how_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "company-ca.pem").touch()
    assert trust.faults({"REQUESTS_CA_BUNDLE": str(tmp_path)}) == [
        (
            f"REQUESTS_CA_BUNDLE: {tmp_path} is a folder without certificates under hashed names, as `openssl rehash` "
            f"gives them; {MOUNT}"
        )
    ]


@pytest.mark.parametrize("content", ["", "-----BEGIN CERTIFICATE-----\n", "a certificate, they said"])
def test_a_file_without_a_certificate_is_faulted(tmp_path: Path, content: str) -> None:
    bundle = tmp_path / "company-ca.pem"
    bundle.write_text(content)
    assert trust.faults({"CURL_CA_BUNDLE": str(bundle)}) == [
        f"CURL_CA_BUNDLE: {bundle} holds no certificate in PEM form; {MOUNT}"
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("not-there.pem", "No such file or directory"), ("x" * 300, "File name too long"), ("a\0b.pem", "not a path")],
)
def test_a_file_that_can_not_be_read_is_faulted_with_the_reason(tmp_path: Path, name: str, reason: str) -> None:
    path = f"{tmp_path}/{name}"
    assert trust.faults({"SSL_CERT_FILE": path}) == [f"SSL_CERT_FILE: {path} can't be read: {reason}; {MOUNT}"]


# --- the proxy --------------------------------------------------------------------------------------------------------


ONE, OTHER = "http://one.example:3128", "http://other.example:3128"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": ONE}, "HTTPS_PROXY"),
        ({"https_proxy": ONE}, "https_proxy"),
        ({"https_proxy": ONE, "HTTPS_PROXY": ONE}, "https_proxy"),
        ({"https_proxy": ONE, "HTTPS_PROXY": OTHER}, "https_proxy"),
        ({"ALL_PROXY": ONE}, "ALL_PROXY"),
        ({"all_proxy": ONE}, "all_proxy"),
        ({"HTTPS_PROXY": ONE, "ALL_PROXY": OTHER}, "HTTPS_PROXY"),
        ({"HTTP_PROXY": ONE}, None),
        ({"Https_Proxy": ONE}, "HTTPS_PROXY"),  # requests takes it, too; the name that everybody knows is said
        ({"HTTPS_PROXY": ONE, "NO_PROXY": "testsigma.example"}, None),
        ({"HTTPS_PROXY": ONE, "no_proxy": ".example"}, None),
        ({"HTTPS_PROXY": ONE, "NO_PROXY": "elsewhere.example"}, "HTTPS_PROXY"),
    ],
)
def test_the_variable_whose_proxy_leads_to_the_server(
    proxies: pytest.MonkeyPatch, environ: Mapping[str, str], expected: str | None
) -> None:
    for name, value in environ.items():
        proxies.setenv(name, value)
    assert trust.proxy_variable(SERVER) == expected


def test_plain_http_goes_through_no_proxy(proxies: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "all_proxy"):
        proxies.setenv(name, "not an address")
    assert trust.proxy_variable("http://127.0.0.1:8080") is None
    assert trust.proxy_faults("http://127.0.0.1:8080") == []


@pytest.mark.parametrize(
    "address",
    [
        ONE,
        "https://one.example",
        "http://somebody:something@one.example:3128",
        "one.example:3128",
        "one.example",
        "127.0.0.1:3128",
        "http://[::1]:3128",
        "http://bücher.example:3128",
    ],
)
def test_the_address_of_a_proxy_is_right(proxies: pytest.MonkeyPatch, address: str) -> None:
    proxies.setenv("HTTPS_PROXY", address)
    assert trust.proxy_faults(SERVER) == []


@pytest.mark.parametrize(
    "address",
    [
        "ftp://one.example:3128",
        "http://",
        "://one.example",
        "http://:3128",
        "http://one.example:port",
        "one.example:99999",
        "http://[::1",
        f"http://{'x' * 64}.example:3128",
        "somebody:some#thing@one.example:3128",
    ],
)
def test_what_is_no_address_of_a_proxy_is_faulted_and_not_quoted(proxies: pytest.MonkeyPatch, address: str) -> None:
    proxies.setenv("all_proxy", address)
    assert trust.proxy_faults(SERVER) == [
        (
            "all_proxy: not the address of a proxy that can be used here; give http://host:port, or name the host of "
            "server-url in NO_PROXY"
        )
    ]


def test_the_address_is_the_one_that_requests_takes(proxies: pytest.MonkeyPatch) -> None:
    proxies.setenv("Https_Proxy", ONE)  # a spelling that requests takes, and no variable that we look for
    assert trust.proxy_faults(SERVER) == []


def test_a_proxy_that_does_not_lead_to_the_server_is_not_faulted(proxies: pytest.MonkeyPatch) -> None:
    proxies.setenv("HTTPS_PROXY", "ftp://one.example")
    proxies.setenv("NO_PROXY", "testsigma.example")
    assert trust.proxy_faults(SERVER) == []
