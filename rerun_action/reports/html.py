"""index.html: one self-contained page, a grid of leaves and runs, readable without network and without scripts."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from rerun_action.core.model import WORST_FIRST, LeafReport, Outcome, Report, Result, RunReport, run_url
from rerun_action.core.text import one_line, state, tests

_TONES = {
    Outcome.CLEAN: "passed",
    Outcome.FLAKY: "flaky",
    Outcome.FAILED: "failed",
    Outcome.DECLINED: "flaky",
    Outcome.TIMED_OUT: "failed",
    Outcome.CANCELLED: "quarantined",
    Outcome.ERROR: "failed",
    Outcome.DRY_RUN: "unresolved",
}
"""The colour of an outcome is that of the verdict which it is like."""

_WORDS = {
    Result.SUCCESS: "Passed",
    Result.FAILURE: "Failed",
    Result.ABORTED: "Aborted",
    Result.NOT_EXECUTED: "Not run",
    Result.STOPPED: "Stopped",
    Result.QUEUED: "Queued",
    Result.RUNNING: "Running",
    Result.UNKNOWN: "Unknown",
}
_ORIGINS = {
    "execution": "was there before",
    "fresh": "started by this step",
    "triggered": "rerun by this step",
    "recovered": "rerun by this step, found again",
    "found": "found in flight",
}

# What a browser would show as nothing or as a mere space, beyond what one_line() escapes: white space other than the
# space, soft hyphen, zero-width characters (not the two joiners: scripts and emoji need them), tags, noncharacters.
_UNSEEN = re.compile(
    "[\t-\r\x1c-\x1f\x85\u2028\u2029\xad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\uffff\U000e0000-\U000e007f]"
)


def render(report: Report) -> str:
    """Return the page."""
    return "".join(pieces(report))


def pieces(report: Report) -> Iterator[str]:
    """Yield the page piece by piece, so that it is never in memory as a whole."""
    columns = _Columns(report)
    return _template().generate(
        report=report,
        tone=_TONES[report.outcome],
        counts=report.counts(),
        verdicts=WORST_FIRST,
        runs=[_run(entry, report.server_url) for entry in report.runs],
        newest_url=_link(report.run_url),
        columns=columns,
        leaves=map(columns.row, sorted(report.leaves, key=_order)),
    )


def visible(text: object) -> str:
    """Return the text as one line in which nothing hides: what can't be seen stands there as an escape."""
    text = str(text)
    if text.isascii() and text.isprintable():
        return text  # nearly always
    return one_line(_UNSEEN.sub(lambda match: ascii(match[0])[1:-1], text))


@dataclass(frozen=True, slots=True)
class _Row:
    """One leaf; each cell holds the results that the leaf had in one run, as (word, class)."""

    suite: str
    case: str
    iteration: str | None
    machine: str
    verdict: str
    reason: str
    cells: list[list[tuple[str, str]]]


class _Columns:
    """One column for each run of the chain; one more for results whose run is not known, if there are any."""

    def __init__(self, report: Report) -> None:
        self.run_ids = [entry.run.id for entry in report.runs]
        self._places = {run_id: place for place, run_id in enumerate(self.run_ids)}
        self.with_unknown = any(seen.run_id not in self._places for leaf in report.leaves for seen in leaf.observations)
        self.count = len(self.run_ids) + self.with_unknown

    def row(self, entry: LeafReport) -> _Row:
        cells: list[list[tuple[str, str]]] = [[] for _ in range(self.count)]
        for seen in entry.observations:
            # the listings can name a run that is not of the chain: that is no run of ours to put it under
            place = self._places.get(seen.run_id, -1) if seen.run_id is not None else -1
            cells[place].append((_WORDS[seen.result], seen.result.value.lower()))
        leaf = entry.leaf
        return _Row(leaf.suite, leaf.case, leaf.iteration, leaf.machine, entry.verdict.value, entry.reason, cells)


def _order(entry: LeafReport) -> tuple[int, str, str, str, str]:
    leaf = entry.leaf
    return WORST_FIRST.index(entry.verdict), leaf.suite, leaf.case, leaf.iteration or "", leaf.machine


# --- runs -------------------------------------------------------------------------------------------------------------


def _run(entry: RunReport, server_url: str | None) -> dict[str, object]:
    run = entry.run
    return {
        "id": run.id,
        "url": _link(run_url(server_url, run.id) if server_url else None),
        "origin": entry.origin.value,
        "meaning": _ORIGINS[entry.origin.value],
        "requested": entry.requested,
        "status": state(run.status),
        "result": (_WORDS[run.result], run.result.value.lower()) if run.result else None,
        "started": _time(run.started_at),
        "ended": _time(run.ended_at),
        "took": _took(run.started_at, run.ended_at),
    }


def _link(url: str | None) -> str | None:
    """Return the address if it is one of the web; a link of another kind could run something."""
    return url if url and url.startswith(("https://", "http://")) else None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _time(text: str | None) -> str | None:
    moment = _moment(text)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else text


def _took(started: str | None, ended: str | None) -> str | None:
    first, last = _moment(started), _moment(ended)
    if first is None or last is None or last < first:
        return None
    minutes, seconds = divmod(round((last - first).total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


# --- the template -----------------------------------------------------------------------------------------------------


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("rerun_action.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, csp_hash=_csp_hash, shares=_shares, tests=tests)
    return environment.get_template("index.html")


def _csp_hash(source: str) -> str:
    """Return what a Content-Security-Policy calls this style or script, and no other."""
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return f"sha256-{digest}"


def _shares(counts: dict[str, int]) -> Iterator[tuple[str, str, str]]:
    """Yield verdict, start and width, in percent, of each part of the bar."""
    start = 0
    for verdict in WORST_FIRST:
        if number := counts[verdict]:
            yield verdict.value, f"{100 * start / counts['total']:.3f}", f"{100 * number / counts['total']:.3f}"
        start += number
