"""Whatever the process waits for, a signal ends the wait."""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from rerun_action.errors import Cancelled, EndAtOnce, ExitCode
from rerun_action.signals import LEFT_SECONDS, Signals

FOREVER = 20.0


@pytest.fixture
def signals() -> Iterator[Signals]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signals = Signals().install()
    yield signals
    signals.close()
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


def send_later(number: signal.Signals = signal.SIGTERM) -> None:
    threading.Timer(0.05, send, (number,)).start()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_sleep(signals: Signals, number: signal.Signals, code: int) -> None:
    send_later(number)
    with pytest.raises(Cancelled) as caught:
        signals.sleep(FOREVER)
    assert caught.value.exit_code is ExitCode(code)
    assert caught.value.message == f"cancelled by {number.name}"


@pytest.mark.parametrize("numbers", [(signal.SIGTERM, signal.SIGINT), (signal.SIGINT, signal.SIGTERM)])
def test_of_two_signals_at_once_the_first_decides(signals: Signals, numbers: tuple[signal.Signals, ...]) -> None:
    # raised from C: Python looks for signals only after both have come, and then goes by their numbers
    list(map(getattr(ctypes.PyDLL(None), "raise"), numbers))
    with pytest.raises(Cancelled) as caught:
        signals.sleep(FOREVER)
    assert caught.value.signum == numbers[0]


def test_a_signal_that_came_before_the_wait_ends_it(signals: Signals) -> None:
    send()
    with pytest.raises(Cancelled):
        signals.sleep(FOREVER)


def test_a_signal_before_a_call_keeps_it_from_being_made(signals: Signals) -> None:
    send()
    made: list[int] = []
    with pytest.raises(Cancelled):
        signals.call(lambda: made.append(1), FOREVER)
    assert made == []


def test_a_signal_ends_a_call_that_hangs(signals: Signals) -> None:
    send_later()
    with pytest.raises(Cancelled):
        signals.call(threading.Event().wait, FOREVER)


def test_a_call_returns_raises_or_times_out(signals: Signals) -> None:
    assert signals.call(lambda: 7, FOREVER) == 7
    with pytest.raises(ZeroDivisionError):
        signals.call(lambda: 1 // 0, FOREVER)
    with pytest.raises(TimeoutError):
        signals.call(threading.Event().wait, 0.02)


def test_the_late_answer_of_a_call_that_was_given_up_is_dropped(signals: Signals) -> None:
    release = threading.Event()
    with pytest.raises(TimeoutError):
        signals.call(release.wait, 0.02)
    release.set()
    time.sleep(0.05)
    assert signals.call(lambda: "fresh", FOREVER) == "fresh"


def test_a_lingering_call_may_still_answer_and_the_next_wait_is_cancelled(signals: Signals) -> None:
    def answer() -> str:
        time.sleep(0.2)
        return "answer"

    send_later()
    assert signals.call(answer, FOREVER, linger=FOREVER) == "answer"
    with pytest.raises(Cancelled):
        signals.sleep(FOREVER)


def test_a_lingering_call_that_does_not_answer_is_cancelled(signals: Signals) -> None:
    send_later()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        signals.call(threading.Event().wait, FOREVER, linger=0.05)
    assert time.monotonic() - began < FOREVER / 2


def test_a_second_signal_before_the_stop_has_left_is_ignored(signals: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerun_action.signals.SAME_SIGNAL_SECONDS", 0.0)
    send_later()
    with pytest.raises(Cancelled):
        signals.sleep(FOREVER)
    send_later(signal.SIGINT)
    signals.sleep(0.2)


def test_a_second_signal_at_once_is_ignored_and_a_later_one_ends_everything(
    signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    send()
    with pytest.raises(Cancelled):
        signals.sleep(FOREVER)
    signals.stop_sent()
    send(signal.SIGINT)
    signals.sleep(0.05)
    monkeypatch.setattr("rerun_action.signals.SAME_SIGNAL_SECONDS", 0.01)
    send_later(signal.SIGINT)
    with pytest.raises(EndAtOnce):
        signals.sleep(FOREVER)


def test_once_the_end_has_begun_no_signal_cancels_what_has_to_be_done(signals: Signals) -> None:
    signals.ending()
    send()
    assert signals.call(lambda: "stopped", FOREVER) == "stopped"
    send_later()
    signals.sleep(0.2)


def test_the_first_signal_does_not_cut_the_stop_of_a_deadline_short_and_the_second_does(
    signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rerun_action.signals.SAME_SIGNAL_SECONDS", 0.01)
    signals.ending()
    signals.stop_sent()
    send_later()
    signals.sleep(0.1)
    send_later()
    with pytest.raises(EndAtOnce):
        signals.sleep(FOREVER)


def test_a_request_has_left_when_it_is_answered_or_after_a_moment(signals: Signals) -> None:
    times: list[float] = []
    began = time.monotonic()
    signals.call(lambda: None, FOREVER, left=lambda: times.append(time.monotonic() - began))
    with pytest.raises(TimeoutError):
        signals.call(threading.Event().wait, 0.6, left=lambda: times.append(time.monotonic() - began))
    assert len(times) == 2
    assert times[1] >= LEFT_SECONDS


def test_after_the_verdict_a_signal_changes_nothing(signals: Signals) -> None:
    signals.close()
    send()
    signals.sleep(0.02)


@pytest.mark.usefixtures("signals")  # it puts the handlers back
def test_a_signal_at_any_moment_is_neither_lost_nor_raised_twice() -> None:
    for _ in range(200):
        again = Signals().install()
        threading.Timer(0.0005, send).start()
        raised = 0
        until = time.monotonic() + FOREVER
        while raised == 0 and time.monotonic() < until:
            try:
                again.call(lambda: None, FOREVER)
                again.sleep(0)
            except Cancelled:
                raised += 1
        assert raised == 1
        again.sleep(0)
        again.close()
