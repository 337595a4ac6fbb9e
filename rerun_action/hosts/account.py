"""The account: what a person reads while it happens, and the verdict at its end."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rerun_action.core.model import (
    PASSES,
    WORST_FIRST,
    Decision,
    LeafReport,
    Origin,
    Outcome,
    Progress,
    Report,
    RerunRequest,
    Run,
    Verdict,
)
from rerun_action.core.text import leaf_name, state, tests
from rerun_action.hosts.console import Console

T = TypeVar("T")

MAX_LINES = 100
"""Of one kind; the report has them all."""

MIN_SECONDS_LEFT = 10.0
"""An estimate below this says nothing: the next look is as far away."""


class Account:
    """The story's account, written to a console; that of a dry run tells what would be."""

    def __init__(self, console: Console, *, dry_run: bool = False) -> None:
        self._console = console
        self._dry_run = dry_run

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
            going = run.status == "STATUS_IN_PROGRESS" or run.progress.done
            left = _remaining(remaining) if going else ""
            self._console.current(f"{kind} {run.id}: {state(run.status)}{_progress(run.progress)}{left}")

    def decided(
        self,
        counts: Mapping[Verdict, int],
        failed: Sequence[tuple[LeafReport, Decision]],
        round_no: int,
        refusal: str | None = None,
    ) -> None:
        """Say what failed, what is rerun and why, or why nothing may be; `counts` are those of all leaves."""
        taken = sum(decision.rerun for _, decision in failed)
        self._console.info()
        if round_no == 1:
            flaky = f", {counts[Verdict.FLAKY]} failed and passed in a rerun since" if counts[Verdict.FLAKY] else ""
            total = tests(sum(counts.values()))
            self._console.info(f"{total}: {counts[Verdict.PASSED]} passed, {len(failed)} failed{flaky}")
        if failed:
            be = "would be" if self._dry_run else "to be"
            title = f"Round {round_no}, {taken} of {len(failed)} failed tests {be} rerun:"
            with self._console.group(title if refusal is None else f"No rerun: {refusal}"):
                self._list(failed, _decision, self._console.info)

    def previewed(self, leaves: Sequence[LeafReport], decisions: Sequence[Decision], payload: str | None) -> None:
        """Say what a dry run leaves alone, and what it would send."""
        passed = [(leaf, d) for leaf, d in zip(leaves, decisions, strict=True) if leaf.verdict in PASSES]
        self._list(passed, _decision, self._console.info)
        self._console.info(f"payload: {payload}" if payload else "payload: none, nothing would be sent")

    def triggered(self, run: Run, request: RerunRequest, url: str) -> None:
        """Say that the rerun is on its way, and for what."""
        beside = len(request.covered) - len(request.wanted)
        more = f", and {beside} more {'row' if beside == 1 else 'rows'} of the same cases" if beside else ""
        self._console.info()
        self._console.info(f"rerun {run.id} triggered for {tests(len(request.wanted))}{more}: {url}")

    def verdict(self, report: Report, directory: Path | None) -> None:
        """Say how it ended, and where to look."""
        rank = {verdict: place for place, verdict in enumerate(WORST_FIRST)}
        told = [leaf for leaf in report.leaves if leaf.verdict is not Verdict.PASSED]
        told.sort(key=lambda leaf: rank[leaf.verdict])
        if told:
            self._console.info()
            self._console.info("As it stands:" if report.outcome is Outcome.DRY_RUN else "After all runs:")
        self._list(told, _verdict, self._console.result)
        self._console.info()
        self._console.result(f"Verdict: {report.outcome} (exit code {report.exit_code}) - {report.message}")
        if report.run_url:
            self._console.result(f"Run:     {report.run_url}")
        if directory is not None:
            self._console.result(f"Reports: {directory} (open index.html)")

    def _list(self, items: Sequence[T], line: Callable[[T], str], say: Callable[[str], None]) -> None:
        for item in items[:MAX_LINES]:
            say(f"  {line(item)}")
        if len(items) > MAX_LINES:
            say(f"  ... and {len(items) - MAX_LINES} more, all of them in report.json")


def _decision(told: tuple[LeafReport, Decision]) -> str:
    leaf, decision = told
    return f"{'rerun' if decision.rerun else 'left':<5}  {leaf_name(leaf.leaf)}: {decision.reason}"


def _verdict(leaf: LeafReport) -> str:
    return f"{leaf.verdict:<11}  {leaf_name(leaf.leaf)}: {leaf.reason}"


def _progress(progress: Progress) -> str:
    if not progress.total or not progress.done:
        return ""
    return f", {progress.done} of {progress.total} done" + (f", {progress.failed} failed" if progress.failed else "")


def _remaining(seconds: float | None) -> str:
    if seconds is None or seconds < MIN_SECONDS_LEFT:
        return ""
    return f", about {seconds:.0f} s left" if seconds < 100 else f", about {seconds / 60:.0f} min left"  # noqa: PLR2004
