"""summary.md: the page that also goes to GitHub's job summary. A summary over 1 MiB would be dropped whole."""

import re
from collections.abc import Iterable

from rerun_action.core.model import WORST_FIRST, LeafReport, Outcome, Report, Verdict, run_url
from rerun_action.core.text import leaf_name, one_line, state, tests

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
_SPECIAL = re.compile(
    r"""[\\`*\[\]{}<>|~&$]                # code, emphasis, links, tags, cells, entities, formulas
    |(?<![^\W_])_|_(?![^\W_])           # emphasis, but not the inside of a word
    |^[+=\#\s-]|^\d+[.)]               # what begins a list, a heading or code
    |[@\#!%:](?=\S)|(?<=www)\.|(?<=GH)-  # addresses, mentions, references; signs such as :tada:
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What Markdown, or GitHub's and GitLab's additions to it, take for more than text."""
_BREAK = "<!-- -->"
"""Keeps apart what would be a link or a sign together: those are looked for when entities have become characters."""
_JOINED = frozenset("@#!%:~&$.-")


def render(report: Report) -> str:
    """Return verdict, counts, runs, and a table of what failed or was rerun with one column for each run."""
    parts = [
        f"## {_SIGNS[report.outcome]} Testsigma rerun: {report.outcome} (exit code {int(report.exit_code)})\n",
        f"{_message(report)}\n",
    ]
    if report.leaves:
        counts = {name: str(number) for name, number in report.counts().items()}
        parts.append(f"| {' | '.join(counts)} |\n|{'---:|' * len(counts)}\n| {' | '.join(counts.values())} |\n")
    if report.runs:
        parts.append("".join(_run_lines(report)))
    text = "\n".join(parts)
    told = [leaf for leaf in report.leaves if leaf.rerun or leaf.verdict is not Verdict.PASSED]
    return text + _table(report, sorted(told, key=lambda leaf: WORST_FIRST.index(leaf.verdict)), MAX_BYTES)


def _message(report: Report) -> str:
    if not report.faults:
        return _cell(report.message)
    return "\n".join(
        ["The configuration is wrong, nothing was sent:\n", *(f"- {_cell(fault)}" for fault in report.faults)]
    )


def _run_lines(report: Report) -> Iterable[str]:
    for entry in report.runs:
        name = f"run {entry.run.id}"
        if report.server_url and report.server_url.startswith(("https://", "http://")):
            name = f"[{name}]({run_url(report.server_url, entry.run.id)})"
        asked = f", {tests(entry.requested)}" if entry.requested is not None else ""
        ended = entry.run.result or state(entry.run.status)
        yield f"- {name} ({entry.origin}{asked}): {_cell(ended)}\n"


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
    seen = [
        ", ".join(observation.result for observation in leaf.observations if observation.run_id == run_id)
        for run_id in runs
    ]
    cells = [leaf.verdict, leaf_name(leaf.leaf), *seen, leaf.reason]
    return f"| {' | '.join(_cell(cell) for cell in cells)} |\n"


def _cell(text: str) -> str:
    """Return a name as text that is nothing else: no cell, no tag, no link, no emphasis."""
    line = one_line(text)
    line = line if len(line) <= MAX_CELL else f"{line[:MAX_CELL]}…"
    return _SPECIAL.sub(_literal, line)


def _literal(match: re.Match[str]) -> str:
    special = match[0]
    plain = special in "@#!%:.-" and match.start() > 0
    shown = special if plain else "".join(f"&#{ord(character)};" for character in special)
    follows = match.string[match.end() : match.end() + 1]
    return shown + _BREAK if special in _JOINED and follows and not follows.isspace() else shown
