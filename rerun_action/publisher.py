"""Where a report goes: the files of `report-dir`, and what the host wants beside them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from rerun_action.core.model import Leaf, LeafReport, Report, RunReport
from rerun_action.hosts import github
from rerun_action.hosts.console import Console
from rerun_action.reports.folder import Folder


class Publisher:
    """Publishes the report of one invocation, once or again: what it wrote before is replaced."""

    def __init__(self, folder: Folder | None, console: Console, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._console = console
        on_github = github.is_host(environ)
        self._outputs = _Appended(environ.get("GITHUB_OUTPUT") if on_github else None)
        self._summary = _Appended(environ.get("GITHUB_STEP_SUMMARY") if on_github else None)

    def publish(self, report: Report) -> None:
        """Write everything, what other steps rely on first: there may be no time for all of it.

        One that can't be written keeps none of the others from being written.
        """
        # a report is written at the end: its renderers need not stand in the way of the first request
        from rerun_action.reports import dotenv, json_report, junit, markdown  # noqa: PLC0415

        told = _concealed(report, self._console.conceal)
        path = self._folder.path if self._folder else None
        self._try(lambda: self._write("report.json", lambda: json_report.pieces(told)))
        self._try(lambda: self._write("outputs.env", lambda: dotenv.render(told)))
        self._try(lambda: self._outputs.write(github.outputs(told, path)))
        self._try(lambda: self._write("junit.xml", lambda: junit.pieces(told)))
        self._try(lambda: self._write("summary.md", lambda: markdown.render(told)))
        self._try(lambda: self._summary.write(markdown.render(told)))
        self._try(lambda: self._write("index.html", lambda: _page(told)))

    def _write(self, name: str, render: Callable[[], str | Iterable[str]]) -> None:
        if self._folder is not None:
            self._folder.write(name, render())

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            self._console.warning(f"{error.filename or 'a report'} could not be written: {error.strerror}")
        except Exception as fault:  # noqa: BLE001 - a report that can't be made must not undo the verdict
            self._console.warning(f"a report could not be made ({type(fault).__name__})")


def _concealed(report: Report, conceal: Callable[[str], str]) -> Report:
    """Return the report without the key in its texts, which a reply or a name may quote.

    Before anything is escaped or cut: afterwards a key has as many spellings as there are formats.
    """

    def leaf_without(told: LeafReport) -> LeafReport:
        leaf = told.leaf
        names = (conceal(leaf.suite), conceal(leaf.case), conceal(leaf.machine))
        row = None if leaf.iteration is None else conceal(leaf.iteration)
        if (*names, row) == (leaf.suite, leaf.case, leaf.machine, leaf.iteration) and conceal(
            told.reason
        ) == told.reason:
            return told
        return told._replace(leaf=Leaf(*names, row), reason=conceal(told.reason))

    def run_without(told: RunReport) -> RunReport:
        return replace(told, run=replace(told.run, status=conceal(told.run.status)))

    policy = report.policy
    if policy is not None:
        policy = replace(
            policy,
            include=tuple(replace(pattern, text=conceal(pattern.text)) for pattern in policy.include),
            exclude=tuple(replace(pattern, text=conceal(pattern.text)) for pattern in policy.exclude),
            quarantine_file=None if policy.quarantine_file is None else conceal(policy.quarantine_file),
        )
    return replace(
        report,
        message=conceal(report.message),
        faults=tuple(map(conceal, report.faults)),
        policy=policy,
        runs=tuple(map(run_without, report.runs)),
        leaves=tuple(map(leaf_without, report.leaves)),
    )


def _page(report: Report) -> Iterable[str]:
    from rerun_action.reports import html  # noqa: PLC0415 - templates are loaded when a page is written

    return html.pieces(report)


class _Appended:
    """A file of the host that a step appends to; written again, it replaces what was appended before."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        self._size: int | None = None

    def write(self, text: str) -> None:
        if self._path is None:
            return
        with self._path.open("ab") as file:
            if self._size is None:
                self._size = file.tell()
            file.truncate(self._size)
            file.write(text.encode("utf-8", "backslashreplace"))
