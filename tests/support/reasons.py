"""Time and reason of an early end: exit 3, 4, 130 and 143 are earned, and nothing is given up before its time."""

from itertools import pairwise

from tests.support.direct import Sent, Told
from tests.support.knowable import hides_runs, lies
from tests.support.once import LOOKED_FOR
from tests.support.orphans import STOPPED_FOR, Orphans
from tests.support.scenarios import PLAN
from tests.support.truth import ROUNDING, Truth

RUSH = 10.0
"""So shortly before the deadline, or within its last tenth, nothing is triggered any more (seconds)."""
UNANSWERED = 5.0
"""A request that has waited this long when the deadline comes counts as failed (seconds)."""
OVERTIME = LOOKED_FOR + 5.0 + STOPPED_FOR
"""What may follow a deadline: looking for a rerun in doubt, and the stop with its confirmation (seconds)."""
LINGER = 0.7
"""So long a trigger's answer is waited for after a signal (seconds)."""


class Reasons:
    """The rules about when and why it ended."""

    def __init__(self, told: Told, truth: Truth, orphans: Orphans, *, contradicts: bool) -> None:
        self.told = told
        self.truth = truth
        self.orphans = orphans
        self.contradicts = contradicts
        self.result: str = told.body["result"]
        self.message: str = told.body["message"]
        self.deadline = told.world.policy.timeout_minutes * 60
        self.near = self.deadline - min(RUSH, self.deadline / 10)
        self.rushed = "too near for a rerun, none was triggered" in self.message

    def judge(self) -> None:
        """Hold the end of the history against its time and its reasons."""
        self.keeps_its_time()
        self.triggers_in_time()
        self.comes_back_when_asked_to()
        self.waits_for_what_is_going()
        if self.result == "timed-out" and not self.rushed:
            assert self.told.ended_at >= self.deadline - ROUNDING
            assert self.was_answered(), "the platform had not answered: that is an outage"
        elif self.orphans.is_outage:
            assert self.told.ended_at >= self.deadline - ROUNDING, "given up before the deadline"
            assert not self.was_answered(), "the platform had answered: that is no outage"
        elif self.result == "error":
            assert self.has_reason(), "exit 3, and nothing was wrong"

    def keeps_its_time(self) -> None:
        ended, signals = self.told.ended_at, self.told.world.signals
        slowest = max(self.told.world.latencies)
        if not self.orphans.is_early:
            assert ended <= self.deadline + ROUNDING
            assert not [signal for signal in signals if signal.at < ended], "a signal was not heard"
        if self.rushed:
            assert ended >= self.near - ROUNDING
        assert ended <= self.deadline + OVERTIME + ROUNDING + slowest
        if self.result == "cancelled":
            assert ended <= signals[0].at + OVERTIME + LINGER + ROUNDING + slowest
            for sent in self.told.sent:
                if sent.at < signals[0].at and not sent.is_late:
                    linger = LINGER if sent.method == "POST" else 0.0
                    assert sent.ended_at <= signals[0].at + linger + ROUNDING, f"the signal waited for {sent}"

    def triggers_in_time(self) -> None:
        """Nothing is triggered before rerun-delay-seconds, or when it could only be stopped again.

        What was begun may be sent again.
        """
        reruns = [sent for sent in self.told.sent if sent.is_rerun and not sent.is_late]
        for place, sent in enumerate(reruns):
            if any(sent.body == before.body for before in reruns[:place]):
                continue
            assert sent.at <= self.near + ROUNDING, "triggered shortly before the deadline"
            earlier = self.told.sent[: self.told.sent.index(sent)]
            listed = max(listing.at for listing in earlier if listing.is_listing)
            delay = self.told.world.policy.rerun_delay_seconds
            assert sent.at >= listed + delay - ROUNDING, "triggered before rerun-delay-seconds had passed"

    def comes_back_when_asked_to(self) -> None:
        """After a Retry-After the same is not asked again before that time, unless the end has begun."""
        sent = [sent for sent in self.told.sent[: self.orphans.place] if not sent.is_late]
        for first, second in pairwise(sent):
            if (first.method, first.path) != (second.method, second.path) or second.at >= self.deadline:
                continue
            if any(first.at <= signal.at <= second.at for signal in self.told.world.signals):
                continue
            assert second.at >= first.ended_at + first.retry_after - ROUNDING, f"{second} came too soon after {first}"

    def waits_for_what_is_going(self) -> None:
        """A plan that is busy is no surprise where all that goes on is reruns of the chain that had been looked at."""
        for sent in self.told.sent:
            if sent.is_rerun and sent.fate == "refused" and "currently running" in str(sent.right.body):
                seen = {look.run for look in self.told.sent if look.is_look and look.intact and look.at <= sent.at}
                awaited = [run for run in self.truth.chain if run.id in seen]
                others = [run for run in self.truth.live(sent.at) if run not in awaited]
                assert others, "triggered beside a rerun that was seen going on"

    def was_answered(self) -> bool:
        """Whether the last request before the end was decided had an answer; one that had just left does not count."""
        sent = [sent for sent in self.told.sent[: self.orphans.place] if not sent.is_late]
        if sent and self.is_cut(sent[-1]):
            sent.pop()
        return bool(sent) and sent[-1].fate in ("right", "refused", "wrong")

    def is_cut(self, last: Sent) -> bool:
        is_open = not last.is_heard and last.ended_at >= self.deadline - ROUNDING
        return is_open and last.ended_at - last.at < UNANSWERED

    def has_reason(self) -> bool:
        """Whether the platform refused, left a trigger in doubt, contradicted itself, or is not meant at all."""
        told, truth = self.told, self.truth
        execution, plan_id = told.world.execution, told.world.test_plan_id
        sent = told.sent[: self.orphans.place]
        refused = any(each.fate == "refused" for each in sent)
        triggers = [each for each in sent if each.method == "POST" and not each.is_late]
        in_doubt = bool(triggers) and triggers[-1].fate not in ("right", "refused", "busy")
        empty = bool(truth.known) and not truth.spots(truth.known, told.ended_at)
        other = plan_id not in (None, PLAN) or 99 in (execution, getattr(execution, "plan_id", 0))
        return refused or in_doubt or empty or other or self.contradicts or lies(told.world) or hides_runs(told)
