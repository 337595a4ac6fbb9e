"""One request and its reply over HTTP: sent, read, and sorted into what it means (API page, "Errors").

What comes of a request is its reply, an `Answer` that ends it, a `Transient` fault that may be gone at the next try, or
`Refused` where no further try could help. Redirects are never followed, so that the key goes to `server-url` and
nowhere else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

import requests
from requests.auth import AuthBase

from rerun_action import __version__
from rerun_action.errors import Refused
from rerun_action.testsigma import refusals, trust, wire
from rerun_action.testsigma.refusals import Answer
from rerun_action.testsigma.trouble import UNUSABLE, NoConnection, Trouble, no_connection

T = TypeVar("T")

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0
"""How long a reply may pause before the connection counts as broken."""
PIECE_BYTES = 1024 * 1024
"""How much of a reply is read at once."""
_GATEWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)


class Transient(Exception):
    """A fault that may be gone at the next try.

    `untouched`: the platform can't have acted on the request. `gateway`: somebody answered in its place.
    """

    def __init__(self, cause: str, *, retry_after: float = 0.0, untouched: bool = False, gateway: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.retry_after = retry_after
        self.untouched = untouched
        self.gateway = gateway


@dataclass(slots=True)
class Reply:
    """What came back for one request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def take(self) -> bytes:
        """Give the body away, so that a large one is gone once it has been read."""
        body, self.body = self.body, b""
        return body


class _BearerAuth(AuthBase):
    """As an AuthBase, because requests lets a netrc entry replace a plain Authorization header."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def new_session(server_url: str, api_key: str, ca_bundle: str | None) -> requests.Session:
    """Return a session whose connections nobody has used yet."""
    session = requests.Session()
    # plain http is for loopback alone (settings), where no proxy has any business with the key
    session.trust_env = server_url.startswith("https://")
    session.verify = ca_bundle or True
    session.auth = _BearerAuth(api_key)
    session.headers["Accept"] = "application/json"
    session.headers["User-Agent"] = f"testsigma-rerun-action/{__version__}"
    return session


def send(session: requests.Session, method: str, url: str, body: dict[str, Any] | None, limit: float) -> Reply:
    """Send one request and take in its reply; nothing pauses for longer than `limit` seconds."""
    timeouts = (min(CONNECT_SECONDS, limit), min(SILENCE_SECONDS, limit))
    try:
        # streamed, because requests would read it in pieces of 10 kB
        with session.request(method, url, json=body, timeout=timeouts, allow_redirects=False, stream=True) as reply:
            return Reply(reply.status_code, reply.headers, b"".join(reply.iter_content(PIECE_BYTES)))
    except (requests.exceptions.RequestException, *UNUSABLE) as error:
        raise _meaning(no_connection(error), url) from None


_PASSING: Mapping[Trouble, tuple[str, bool]] = {
    Trouble.UNRESOLVED: ("the host name of server-url can't be resolved", True),
    Trouble.REFUSED: ("the connection was refused", True),
    Trouble.NO_ROUTE: ("no connection came about", True),
    Trouble.SILENT: (f"no answer for {SILENCE_SECONDS:.0f} s", False),
    Trouble.CLOSED: ("the connection broke", False),
    Trouble.NOT_TLS: ("the server does not speak TLS at the port of server-url", False),
    Trouble.TLS_BROKE: ("the TLS connection broke", False),
    Trouble.PROXY_UNRESOLVED: ("the proxy named in {proxy} gave no connection", True),
    Trouble.PROXY_UNREACHABLE: ("the proxy named in {proxy} gave no connection", True),
    Trouble.PROXY_REFUSES: ("the proxy named in {proxy} gave no connection", True),
    Trouble.OTHER: ("the request failed ({detail})", False),
}
"""What may be gone at the next try, and whether the request can't have reached the server."""


def _meaning(fault: NoConnection, url: str) -> Transient | Refused:
    """Return what a fault of the connection means for the request."""
    proxy = trust.proxy_variable(url)
    if refusal := refusals.of_connection(fault, proxy):
        return Refused(refusal)
    cause, untouched = _PASSING[fault.trouble]
    return Transient(cause.format(proxy=proxy or "HTTPS_PROXY", detail=fault.detail), untouched=untouched)


def read(reply: Reply, method: str, take: Callable[[Reply], T]) -> T:
    """Return what `take` makes of a good reply; raises Answer or Transient for any other."""
    status = reply.status
    busy = status == HTTPStatus.TOO_MANY_REQUESTS or (
        status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in reply.headers
    )
    # a POST's 500 is a refusal, not a fault that may be gone at the next try
    refusal = method == "POST" and status in (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.NOT_IMPLEMENTED)
    broken = status == HTTPStatus.REQUEST_TIMEOUT or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and not refusal)
    if busy or broken:
        raise Transient(f"HTTP {status}", retry_after=_retry_after(reply), untouched=busy, gateway=status in _GATEWAY)
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise Answer(status, wire.error_text(reply.take()))
    try:
        return take(reply)
    except wire.Garbled as fault:
        raise Transient(f"HTTP {status} with {fault}") from None


def _retry_after(reply: Reply) -> float:
    """Return the seconds that the server asks to wait; a date is compared with the server's own clock."""
    value = reply.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
        return max(0.0, (at - parsedate_to_datetime(reply.headers.get("Date", ""))).total_seconds())
    except (TypeError, ValueError):
        return 0.0
