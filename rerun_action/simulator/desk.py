"""What becomes of a request, whatever it came over: the call that it is, the key, the faults, the right answer."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qs, urlsplit

from rerun_action.simulator.faults import HTML_PAGE, Faults, patched
from rerun_action.simulator.platform import Platform, Request
from rerun_action.simulator.replies import Refusal
from rerun_action.simulator.scenario import Mishap, Patch, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from rerun_action.simulator.replay import Replay
    from rerun_action.simulator.replies import Json
    from rerun_action.simulator.scenario import Call

# Nothing is longer than this, and int() refuses some thousands of digits with an error of its own.
NUMBER = "[0-9]{1,18}"
_ROUTE = re.compile(rf"/api/v1/execution_results(?:/(?P<run>{NUMBER})(?P<results>/test_case_results)?)?")
_NOT_JSON = object()
_NO_REPLY = Reply(200)

Taken: TypeAlias = tuple[Reply | Mishap, Reply]
"""What to send, and the right answer, of which a mishap may send a part."""


class Desk:
    """Takes the requests to one platform, or for a replay. Thread-safe."""

    def __init__(self, platform: Platform, clock: Callable[[], float], replay: Replay | None = None) -> None:
        self._platform = platform
        self._faults = Faults(platform.scenario.faults, clock)
        self._replay = replay

    def take(self, method: str, path: str, authorization: str | None, raw: bytes) -> Taken:
        """Carry out a request as far as the key and the faults allow; `path` has the query in it."""
        body = _parse(raw)
        journal_body = raw.decode("utf-8", "replace") if body is _NOT_JSON else body
        self._platform.record(Request(method, path, journal_body))
        if self._replay is not None:
            right = self._replay.answer(method, path)
            return right, right

        route = _ROUTE.fullmatch(urlsplit(path).path)
        call = None if route is None else _call_at(method, route)
        run = None if route is None or route["run"] is None else int(route["run"])
        has_key = authorization == f"Bearer {self._platform.scenario.api_key}"
        fault = self._faults.due(call, run, has_key=has_key)
        if fault is None and not has_key:
            return Reply(401, body="Unauthorized: the API key is missing or not valid"), _NO_REPLY
        right = _NO_REPLY
        if fault is None or fault.is_processed:
            right = self._carry_out(method, path, call, run, body)
        match None if fault is None else fault.answer:
            case None:
                return right, right
            case Patch() as patch:
                return patched(right, patch), right
            case "html":
                return HTML_PAGE, right
            case answer:
                return answer, right

    def _carry_out(self, method: str, path: str, call: Call | None, run: int | None, body: object) -> Reply:
        """Let the platform do what is asked; its refusal is a right answer, too."""
        try:
            return Reply(200, body=self._call(method, path, call, run, body))
        except Refusal as refusal:
            return Reply(refusal.status, body=refusal.body)

    def _call(self, method: str, path: str, call: Call | None, run: int | None, body: object) -> Json:
        address = urlsplit(path)
        match call:
            case "listing" if run is not None:
                return self._platform.list_results(run, *_page(address.query))
            case "run" if run is not None:
                return self._platform.get_run(run)
            case "trigger":
                return self._platform.trigger(_given(body))
            case "stop":
                return self._platform.stop(_given(body), run)
        if _ROUTE.fullmatch(address.path) is None:
            raise Refusal(404, f"No resource at {address.path}")
        raise Refusal(405, f"Request method '{method}' is not supported here")


def payload_of(reply: Reply) -> bytes:
    """Return the body of a reply as it is sent."""
    # Half a surrogate pair is legal in a scenario: a way to say a body that is not UTF-8.
    return (reply.body if isinstance(reply.body, str) else json.dumps(reply.body)).encode("utf-8", "surrogatepass")


def _call_at(method: str, route: re.Match[str]) -> Call | None:
    """Find the call that belongs to method and path."""
    match method:
        case "GET" if route["results"]:
            return "listing"
        case "GET" if route["run"]:
            return "run"
        case "POST" if not route["run"]:
            return "trigger"
        case "PUT" if not route["results"]:
            return "stop"
    return None


def _parse(raw: bytes) -> object:
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        return _NOT_JSON


def _given(body: object) -> object:
    if body is _NOT_JSON:
        raise Refusal(400, "The body is not JSON")
    return body


def _page(query: str) -> tuple[int, int | None]:
    """Read `page` and `size`; both may be left out."""
    given = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    page, size = given.get("page", "0"), given.get("size", "1")
    if not (re.fullmatch(NUMBER, page) and re.fullmatch(NUMBER, size) and int(size)):
        raise Refusal(400, "page must be 0 or more, size 1 or more")
    return int(page), int(size) if "size" in given else None
