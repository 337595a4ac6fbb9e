"""The program broken on purpose: the histories have to notice, most of it within a few, the rest within hundreds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rerun_action import ending, rerun, scene, trigger
from rerun_action.chain import Chain
from rerun_action.core import history, ledger, policy, verdict
from rerun_action.core.model import FAILING, Origin, Result, StopReply, StopRoute, Verdict
from rerun_action.errors import Cancelled, DeadlinePassed, Refused, Unclear
from rerun_action.scene import Scene
from rerun_action.simulator import Case, Fault, Machine, PastRun, Patch, Pick, Reply, Row, Suite
from rerun_action.testsigma import client, line, wire
from rerun_action.testsigma.refusals import Answer
from rerun_action.testsigma.trouble import Trouble
from tests.integration.test_histories import play
from tests.support.direct import World, tell_directly
from tests.support.oracle import judge
from tests.support.scenarios import FAILS, FLAKES, PLAN
from tests.support.virtual import Signal

pytestmark = pytest.mark.usefixtures("uncounted")

Break = Callable[[pytest.MonkeyPatch], None]
ENOUGH = 1000


class Caught(Exception):
    """Not an AssertionError, so that nothing is mistaken for it."""


def instead(place: Any, name: str, make: Callable[[Any], Any]) -> Break:
    """Put what `make` makes of the original in its place."""
    return lambda patch: patch.setattr(place, name, make(vars(place)[name]))


def request_without_the_last_pick(original: Any) -> Any:
    def request(*given: Any) -> Any:
        asked = original(*given)
        return replace(asked, picks=asked.picks[:-1]) if len(asked.picks) > 1 else asked

    return request


def request_with_a_pass(original: Any) -> Any:
    def request(told: Any, decisions: Any, rules: Any) -> Any:
        picked = any(decision.rerun for decision in decisions)
        return original(told, [replace(decision, rerun=decision.rerun or picked) for decision in decisions], rules)

    return request


def request_by_the_first_ids(original: Any) -> Any:
    def request(told: Any, *rest: Any) -> Any:
        asked = original(told, *rest)
        first = {seen.result_id: history.seen[0].result_id for history in told.opened for seen in history.seen}
        rows = [tuple(first[row] for row in pick.iteration_result_ids) for pick in asked.picks]
        picks = tuple(pick._replace(iteration_result_ids=ids) for pick, ids in zip(asked.picks, rows, strict=True))
        return replace(asked, picks=picks)

    return request


def forgets_old_ids(original: Any) -> Any:
    def ask(self: Any, run_id: int, request: Any) -> None:
        original(self, run_id, request)
        for number in request.wanted:
            for seen in self.histories[number].seen:
                seen.result_id += 10**9

    return ask


def a_preview_that_triggers(_: Any) -> Any:
    def preview(self: Any, request: Any, _refusal: Any) -> str:
        return str(self._trigger.rerun(request).run.status)

    return preview


def without_doubt(original: Any) -> Any:
    def send(self: Any, request: Any) -> Any:
        try:
            return original(self, request)
        except Cancelled:
            self.in_doubt = None
            raise

    return send


def first_id(_: Any) -> Any:
    return property(lambda self: min(self.result_ids))


def oldest_rules(_: Any) -> Any:
    return property(lambda self: self.seen[0])


def sent_again_when_unclear(original: Any) -> Any:
    def send(self: Any, *given: Any) -> Any:
        try:
            return original(self, *given)
        except Unclear:
            return original(self, *given)

    return send


def second_refusal_forgets_the_first(_: Any) -> Any:
    def send_again(self: Any, request: Any) -> Any:
        try:
            return self._send(request)
        except Unclear:
            return None

    return send_again


def sooner_given_up(original: Any) -> Any:
    """Take what persists for unreachable after 20 s."""

    def persist(self: Any, send: Any, until: float, failing: str = "") -> Any:
        return original(self, send, min(until, self._time.now() + 20.0), failing)

    return persist


def never_again(original: Any) -> Any:
    def persist(self: Any, send: Any, *given: Any) -> Any:
        def send_once() -> Any:
            try:
                return send()
            except line.Transient as fault:
                raise Refused(fault.cause) from None

        return original(self, send_once, *given)

    return persist


def nothing_arrives_on_a_broken_line(patch: pytest.MonkeyPatch) -> None:
    for trouble in (Trouble.CLOSED, Trouble.SILENT):
        patch.setitem(line._PASSING, trouble, ("broken", True))  # noqa: SLF001 - to break it


def once(original: Any) -> Any:
    """Send a stop once, whatever becomes of it."""

    def put(self: Any, path: str, until: float, sent: Callable[[], None]) -> Any:
        return original(self, path, min(until, self._time.now() + 0.1), sent)

    return put


def by_one_route(original: Any) -> Any:
    def put(self: Any, path: str, *given: Any) -> Any:
        if not path:
            raise Answer(404, "")
        return original(self, path, *given)

    return put


def before_what_is_out(original: Any) -> Any:
    """Wait for the answer of a trigger however long it takes, and end after that."""

    def attempt(self: Any, *given: Any, linger: float = 0.0, **more: Any) -> Any:
        return original(self, *given, linger=30.0 if linger else 0.0, **more)

    return attempt


def stop_that_never_leaves(_: Any) -> Any:
    def stop(_self: Any, run_id: int, _until: float, sent: Callable[[], None]) -> StopReply:
        sent()
        return StopReply(StopRoute.RUN, 200, run_id)

    return stop


def by_the_other_input(original: Any) -> Any:
    def may_stop(self: Any) -> Any:
        given = self._scene.policy
        self._scene.policy = replace(given, on_cancel=given.on_timeout, on_timeout=given.on_cancel)
        return original(self)

    return may_stop


def confirmed_unseen(original: Any) -> Any:
    def confirm(self: Any, ours: Any, until: float) -> None:
        original(self, ours, until)
        ours.run = replace(ours.run, status="STATUS_COMPLETED")

    return confirm


def unresolved_is_fine(original: Any) -> Any:
    def outcome(leaves: Any) -> Any:
        return original([leaf for leaf in leaves if leaf.verdict is not Verdict.UNRESOLVED])

    return outcome


def passing_word(word: object) -> Break:
    """Take one word of the platform for a pass."""
    original = Result.of

    def break_it(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Result, "of", classmethod(lambda _, given: Result.SUCCESS if given == word else original(given)))
        known: dict[object, Result] = wire._KNOWN  # type: ignore[assignment]  # noqa: SLF001 - to break it, whatever it is
        patch.setitem(known, word, Result.SUCCESS)

    return break_it


def with_policy(place: Any, name: str, **fields: Any) -> Break:
    """Have a function decide by other inputs than were given."""
    return instead(
        place,
        name,
        lambda original: lambda told, given, *rest, **more: original(told, replace(given, **fields), *rest, **more),
    )


def an_hour_more(original: Any) -> Any:
    def begin(self: Any, *given: Any, **more: Any) -> None:
        original(self, *given, **more)
        self.deadline = self._look_until = self.deadline + 3600

    return begin


def rounds_without_end(original: Any) -> Any:
    def decide(told: Any, given: Any, *rest: Any, **_more: Any) -> Any:
        return original(told, replace(given, max_reruns=9), *rest, rounds_left=9)

    return decide


def without_a_delay(original: Any) -> Any:
    return lambda self, seconds, when: original(self, 0.0 if "rerun-delay" in when else seconds, when)


def content_with_nothing(original: Any) -> Any:
    return lambda newest, ledger: original(newest, ledger) if len(ledger) else None


def unless_refused(original: Any) -> Any:
    return lambda self: original(self) and isinstance(self._cause, Cancelled | DeadlinePassed)


def by_the_rows_alone(original: Any) -> Any:
    return lambda self, case, entry: None if entry.rows else original(self, case, entry)


def never(*_given: Any, **_more: Any) -> None:
    return None


BREAKS: dict[str, dict[str, Break]] = {
    "calm": {
        "a result that nobody knows is a pass": passing_word("BREAKFAST"),
        "null is a pass": passing_word(None),
        "what is unresolved does not count": instead(verdict, "outcome", unresolved_is_fine),
        "an id that is listed again is a new result": instead(ledger.Ledger, "ask", forgets_old_ids),
        "the oldest result rules": instead(history.History, "ruling", oldest_rules),
        "the rerun's listing is not read": instead(Scene, "follow", lambda _: lambda self, link: self._wait(link)),
        "later runs of the chain are not looked for": instead(Chain, "below", lambda _: lambda *_: []),
        "a failed run that lists only passes is believed": instead(verdict, "contradiction", lambda _: never),
        "a case that fails with all its rows passed is overlooked": instead(
            ledger._Reading,  # noqa: SLF001
            "_read_whole",
            by_the_rows_alone,
        ),
        "nothing listed is nothing failed": instead(verdict, "contradiction", content_with_nothing),
        "unfinished results are not looked at again": instead(scene, "SETTLE_SECONDS", lambda _: 0.0),
        "a failed leaf is dropped from the request": instead(policy, "request", request_without_the_last_pick),
        "a passed leaf is asked for": instead(policy, "request", request_with_a_pass),
        "rows are asked for by their first ids": instead(policy, "request", request_by_the_first_ids),
        "cases are asked for by their first ids": instead(
            history.Case, "newest_result_id", lambda _: property(lambda case: min(case.result_ids))
        ),
        "one round too many": instead(policy, "decide", rounds_without_end),
        "a rerun in flight is not waited for": instead(Scene, "_wait_for_newest", lambda _: never),
        "nobody watches a plan that reruns by itself": instead(scene, "WATCH_SECONDS", lambda _: 0.0),
    },
    "rules": {
        "quarantine never ends": with_policy(policy, "quarantine", today=date.min),
        "exclude is not heard": with_policy(policy, "decide", exclude=()),
        "rerun-results is not heard": with_policy(policy, "decide", rerun_results=FAILING),
        "rerun-delay-seconds is not heard": instead(Scene, "pause", without_a_delay),
        "breakers do not trip": instead(policy, "refusal", lambda _: never),
        "a dry run is not dry": instead(rerun.Story, "_preview", a_preview_that_triggers),
    },
    "trigger": {
        "it is sent again when nobody knows": instead(trigger.Trigger, "_send", sent_again_when_unclear),
        "its run is not looked for": instead(trigger, "RECOVER_SECONDS", lambda _: 0.0),
        "a signal forgets that it is out": instead(trigger.Trigger, "_send", without_doubt),
        "what was cut off is taken not to have arrived": nothing_arrives_on_a_broken_line,
        "it is sent again at once after a gateway's answer": instead(trigger, "RECOVER_SECONDS", lambda _: 0.0),
        "it is sent again beside a new run of the plan": instead(
            trigger.Trigger, "_plan_has_no_new_run", lambda _: lambda *_: True
        ),
        "it is not sent again after a gateway's answer": instead(trigger.Trigger, "_send_again", lambda _: never),
        "the second one's refusal hides the run of the first": instead(
            trigger.Trigger, "_send_again", second_refusal_forgets_the_first
        ),
        "a signal waits for its answer": instead(client.Client, "_attempt", before_what_is_out),
        "a run that it started is looked for in passing": instead(ending, "STOP_SECONDS", lambda _: 3.0),
    },
    "line": {
        "an outage is given up after a while": instead(client.Client, "_persist", sooner_given_up),
        "an outage ends as a timeout": instead(client, "Unreachable", lambda _: DeadlinePassed),
        "Retry-After is not heard": instead(line, "_retry_after", lambda _: lambda _: 0.0),
        "nothing is tried again": instead(client.Client, "_persist", never_again),
    },
    "end": {
        "our rerun is not stopped": instead(ending.Ending, "_may_stop", lambda _: never),
        "our rerun is not stopped when a look at it is refused": instead(ending.Ending, "_may_stop", unless_refused),
        "what was to be left is stopped": instead(ending.Ending, "_may_stop", lambda _: lambda _self: True),
        "on-cancel and on-timeout are swapped": instead(ending.Ending, "_may_stop", by_the_other_input),
        "the stop is not sent": instead(client.Client, "stop", stop_that_never_leaves),
        "a stop is confirmed that nobody saw": instead(ending.Ending, "_confirm", confirmed_unseen),
        "a run is stopped that was found": instead(ending, "OURS", lambda ours: (*ours, Origin.FOUND)),
        "a stop that got lost is not sent again": instead(client.Client, "_put_stop", once),
        "a stop is tried by one route": instead(client.Client, "_put_stop", by_one_route),
        "a stop is not seen to its end": instead(ending, "STOP_SECONDS", lambda _: 5.0),
        "all runs are stopped": instead(wire, "STOP_BODY", lambda body: body | {"canStopAll": True}),
        "the deadline is an hour late": instead(Scene, "__init__", an_hour_more),
    },
}


def trouble(world: World, fault: Fault, *signals: float) -> World:
    """Leave but this fault, and signals at these moments."""
    scenario = replace(world.scenario, faults=(fault,))
    return replace(world, scenario=scenario, signals=tuple(map(Signal, signals)))


def with_cases(world: World, *cases: Case) -> World:
    """Leave but these cases, and the given run."""
    plan, *others = world.scenario.plans
    plans = (replace(plan, cases=cases), *others)
    return replace(world, scenario=replace(world.scenario, plans=plans, runs=world.scenario.runs[:1]))


def with_a_rerun_going(world: World) -> World:
    """Leave but the given run, and a rerun of it that goes on."""
    given = replace(world.scenario.runs[0], finishes_in=-60.0)
    rerun = PastRun(given.id + 1, plan=PLAN, parent=given.id, picked=(Pick(0),), finishes_in=400.0)
    return replace(world, scenario=replace(world.scenario, runs=(given, rerun)))


GATEWAY = Fault("trigger", Reply(502))

BENT: dict[str, Callable[[World], World]] = {
    "its run is not looked for": lambda world: trouble(world, Fault("trigger", "reset")),
    "a signal forgets that it is out": lambda world: trouble(world, Fault("trigger", "hang", processed=True), 11.0),
    "it is sent again at once after a gateway's answer": lambda world: trouble(world, GATEWAY),
    "it is not sent again after a gateway's answer": lambda world: trouble(world, GATEWAY),
    "it is sent again beside a new run of the plan": lambda world: replace(
        trouble(world, GATEWAY), others=((11.0, "fresh"), (24.0, "stop"))
    ),
    "the second one's refusal hides the run of the first": lambda world: replace(
        trouble(world, GATEWAY), late=33.0, latencies=(0.0, 4.0)
    ),
    "a signal waits for its answer": lambda world: trouble(world, Fault("trigger", "hang", processed=True), 11.0),
    "a run that it started is looked for in passing": lambda world: replace(
        trouble(world, Fault("trigger", "hang"), 11.0), late=20.0
    ),
    "a rerun in flight is not waited for": with_a_rerun_going,
    "a case that fails with all its rows passed is overlooked": lambda world: with_cases(
        world, Case(11, "case 11", Suite(21, "Pay"), Machine(31, "Chrome"), FAILS, (Row("a", FLAKES),))
    ),
    "nothing listed is nothing failed": lambda world: trouble(
        world, Fault("listing", Patch({"testCases": []}), times=None)
    ),
    "our rerun is not stopped when a look at it is refused": lambda world: trouble(
        world, Fault("run", Reply(403), run=200, skip=1)
    ),
    "a stop is confirmed that nobody saw": lambda world: trouble(world, Fault("stop", Reply(400), times=None), 11.0),
    "a stop that got lost is not sent again": lambda world: trouble(world, Fault("stop", "reset"), 11.0),
}
"""What is rare is met sooner in worlds that are bent to it."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("theme", "name"), [(theme, name) for theme, breaks in BREAKS.items() for name in breaks])
def test_it_is_caught(theme: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = 0

    def tell(world: World) -> None:
        nonlocal told
        told += 1
        try:
            judge(tell_directly(BENT[name](world) if name in BENT else world))
        except AssertionError as error:
            raise Caught(told) from error

    BREAKS[theme][name](monkeypatch)
    with pytest.raises(Caught) as caught:
        play(tell, ENOUGH, name, theme=theme, shrink=False)
    print(f"caught after {caught.value.args[0]} histories: {caught.value.__cause__}")  # noqa: T201 - for those who look
