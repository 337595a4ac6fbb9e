"""Testsigma's HTTP: authorisation, retries by verb, one trigger at most, the stop (API page, "Calls" and "Errors").

A GET is repeated until it has an answer or the time is over. A POST is sent once. A stop names its run and may be
repeated. Redirects are never followed, so that the key goes to `server-url` and nowhere else.
"""

import json
import os
import random
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import requests
from requests.auth import AuthBase
from urllib3 import exceptions as urllib3_errors

from rerun_action import __version__
from rerun_action.core.model import FreshRun, Listing, RerunRequest, Run, StopReply, StopRoute
from rerun_action.core.pace import pauses
from rerun_action.errors import ActionError, Contradiction, DeadlinePassed, NotFound, Refused, Unclear, Unreachable
from rerun_action.testsigma import trust, wire

T = TypeVar("T")

PATH = "/api/v1/execution_results"
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0
"""How long a reply may pause before the connection counts as broken."""
REPLY_SECONDS = 120.0
"""How long a whole reply may take, however steadily it drips."""
STOP_SECONDS = 10.0
"""The same for a stop, which is better sent again than waited for."""
PIECE_BYTES = 1024 * 1024
"""How much of a reply is read at once."""
MAX_QUOTE = 300
"""How much of a refusal is quoted."""
_GATEWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
RETRY_CAP_SECONDS = 30.0
LINGER_SECONDS = 0.7
"""How long a trigger's answer is still waited for after a signal, so that the run it names can be stopped."""
UNANSWERED_SECONDS = 5.0
"""A request that has waited this long when the deadline comes counts as failed."""


class Time(Protocol):
    """The clock, the sleep and the guarded call that the client is given. All times are seconds."""

    def now(self) -> float: ...  # noqa: D102
    def sleep(self, seconds: float) -> None: ...  # noqa: D102
    def call(  # noqa: D102
        self, work: Callable[[], T], limit: float, linger: float = 0.0, left: Callable[[], None] | None = None
    ) -> T: ...


