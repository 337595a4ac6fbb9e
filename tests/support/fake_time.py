"""Time that passes only when somebody waits."""

from collections.abc import Callable
from typing import TypeVar

from rerun_action.errors import Cancelled

T = TypeVar("T")


class FakeTime:
    """The clock and sleep that `rerun` and `testsigma.client` are given; a signal can be set for a moment."""

    def __init__(self, *, signal_at: float | None = None, signum: int = 15) -> None:
        self.at = 0.0
        self.sleeps: list[float] = []
        self.stops_sent = 0
        self.endings = 0
        self._signal_at = signal_at
        self._signum = signum

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        if self._signal_at is not None and self.at + seconds >= self._signal_at:
            self.at = max(self.at, self._signal_at)
            self._signal_at = None
            raise Cancelled(self._signum)
        self.at += seconds

    def call(
        self, work: Callable[[], T], limit: float, linger: float = 0.0, left: Callable[[], None] | None = None
    ) -> T:
        assert limit > 0
        assert linger >= 0
        try:
            return work()
        finally:
            if left is not None:
                left()

    def ending(self) -> None:
        self.endings += 1
        self._signal_at = None

    def stop_sent(self) -> None:
        self.stops_sent += 1
