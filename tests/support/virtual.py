"""The real client and story against the simulator over real sockets, in time that both share and nobody waits for."""

import io
import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from rerun_action.core.model import FreshRun, Policy, Report
from rerun_action.errors import Cancelled, EndAtOnce
from rerun_action.hosts.account import Account
from rerun_action.hosts.console import Console
from rerun_action.reports import json_report
from rerun_action.rerun import Story
from rerun_action.signals import LEFT_SECONDS, SAME_SIGNAL_SECONDS
from rerun_action.simulator import Platform, Scenario, Simulator
from rerun_action.testsigma.client import Client
from tests.support.processes import SCHEMA
from tests.support.scenarios import FIRST, KEY

T = TypeVar("T")

EPOCH = 1_900_000_000.0
PATIENCE = 0.6
"""Real seconds after which a call that has not come back is taken to hang."""


class Signal(NamedTuple):
    """A signal that the process gets at a moment."""

    at: float
    number: int = 15


class Event(NamedTuple):
    """Something that happens at a moment, whatever this process does."""

    at: float
    happen: Callable[[], None]


class VirtualTime:
    """A clock that moves when somebody sleeps or a call takes its time; signals are as in `rerun_action.signals`."""

    def __init__(self, *moments: Signal | Event) -> None:
        self.at = 0.0
        self.moments: list[Signal | Event] = sorted(moments, key=attrgetter("at"))
        self._first: Signal | None = None
        self._raised = False
        self._stop_sent = False

    def now(self) -> float:
        return self.at

    def epoch(self) -> float:
        return EPOCH + self.at

    def add(self, moment: Event) -> None:
        self.moments = sorted([*self.moments, moment], key=attrgetter("at"))

    def sleep(self, seconds: float) -> None:
        self._pass(seconds)

    def ending(self) -> None:
        self._raised = True

    def stop_sent(self) -> None:
        self._stop_sent = True

    def call(
        self, work: Callable[[], T], limit: float, linger: float = 0.0, left: Callable[[], None] | None = None
    ) -> T:
        self._pass(0.0)
        outcome, took = self.attempt(work, limit)
        until = self.at + limit
        answered_at = self.at + took
        if left is not None:
            self._pass(min(took, limit, LEFT_SECONDS))
            left()
        in_time = self._pass(max(0.0, min(answered_at, until) - self.at), linger)
        if in_time and answered_at <= until:
            return outcome()
        self._check()
        raise TimeoutError

    def attempt(self, work: Callable[[], T], limit: float) -> tuple[Callable[[], T], float]:  # noqa: ARG002
        """Do the work; return what gives or raises its outcome, and the virtual seconds that it takes."""
        done: list[Any] = []

        def body() -> None:
            done.append(outcome_of(work))

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        thread.join(PATIENCE)
        return (done[0], 0.0) if done else (_never, math.inf)

    def _pass(self, seconds: float, linger: float = 0.0) -> bool:
        """Let time pass, with what happens in it; return whether all of it has passed.

        A signal ends it with Cancelled, or, where there is something to `linger` for, so many seconds later.
        """
        self._check(linger)
        until = end = self.at + seconds
        while self.moments and self.moments[0].at <= until:
            moment = self.moments.pop(0)
            self.at = max(self.at, moment.at)
            if isinstance(moment, Event):
                moment.happen()
                continue
            if self._first is None:
                self._first = moment
            elif self._stop_sent and moment.at - self._first.at >= SAME_SIGNAL_SECONDS:
                raise EndAtOnce
            if linger and not self._raised:
                until = min(until, moment.at + linger)
            self._check(linger)
        self.at = max(self.at, until)
        return until >= end

    def _check(self, linger: float = 0.0) -> None:
        if self._first is not None and not linger and not self._raised:
            self._raised = True
            raise Cancelled(self._first.number)


def outcome_of(work: Callable[[], T]) -> Callable[[], T]:
    """Do the work; what comes back returns its value or raises its error."""
    try:
        value = work()
    except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
        raised = error

        def again() -> T:
            raise raised

        return again
    return lambda: value


def _never() -> Any:
    raise AssertionError("what hangs has no outcome")


@dataclass
class Played:
    report: Report
    text: str
    platform: Platform
    seconds: float

    @property
    def posts(self) -> int:
        return len(self.platform.triggers)


def play(
    world: Scenario,
    *,
    policy: Policy | None = None,
    execution: int | FreshRun = FIRST,
    test_plan_id: int | None = None,
    signal_at: float | None = None,
    key: str = KEY,
) -> Played:
    """Tell one story over sockets."""
    time = VirtualTime(*([] if signal_at is None else [Signal(signal_at)]))
    stream = io.StringIO()
    console = Console(stream, "debug", secret=key)
    with Simulator(world, clock=time.epoch) as simulator:
        client = Client(simulator.url, key, time, warn=console.warning, debug=console.debug, jitter=lambda: 0.0)
        policy = policy or Policy(timeout_minutes=30.0, poll_interval_seconds=10.0)
        report = tell(client, time, console, policy, execution, test_plan_id, simulator.url)
    text = stream.getvalue()
    assert key not in text
    return Played(report, text, simulator.platform, time.at)


def tell(
    client: Client,
    time: VirtualTime,
    console: Console,
    policy: Policy,
    execution: int | FreshRun,
    test_plan_id: int | None,
    server_url: str,
) -> Report:
    """Tell the story with this client; every report that is published has to be one that can be written."""
    account = Account(console)
    story = Story(
        client,
        policy,
        execution_id=execution,
        test_plan_id=test_plan_id,
        server_url=server_url,
        time=time,
        account=account,
        publish=lambda report: SCHEMA.validate(json.loads(json_report.render(report))),
    )
    report = story.tell()
    account.verdict(report, None)
    return report
