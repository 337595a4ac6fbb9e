"""Looking only: a client whose line lets nothing but GET through, counts what it sends, and keeps what came back.

It is the action's own client otherwise: the same key, proxy, certificates and retries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy

from rerun_action.testsigma.client import PATH, Client, Time
from rerun_action.testsigma.journal import Exchange, Journal
from rerun_action.testsigma.trouble import no_connection


@dataclass(frozen=True, slots=True)
class Route:
    """How requests get to the server."""

    proxy: str | None
    """Its address as it was given, which may hold a password."""
    ca: str | None
    """The bundle of certificates, None for the built-in one."""


class Look(Client):
    """The platform, to look at. `clock` gives the time of day, in UTC."""

    def __init__(
        self,
        server_url: str,
        api_key: str,
        time: Time,
        journal: Journal,
        *,
        debug: Callable[[str], None],
        ca_bundle: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.journal = journal
        self._clock = clock
        super().__init__(server_url, api_key, time, warn=debug, debug=debug, ca_bundle=ca_bundle)

    def _new_session(self) -> requests.Session:
        session = super()._new_session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, _Window(self.journal, self._clock))
        return session

    def route(self) -> Route:
        """Return the way that requests take; nothing is sent."""
        settings: Any = self._session.merge_environment_settings(self._server_url, {}, None, None, None)
        verify = settings["verify"]
        return Route(select_proxy(self._server_url, settings["proxies"]), verify if isinstance(verify, str) else None)

    def second_page(self, run_id: int, until: float) -> object:
        """Ask for page 1 (pages are counted from 0) of a listing that may have no pages; return the JSON."""
        return self._get(f"{listing_path(run_id)[len(PATH) :]}?page=1", until, lambda body: body)


def run_path(run_id: int) -> str:
    """Return the path of the look at a run."""
    return f"{PATH}/{run_id}"


def listing_path(run_id: int) -> str:
    """Return the path of a run's list of results."""
    return f"{PATH}/{run_id}/test_case_results"


class _Window(HTTPAdapter):
    """The transport: what isn't a GET does not leave."""

    def __init__(self, journal: Journal, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._journal = journal
        self._clock = clock

    def send(  # noqa: PLR0917 - the signature is that of requests
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if request.method != "GET":
            raise AssertionError(f"a {request.method} request was about to be sent by a client that only looks")
        path = request.path_url
        self._journal.ask(path)
        try:
            reply = super().send(request, stream, timeout, verify, cert, proxies)
            body = reply.content
        except OSError as error:  # which requests' own errors are, too
            if self._journal.exchanges:
                raise  # it worked before, so it may work again: the client's retries are for that
            raise no_connection(error) from None
        skew = self._skew(reply.headers.get("Date", ""))
        content_type = reply.headers.get("Content-Type", "")
        self._journal.exchanges.append(Exchange(path, reply.status_code, content_type, skew, body))
        return reply

    def _skew(self, date: str) -> float | None:
        try:
            return (parsedate_to_datetime(date) - self._clock()).total_seconds()
        except (TypeError, ValueError):
            return None
