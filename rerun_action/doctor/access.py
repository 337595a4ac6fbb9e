"""Is the execution to be got at: host, key, execution, plan."""

from rerun_action.core.model import Run
from rerun_action.doctor import connection, facts
from rerun_action.doctor.line import OPEN_AN_ISSUE, CouldNot, Finding, State
from rerun_action.doctor.subject import Subject
from rerun_action.errors import ActionError, Contradiction, NotFound
from rerun_action.testsigma import wire
from rerun_action.testsigma.journal import Exchange


def host(subject: Subject) -> Finding:
    """Does the host answer, and over which way?"""
    failure = subject.first_look if isinstance(subject.first_look, ActionError) else None
    replies = subject.journal.exchanges
    if subject.new and replies and replies[-1].status >= 500 and _is_object(replies[-1]):  # noqa: PLR2004 - HTTP's
        failure = None  # a refusal, to a look at a run that nobody has
    finding = connection.host(subject.inputs.server_url, subject.route, failure, replies, subject.environ)
    subject.host_is_well = finding.state is State.OK
    return finding


def key(subject: Subject) -> Finding:
    """Is the key accepted?"""
    reply = subject.first_reply
    if reply.status == 401:  # noqa: PLR2004 - HTTP's own numbers
        step = "check that api-key is complete, not revoked, and of this host"
        return Finding(State.PROBLEM, "not accepted (HTTP 401)", step)
    if reply.status == 403:  # noqa: PLR2004
        step = "use the key of a user who can see and run the test plan"
        return Finding(State.PROBLEM, "it may not look at this execution (HTTP 403)", step)
    if reply.status >= 500 or (reply.status >= 400 and not _is_object(reply)):  # noqa: PLR2004
        raise CouldNot(f"HTTP {reply.status} does not tell")
    subject.key_is_well = True
    return Finding(State.OK, "accepted")


def execution(subject: Subject) -> Finding:
    """Is the execution there?"""
    reply, found, number = subject.first_reply, subject.first_look, subject.id
    if subject.new:
        return Finding(State.NOTE, "new: a fresh run would be started, there is none to look at yet")
    if isinstance(found, Run):
        word = facts.shown(subject.body(number).get("result"))
        return Finding(State.OK, f"{number} is there, its result is {word}")
    if isinstance(found, NotFound):
        return _not_found(subject, reply)
    if reply.status in (401, 403):
        raise CouldNot("the key does not get there")
    if isinstance(found, Contradiction):
        return Finding(State.PROBLEM, found.message, OPEN_AN_ISSUE)
    return Finding(State.PROBLEM, f"the look at {number} is refused (HTTP {reply.status})", "check the execution-id")


def _not_found(subject: Subject, reply: Exchange) -> Finding:
    if not _is_object(reply):
        return Finding(State.PROBLEM, "HTTP 404 without JSON: this is not Testsigma's API", "check server-url")
    reason = "most often such a number is the id of a test plan (`executionId` in API bodies is one)"
    if subject.id == subject.inputs.test_plan_id:
        reason = "it is the number that test-plan-id has: the id of the test plan, not of a run of it"
    address = f"{subject.inputs.server_url}/ui/td/runs/<number>"
    return Finding(
        State.PROBLEM,
        f"there is no execution {subject.id} (HTTP 404); {reason}",
        f"give the number at the end of a run's address, {address}",
    )


def plan(subject: Subject) -> Finding:
    """Does the execution belong to the plan?"""
    found, wanted = subject.given.plan_id, subject.inputs.test_plan_id
    if found is None:
        return Finding(State.NOTE, "the execution names no test plan; the listing has to, or nothing can be rerun")
    if wanted is None:
        return Finding(State.OK, f"the execution belongs to test plan {found}; test-plan-id is not given")
    if found != wanted:
        text = f"the execution belongs to test plan {found}, but test-plan-id is {wanted}"
        return Finding(State.PROBLEM, text, "correct one of the two inputs")
    return Finding(State.OK, f"the execution belongs to test plan {found}, as test-plan-id says")


def _is_object(reply: Exchange) -> bool:
    try:
        return isinstance(wire.parse(reply.body), dict)
    except wire.Garbled:
        return False
