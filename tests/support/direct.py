"""The real client and story against the simulator without sockets and threads: thousands of histories in a minute.

Everything above the transport is the real thing; the transport hands each request to the simulator's desk and does to
its answer what a server's mishap would.
"""

import io
import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from http.client import IncompleteRead, RemoteDisconnected
from itertools import cycle
from json import dumps, loads
from typing import Any, Literal, TypeVar, cast

import requests
from requests import exceptions
from requests.structures import CaseInsensitiveDict
from urllib3 import exceptions as urllib3_errors

from rerun_action.core.model import FreshRun, Policy, Report
from rerun_action.errors import Cancelled, EndAtOnce
from rerun_action.hosts.console import Console
from rerun_action.reports import json_report
from rerun_action.simulator import Mishap, Platform, Refusal, Reply, Scenario, Simulator
from rerun_action.simulator.desk import Desk, payload_of
from rerun_action.testsigma.client import PATH, Client
from tests.support.scenarios import KEY
from tests.support.virtual import Event, Signal, VirtualTime, outcome_of, tell

T = TypeVar("T")

SERVER = "http://127.0.0.1:9"
DRIP_SECONDS = 0.05
"""Between two bytes of a reply that drips, as in the simulator's server."""

Deed = Literal["stop", "rerun", "fresh"]


@dataclass(frozen=True)
class World:
    """A platform, somebody's inputs, and what happens at which moment (virtual seconds since the start)."""

    scenario: Scenario
    policy: Policy
    execution: int | FreshRun
    test_plan_id: int | None = None
    signals: tuple[Signal, ...] = ()
    others: tuple[tuple[float, Deed], ...] = ()
    """What other people do: stop the newest live run of the plan, rerun its last run's failures, start a fresh one."""
    latencies: tuple[float, ...] = (0.0,)
    """How long the answers take, in turn. The platform has acted by then."""
    late: float | None = None
    """After so many seconds the first trigger that got lost on its way arrives all the same."""


Fate = Literal["right", "wrong", "refused", "busy", "gateway", "trouble"]
"""What a request came to, as the API page sorts answers ("Errors"); `wrong` is a 200 that is not the platform's own."""


@dataclass(eq=False, repr=False)
class Sent:
    """A request as it reached the platform, and what became of it."""

    at: float
    method: str
    path: str
    """Below the API's path, with the query."""
    body: Any
    right: Reply
    """The platform's own answer, if it carried the request out."""
    answer: Reply | Mishap
    """What was sent in its place, or this very answer."""
    started: int | None = None
    """The run that it started."""
    is_late: bool = False
    """Whether it got lost on its way, and arrived when the program had given it up."""
    ended_at: float = math.inf
    """When the program had its answer, or waited for it no longer."""
    is_heard: bool = False
    """Whether the program took in what came, be it a broken connection, and had not given it up by then."""

    def __repr__(self) -> str:
        return f"<{self.method} {PATH}{self.path} at {self.at:.1f} s: {self.status or self.fate}>"

    @property
    def run(self) -> int | None:
        number = self.path.lstrip("/").partition("/")[0].partition("?")[0]
        return int(number) if number.isdigit() else None

    @property
    def is_listing(self) -> bool:
        return self.method == "GET" and "/test_case_results" in self.path

    @property
    def is_look(self) -> bool:
        return self.method == "GET" and not self.is_listing

    @property
    def is_rerun(self) -> bool:
        return self.method == "POST" and "isReRun" in self.body

    @property
    def intact(self) -> bool:
        """Whether the platform carried it out, and its own answer came back in time, a refusal included."""
        return self.is_heard and self.answer is self.right

    @property
    def fate(self) -> Fate:
        """What it came to for the program."""
        return self.meaning if self.is_heard else "trouble"

    @property
    def meaning(self) -> Fate:
        """The fate, if it is heard."""
        if not isinstance(self.answer, Reply):
            return "trouble"
        match self.answer.status:
            case 200 if self.answer is self.right:
                return "right"
            case 200:
                return "wrong" if self.method == "PUT" or _is_json(self.answer) else "trouble"
            case 429:
                return "busy"
            case 503 if "Retry-After" in self.answer.headers:
                return "busy"
            case 502 | 503 | 504:
                return "gateway"
            case 500 if self.method == "POST":
                return "refused"
            case status:
                return "trouble" if status == 408 or status >= 500 else "refused"

    @property
    def status(self) -> int | None:
        """The HTTP status that came, if one came."""
        return self.answer.status if self.is_heard and isinstance(self.answer, Reply) else None

    @property
    def may_still_arrive(self) -> bool:
        """Whether it is a trigger that did not reach the platform, and was not sent back either."""
        is_lost = self.method == "POST" and self.started is None and self.right.status == 200
        return is_lost and self.meaning in ("wrong", "gateway", "trouble")

    @property
    def retry_after(self) -> float:
        """The seconds after which it may be sent again, if its answer says so."""
        return float(self.answer.headers.get("Retry-After", 0)) if isinstance(self.answer, Reply) else 0.0


