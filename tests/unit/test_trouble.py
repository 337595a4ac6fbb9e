"""What the libraries raise, and what it is called: as they hand it on, one inside the other."""

import socket
import ssl

import pytest
import requests
from requests import exceptions as requests_errors
from urllib3 import exceptions as urllib3_errors

from rerun_action.testsigma.trouble import Trouble, no_connection


def connection(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(urllib3_errors.MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


def new_connection(cause: OSError) -> requests.ConnectionError:
    error = urllib3_errors.NewConnectionError(None, "Failed to establish a new connection")  # type: ignore[arg-type]
    error.__cause__ = cause
    return connection(error)


def tls(said: str) -> requests_errors.SSLError:
    fault = urllib3_errors.SSLError(ssl.SSLError(1, said))
    return requests_errors.SSLError(urllib3_errors.MaxRetryError(None, "/", fault))  # type: ignore[arg-type]


def proxy(reason: Exception) -> requests_errors.ProxyError:
    inner = urllib3_errors.ProxyError("Unable to connect to proxy", reason)
    return requests_errors.ProxyError(urllib3_errors.MaxRetryError(None, "/", inner))  # type: ignore[arg-type]


def unverified(code: int) -> urllib3_errors.SSLError:
    fault = ssl.SSLCertVerificationError(1, "certificate verify failed")
    fault.verify_code = code  # as OpenSSL has it
    return urllib3_errors.SSLError(fault)


def untrusted(code: int) -> requests_errors.SSLError:
    return requests_errors.SSLError(urllib3_errors.MaxRetryError(None, "/", unverified(code)))  # type: ignore[arg-type]


def read_timeout() -> urllib3_errors.ReadTimeoutError:
    return urllib3_errors.ReadTimeoutError(None, "/", "Read timed out.")  # type: ignore[arg-type]


def while_handling(other: Exception, error: Exception) -> Exception:
    error.__context__ = other
    return error


def a_loop() -> requests.ConnectionError:
    error = requests.ConnectionError("once")
    error.__context__ = again = urllib3_errors.ProtocolError("and again", error)
    again.__context__ = error
    return error


TROUBLES: dict[str, tuple[Exception, Trouble, str]] = {
    "no such host": (new_connection(socket.gaierror(-2, "unknown")), Trouble.UNRESOLVED, "ConnectionError"),
    "no such host, seen while something else was handled": (
        while_handling(KeyError("a pool"), new_connection(socket.gaierror(-2, "unknown"))),
        Trouble.UNRESOLVED,
        "ConnectionError",
    ),
    "refused": (new_connection(ConnectionRefusedError(111, "refused")), Trouble.REFUSED, "ConnectionError"),
    "network unreachable": (new_connection(OSError(101, "unreachable")), Trouble.NO_ROUTE, "ConnectionError"),
    "no route": (
        requests_errors.ConnectTimeout(connection(urllib3_errors.ConnectTimeoutError())),
        Trouble.NO_ROUTE,
        "ConnectTimeout",
    ),
    "read timeout": (requests_errors.ReadTimeout(read_timeout()), Trouble.SILENT, "ReadTimeout"),
    "silence within a reply": (connection(read_timeout()), Trouble.SILENT, "ConnectionError"),
    "closed": (
        requests.ConnectionError(urllib3_errors.ProtocolError("Connection aborted.", ConnectionResetError(104, "x"))),
        Trouble.CLOSED,
        "ConnectionError",
    ),
    # what came after the connection counts: the request may have reached the server
    "closed, and refused before": (
        requests.ConnectionError(urllib3_errors.ProtocolError("aborted", ConnectionRefusedError(111, "refused"))),
        Trouble.CLOSED,
        "ConnectionError",
    ),
    "causes that lead back": (a_loop(), Trouble.CLOSED, "ConnectionError"),
    "not found out": (requests_errors.ContentDecodingError("?"), Trouble.OTHER, "ContentDecodingError"),
    "no TLS, before OpenSSL 3.2": (tls("[SSL: WRONG_VERSION_NUMBER] wrong version number"), Trouble.NOT_TLS, ""),
    "no TLS, since OpenSSL 3.2": (tls("[SSL: RECORD_LAYER_FAILURE] record layer failure"), Trouble.NOT_TLS, ""),
    "plain HTTP": (tls("[SSL: HTTP_REQUEST] http request"), Trouble.NOT_TLS, ""),
    "TLS that breaks": (tls("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred"), Trouble.TLS_BROKE, ""),
    "a bundle that holds none": (tls("[X509: NO_CERTIFICATE_OR_CRL_FOUND]"), Trouble.CA_FILE, ""),
    "a bundle that is not there": (OSError("Could not find a suitable TLS CA bundle"), Trouble.CA_FILE, ""),
    "self-signed": (untrusted(18), Trouble.UNKNOWN_CA, ""),
    "an authority that nobody knows": (untrusted(19), Trouble.UNKNOWN_CA, ""),
    "not yet valid": (untrusted(9), Trouble.EXPIRED, ""),
    "expired": (untrusted(10), Trouble.EXPIRED, ""),
    "another host's": (untrusted(62), Trouble.OTHER_NAME, ""),
    "another address's": (untrusted(64), Trouble.OTHER_NAME, ""),
    "an address of the server that is none": (requests_errors.InvalidURL("?"), Trouble.ADDRESS, ""),
    "a scheme that nobody knows": (requests_errors.InvalidSchema("?"), Trouble.ADDRESS, ""),
    "a host that can't be written": (UnicodeError("label too long"), Trouble.ADDRESS, ""),
    "a host that can't be parsed": (urllib3_errors.LocationParseError("?"), Trouble.ADDRESS, ""),
    "an address without a host": (requests_errors.InvalidProxyURL("?"), Trouble.PROXY_ADDRESS, ""),
    "no such proxy": (proxy(socket.gaierror(-2, "unknown")), Trouble.PROXY_UNRESOLVED, ""),
    "a proxy that refuses": (proxy(ConnectionRefusedError(111, "refused")), Trouble.PROXY_UNREACHABLE, ""),
    "a proxy that wants a password": (
        proxy(OSError("Tunnel connection failed: 407 Proxy Authentication Required")),
        Trouble.PROXY_REFUSES,
        "407",
    ),
    "a proxy that has no way": (proxy(OSError("Tunnel connection failed: 502 Bad G")), Trouble.PROXY_REFUSES, "502"),
    "no TLS at the proxy": (
        proxy(urllib3_errors.SSLError(ssl.SSLError("WRONG_VERSION_NUMBER"))),
        Trouble.PROXY_NOT_TLS,
        "",
    ),
    "a proxy whose authority nobody knows": (proxy(unverified(19)), Trouble.PROXY_UNKNOWN_CA, ""),
    "a proxy with another's certificate": (proxy(unverified(64)), Trouble.PROXY_OTHER_NAME, ""),
    "a proxy whose certificate has expired": (proxy(unverified(10)), Trouble.PROXY_EXPIRED, ""),
    "TLS that breaks at the proxy": (
        proxy(urllib3_errors.SSLError(ssl.SSLError("EOF occurred"))),
        Trouble.PROXY_UNREACHABLE,
        "",
    ),
}


@pytest.mark.parametrize("what", TROUBLES)
def test_a_trouble(what: str) -> None:
    error, trouble, detail = TROUBLES[what]
    fault = no_connection(error)
    assert (fault.trouble, fault.detail, fault.message) == (trouble, detail, f"no connection: {trouble.name}")


def test_every_trouble_has_its_row() -> None:
    assert {trouble for _, trouble, _ in TROUBLES.values()} == {*Trouble}
