"""junit.xml (interface page, "What it writes"): one testcase per leaf, all runs of the chain merged.

What its readers ask for, and where it shows:

- GitLab knows a testcase by classname and name and keeps the first of two alike, over the whole file. So the
  classname is the name of the suite as this file spells it, and a name is given once within its suite. It shows the
  text of a `<failure>` or `<error>`, and the attributes only raw where there is no text: they say the same.
- Jenkins reads message, type and stackTrace of `<flakyFailure>` and `<rerunFailure>`, and nothing of `<flakyError>`
  and `<rerunError>`: an abortion is a failure here too.
- Surefire's schema wants a `<stackTrace>` in both, though the platform gives none: it is empty.

Names and reasons are data of others. Line breaks and tabs are written as blanks; characters that XML 1.0 doesn't know,
that control a terminal or that turn the writing direction as visible escapes (`\\x1b`), like everywhere in the reports.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape, unescape

from rerun_action.core.model import Leaf, LeafReport, Observation, Outcome, Report, Result, Verdict
from rerun_action.core.text import one_line

LIMIT = 29_000_000
"""Bytes that the file is kept under. GitLab takes less than 30 MB, and doesn't say which kind of megabyte."""

NO_SUITE = "(no suite)"
NO_NAME = "(no name)"
STEP = "testsigma-rerun"
"""The suite and the test that stand for the step itself where it has seen no test."""

_HALF_A_REFERENCE = re.compile("&[^;]*$")


@dataclass(frozen=True, slots=True)
class _Detail:
    """How much is said of each leaf."""

    reasons: bool = True
    failures: int | None = None
    """How many failures of a leaf are told; None: all."""
    suite: int | None = None
    name: int | None = None
    """Bytes that a name may take in the file; None: all that it has."""


_DETAILS = (
    _Detail(),
    _Detail(reasons=False),
    _Detail(reasons=False, failures=1),
    _Detail(reasons=False, failures=1, suite=32, name=64),
)
"""The last keeps 100,000 leaves in 1,000 suites under the limit, whatever they are called and however they ended."""


def pieces(report: Report) -> Iterator[str]:
    """Yield the file piece by piece: it is never in memory as a whole.

    Where it would pass the limit, reasons are left out; where that doesn't do, all but the first failure of each
    leaf; then the ends of long names. The testcases and their verdicts stay.
    """
    *richer, least = _DETAILS
    return _render(report, next((detail for detail in richer if _fits(_render(report, detail))), least))


def _fits(pieces: Iterable[str]) -> bool:
    size = 0
    for piece in pieces:
        size += len(piece.encode())
        if size > LIMIT:
            return False
    return True


def _render(report: Report, detail: _Detail) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    step = _tells_of_the_step(report)
    yield f"<testsuites{_totals(report.leaves, errors=step)}>\n"
    if step:
        yield from _step(report)
    yield from _suites(report.leaves, detail)
    yield "</testsuites>\n"


def _tells_of_the_step(report: Report) -> bool:
    """Whether the step ended badly though no test tells of it: a test tab that is green, or empty, would lie."""
    told = any(leaf.verdict in (Verdict.FAILED, Verdict.UNRESOLVED) for leaf in report.leaves)
    return not told and report.outcome in (Outcome.ERROR, Outcome.TIMED_OUT, Outcome.CANCELLED)


def _step(report: Report) -> Iterator[str]:
    yield f'<testsuite name="{STEP}"{_totals((), errors=1)}>\n'
    yield f'<testcase name="{STEP}" classname="{STEP}">\n'
    yield _spoken("error", report.message, report.outcome.value)
    yield "</testcase>\n</testsuite>\n"


def _suites(leaves: Iterable[LeafReport], detail: _Detail) -> Iterator[str]:
    suites: dict[str, list[LeafReport]] = {}
    for report in leaves:
        suites.setdefault(_visible(report.leaf.suite).strip() or NO_SUITE, []).append(report)
    names = _unique([_clip(name, detail.suite) for name in suites])
    for name, members in zip(names, suites.values(), strict=True):
        suite = _xml(name)
        yield f'<testsuite name="{suite}"{_totals(members)}>\n'
        cases = _unique([_clip(_name(report.leaf), detail.name) for report in members])
        for case, report in zip(cases, members, strict=True):
            yield _testcase(suite, _xml(case), report, detail)
        yield "</testsuite>\n"