class _Transient(Exception):
    """A fault that may be gone at the next try.

    `untouched`: the platform can't have acted on the request. `gateway`: somebody answered in its place.
    """

    def __init__(self, cause: str, *, retry_after: float = 0.0, untouched: bool = False, gateway: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.retry_after = retry_after
        self.untouched = untouched
        self.gateway = gateway


class _Answer(Exception):
    """A reply with a status that ends it: 3xx and 4xx, and 500 where it is a refusal."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text


class _BearerAuth(AuthBase):
    """As an AuthBase, because requests lets a netrc entry replace a plain Authorization header."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


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


class Client:
    """The platform as the story sees it. Every `until` is a time on the given clock."""

    def __init__(
        self,
        server_url: str,
        api_key: str,
        time: Time,
        *,
        warn: Callable[[str], None],
        debug: Callable[[str], None],
        ca_bundle: str | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._server_url = server_url
        self._verify = ca_bundle or True
        self._auth = _BearerAuth(api_key)
        self._key = api_key
        self._time = time
        self._warn = warn
        self._debug = debug
        self._jitter = jitter
        self._answered = False
        """Whether the last request that came to an end was answered."""
        self._session = self._new_session()

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        # plain http is for loopback alone (settings), where no proxy has any business with the key
        session.trust_env = self._server_url.startswith("https://")
        session.verify = self._verify
        session.auth = self._auth
        session.headers["Accept"] = "application/json"
        session.headers["User-Agent"] = f"testsigma-rerun-action/{__version__}"
        return session

    # --- the calls ------------------------------------------------------------------------------------------------

    def run(self, run_id: int, until: float) -> Run:
        """Look at a run (API page, call 3)."""
        run = self._get(f"/{run_id}", until, wire.run_of)
        if run.id != run_id:
            raise Contradiction(f"asked for run {run_id}, the platform answered with run {run.id}")
        return run

    def listing(self, run_id: int, until: float) -> Listing:
        """List the test case results of a run, all pages of it (API page, call 1)."""
        path = f"/{run_id}/test_case_results"
        page = self._get(path, until, wire.page_of)
        if not page.paged:
            return page.listing(run_id)
        first, cases, words = page, list(page.cases), set(page.unknown_words)
        seen = {case.result_id for case in cases}
        number = 0
        while _another_page(page, number, len(cases)):
            number += 1
            page = self._get(f"{path}?page={number}&size={max(len(first.cases), 1)}", until, wire.page_of)
            ids = {case.result_id for case in page.cases}
            if ids & seen or page.number not in (None, number):
                raise Contradiction(f"page {number} of the results of run {run_id} repeats what another page held")
            seen |= ids
            cases += page.cases
            words |= page.unknown_words
        if (first.pages or 0) > number + 1 or (first.elements or 0) > len(cases):
            raise Contradiction(
                f"the results of run {run_id} ended after page {number + 1} with {len(cases)} cases, but "
                f"{first.pages or 'more'} pages with {first.elements or 'more'} cases were announced"
            )
        return Listing(run_id, first.plan_id, tuple(cases), frozenset(words), first.run_id)

    def preview(self, plan_id: int, parent_id: int, request: RerunRequest) -> str:
        """Return the body that `trigger` would send."""
        return json.dumps(wire.rerun_body(plan_id, parent_id, request))

    def trigger(self, plan_id: int, parent_id: int, request: RerunRequest, until: float) -> Run:
        """Trigger a rerun (API page, call 2). It reaches the platform once at most.

        Raises Refused if the platform said no, Unclear if it may or may not have started a run.
        """
        return self._post("rerun", wire.rerun_body(plan_id, parent_id, request), until)

    def start(self, fresh: FreshRun, until: float) -> Run:
        """Start a fresh run of a plan (API page, call 2, last line), at most once; it raises what `trigger` does."""
        return self._post("run", wire.fresh_body(fresh), until)

    def _post(self, what: str, body: dict[str, Any], until: float) -> Run:
        """Send a POST, and send it again only where the platform can't have acted on it."""

        def send() -> Run:
            self._session = self._new_session()  # a kept connection may just be closing, and a cut POST is unclear
            limit = min(REPLY_SECONDS, until - self._time.now())
            if limit <= 0:
                raise DeadlinePassed(f"the deadline passed before the {what} was triggered")
            try:
                return self._attempt("POST", "", limit, _json(wire.run_of), body=body, linger=LINGER_SECONDS)
            except _Transient as fault:
                if fault.untouched:
                    raise
                raise Unclear(_unclear(what, fault.cause), gateway=fault.gateway) from None
            except TimeoutError:
                raise Unclear(_unclear(what, f"no answer within {limit:.0f} s")) from None
            except Contradiction as error:
                raise Unclear(_unclear(what, error.message)) from None

        try:
            return self._persist(send, until, f"the {what} was not triggered")
        except _Answer as answer:
            raise Refused(_trigger_refused(what, answer)) from None

    def stop(self, run_id: int, until: float, sent: Callable[[], None]) -> StopReply:
        """Stop one run, never all (API page, call 4). `sent` is called when the first request has left."""
        for pause in pauses(RETRY_CAP_SECONDS):
            try:
                return StopReply(StopRoute.RUN, *self._put_stop(f"/{run_id}", until, sent))
            except _Answer as answer:
                if answer.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
                    return StopReply(StopRoute.RUN, answer.status, refusal=_explain(answer))
                refused = answer
            except Unreachable as error:
                return StopReply(StopRoute.RUN, None, refusal=error.message)
            try:
                if self.run(run_id, until).finished:
                    return StopReply(StopRoute.RUN, refused.status)
                break
            except NotFound:  # it may have been started a moment ago
                if self._time.now() + pause >= until:
                    return StopReply(StopRoute.RUN, refused.status, refusal=_explain(refused))
                self._time.sleep(pause)
        try:
            return StopReply(StopRoute.COLLECTION, *self._put_stop("", until, sent))
        except _Answer as answer:
            return StopReply(StopRoute.COLLECTION, answer.status, refusal=_explain(answer))
        except Unreachable as error:
            return StopReply(StopRoute.COLLECTION, None, refusal=error.message)

    def _put_stop(self, path: str, until: float, sent: Callable[[], None]) -> tuple[int, int | None]:
        def send() -> tuple[int, int | None]:
            limit = min(STOP_SECONDS, until - self._time.now())
            return self._attempt("PUT", path, limit, _read_stop, body=wire.STOP_BODY, left=sent)

        return self._persist(send, until)

    # --- the line -------------------------------------------------------------------------------------------------

    def _get(self, path: str, until: float, read: Callable[[Any], T]) -> T:
        def send() -> T:
            return self._attempt("GET", path, min(REPLY_SECONDS, until - self._time.now()), _json(read))

        try:
            return self._persist(send, until)
        except _Answer as answer:
            if answer.status == HTTPStatus.NOT_FOUND:
                raise NotFound(f"run {path.split('/')[1]} is not known to the platform (404).{_said(answer)}") from None
            raise Refused(_explain(answer)) from None

    def _persist(self, send: Callable[[], T], until: float, failing: str = "") -> T:
        """Repeat `send` until it is answered or the time is over; one line when an outage starts and when it ends."""
        began: float | None = None
        for pause in pauses(RETRY_CAP_SECONDS):
            asked_at = self._time.now()
            try:
                answer = send()
            except _Transient as fault:
                cause, retry_after = fault.cause, fault.retry_after
            except TimeoutError:
                waited = self._time.now() - asked_at
                if self._time.now() >= until and self._answered and waited < UNANSWERED_SECONDS:
                    raise DeadlinePassed("the deadline passed") from None
                cause, retry_after = f"no complete answer within {waited:.0f} s", 0.0
            else:
                self._answered = True
                if began is not None:
                    self._warn(f"the platform answers again after {self._time.now() - began:.0f} s")
                return answer
            self._answered = False
            if began is None:
                began = asked_at
                self._warn(
                    f"the platform does not answer: {cause}; trying again until the deadline (timeout-minutes); "
                    "if this goes on, check server-url"
                )
            # jitter, so that the jobs of a whole pipeline do not come back at the same moment
            wanted = max(pause * (1 - self._jitter() / 2), retry_after)
            self._time.sleep(max(0.0, min(wanted, until - self._time.now())))
            if self._time.now() >= until:
                prefix = f"{failing}: " if failing else ""
                raise Unreachable(f"{prefix}{self._server_url} could not be reached until the deadline: {cause}")
        raise AssertionError("pauses never end")

    def _attempt(
        self,
        method: str,
        path: str,
        limit: float,
        read: Callable[[Reply], T],
        *,
        body: dict[str, Any] | None = None,
        linger: float = 0.0,
        left: Callable[[], None] | None = None,
    ) -> T:
        """Send one request and read its reply, in a thread that a signal or the limit leaves behind."""
        if limit <= 0:
            raise TimeoutError
        session = self._session
        url = f"{self._server_url}{PATH}{path}"
        started = self._time.now()

        def work() -> T:
            reply = _send(session, method, url, body, limit)
            self._debug(f"{method} {PATH}{path} -> {reply.status}, {len(reply.body)} bytes")
            return _read(reply, method, read)

        try:
            return self._time.call(work, limit, linger, left)
        except _Answer as answer:
            # first the key, then the length: a cut key is a key that nobody recognises
            answer.text = answer.text.replace(self._key, "***")[:MAX_QUOTE]
            raise
        except _Transient as fault:
            self._debug(f"{method} {PATH}{path} failed after {self._time.now() - started:.1f} s: {fault.cause}")
            raise
        except (ActionError, TimeoutError):
            self._session = self._new_session()  # the old one may still be busy in its thread
            raise


def _send(session: requests.Session, method: str, url: str, body: dict[str, Any] | None, limit: float) -> Reply:
    timeouts = (min(CONNECT_SECONDS, limit), min(SILENCE_SECONDS, limit))
    try:
        # streamed, because requests would read it in pieces of 10 kB
        with session.request(method, url, json=body, timeout=timeouts, allow_redirects=False, stream=True) as reply:
            return Reply(reply.status_code, reply.headers, b"".join(reply.iter_content(PIECE_BYTES)))
    except requests.exceptions.ProxyError as error:
        proxy = trust.proxy_variable(url) or "HTTPS_PROXY"
        if fault := _unverified(error):
            raise Refused(_not_trusted(f"{proxy}: the proxy's certificate", fault)) from None
        refused = re.search(r"Tunnel connection failed: (4\d\d)", str(error))
        if refused is None:
            raise _Transient(f"the proxy named in {proxy} gave no connection", untouched=True) from None
        raise Refused(_proxy_refused(proxy, int(refused[1]))) from None
    except requests.exceptions.SSLError as error:
        if fault := _unverified(error):
            raise Refused(_not_trusted("server-url: the server's certificate", fault)) from None
        raise _Transient("the TLS connection broke") from None
    except (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        urllib3_errors.LocationValueError,
        UnicodeError,
    ):
        name = trust.proxy_variable(url)
        raise Refused(
            trust.proxy_unusable(name) if name else "server-url: not an address that can be used here"
        ) from None
    except requests.exceptions.RequestException as error:
        # requests puts header values into some of its messages, so none of its words reach the user
        cause, untouched = _cause(error)
        raise _Transient(cause, untouched=untouched) from None


def _unverified(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Return the certificate fault that an error stems from, if it does."""
    links: list[object] = [error]
    for link in links:  # urllib3 keeps what it wraps in one of these three places
        if isinstance(link, ssl.SSLCertVerificationError):
            return link
        if isinstance(link, BaseException):
            links += [*link.args, getattr(link, "reason", None), link.__cause__]
    return None


def _not_trusted(what: str, fault: ssl.SSLCertVerificationError) -> str:
    """Say why a certificate is not taken, by the verify codes of OpenSSL (x509_vfy.h)."""
    if fault.verify_code in (9, 10):
        return f"{what} (or one that vouches for it) has expired or is not valid yet; check it and this machine's clock"
    if fault.verify_code in (62, 64):
        return f"{what} is for another host; check the address"
    if bundle := trust.variable(os.environ):
        return f"{what} is not trusted: no authority in {bundle}'s bundle vouches for it; add your company's CA to it"
    return (
        f"{what} is not trusted here; if your company uses a CA of its own, name its bundle (a PEM file) in "
        "REQUESTS_CA_BUNDLE"
    )


def _cause(error: requests.exceptions.RequestException) -> tuple[str, bool]:
    """Return what happened in our own words, and whether the request can't have reached the server."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    known: tuple[tuple[type[BaseException], str, bool], ...] = (
        (urllib3_errors.NameResolutionError, "the host name of server-url can't be resolved", True),
        (urllib3_errors.NewConnectionError, "the connection was refused", True),
        (urllib3_errors.ConnectTimeoutError, f"no connection within {CONNECT_SECONDS:.0f} s", True),
        (urllib3_errors.ReadTimeoutError, f"no answer for {SILENCE_SECONDS:.0f} s", False),
        (urllib3_errors.ProtocolError, "the connection broke", False),
    )
    for kind, cause, untouched in known:
        if isinstance(reason, kind):
            return cause, untouched
    return f"the request failed ({type(error).__name__})", False


def _read(reply: Reply, method: str, read: Callable[[Reply], T]) -> T:
    status = reply.status
    busy = status == HTTPStatus.TOO_MANY_REQUESTS or (
        status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in reply.headers
    )
    # a POST's 500 is a refusal, not a fault that may be gone at the next try (API page, "Errors")
    refusal = method == "POST" and status in (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.NOT_IMPLEMENTED)
    broken = status == HTTPStatus.REQUEST_TIMEOUT or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and not refusal)
    if busy or broken:
        raise _Transient(f"HTTP {status}", retry_after=_retry_after(reply), untouched=busy, gateway=status in _GATEWAY)
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise _Answer(status, wire.error_text(reply.take()))
    try:
        return read(reply)
    except wire.Garbled as fault:
        raise _Transient(f"HTTP {status} with {fault}") from None


def _json(read: Callable[[Any], T]) -> Callable[[Reply], T]:
    return lambda reply: read(wire.parse(reply.take()))


def _read_stop(reply: Reply) -> tuple[int, int | None]:
    """A stop that was accepted is not sent again because its reply can't be read: the run itself will tell."""
    try:
        return reply.status, wire.run_of(wire.parse(reply.take())).id
    except (wire.Garbled, Contradiction):
        return reply.status, None


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


def _another_page(page: wire.Page, number: int, listed: int) -> bool:
    """Return whether to ask for one more page: `last` alone is not trusted, an empty page ends it all."""
    if not page.cases:
        return False
    if page.pages is not None:
        return number + 1 < page.pages
    return page.elements is None or listed < page.elements


def _said(answer: _Answer) -> str:
    return f' It said: "{answer.text}".' if answer.text else ""


def _explain(answer: _Answer) -> str:
    said = _said(answer)
    status = answer.status
    if status == HTTPStatus.UNAUTHORIZED:
        return f"api-key: the platform does not accept the key (401).{said} Check that it is complete and not revoked."
    if status == HTTPStatus.FORBIDDEN:
        return f"api-key: the key may not do this (403).{said} Use a key of a user who can run the test plan."
    if status < HTTPStatus.BAD_REQUEST:
        return (
            f"server-url: the server redirects elsewhere ({status}); redirects are not followed, because the key is "
            "for this host alone. Give the address that it redirects to, if you trust it."
        )
    return f"the platform refused the request ({status}).{said}"


def _proxy_refused(name: str, status: int) -> str:
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return f"{name}: the proxy wants a user name and password (407); give http://user:password@host:port"
    return (
        f"{name}: the proxy refuses to connect to server-url ({status}); have the host allowed there, or name it in "
        "NO_PROXY"
    )


def _trigger_refused(what: str, answer: _Answer) -> str:
    if "currently running" in answer.text.lower():
        return (
            f'the test plan is busy: "{answer.text}". Testsigma allows one live run per plan: let the other run end, '
            "or keep jobs of the same plan from running side by side (`concurrency:` on GitHub)."
        )
    return f"the {what} was not triggered: {_explain(answer)}"


def _unclear(what: str, cause: str) -> str:
    return f"the {what} was triggered, but whether the platform took it is not clear: {cause}"
