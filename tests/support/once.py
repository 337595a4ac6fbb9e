"""One rerun: what may be triggered again, by what came of the first time (API page, "Chains, limits and races")."""

from itertools import pairwise
from typing import Any

from tests.support.direct import Sent, Told
from tests.support.shown import child, last_run, shown
from tests.support.truth import ROUNDING

LOOKED_FOR = 30.0
"""So long a run is looked for that an unclear trigger may have started (seconds)."""


def triggers_once(told: Told) -> None:
    """No trigger is sent again while the first may have started a run; AssertionError says which was."""
    triggers = [sent for sent in told.sent if sent.method == "POST" and not sent.is_late]
    again: set[Any] = set()
    for first, second in pairwise(triggers):
        if _target(first) != _target(second):
            continue
        assert second.body == first.body, "triggered again, and something else"
        if first.fate == "busy":
            pause = second.at - first.ended_at
            assert pause >= first.retry_after - ROUNDING, "triggered again before the platform wanted it"
            continue
        assert _target(first) not in again, "triggered again and again"
        again.add(_target(first))
        objection = _objection(told.sent, first, second)
        assert objection is None, f"triggered again {objection}"
    if triggers and _target(triggers[-1]) not in again and told.body["result"] == "error":
        assert _objection(told.sent, triggers[-1], None), "not triggered again, though the first never arrived"


def _target(trigger: Sent) -> Any:
    return trigger.body.get("executionResultId")


def _objection(sent: list[Sent], first: Sent, second: Sent | None) -> str | None:
    """Why the first trigger may have arrived; None if half a minute has shown that a gateway kept it.

    In that time no child has shown, and the plan has no new run.
    """
    if first.fate != "gateway" or not first.is_rerun:
        return f"though {first} may have arrived"
    earlier = [look for look in sent[: sent.index(first)] if look.is_look and shown(look)]
    before = [shown(look) for look in earlier if look.run == _target(first)]
    later = sent[sent.index(first) : sent.index(second) if second else None]
    after = [look for look in later if look.is_look and look.run == _target(first)]
    if not after or after[-1].ended_at < first.ended_at + LOOKED_FOR - ROUNDING:
        return "before a rerun could show"
    last = shown(after[-1])
    if not last:
        return "when a look had just failed"
    if child(last) not in {None, *(look.run for look in earlier)}:
        return "beside the rerun that showed"
    if not before or last_run(before[-1]) is None:
        return "without knowing the plan's last run"
    return None if last_run(last) == last_run(before[-1]) else "beside the plan's new run"
