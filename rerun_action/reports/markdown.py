"""summary.md: the page that also goes to GitHub's job summary. A summary over 1 MiB would be dropped whole."""

import re
from collections.abc import Iterable

from rerun_action.core.model import LeafReport, Outcome, Report, Verdict
from rerun_action.core.text import one_line, tests

MAX_BYTES = 500_000
MAX_CELL = 2_000
"""Characters; what is cut has a mark."""

_SIGNS = {
    Outcome.CLEAN: "✅",
    Outcome.FLAKY: "⚠️",
    Outcome.FAILED: "❌",
    Outcome.DECLINED: "⛔",
    Outcome.TIMED_OUT: "⌛",
    Outcome.CANCELLED: "✋",
    Outcome.ERROR: "❗",
    Outcome.DRY_RUN: "🔎",
}
_WORST_FIRST = (Verdict.FAILED, Verdict.UNRESOLVED, Verdict.FLAKY, Verdict.QUARANTINED, Verdict.PASSED)
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>()#+!|~&@:.-]")


def render(report: Report) -> str:
    """Return verdict, counts, runs, and a table of what failed or was rerun with one column for each run."""
    parts = [
        f"## {_SIGNS[report.outcome]} Testsigma rerun: {report.outcome} (exit code {int(report.exit_code)})\n",
        f"{_cell(report.message)}\n",
    ]
    if report.leaves:
        counts = {name: str(number) for name, number in report.counts().items()}
        parts.append(f"| {' | '.join(counts)} |\n|{'---:|' * len(counts)}\n| {' | '.join(counts.values())} |\n")
    if report.runs:
        parts.append("".join(_run_lines(report)))
    text = "\n".join(parts)
    told = [leaf for leaf in report.leaves if leaf.rerun or leaf.verdict is not Verdict.PASSED]
    return text + _table(report, sorted(told, key=lambda leaf: _WORST_FIRST.index(leaf.verdict)), MAX_BYTES)


def _run_lines(report: Report) -> Iterable[str]:
    for entry in report.runs:
        name = f"run {entry.run.id}"
        if report.server_url and report.server_url.startswith(("https://", "http://")):
            name = f"[{name}]({report.server_url}/ui/td/runs/{entry.run.id})"
        asked = f", {tests(entry.requested)}" if entry.requested is not None else ""
        ended = entry.run.result or entry.run.status or "no status"
        yield f"- {name} ({entry.origin}{asked}): {_cell(str(ended))}\n"


def _table(report: Report, leaves: list[LeafReport], room: int) -> str:
    if not leaves:
        return ""
    runs = [entry.run.id for entry in report.runs]
    head = ["verdict", "test", *(f"run {run_id}" for run_id in runs), "why"]
    lines = [f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}\n"]
    room -= 2000
    for number, leaf in enumerate(leaves):
        line = _line(leaf, runs)
        room -= len(line.encode("utf-8", "replace"))
        if room < 0:
            lines.append(f"\n... and {tests(len(leaves) - number)} more: the reports have all of them.\n")
            break
        lines.append(line)
    return "".join(lines)


def _line(leaf: LeafReport, runs: list[int]) -> str:
    row = "" if leaf.leaf.iteration is None else f" [{leaf.leaf.iteration}]"
    name = " / ".join(part for part in (leaf.leaf.suite, f"{leaf.leaf.case}{row}") if part)
    where = f" on {leaf.leaf.machine}" if leaf.leaf.machine else ""
    seen = [
        ", ".join(observation.result for observation in leaf.observations if observation.run_id == run_id)
        for run_id in runs
    ]
    cells = [leaf.verdict, name + where, *seen, leaf.reason]
    return f"| {' | '.join(_cell(cell) for cell in cells)} |\n"


def _cell(text: str) -> str:
    """Return a name as text that is nothing else: no cell, no tag, no link, no emphasis."""
    line = one_line(text)
    line = line if len(line) <= MAX_CELL else f"{line[:MAX_CELL]}…"
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", line)
