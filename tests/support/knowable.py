"""What nobody can know by what the API gives: there the oracle holds no exact truth against the program."""

from collections import Counter

from rerun_action.simulator import Patch, Reply
from tests.support.direct import Told, World
from tests.support.scenarios import PLAN
from tests.support.truth import Truth
from tests.support.virtual import EPOCH


def lies(world: World) -> bool:
    """Whether the platform says what is not true, so that only a part of the promises can be kept."""

    def is_lie(answer: object) -> bool:
        if not isinstance(answer, Reply):
            return isinstance(answer, Patch)
        return answer.body != "" if answer.status == 200 else answer.status in (302, 400, 401, 403, 404)

    return any(is_lie(fault.answer) for fault in world.scenario.faults if fault.on != "trigger")


def is_calm(world: World) -> bool:
    """Whether nothing but the plan's own results can go wrong."""
    return not (world.scenario.faults or world.signals or world.others or any(world.latencies))


def has_twins(world: World) -> bool:
    """Whether the platform lists leaves that nobody can tell apart by what the API gives."""
    cases = Counter((case.suite.id, case.id, case.machine.id) for case in world.scenario.plans[0].cases)
    if max(cases.values()) > 1:
        return True
    return any(len({row.set for row in case.rows}) < len(case.rows) for case in world.scenario.plans[0].cases)


def hides_runs(told: Told) -> bool:
    """Whether nothing leads to a rerun: it does not show on its parent, and the plan's last run is another one."""
    roots = [run for run in told.platform.runs if run.plan.id == PLAN and run.parent is None]
    return told.world.scenario.child == "none" and len(roots) > 1


def is_ahead(truth: Truth) -> bool:
    """Whether a listing showed a rerun's results when nobody could know of that rerun.

    Nothing tells whose they are.
    """
    hidden = [run for run in truth.chain if run not in truth.known]
    if any(seen in truth.shown for run in hidden for seen in truth.results(run).values()):
        return True
    for run in truth.chain:
        readings = 0
        for sent in truth.sent:
            if run.child is None or (sent.is_look and sent.run == run.child.id):
                break
            if sent.is_listing and sent.run == run.id:
                readings += "?" not in sent.path and sent.intact
                if readings <= 1 and sent.intact and EPOCH + sent.at >= run.child.timeline.created_at:
                    return True
    return False


def is_mistakable(told: Told) -> bool:
    """Whether somebody else's rerun came when a trigger of ours was lost: nothing tells the one from the other."""
    lost = any(sent.method == "POST" and not sent.intact and sent.started is None for sent in told.sent)
    return lost and bool(told.others.started)
