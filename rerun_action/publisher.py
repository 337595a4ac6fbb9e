"""Where a report goes: the files of `report-dir`, and what the host wants beside them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from rerun_action.core.model import Report
from rerun_action.hosts import github
from rerun_action.hosts.console import Console
from rerun_action.reports import dotenv, json_report, junit, markdown
from rerun_action.reports.folder import Folder


class Publisher:
    """Publishes the report of one invocation, once or again: what it wrote before is replaced."""

    def __init__(self, folder: Folder, console: Console, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._console = console
        on_github = github.is_host(environ)
        self._outputs = _Appended(environ.get("GITHUB_OUTPUT") if on_github else None)
        self._summary = _Appended(environ.get("GITHUB_STEP_SUMMARY") if on_github else None)

    def publish(self, report: Report) -> None:
        """Write everything, what other steps rely on first: there may be no time for all of it.

        One that can't be written keeps none of the others from being written.
        """
        conceal = self._console.conceal  # a reply or a fault may quote the key
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("report.json", lambda: self._folder.write("report.json", conceal(json_report.render(report)))),
            ("outputs.env", lambda: self._folder.write("outputs.env", conceal(dotenv.render(report)))),
            ("GITHUB_OUTPUT", lambda: self._outputs.write(conceal(github.outputs(report, self._folder.path)))),
            ("junit.xml", lambda: self._folder.write("junit.xml", map(conceal, junit.render(report)))),
            ("summary.md", lambda: self._folder.write("summary.md", conceal(markdown.render(report)))),
            ("GITHUB_STEP_SUMMARY", lambda: self._summary.write(conceal(markdown.render(report)))),
            ("index.html", lambda: self._folder.write("index.html", conceal(_page(report)))),
        )
        for name, write in steps:
            try:
                write()
            except Exception as fault:  # noqa: BLE001 - a report that can't be made must not undo the verdict
                reason = fault.strerror if isinstance(fault, OSError) else type(fault).__name__
                self._console.warning(f"{name} could not be written (report-dir: {self._folder.path}): {reason}")


def _page(report: Report) -> str:
    from rerun_action.reports import html  # noqa: PLC0415 - templates are loaded when a page is written

    return html.render(report)


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
