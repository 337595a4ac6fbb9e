"""The fault matrix: each fault at each call where it can happen, over real sockets, with a clock that is shared.

A row says what the user sees (result and exit code), how many POSTs were sent, how many runs they started, how many
stop requests were sent, and which runs are still going at the end.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from rerun_action.core.model import OnEnd, Policy
from rerun_action.simulator import Fault, PastRun, Patch, Reply, Seconds, just_json, redirect
from tests.support.scenarios import FIRST, FLAKES, PASSES, PLAN, case, scenario
from tests.support.virtual import Played, play

MINUTE = Policy(timeout_minutes=1.0, poll_interval_seconds=10.0)
SECONDS = Seconds(created=1.0, queued=2.0, running=20.0)
DATE = {"Retry-After": "Mon, 02 Jan 2040 10:00:09 GMT", "Date": "Mon, 02 Jan 2040 10:00:00 GMT"}
GREEN, RED, TIMED_OUT, ERROR, CANCELLED = (
    ("flaky", 0),
    ("failed", 1),
    ("timed-out", 4),
    ("error", 3),
    ("cancelled", 143),
)


@dataclass
class Row:
    faults: tuple[Fault, ...]
    ends: tuple[str, int] = GREEN
    posts: int = 1
    started: int = 1
    stops: int = 0
    live: tuple[int, ...] = ()
    says: str = ""
    signal_at: float | None = None
    policy: Policy | None = None
    world: dict[str, Any] = field(default_factory=dict)


def before(*faults: Fault, says: str = "") -> Row:
    """Ends in an error before anything was triggered."""
    return Row(faults, ERROR, posts=0, started=0, says=says)


def at(on: Any, answer: Any, **fields: Any) -> Fault:
    return Fault(on, answer, **fields)


UNAVAILABLE, TEAPOT = Reply(503), Reply(418, body={"error": "I am a teapot"})
ROWS: dict[str, Row] = {
    # --- looking at the execution
    "run: 503 three times": Row((at("run", UNAVAILABLE, times=3),), says="the platform answers again after"),
    "run: 500": Row((at("run", Reply(500)),)),
    "run: 429 with seconds": Row((at("run", Reply(429, {"Retry-After": "40"})),)),
    "run: 429 with a date": Row((at("run", Reply(429, DATE)),)),
    "run: reset": Row((at("run", "reset", times=2),)),
    "run: closed": Row((at("run", "close", times=2),)),
    "run: hangs": Row((at("run", "hang"),)),
    "run: drips": Row((at("run", "drip"),)),
    "run: cut": Row((at("run", "truncate"),)),
    "run: an HTML page": Row((at("run", "html", times=2),)),
    "run: an empty body": Row((at("run", Reply(200, body="")),)),
    "run: a list": before(at("run", just_json([1])), says="not a run as the API documents it"),
    "run: another run": before(at("run", Patch({"id": 7})), says="asked for run 100"),
    "run: 401": before(at("run", Reply(401, body="Unauthorized")), says="does not accept the key (401)"),
    "run: 403": before(at("run", Reply(403)), says="may not do this (403)"),
    "run: 404": before(at("run", Reply(404)), says="Most often it is a test plan id"),
    "run: 418": before(at("run", TEAPOT), says="I am a teapot"),
    "run: redirected": before(at("run", redirect("https://elsewhere.example/")), says="redirects elsewhere (302)"),
    "run: down until the deadline": Row(
        (at("run", UNAVAILABLE, times=None),),
        ERROR,
        0,
        0,
        policy=MINUTE,
        says="not be reached until the deadline",
    ),
    "run: hangs until the deadline": Row((at("run", "hang", times=None),), ERROR, 0, 0, policy=MINUTE),
    # --- its listing
    "listing: 502 twice": Row((at("listing", Reply(502), times=2),)),
    "listing: reset": Row((at("listing", "reset"),)),
    "listing: cut": Row((at("listing", "truncate"),)),
    "listing: an HTML page": Row((at("listing", "html"),)),
    "listing: hangs": Row((at("listing", "hang"),)),
    "listing: testCases is null": before(at("listing", Patch({"testCases": None})), says="has no `testCases`"),
    "listing: a number": before(at("listing", just_json(5)), says="is not a JSON object"),
    "listing: a case without an id": before(at("listing", Patch({"testCases": [{}]})), says="testCases[0]"),
    "listing: empty": before(at("listing", Patch({"testCases": []})), says="no test case results are listed"),
    "listing: of another run": before(at("listing", Patch({"executionResultId": 5})), says="those of 5 came"),
    "listing: of another plan": before(at("listing", Patch({"executionId": 5})), says="but belongs to plan 5"),
    # --- the trigger: what can't have reached the platform is sent again
    "trigger: 429": Row((at("trigger", Reply(429), times=2),), posts=3),
    "trigger: 503 with Retry-After": Row((at("trigger", Reply(503, {"Retry-After": "5"})),), posts=2),
    # --- accepted, and the answer lost: found and taken as ours
    "trigger: 502, accepted": Row((at("trigger", Reply(502), processed=True),), says="it is the rerun that was"),
    "trigger: 503, accepted": Row((at("trigger", UNAVAILABLE, processed=True),)),
    "trigger: 504, accepted": Row((at("trigger", Reply(504), processed=True),)),
    "trigger: 524, accepted": Row((at("trigger", Reply(524), processed=True),)),
    "trigger: reset, accepted": Row((at("trigger", "reset", processed=True),)),
    "trigger: closed, accepted": Row((at("trigger", "close", processed=True),)),
    "trigger: cut, accepted": Row((at("trigger", "truncate"),)),
    "trigger: an HTML page, accepted": Row((at("trigger", "html", processed=True),)),
    "trigger: another shape, accepted": Row((at("trigger", just_json({}), processed=True),)),
    "trigger: hangs, accepted": Row((at("trigger", "hang", processed=True),)),
    "trigger: 502, accepted, the child shows as an id": Row(
        (at("trigger", Reply(502), processed=True),), world={"child": "id"}
    ),
    "trigger: 502, accepted, only the plan's last run shows": Row(
        (at("trigger", Reply(502), processed=True),), world={"child": "none"}
    ),
    "trigger: 502, accepted, and the platform down while it is looked for": Row(
        (at("trigger", Reply(502), processed=True), at("run", UNAVAILABLE, run=FIRST, skip=1, times=3))
    ),
    # --- not accepted: sent once more only after a gateway's answer
    "trigger: 502, not accepted": Row((at("trigger", Reply(502)),), posts=2, says="triggering once more"),
    "trigger: 503, not accepted": Row((at("trigger", UNAVAILABLE),), posts=2),
    "trigger: 504, not accepted": Row((at("trigger", Reply(504)),), posts=2),
    "trigger: 502, then accepted with 502": Row(
        (at("trigger", Reply(502)), at("trigger", Reply(502), processed=True)), posts=2
    ),
    "trigger: 502 twice": Row(
        (at("trigger", Reply(502), times=2),), ERROR, posts=2, started=0, says="Look for a rerun"
    ),
    "trigger: 524, not accepted": Row((at("trigger", Reply(524)),), ERROR, started=0, says="Look for a rerun"),
    "trigger: reset, not accepted": Row((at("trigger", "reset"),), ERROR, started=0, says="no rerun has shown"),
    "trigger: hangs, not accepted": Row((at("trigger", "hang"),), ERROR, started=0),
    "trigger: an HTML page, not accepted": Row((at("trigger", "html"),), ERROR, started=0),
    # --- refused: said, and nothing is sent again
    "trigger: 500": Row((at("trigger", Reply(500, body={"error": "Boom"})),), ERROR, started=0, says='said: "Boom"'),
    "trigger: 400": Row((at("trigger", Reply(400, body={"error": "No"})),), ERROR, started=0, says='said: "No"'),
    "trigger: 401": Row((at("trigger", Reply(401, body="Who?")),), ERROR, started=0, says="api-key"),
    "trigger: redirected": Row((at("trigger", redirect("https://elsewhere.example/")),), ERROR, started=0),
    "trigger: answered with the parent": Row((at("trigger", Patch({"id": FIRST})),), says="which was there before"),
    "trigger: answered with an older run": Row(
        (at("trigger", Patch({"id": FIRST - 1})),), says="which was there before"
    ),
    "trigger: answered with a run of another plan": Row((at("trigger", Patch({"executionId": 7})),)),
    "trigger: 502, accepted, and the platform down longer than it is looked for": Row(
        (at("trigger", Reply(502), processed=True), at("run", UNAVAILABLE, run=FIRST, skip=1, seconds=40.0)),
        ERROR,
        live=(),
        says="Look for a rerun",
    ),
    "trigger: 502, accepted, the child not known at first": Row(
        (at("trigger", Reply(502), processed=True), at("run", Reply(404), run=101, seconds=10.0))
    ),
    "trigger: 502, accepted, and the first looks refused": Row(
        (at("trigger", Reply(502), processed=True), at("run", Reply(400), run=FIRST, skip=1, times=2))
    ),
    "trigger: 502, accepted, the plan's last run not known at first": Row(
        (at("trigger", Reply(502), processed=True), at("run", Reply(404), run=101, seconds=10.0)),
        world={"child": "none"},
    ),
    "stop: right after the start, known nowhere yet": Row(
        (at("run", Reply(404), run=101, seconds=6.0), at("stop", Reply(404), run=101, times=1)),
        CANCELLED,
        stops=2,
        signal_at=2.0,
        says="stop confirmed",
    ),
    "signal: the trigger hangs, accepted, the child not known at first": Row(
        (at("trigger", "hang", processed=True), at("run", Reply(404), run=101, times=2)),
        CANCELLED,
        stops=1,
        signal_at=1.0,
        says="stop confirmed",
    ),
    # --- polling the rerun
    "poll: 503 for half the run": Row((at("run", UNAVAILABLE, run=101, seconds=12.0),)),
    "poll: down for twenty minutes": Row((at("run", Reply(502), run=101, seconds=1200.0),)),
    "poll: 429 with seconds": Row((at("run", Reply(429, {"Retry-After": "90"}), run=101),)),
    "poll: reset again and again": Row((at("run", "reset", run=101, times=5),)),
    "poll: hangs": Row((at("run", "hang", run=101, times=2),)),
    "poll: cut": Row((at("run", "truncate", run=101, times=3),)),
    "poll: an HTML page": Row((at("run", "html", run=101, times=3),)),
    "poll: 404 at first": Row((at("run", Reply(404), run=101, seconds=20.0),)),
    "poll: a status that nobody knows": Row((at("run", Patch({"status": "STATUS_BREAKFAST"}), run=101, times=8),)),
    "poll: 404 for ever": Row(
        (at("run", Reply(404), run=101, times=None),), ERROR, stops=1, says="run 101 is not known to the platform"
    ),
    "poll: the key is revoked": Row((at("run", Reply(401), run=101, times=1),), ERROR, stops=1, says="api-key"),
    "poll: another shape": Row((at("run", just_json([]), run=101),), ERROR, stops=1),
    "poll: down until the deadline": Row(
        (at("run", UNAVAILABLE, run=101, times=None),), ERROR, stops=1, policy=MINUTE, says="stop it by hand"
    ),
    "poll: down until the deadline, leave": Row(
        (at("run", UNAVAILABLE, run=101, times=None),),
        ERROR,
        policy=Policy(timeout_minutes=0.2, on_timeout=OnEnd.LEAVE),
        live=(101,),
        says="left running, as asked",
    ),
    "poll: a failed run that lists only passes": Row(
        (at("run", Patch({"result": "FAILURE"}), run=101, times=None),),
        ERROR,
        says="every test case listed for it passed",
    ),
    "poll: a result that nobody knows": Row((at("run", Patch({"result": "FINE"}), run=101, times=None),), ERROR),
    # --- the rerun's listing
    "results: 503": Row((at("listing", UNAVAILABLE, run=101, times=2),)),
    "results: cut": Row((at("listing", "truncate", run=101),)),
    "results: empty": Row((at("listing", Patch({"testCases": []}), run=101, times=None),), RED, says="unresolved"),
    "results: another shape": Row((at("listing", just_json({"cases": []}), run=101),), ERROR),
    # --- the stop
    "stop: 503 first": Row((at("stop", UNAVAILABLE),), CANCELLED, stops=2, signal_at=10.0, says="stop confirmed"),
    "stop: reset first": Row((at("stop", "reset"),), CANCELLED, stops=2, signal_at=10.0, says="stop confirmed"),
    "stop: hangs first": Row((at("stop", "hang"),), CANCELLED, stops=2, signal_at=10.0, says="stop confirmed"),
    "stop: accepted, the answer cut": Row(
        (at("stop", "truncate"),), CANCELLED, stops=2, signal_at=10.0, says="stop confirmed"
    ),
    "stop: accepted, 502": Row(
        (at("stop", Reply(502), processed=True),), CANCELLED, stops=2, signal_at=10.0, says="stop confirmed"
    ),
    "stop: refused": Row(
        (at("stop", Reply(400, body={"error": "No"}), times=None),),
        CANCELLED,
        stops=1,
        signal_at=5.0,
        says="it had ended with SUCCESS by then",
    ),
    "stop: refused, and it goes on": Row(
        (at("stop", Reply(400, body={"error": "No"}), times=None),),
        CANCELLED,
        stops=1,
        live=(101,),
        signal_at=5.0,
        world={"seconds": Seconds(1.0, 2.0, 100.0)},
        says='stop not confirmed (the platform refused the request (400). It said: "No".); run 101 may still be going',
    ),
    "stop: another run was stopped": Row(
        (at("stop", Patch({"id": 7})),), CANCELLED, stops=1, signal_at=10.0, says="stopped run 7 instead of 101"
    ),
    "stop: only the route without an id": Row(
        (), CANCELLED, stops=2, signal_at=10.0, says="stop confirmed", world={"stop_route": "collection"}
    ),
    "stop: the confirmation is slow to come": Row(
        (at("run", UNAVAILABLE, run=101, skip=5, times=4),), CANCELLED, stops=1, signal_at=10.0, says="stop confirmed"
    ),
    # --- a signal or the deadline while the trigger is out
    "signal: the trigger hangs, accepted": Row(
        (at("trigger", "hang", processed=True),), CANCELLED, stops=1, signal_at=1.0, says="stop confirmed"
    ),
    "signal: the trigger hangs, not accepted": Row(
        (at("trigger", "hang"),), CANCELLED, started=0, signal_at=1.0, says="no rerun has shown since"
    ),
    "deadline: the trigger hangs, accepted": Row(
        (at("trigger", "hang", processed=True),), TIMED_OUT, stops=1, policy=Policy(timeout_minutes=0.1)
    ),
    "signal: the poll hangs": Row((at("run", "hang", run=101, times=2),), CANCELLED, stops=1, signal_at=5.0),
    "deadline: while it runs": Row((), TIMED_OUT, stops=1, policy=Policy(timeout_minutes=0.2), says="stop confirmed"),
    # --- the plan reruns by itself
    "the plan's own rerun comes by itself": Row(
        (), posts=0, started=0, world={"rerun_type": "ONLY_FAILED_TESTS", "auto_rerun_after": 20.0}, says="watching"
    ),
    "the plan's own rerun does not come": Row(
        (), world={"rerun_type": "ONLY_FAILED_TESTS", "auto_rerun_after": 3600.0}, says="watching"
    ),
}


def played(row: Row) -> Played:
    cases = (case(1, *FLAKES), case(2, *PASSES))
    runs = (PastRun(FIRST, PLAN, finishes_in=-1.0),)
    world = scenario(*cases, runs=runs, **{"seconds": SECONDS, "faults": row.faults, **row.world})
    return play(world, policy=row.policy, signal_at=row.signal_at)


@pytest.mark.parametrize("name", ROWS)
def test_a_fault(name: str) -> None:
    row = ROWS[name]
    story = played(row)
    report, platform = story.report, story.platform
    seen = (
        (report.outcome.value, int(report.exit_code)),
        story.posts,
        len(platform.started),
        len(platform.stops),
        tuple(platform.live_runs()),
    )
    assert seen == (row.ends, row.posts, row.started, row.stops, row.live), story.text
    assert row.says in story.text
    assert "Traceback" not in story.text
    assert all(body == {"canStopAll": False, "result": "STOPPED"} for _, body in platform.stops)
    assert len([line for line in story.text.splitlines() if "does not answer" in line]) <= 3


def test_the_matrix_is_as_large_as_it_has_to_be() -> None:
    assert len(ROWS) >= 40
