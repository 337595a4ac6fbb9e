"""What the execution and its chain of reruns show."""

from itertools import pairwise

from rerun_action.core.policy import MAX_RERUNS_OF_A_RUN
from rerun_action.doctor import facts
from rerun_action.doctor.line import Finding, State
from rerun_action.doctor.subject import Subject
from rerun_action.testsigma import documented


def finished(subject: Subject) -> Finding:
    """Is the execution finished?"""
    run = subject.given
    status = facts.shown(subject.body(run.id).get("status"))
    if run.finished:
        return Finding(State.OK, f"yes ({status})")
    known = "" if run.status in documented.STATUSES else ", which this action does not know"
    limit = f"timeout-minutes: {subject.inputs.timeout_minutes:g}"
    return Finding(State.NOTE, f"no ({status}{known}); the action waits for it ({limit})")


def merging(subject: Subject) -> Finding:
    """Does a listing merge the chain?"""
    first, newest = subject.chain[0].id, subject.chain[-1].id
    if first == newest:
        return Finding(State.NOTE, "the execution has no rerun yet, so it can't be told")
    listed = [facts.result_ids(subject.pages(run_id)) for run_id in (first, newest)]
    return Finding(State.OK, facts.merging(*listed))


def parent_and_child(subject: Subject) -> Finding:
    """Where do parent and child show?"""
    chain = subject.chain
    last = facts.last_run(subject.body(chain[0].id), chain[-1].id)
    if len(chain) == 1:
        form = facts.child_form(subject.body(chain[0].id), None)
        text = f"the execution has no rerun yet; childResult is {form}, the plan's lastRunId names {last}"
        return Finding(State.NOTE, text)
    forms = dict.fromkeys(facts.child_form(subject.body(parent.id), child.id) for parent, child in pairwise(chain))
    return Finding(
        State.OK,
        "a rerun names its parent in reRunParentId; the parent's childResult is "
        f"{' or '.join(forms)}, the plan's lastRunId names {last}",
    )


def own_rerun(subject: Subject) -> Finding:
    """Does the plan rerun by itself?"""
    word = facts.rerun_type(subject.body(subject.given.id))
    if word is None:
        return Finding(State.NOTE, "the reply does not hold the plan, so it can't be told")
    if not subject.given.reruns_by_itself:
        return Finding(State.OK, f"the plan does not rerun by itself (reRunType {word})")
    text = f"the plan reruns its failures by itself (reRunType {word}); the action looks out for that for 30 s first"
    return Finding(State.NOTE, text, "switch one of the two off")


def reruns(subject: Subject) -> Finding:
    """How many of the ten reruns are used?"""
    used = len(subject.chain) - 1
    text = f"{used} of {MAX_RERUNS_OF_A_RUN} are used"
    if used < MAX_RERUNS_OF_A_RUN:
        return Finding(State.OK, text)
    return Finding(State.NOTE, f"{text}, the platform takes no more", "start a fresh run of the test plan")
