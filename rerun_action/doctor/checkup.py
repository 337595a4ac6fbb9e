"""The checks, in their order. One that can't be made says why, and keeps no other from being made.

Neighbours that can't be made for the same reason share a line.
"""

import re
from collections.abc import Callable, Iterator
from itertools import groupby

from rerun_action.core.model import Outcome, Report
from rerun_action.doctor import access, listing, runs
from rerun_action.doctor.line import OPEN_AN_ISSUE, CouldNot, Finding, Line, State
from rerun_action.doctor.looked import Looked
from rerun_action.doctor.subject import Subject
from rerun_action.errors import Cancelled
from rerun_action.testsigma.journal import BudgetSpent

MAX_REQUESTS = 20
"""Further pages of a listing not counted."""
SKEW_SECONDS = 60
_SIGNAL_CODE = 128


def check_up(subject: Subject, dry_run: Callable[[Looked], Report]) -> Iterator[Line]:
    """Make all checks. `dry_run` tells the action's own story of what was looked at; raises Cancelled."""
    checks: tuple[tuple[str, Callable[[Subject], Finding]], ...] = (
        ("host", access.host),
        ("key", access.key),
        ("execution", access.execution),
        ("plan", access.plan),
        ("finished", runs.finished),
        ("listing", listing.shape),
        ("pages", listing.pages),
        ("page 1", listing.page_1),
        ("values", listing.values),
        ("merging", runs.merging),
        ("parent and child", runs.parent_and_child),
        ("own rerun", runs.own_rerun),
        ("reruns", runs.reruns),
        ("clock", clock),
        ("decision", lambda subject: decision(subject, dry_run)),
    )
    findings = ((topic, _find(check, subject)) for topic, check in checks)
    for finding, found in groupby(findings, key=lambda pair: pair[1]):
        yield Line(", ".join(topic for topic, _ in found), finding)


def _find(check: Callable[[Subject], Finding], subject: Subject) -> Finding:
    try:
        return check(subject)
    except CouldNot as obstacle:
        return Finding(State.NOTE, f"could not look: {obstacle}")
    except BudgetSpent:
        return Finding(State.NOTE, f"could not look: it takes more than {MAX_REQUESTS} requests")
    except Cancelled:
        raise
    except Exception as fault:  # noqa: BLE001 - a check that fails must not hide the others
        return Finding(State.NOTE, f"could not look: a fault of the check ({type(fault).__name__})", OPEN_AN_ISSUE)


def clock(subject: Subject) -> Finding:
    """Do the clocks agree?"""
    skews = [reply.skew for reply in subject.journal.exchanges if reply.skew is not None]
    if not skews:
        raise CouldNot("no reply says what time it is")
    skew = min(skews, key=abs)
    if abs(skew) <= SKEW_SECONDS:
        return Finding(State.OK, f"within {SKEW_SECONDS} s of the server's")
    where = "behind" if skew > 0 else "ahead of"
    text = f"{abs(skew):.0f} s {where} the server's; the expiry of quarantine entries goes by it"
    return Finding(State.NOTE, text, "set this machine's clock")


def decision(subject: Subject, dry_run: Callable[[Looked], Report]) -> Finding:
    """What would the action do now?"""
    if not subject.new:
        _ = subject.given
    elif not subject.key_is_well:
        raise CouldNot("whether the key is accepted is not known")
    report = dry_run(subject.looked)
    if report.outcome is Outcome.CANCELLED:
        raise Cancelled(report.exit_code - _SIGNAL_CODE)
    if subject.journal.spent:
        text = f"could not look: the whole chain takes more than {MAX_REQUESTS} requests"
        return Finding(State.NOTE, text, "set dry-run: true, it reads all of it")
    # what the platform says in a refusal may be meant for the tenant alone
    message = re.sub(r' It said: ".*"\.', "", report.message)
    if report.exit_code:
        return Finding(State.PROBLEM, f"the action would end with exit code {report.exit_code}: {message}")
    if report.newest is not None and not report.newest.finished:
        message += f", as it stands; it waits for the end of run {report.newest.id} first"
    return Finding(State.NOTE if message.startswith("would decline") else State.OK, f"the action {message}")
