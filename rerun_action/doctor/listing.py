"""What the execution's list of results looks like: its shape, its pages, its values."""

from rerun_action.core.model import Result
from rerun_action.doctor import connection, facts
from rerun_action.doctor.line import OPEN_AN_ISSUE, CouldNot, Finding, State
from rerun_action.doctor.subject import Subject
from rerun_action.errors import ActionError, Cancelled, Contradiction, Refused
from rerun_action.testsigma.journal import BudgetSpent
from rerun_action.testsigma.look import listing_path


def shape(subject: Subject) -> Finding:
    """Has the listing the documented shape?"""
    given = subject.given
    try:
        pages = subject.pages(given.id)
    except CouldNot as obstacle:
        return _no_listing(subject, obstacle.__cause__)
    extra, missing = facts.other_fields(pages)
    # by their number: the names could be telling, and these lines are made to be shown
    remarks = [f"undocumented fields: {len(extra)}"] if extra else []
    remarks += [f"missing: {', '.join(missing)}"] if missing else []
    total, listed = given.progress.total, facts.leaves(pages)
    if total is not None and total > listed:
        remarks.append(f"the run counts {total} results, but only {listed} are listed")
    if remarks:
        return Finding(State.NOTE, f"readable, but not quite as documented; {'; '.join(remarks)}", OPEN_AN_ISSUE)
    return Finding(State.OK, "as documented")


def _no_listing(subject: Subject, error: BaseException | None) -> Finding:
    reply = subject.journal.last(listing_path(subject.given.id))
    if isinstance(error, Contradiction):
        return Finding(State.PROBLEM, error.message, OPEN_AN_ISSUE)
    if isinstance(error, Refused) and reply is not None:
        step = "use the key of a user who can see the results of the test plan"
        return Finding(State.PROBLEM, f"refused (HTTP {reply.status})", step)
    text, step = (reply and connection.disturbed(reply)) or ("gives no complete answer", "try again later")
    return Finding(State.PROBLEM, f"the server {text}", step)


def pages(subject: Subject) -> Finding:
    """Does it come in pages?"""
    found = subject.pages(subject.given.id)
    held = _number(sum(1 for _ in facts.cases(found)), "case")
    if not any(map(facts.has_page_fields, found)):
        return Finding(State.OK, f"no page fields; one reply holds all of it ({held})")
    return Finding(State.OK, f"page fields; {_number(len(found), 'page')} with {held}, read to the end")


def page_1(subject: Subject) -> Finding:
    """Does `?page=1` change it? Pages are counted from 0."""
    found = subject.pages(subject.given.id)
    if len(found) > 1:
        return Finding(State.OK, "it holds other results than page 0, as it should")
    try:
        page = subject.looked.second_page(subject.given.id)
    except (BudgetSpent, Cancelled):
        raise
    except ActionError:
        page = None
    if not facts.is_listing(page):
        return Finding(State.NOTE, "?page=1 gets no list")
    without, ids = facts.result_ids(found), facts.result_ids([page])
    if ids == without:
        return Finding(State.OK, "?page=1 changes nothing")
    if any(map(facts.has_page_fields, found)) and not ids:
        return Finding(State.OK, "it is empty, as it should be")
    if not subject.given.finished:
        raise CouldNot("the execution goes on, and its listing with it")
    if not ids:
        text = "?page=1 gets an empty list, though no reply speaks of pages: a long listing may be cut off"
        return Finding(State.NOTE, text, "compare the number of cases with the run's page in Testsigma")
    if ids < without:
        return Finding(State.NOTE, "?page=1 gets some of the same results")
    text = "?page=1 gets other results, though no reply speaks of them: the action would overlook those"
    return Finding(State.PROBLEM, text, f"don't rely on the action here; {OPEN_AN_ISSUE}")


def values(subject: Subject) -> Finding:
    """Are all results known values?"""
    words = facts.words(subject.pages(subject.given.id))
    said = ", ".join(f"{count} {word}" for word, count in sorted(words.items()))
    results = {word: None if word == "null" else Result.of(word) for word in words}
    unknown = sorted(word for word, result in results.items() if result is Result.UNKNOWN)
    if not words:
        return Finding(State.NOTE, "nothing is listed")
    if unknown:
        text = f"not all results are known ({said}); what is not counts as not passed: {', '.join(unknown)}"
        return Finding(State.NOTE, text, OPEN_AN_ISSUE)
    if subject.given.finished and not all(result is not None and result.settled for result in results.values()):
        text = f"some results are not final, though the execution is ({said}); the action looks again for 60 s"
        return Finding(State.NOTE, text)
    return Finding(State.OK, f"all results are known ({said}; cases and rows, each counted)")


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