def _is_json(reply: Reply) -> bool:
    try:
        loads(payload_of(reply))
    except ValueError:
        return False
    return True


class DirectTime(VirtualTime):
    """Calls are made where they stand; the line says how long they take."""

    took = 0.0
    limit = 0.0

    def __init__(self, *moments: Signal | Event) -> None:
        super().__init__(*moments)
        self.out: list[Sent] = []
        """The request of this call, once it has left."""

    def attempt(self, work: Callable[[], T], limit: float) -> tuple[Callable[[], T], float]:
        self.took, self.limit = 0.0, limit
        outcome = outcome_of(work)
        return outcome, self.took

    def call(
        self, work: Callable[[], T], limit: float, linger: float = 0.0, left: Callable[[], None] | None = None
    ) -> T:
        self.out, is_heard = [], True
        try:
            return super().call(work, limit, linger, left)
        except (Cancelled, EndAtOnce, TimeoutError):
            is_heard = False
            raise
        finally:
            for sent in self.out:
                sent.ended_at, sent.is_heard = self.at, is_heard


class Line:
    """Stands where HTTP would be; as much of a requests.Session as the client uses."""

    def __init__(self, desk: Desk, platform: Platform, time: DirectTime, world: World) -> None:
        self.sent: list[Sent] = []
        self._desk = desk
        self._platform = platform
        self._time = time
        self._latencies = cycle(world.latencies)
        self._late = world.late

    def request(
        self, method: str, url: str, *, json: Any, timeout: tuple[float, float], allow_redirects: bool, **_: bool
    ) -> requests.Response:
        assert not allow_redirects
        body = None if json is None else deepcopy(json)
        path = url.removeprefix(SERVER)
        runs = len(self._platform.started)
        answer, right = self._desk.take(method, path, f"Bearer {KEY}", b"" if body is None else dumps(body).encode())
        started = self._platform.started[runs:]
        took = next(self._latencies)
        if answer == "drip":
            answer = right
            took += DRIP_SECONDS * len(payload_of(right))
        elif took >= timeout[1]:
            answer = "hang"
        sent = Sent(self._time.at, method, path.removeprefix(PATH), body, right, answer)
        sent.started = started[0] if started else None
        self.sent.append(sent)
        self._time.out.append(sent)
        self._time.took = timeout[1] if answer == "hang" else took
        if self._late is not None and sent.may_still_arrive:
            self._arrive_late(sent)
        return self._received(answer)

    def _received(self, answer: Reply | Mishap) -> requests.Response:
        if answer == "hang":
            raise exceptions.ReadTimeout(urllib3_errors.ReadTimeoutError(None, "", ""))  # type: ignore[arg-type]
        if answer == "close":
            error: Exception = RemoteDisconnected("Remote end closed connection without response")
            raise exceptions.ConnectionError(urllib3_errors.ProtocolError("Connection aborted.", error))
        if answer == "reset":
            error = ConnectionResetError(104, "Connection reset by peer")
            raise exceptions.ConnectionError(urllib3_errors.ProtocolError("Connection aborted.", error))
        if answer == "truncate":
            raise exceptions.ChunkedEncodingError(urllib3_errors.ProtocolError("broken", IncompleteRead(b"")))
        assert isinstance(answer, Reply)
        response = requests.Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict({"Content-Type": "application/json"} | answer.headers)
        response._content = payload_of(answer)  # noqa: SLF001 - there is no other way to fill it
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
        return response

    def _arrive_late(self, lost: Sent) -> None:
        at = self._time.at + (self._late or 0.0)
        self._late = None

        def arrive() -> None:
            runs = len(self._platform.started)
            try:
                self._platform.trigger(lost.body)
            except Refusal:
                return
            started = self._platform.started[runs]
            self.sent.append(Sent(at, "POST", "", lost.body, Reply(200), "hang", started, is_late=True))

        self._time.add(Event(at, arrive))