def _totals(leaves: Sequence[LeafReport], errors: int = 0) -> str:
    verdicts = Counter(report.verdict for report in leaves)
    return (
        f' tests="{len(leaves) + errors}" failures="{verdicts[Verdict.FAILED]}"'
        f' errors="{verdicts[Verdict.UNRESOLVED] + errors}" skipped="{verdicts[Verdict.QUARANTINED]}"'
    )


def _testcase(suite: str, name: str, report: LeafReport, detail: _Detail) -> str:
    inside = "".join(_results(report, detail))
    start = f'<testcase name="{name}" classname="{suite}"'
    return f"{start}>\n{inside}</testcase>\n" if inside else f"{start}/>\n"


def _results(report: LeafReport, detail: _Detail) -> Iterator[str]:
    reason = report.reason if detail.reasons else ""
    # the platform's word for "failed" is any but SUCCESS, as the verdict has it: one that nobody knows is no pass
    failures = [seen for seen in report.observations if seen.result is not Result.SUCCESS][: detail.failures]
    latest = report.observations[-1] if report.observations else None
    match report.verdict:
        case Verdict.PASSED:
            return
        case Verdict.FLAKY:
            for seen in failures:
                yield _silent("flakyFailure", _message(seen, reason), seen.result)
        case Verdict.FAILED:
            # a leaf that passed before it failed has its first failure here all the same: a pass has no element
            first = failures[0] if failures else None
            yield _spoken("failure", _message(first, reason), Result.FAILURE if first is None else first.result)
            for seen in failures[1:]:
                yield _silent("rerunFailure", _message(seen, reason), seen.result)
        case Verdict.UNRESOLVED:
            yield _spoken("error", _message(latest, reason), Result.UNKNOWN if latest is None else latest.result)
        case Verdict.QUARANTINED:
            yield f'<skipped message="{_xml(_message(latest, reason))}"/>\n'


def _spoken(tag: str, message: str, kind: str) -> str:
    text = _xml(message)
    return f'<{tag} message="{text}" type="{kind}">{text}</{tag}>\n'


def _silent(tag: str, message: str, kind: str) -> str:
    return f'<{tag} message="{_xml(message)}" type="{kind}"><stackTrace/></{tag}>\n'


def _message(seen: Observation | None, reason: str) -> str:
    """Say result, run and reason; a reason that begins with them has said it."""
    if seen is None:
        return reason
    what = seen.result if seen.run_id is None else f"{seen.result} in run {seen.run_id}"
    if not reason or reason == what:
        return what
    return reason if reason.startswith((f"{what},", f"{what};")) else f"{what}: {reason}"


def _name(leaf: Leaf) -> str:
    row = "" if leaf.iteration is None else f" [{leaf.iteration}]"
    machine = f" on {leaf.machine}" if leaf.machine.strip() else ""
    return _visible(f"{leaf.case if leaf.case.strip() else NO_NAME}{row}{machine}").strip()


def _unique(names: Sequence[str]) -> Iterator[str]:
    """Number the later ones of equal names, never so that one gets a name that another has from the start."""
    theirs = set(names)
    numbers: dict[str, int] = {}
    for name in names:
        number = numbers.get(name, 0) + 1
        unique = name
        if number > 1:
            while (unique := f"{name} ({number})") in theirs:
                number += 1
        numbers[name] = number
        yield unique


def _visible(text: str) -> str:
    if text.isprintable():
        return text  # nearly always, and several times as fast
    # the last two are harmless in the line of a log, but XML has no place for them
    return one_line(text).replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")


def _clip(text: str, width: int | None) -> str:
    """Return as much of a visible text as takes no more than so many bytes once it is XML."""
    if width is None:
        return text
    room = _xml(text[:width]).encode()[:width].decode(errors="ignore")
    return unescape(_HALF_A_REFERENCE.sub("", room))


def _xml(text: str) -> str:
    return escape(_visible(text), quote=False).replace('"', "&quot;")
