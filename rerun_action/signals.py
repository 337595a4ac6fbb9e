"""Signals, sleeping and calls that can hang, under one rule: whatever this process waits for, a signal ends the wait.

Signals can't be turned into exceptions safely while a library is at work, and Python does not deliver them at all
during a name look-up. So the main thread never blocks on anything but one mailbox: the handlers post into it, a
sleep is a wait on it with a time limit, and a call that can hang runs in a thread which posts its result. Light on
purpose: the entrypoint installs the handlers before anything heavy is imported.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, NamedTuple, TypeVar

from rerun_action.errors import Cancelled, EndAtOnce

T = TypeVar("T")

LEFT_SECONDS = 0.3
"""After this long without an answer a request has left, whatever becomes of it."""
SAME_SIGNAL_SECONDS = 1.0
"""Wrappers send SIGINT and SIGTERM at once; a second one within this time is the same request."""


class _Signal(NamedTuple):
    number: int
    at: float


class _Done(NamedTuple):
    token: object
    value: Any = None
    error: BaseException | None = None


class Signals:
    """The process's clock, sleep, and way to call what can hang. Times are `time.monotonic` seconds."""

    def __init__(self) -> None:
        # SimpleQueue.put is reentrant: the one queue that a signal handler may touch.
        self._mailbox: SimpleQueue[_Signal | _Done] = SimpleQueue()
        self._arrivals, self._note_arrival = os.pipe()
        """The numbers of the signals, a byte each, in the order in which they came."""
        self._first: _Signal | None = None
        self._raised = False
        self._stop_sent = False
        self._closed = False

    def install(self) -> "Signals":
        """Take SIGINT and SIGTERM from here on, and those that entrypoint.py has kept waiting."""
        for end in (self._arrivals, self._note_arrival):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._note_arrival, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._received)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))  # a thread would inherit the block
        return self

    def _received(self, number: int, _frame: FrameType | None) -> None:
        self._mailbox.put(_Signal(number, time.monotonic()))

    def now(self) -> float:
        """Return the time in seconds, from an arbitrary start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds`; a signal ends it with Cancelled (the first) or EndAtOnce (a later one)."""
        self._receive(self.now() + seconds)

    def call(
        self,
        work: Callable[[], T],
        limit: float,
        linger: float = 0.0,
        left: Callable[[], None] | None = None,
    ) -> T:
        """Run `work` in a thread and return what it returns.

        It is given up with TimeoutError after `limit` seconds and with Cancelled on a signal, but not before
        `linger` seconds have passed since the signal: an answer that comes until then is returned, and the next
        wait raises Cancelled. `left` is called as soon as the request can be taken to have left: when there is an
        answer, or none after a moment.
        """
        self.sleep(0)  # a signal that has come keeps it from being made
        token = object()

        def body() -> None:
            try:
                done = _Done(token, value=work())
            except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
                done = _Done(token, error=error)
            self._mailbox.put(done)

        threading.Thread(target=body, daemon=True).start()
        until = self.now() + limit
        done = self._receive(min(until, self.now() + LEFT_SECONDS) if left else until, token, linger)
        if left is not None:
            left()
            done = done or self._receive(until, token, linger)
        if done is None:
            raise TimeoutError
        if done.error is not None:
            raise done.error
        result: T = done.value
        return result

    def ending(self) -> None:
        """Take note that the end has begun, by a signal or otherwise: no signal cancels what has to be done for it."""
        self._raised = True

    def stop_sent(self) -> None:
        """Take note that the stop request has left: from here on a second signal ends at once."""
        self._stop_sent = True

    def close(self) -> None:
        """Take note of the final verdict: from here on signals change nothing.

        They are ignored, not handled, because the interpreter gives handled ones back to the system when it ends.
        """
        if self._closed:
            return
        self._closed = True
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        for end in (self._arrivals, self._note_arrival):
            os.close(end)

    def _receive(self, until: float, token: object = None, linger: float = 0.0) -> _Done | None:
        """Read the mailbox until the call named by `token` is done (returned) or the time is over (None)."""
        while True:
            self._check(linger)
            try:
                item = self._mailbox.get(timeout=max(0.0, until - self.now()))
            except Empty:
                self._check()
                return None
            if isinstance(item, _Done):
                if item.token is token:
                    return item
                continue  # the late answer of a call that was given up
            self._take(item)
            until = min(until, item.at + linger) if linger and not self._raised else until

    def _take(self, item: _Signal) -> None:
        if self._closed:
            return
        if self._first is None:
            # of two that come at once, Python calls the handler of the lower number first
            with suppress(BlockingIOError):
                item = item._replace(number=os.read(self._arrivals, 1)[0])
            self._first = item
        elif self._stop_sent and item.at - self._first.at >= SAME_SIGNAL_SECONDS:
            raise EndAtOnce

    def _check(self, linger: float = 0.0) -> None:
        if self._first is not None and not linger and not self._raised and not self._closed:
            self._raised = True
            raise Cancelled(self._first.number)