class DirectClient(Client):
    """The real client with another line in the place of its session."""

    def __init__(self, line: Line, time: VirtualTime, console: Console) -> None:
        self._line = line
        super().__init__(SERVER, KEY, time, warn=console.warning, debug=console.debug, jitter=lambda: 0.0)

    def _new_session(self) -> requests.Session:
        return cast(requests.Session, self._line)


@dataclass
class Others:
    """Other people's deeds on the same platform."""

    platform: Platform
    plan: int
    started: list[int] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)

    def do(self, deed: Deed) -> None:
        runs = [run for run in self.platform.runs if run.plan.id == self.plan]
        live = [run for run in runs if run.id in self.platform.live_runs()]
        if deed == "stop" and live and self.platform.scenario.stop_route != "collection":
            self.platform.stop({"canStopAll": False, "result": "STOPPED"}, live[-1].id)
            self.stopped.append(live[-1].id)
        if deed == "stop" or live or not runs:
            return
        body: dict[str, Any] = {"executionId": self.plan}
        if deed == "rerun":
            failed = [case for case in runs[-1].cases if case.failed()]
            if not failed:
                return
            body |= {"executionResultId": runs[-1].id, "isReRun": True, "reRunType": "USER_PICKED"}
            body["testCaseResultRequests"] = [{"id": case.result_id} for case in failed]
        try:
            self.started.append(int(str(self.platform.trigger(body)["id"])))
        except Refusal:
            return


@dataclass
class Told:
    """One history, from its end."""

    world: World
    report: Report
    body: dict[str, Any]
    """What report.json holds."""
    text: str
    platform: Platform
    sent: list[Sent]
    others: Others
    ended_at: float


def tell_directly(world: World) -> Told:
    """Tell one story without sockets."""
    time = DirectTime(*world.signals)
    platform = Platform(world.scenario, time.epoch)
    others = _let_loose(world, platform, time)
    line = Line(Desk(platform, time.epoch), platform, time, world)
    stream = io.StringIO()
    console = Console(stream, "debug", secret=KEY)
    client = DirectClient(line, time, console)
    report = tell(client, time, console, world.policy, world.execution, world.test_plan_id, SERVER)
    body = loads(json_report.render(report))
    return Told(world, report, body, stream.getvalue(), platform, line.sent, others, time.at)


def tell_over_sockets(world: World) -> tuple[dict[str, Any], float]:
    """Tell the same story over sockets; return what report.json holds, and the virtual seconds that it took."""
    assert not any(world.latencies)
    time = VirtualTime(*world.signals)
    console = Console(io.StringIO(), secret=KEY)
    with Simulator(world.scenario, clock=time.epoch) as simulator:
        _let_loose(world, simulator.platform, time)
        url = simulator.url
        client = Client(url, KEY, time, warn=console.warning, debug=console.debug, jitter=lambda: 0.0)
        report = tell(client, time, console, world.policy, world.execution, world.test_plan_id, url)
    body: dict[str, Any] = loads(json_report.render(report).replace(url, SERVER))
    return body, time.at


def _let_loose(world: World, platform: Platform, time: VirtualTime) -> Others:
    others = Others(platform, world.scenario.plans[0].id)
    for at, deed in world.others:
        time.add(Event(at, lambda deed=deed: others.do(deed)))  # type: ignore[misc]
    return others
