"""The real client and story against the simulator over real sockets, in time that both share and nobody waits for."""

import io
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from rerun_action.core.model import FreshRun, Policy, Report
from rerun_action.errors import Cancelled
from rerun_action.hosts.account import Account
from rerun_action.hosts.console import Console
from rerun_action.reports import json_report
from rerun_action.rerun import Story
from rerun_action.simulator import Platform, Scenario, Simulator
from rerun_action.testsigma.client import Client
from tests.support.processes import SCHEMA
from tests.support.scenarios import FIRST, KEY

T = TypeVar("T")

EPOCH = 1_900_000_000.0
PATIENCE = 0.6
"""Real seconds after which a call that has not come back is taken to hang."""


class VirtualTime:
    """A clock that moves when somebody sleeps, or when a call hangs for as long as it may."""

    def __init__(self, signal_at: float | None = None, signum: int = 15) -> None:
        self.at = 0.0
        self._signal_at = signal_at
        self._signum = signum

    def now(self) -> float:
        return self.at

    def epoch(self) -> float:
        return EPOCH + self.at

    def sleep(self, seconds: float) -> None:
        self._pass(seconds)

    def ending(self) -> None:
        self._signal_at = None

    def stop_sent(self) -> None:
        pass

    def call(
        self, work: Callable[[], T], limit: float, linger: float = 0.0, left: Callable[[], None] | None = None
    ) -> T:
        self._pass(0.0)
        done: list[Any] = []

        def body() -> None:
            try:
                done.append((work(), None))
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                done.append((None, error))

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        thread.join(PATIENCE)
        if left is not None:
            left()
        if not done:
            self._pass(limit, linger)
            raise TimeoutError
        value, error = done[0]
        if error is not None:
            raise error
        result: T = value
        return result

    def _pass(self, seconds: float, linger: float = 0.0) -> None:
        if self._signal_at is not None and self.at + seconds >= self._signal_at:
            self.at = max(self.at, self._signal_at) + min(linger, seconds)
            self._signal_at = None
            raise Cancelled(self._signum)
        self.at += seconds


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
    signal_at: float | None = None,
    key: str = KEY,
) -> Played:
    """Tell one story; every report that is published has to be one that can be written."""
    time = VirtualTime(signal_at)
    stream = io.StringIO()
    console = Console(stream, "debug", secret=key)
    with Simulator(world, clock=time.epoch) as simulator:
        client = Client(simulator.url, key, time, warn=console.warning, debug=console.debug, jitter=lambda: 0.0)
        account = Account(console)
        story = Story(
            client,
            policy or Policy(timeout_minutes=30.0, poll_interval_seconds=10.0),
            execution_id=execution,
            test_plan_id=None,
            server_url=simulator.url,
            time=time,
            account=account,
            publish=lambda report: SCHEMA.validate(json.loads(json_report.render(report))),
        )
        report = story.tell()
        account.verdict(report, None)
    text = stream.getvalue()
    assert key not in text
    return Played(report, text, simulator.platform, time.at)
