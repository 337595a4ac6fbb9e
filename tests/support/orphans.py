"""No orphan: what this step started has ended, was left on purpose, or was tried to be stopped as long as it may be."""

from itertools import zip_longest
from typing import Any

from rerun_action.core.model import OnEnd
from tests.support.direct import Sent, Told
from tests.support.knowable import lies
from tests.support.once import LOOKED_FOR
from tests.support.shown import child, is_finished, last_run, shown
from tests.support.truth import ROUNDING, Truth

Call = tuple[str, str]
"""Method and path."""
STOP = {"canStopAll": False, "result": "STOPPED"}
STOPPED_FOR = 30.0
"""So long a stop and its confirmation are tried (seconds)."""
LAST_LOOK = 1.0
"""For less than this no further look is worth its request (seconds)."""
OFTEN = 5.0
"""The longest pause where a run is looked for, or seen stopped (seconds)."""
AT_ONCE = 1.0
"""A stop leaves within this time of the signal (seconds)."""
BY_HAND = "may still be going: stop it by hand"
LOOK_FIRST = "before you run this job again"


class Orphans:
    """The rules about what was started, at an early end."""

    def __init__(self, told: Told, truth: Truth, *, mistakable: bool) -> None:
        self.told = told
        self.truth = truth
        self.mistakable = mistakable
        self.policy = told.world.policy
        self.signals = told.world.signals
        self.result: str = told.body["result"]
        self.message: str = told.body["message"]
        self.stop: dict[str, Any] | None = told.body["stop"]
        self.puts = [sent for sent in told.sent if sent.method == "PUT"]

    def judge(self) -> None:
        """Hold the end of the history against the truth."""
        self.stops_only_its_own()
        self.leaves_nothing_running()
        if self.puts:
            self.stops_at_once()
            self.stops_as_documented()
        if LOOK_FIRST in self.message and not lies(self.told.world):
            self.looks_for_its_run()

    @property
    def is_early(self) -> bool:
        """Whether it ended without a verdict."""
        return self.result in ("error", "timed-out", "cancelled")

    @property
    def is_outage(self) -> bool:
        """Whether it ended because the platform gave no answer; what became of a stop is said after that."""
        cause = self.message.partition("; ")[0]
        return self.result == "error" and "could not be reached until the deadline" in cause

    @property
    def is_to_be_left(self) -> bool:
        """Whether our run was to be left as it is, the way that this ended."""
        if self.result == "cancelled":
            return self.policy.on_cancel is OnEnd.LEAVE
        return (self.result == "timed-out" or self.is_outage) and self.policy.on_timeout is OnEnd.LEAVE

    def stops_only_its_own(self) -> None:
        """Nobody else's run is stopped, and nothing at all where nothing is to be stopped."""
        told, truth = self.told, self.truth
        if not self.is_early or self.is_to_be_left:
            assert not self.puts
        assert all(put.body == STOP for put in self.puts)
        assert all(put.run in truth.ours for put in self.puts if put.path) or self.mistakable
        others = list(told.others.stopped)
        for run_id in told.platform.stopped:
            if run_id in others:
                others.remove(run_id)
            elif run_id not in truth.ours and not self.mistakable:
                assert told.world.scenario.stop_route == "collection", f"run {run_id} is not ours to stop"
                assert f"stopped run {run_id} instead" in self.message or any(not put.intact for put in self.puts)
        if self.stop is not None and self.stop["confirmed"]:
            assert truth.runs[self.stop["run_id"]].is_final(truth.now), "the stop is confirmed, and it goes on"

    def leaves_nothing_running(self) -> None:
        """What we started and is still going was left on purpose, or never showed, or could not be stopped."""
        for run_id in self.told.platform.live_runs():
            if run_id not in self.truth.ours:
                continue
            assert self.is_early, f"run {run_id} goes on after a verdict"
            if f"run {run_id} was left running, as asked" in self.message:
                assert self.is_to_be_left, f"run {run_id} was to be stopped"
            elif LOOK_FIRST in self.message:
                assert self.never_showed(run_id), f"run {run_id} could have been found"
            else:
                assert f"run {run_id} {BY_HAND}" in self.message, f"run {run_id} is an orphan"
                assert self.stop is not None
                assert self.stop["run_id"] == run_id
                assert not self.stop["confirmed"]
                assert self.puts, f"no stop was sent to run {run_id}"

    # --- the stop ---------------------------------------------------------------------------------------------------

    @property
    def place(self) -> int:
        """Where the first stop stands among the requests, or would stand."""
        return self.told.sent.index(self.puts[0]) if self.puts else len(self.told.sent)

    def stops_at_once(self) -> None:
        """The stop is the first that leaves after a signal or the deadline, unless its run has to be found first."""
        if self.result == "error":
            return
        at = self.signals[0].at if self.result == "cancelled" else self.policy.timeout_minutes * 60
        if not any(sent.at > at for sent in self.told.sent[: self.place]):
            assert self.puts[0].at <= at + AT_ONCE, "the stop came late"

    def stops_as_documented(self) -> None:
        """API page, call 4: the run's own route; after 404 or 405 a look, then the documented one; seen stopped."""
        sent = [sent for sent in self.told.sent[self.place :] if not sent.is_late]
        if any(look.fate == "wrong" for look in sent if look.is_look):
            return
        until = self.puts[0].at + STOPPED_FOR - LAST_LOOK
        stop, look = ("PUT", f"/{self.puts[0].run}"), ("GET", f"/{self.puts[0].run}")
        assert (sent[0].method, sent[0].path) == stop
        put = sent[0]
        for this, following in zip_longest(sent, sent[1:]):
            put = this if this.method == "PUT" else put
            expected = _after(put, this, stop, look)
            if following is not None:
                assert (following.method, following.path) == (expected or look), f"{following} after {this}"
            elif expected is not None:
                is_cut = any(signal.at == self.told.ended_at for signal in self.signals[1:])
                assert is_cut or self.told.ended_at >= until - ROUNDING, "the stop was given up"
        _were_often(sent, min(until, self.told.ended_at))

    # --- a rerun in doubt -------------------------------------------------------------------------------------------

    def looks_for_its_run(self) -> None:
        """A rerun that may have been started is looked for, for half a minute."""
        reruns = [sent for sent in self.told.sent if sent.is_rerun and not sent.is_late]
        if not reruns:
            return  # nothing says whose a fresh run is
        assert reruns[-1].fate not in ("right", "refused", "busy"), "no rerun was in doubt"
        began = reruns[-1].ended_at
        sent = [sent for sent in self.told.sent if sent.at >= began and sent.is_look]
        assert sent, "no rerun was looked for"
        assert sent[0].at <= began + AT_ONCE, "a rerun was not looked for at once"
        _were_often(sent, began + LOOKED_FOR)

    def never_showed(self, run_id: int) -> bool:
        """Whether no look showed it, or no look at itself worked."""
        run = self.truth.runs[run_id]
        if run.parent is None:
            return True  # nothing says whose a fresh run is
        parents = [look for look in self.truth.looks(run.parent.id) if look.intact]
        hints = [look.at for look in parents if run_id in (child(shown(look)), last_run(shown(look)))]
        looks = [look for look in self.truth.looks(run_id) if look.at >= min(hints, default=0.0)]
        return not hints or (bool(looks) and not any(look.intact for look in looks))


def _after(put: Sent, this: Sent, stop: Call, look: Call) -> Call | None:
    """What has to follow this request and the last stop: a stop or a look; nothing has to, once it is known."""
    unknown_route = put.fate == "refused" and put.path == stop[1] and put.status in (404, 405)
    match this.method, this.fate:
        case "PUT", "trouble" | "busy" | "gateway":
            return "PUT", put.path
        case "PUT", _:
            return look
        case _, "right" if is_finished(shown(this)):
            return None
        case _, "right":
            return ("PUT", "") if unknown_route else look
        case _, "refused" if this.status != 404:
            return None
        case _, "refused" if unknown_route:
            return stop
    return look


def _were_often(sent: list[Sent], until: float) -> None:
    """Whether one request came soon after the other, or, after trouble, no later than it had lasted by then."""
    since = sent[0].at
    for this, following in zip_longest(sent, sent[1:]):
        if this.fate == "right":
            since = this.ended_at
        pause = (following.at if following else until) - this.ended_at
        allowed = max(OFTEN, this.ended_at - since) + this.retry_after
        assert pause <= allowed + ROUNDING, f"nothing was sent for {pause:.1f} s after {this}"
