"""The account: what a person reads while it happens, and the verdict at its end."""

import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import compress
from pathlib import Path

from rerun_action.core.model import Decision, Leaf, LeafReport, Origin, Progress, Report, Run, Verdict
from rerun_action.core.text import tests
from rerun_action.hosts.console import Console

MAX_LINES = 100
"""Of one kind; the report has them all."""

_STATES = {
    "STATUS_CREATED": "created",
    "STATUS_QUEUED": "queued",
    "QUEUED": "queued",
    "STATUS_PRE_FLIGHT": "getting ready",
    "STATUS_IN_PROGRESS": "in progress",
}
_PASSES = (Verdict.PASSED, Verdict.FLAKY)
_WORST_FIRST = (Verdict.FAILED, Verdict.UNRESOLVED, Verdict.QUARANTINED, Verdict.FLAKY)


class Account:
    """The story's account, written to a console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, text: str) -> None:
        """Say what happens."""
        self._console.info(text)

    def warning(self, text: str) -> None:
        """Say what looks wrong, though it goes on."""
        self._console.warning(text)

    def crashed(self, fault: Exception) -> None:
        """Give the traceback of a fault of our own, to those who asked for it."""
        for line in "".join(traceback.format_exception(fault)).splitlines():
            self._console.debug(line)

    def state(self, run: Run, origin: Origin, remaining: float | None = None) -> None:
        """Say what state a run is in; `remaining` seconds are expected."""
        kind = "execution" if origin in (Origin.EXECUTION, Origin.FRESH) else "rerun"
        if run.finished:
            self._console.info(f"{kind} {run.id}: finished, {run.result or 'no result'}")
        else:
            state = _STATES.get(run.status, run.status or "no status")
            self._console.current(f"{kind} {run.id}: {state}{_progress(run.progress)}{_remaining(remaining)}")

    def decided(self, leaves: Sequence[LeafReport], decisions: Sequence[Decision], round_no: int) -> None:
        """Say what failed, what is rerun and why."""
        counts = Counter(leaf.verdict for leaf in leaves)
        unpassed = [leaf.verdict not in _PASSES for leaf in leaves]
        taken = sum(decision.rerun for decision in decisions)
        self._console.info()
        if round_no == 1:
            flaky = f", {counts[Verdict.FLAKY]} failed and passed in a rerun since" if counts[Verdict.FLAKY] else ""
            passed = counts[Verdict.PASSED]
            self._console.info(f"{tests(len(leaves))}: {passed} passed, {sum(unpassed)} failed{flaky}")
        if any(unpassed):
            with self._console.group(f"Round {round_no}, {taken} of {sum(unpassed)} failed tests to be rerun:"):
                self._list(_decisions(leaves, decisions, unpassed), self._console.info)

    def previewed(self, leaves: Sequence[LeafReport], decisions: Sequence[Decision], payload: str | None) -> None:
        """Say what a dry run leaves alone, and what it would send."""
        self._list(_decisions(leaves, decisions, [leaf.verdict in _PASSES for leaf in leaves]), self._console.info)
        self._console.info(f"payload: {payload}" if payload else "payload: none, nothing would be sent")

    def triggered(self, run: Run, requested: int, url: str) -> None:
        """Say that the rerun is on its way."""
        self._console.info()
        self._console.info(f"rerun {run.id} triggered for {tests(requested)}: {url}")

    def verdict(self, report: Report, directory: Path | None) -> None:
        """Say how it ended, and where to look."""
        rank = {verdict: place for place, verdict in enumerate(_WORST_FIRST)}
        told = sorted((leaf for leaf in report.leaves if leaf.verdict in rank), key=lambda leaf: rank[leaf.verdict])
        if told:
            self._console.info()
            self._console.info("After all runs:")
        self._list([f"{leaf.verdict:<11}  {name(leaf.leaf)}: {leaf.reason}" for leaf in told], self._console.result)
        self._console.info()
        self._console.result(f"Verdict: {report.outcome} (exit code {report.exit_code}) - {report.message}")
        if report.run_url:
            self._console.result(f"Run:     {report.run_url}")
        if directory is not None:
            self._console.result(f"Reports: {directory}")

    def _list(self, lines: Sequence[str], say: Callable[[str], None]) -> None:
        for line in lines[:MAX_LINES]:
            say(f"  {line}")
        if len(lines) > MAX_LINES:
            say(f"  ... and {len(lines) - MAX_LINES} more, all of them in report.json")


def _decisions(leaves: Sequence[LeafReport], decisions: Sequence[Decision], wanted: Sequence[bool]) -> list[str]:
    chosen = compress(zip(leaves, decisions, strict=True), wanted)
    return [f"{'rerun' if d.rerun else 'left':<5}  {name(leaf.leaf)}: {d.reason}" for leaf, d in chosen]


def name(leaf: Leaf) -> str:
    """Name a leaf in one line."""
    row = "" if leaf.iteration is None else f" [{leaf.iteration}]"
    where = f" on {leaf.machine}" if leaf.machine else ""
    return f"{leaf.suite} / {leaf.case}{row}{where}" if leaf.suite else f"{leaf.case}{row}{where}"


def _progress(progress: Progress) -> str:
    if not progress.total or not progress.done:
        return ""
    return f", {progress.done} of {progress.total} done" + (f", {progress.failed} failed" if progress.failed else "")


def _remaining(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", about {seconds:.0f} s left" if seconds < 100 else f", about {seconds / 60:.0f} min left"  # noqa: PLR2004
