"""Why there is no connection: what the libraries raise, sorted by what a user can do about it."""

import enum
import re
import socket
import ssl
from collections.abc import Iterator

import requests
from urllib3 import exceptions as urllib3_errors

from rerun_action.errors import ActionError


class Trouble(enum.Enum):
    """What is in the way between here and the server, or the proxy."""

    UNRESOLVED = enum.auto()
    REFUSED = enum.auto()
    NO_ROUTE = enum.auto()
    SILENT = enum.auto()
    CLOSED = enum.auto()
    NOT_TLS = enum.auto()
    TLS_BROKE = enum.auto()
    UNKNOWN_CA = enum.auto()
    OTHER_NAME = enum.auto()
    EXPIRED = enum.auto()
    CA_FILE = enum.auto()
    ADDRESS = enum.auto()
    PROXY_UNRESOLVED = enum.auto()
    PROXY_UNREACHABLE = enum.auto()
    PROXY_REFUSES = enum.auto()
    PROXY_NOT_TLS = enum.auto()
    PROXY_UNKNOWN_CA = enum.auto()
    PROXY_OTHER_NAME = enum.auto()
    PROXY_EXPIRED = enum.auto()
    PROXY_ADDRESS = enum.auto()
    OTHER = enum.auto()


class NoConnection(ActionError):
    """There was no answer, because of the way there. `detail` is a proxy's HTTP status, or a class name."""

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(f"no connection: {trouble.name}")
        self.trouble = trouble
        self.detail = detail


_EXPIRED_CODES = frozenset({9, 10})
_OTHER_NAME_CODES = frozenset({62, 63, 64})
"""OpenSSL's X509_V_ERR_…: not yet valid, expired; host name, mail and IP address mismatch."""


UNUSABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    urllib3_errors.LocationValueError,
    UnicodeError,
)
"""What the libraries raise of an address that they can't make sense of, the server's or the proxy's."""


def no_connection(error: Exception) -> NoConnection:
    """Sort what `requests` raised; its own words are not passed on, they may quote a header."""
    causes = list(_causes(error))
    if isinstance(error, requests.exceptions.InvalidProxyURL):
        return NoConnection(Trouble.PROXY_ADDRESS)
    if isinstance(error, UNUSABLE):
        return NoConnection(Trouble.ADDRESS)
    if isinstance(error, requests.exceptions.ProxyError):
        return _proxy(causes)
    if not isinstance(error, requests.exceptions.RequestException):  # requests says so of a bundle that is not there
        return NoConnection(Trouble.CA_FILE)
    if isinstance(error, requests.exceptions.SSLError):
        return NoConnection(_tls(causes))
    # those first that come after the connection: by then the request may have reached the server
    known: tuple[tuple[type[BaseException], Trouble], ...] = (
        (urllib3_errors.ReadTimeoutError, Trouble.SILENT),
        (urllib3_errors.ProtocolError, Trouble.CLOSED),
        (socket.gaierror, Trouble.UNRESOLVED),
        (ConnectionRefusedError, Trouble.REFUSED),
        (urllib3_errors.ConnectTimeoutError, Trouble.NO_ROUTE),
    )
    found = (trouble for kind, trouble in known if any(isinstance(cause, kind) for cause in causes))
    return NoConnection(next(found, Trouble.OTHER), type(error).__name__)


def _proxy(causes: list[BaseException]) -> NoConnection:
    for cause in causes:
        if refused := re.search(r"Tunnel connection failed: ([0-9]{3})", str(cause)):
            return NoConnection(Trouble.PROXY_REFUSES, refused[1])
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return NoConnection(Trouble.PROXY_UNRESOLVED)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return NoConnection(_AT_PROXY.get(_tls(causes), Trouble.PROXY_UNREACHABLE))
    return NoConnection(Trouble.PROXY_UNREACHABLE)


_AT_PROXY = {
    Trouble.NOT_TLS: Trouble.PROXY_NOT_TLS,
    Trouble.UNKNOWN_CA: Trouble.PROXY_UNKNOWN_CA,
    Trouble.OTHER_NAME: Trouble.PROXY_OTHER_NAME,
    Trouble.EXPIRED: Trouble.PROXY_EXPIRED,
}


def _tls(causes: list[BaseException]) -> Trouble:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            if cause.verify_code in _EXPIRED_CODES:
                return Trouble.EXPIRED
            return Trouble.OTHER_NAME if cause.verify_code in _OTHER_NAME_CODES else Trouble.UNKNOWN_CA
    said = " ".join(map(str, causes))
    if "NO_CERTIFICATE_OR_CRL_FOUND" in said:
        return Trouble.CA_FILE
    # what OpenSSL makes of a plain HTTP answer, by its version
    if "WRONG_VERSION_NUMBER" in said or "RECORD_LAYER_FAILURE" in said or "HTTP_REQUEST" in said:
        return Trouble.NOT_TLS
    return Trouble.TLS_BROKE


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it was raised from, however the libraries hand it on."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [getattr(cause, "reason", None), cause.__cause__, cause.__context__, *cause.args]
