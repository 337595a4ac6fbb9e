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
        assert first.fate == "gateway", f"triggered again, though the first may have arrived ({first.answer})"
        assert first.is_rerun, "a fresh run started again, though nothing tells whether the first was"
        assert _target(first) not in again, "triggered again and again"
        again.add(_target(first))
        _was_looked_for(told.sent, first, second)


def _target(trigger: Sent) -> Any:
    return trigger.body.get("executionResultId")


def _was_looked_for(sent: list[Sent], first: Sent, second: Sent) -> None:
    """Whether half a minute has shown that a gateway kept the trigger: no child, and the plan has no new run."""
    earlier, later = sent[: sent.index(first)], sent[sent.index(first) : sent.index(second)]
    before = [shown(look) for look in earlier if look.is_look and look.run == _target(first) and shown(look)]
    after = [look for look in later if look.is_look and look.run == _target(first)]
    assert after, "triggered again without a look at the parent"
    assert after[-1].ended_at >= first.ended_at + LOOKED_FOR - ROUNDING, "triggered again before a rerun could show"
    last = shown(after[-1])
    assert last, "triggered again when a look had just failed"
    known = {look.run for look in earlier if look.is_look and shown(look)}
    assert child(last) in {None, *known}, "triggered again beside the rerun that showed"
    assert before, "triggered without a look at the parent"
    assert last_run(before[-1]) is not None, "triggered again without knowing the plan's last run"
    assert last_run(last) == last_run(before[-1]), "triggered again beside the plan's new run"
