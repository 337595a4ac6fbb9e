"""`doctor [--save FILE]`: builds the parts, makes the check-up, keeps the record."""

import argparse
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from rerun_action import __version__, inputs, settings
from rerun_action.core.model import QuarantineEntry, Report
from rerun_action.doctor.checkup import MAX_REQUESTS, check_up
from rerun_action.doctor.line import Finding, Line, State
from rerun_action.doctor.looked import Looked
from rerun_action.doctor.subject import Subject
from rerun_action.errors import Cancelled, ExitCode
from rerun_action.hosts import github
from rerun_action.hosts.account import Account
from rerun_action.hosts.console import Console
from rerun_action.reports.folder import Folder
from rerun_action.rerun import Story
from rerun_action.settings import Settings
from rerun_action.signals import Signals
from rerun_action.testsigma import record, trust
from rerun_action.testsigma.journal import Journal
from rerun_action.testsigma.look import Look


def run(options: Sequence[str], environ: Mapping[str, str], signals: Signals, stream: TextIO) -> int:
    """Make a check-up with the action's inputs; exit code 0 if the action could run, 1 if not, 2 for wrong inputs."""
    parser = argparse.ArgumentParser(
        prog="python entrypoint.py doctor",
        description="Does the set-up work, and what would the action do? It takes the action's inputs and sends GET "
        "requests only: nothing is started, stopped or changed.",
        epilog="Exit code 0: the action could run; 1: it could not; 2: the configuration is wrong.",
    )
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="keep an anonymised record of the replies, which `simulator --scenario FILE` serves again",
    )
    save: Path | None = parser.parse_args(options).save
    key = settings.raw(environ, "api_key")
    console = Console(stream, secret=key)
    if key and github.is_host(environ):
        console.command(github.mask_command(key))  # the very first line
    entries, file_faults = inputs.quarantine_entries(environ)
    faults = inputs.all_faults(environ, [*_unwritable(environ, save), *file_faults, *trust.faults(environ)])
    if faults:
        inputs.tell_faults(faults, settings.suspects(environ), console)
        return ExitCode.CONFIGURATION
    given = settings.load(environ)
    console = Console(stream, given.log_level, secret=key)
    try:
        return _Examination(given, entries, environ, signals, console).make(save)
    except Cancelled as cancelled:
        console.result(cancelled.message)
        return cancelled.exit_code


def _unwritable(environ: Mapping[str, str], save: Path | None) -> list[str]:
    """Say what can't be written to; a check-up leaves nothing behind but what it was asked to save."""
    faults = []
    reports = Path(settings.raw(environ, "report_dir") or settings.DEFAULT_REPORT_DIR)
    try:
        Folder(reports).check()
    except (OSError, ValueError) as error:
        faults.append(inputs.not_writable(settings.label("report_dir", environ), reports, error))
    if save is not None:
        try:
            if save.is_dir():
                raise IsADirectoryError(None, "it is a folder")
            Folder(save.parent).check()
        except (OSError, ValueError) as error:
            faults.append(inputs.not_writable("--save:", save, error))
    return faults


class _Examination:
    """One check-up with inputs that make sense."""

    def __init__(
        self,
        given: Settings,
        entries: tuple[QuarantineEntry, ...],
        environ: Mapping[str, str],
        signals: Signals,
        console: Console,
    ) -> None:
        self._given = given
        self._entries = entries
        self._environ = environ
        self._signals = signals
        self._console = console
        self._journal = Journal(MAX_REQUESTS)

    def make(self, save: Path | None) -> int:
        """Say every line, and keep the record; return the exit code."""
        given, say = self._given, self._console.result
        say(f"testsigma-rerun-action {__version__} doctor: execution {given.execution_id} at {given.server_url}")
        key = given.api_key.get_secret_value()
        bundle = trust.ca_bundle(self._environ)
        look = Look(given.server_url, key, self._signals, self._journal, debug=self._console.debug, ca_bundle=bundle)
        looked = Looked(look, self._signals)
        problems = []
        say(str(_inputs(self._environ)))
        for line in check_up(Subject(given, self._journal, look.route(), looked, self._environ), self._dry_run):
            say(str(line))
            if line.finding.state is State.PROBLEM:
                problems.append(line.topic)
        could = f"The action could not run: {', '.join(problems)}" if problems else "The action could run"
        say(f"{could}. Sent: {self._journal.sent} x GET, nothing else.")
        if save is not None:
            self._save(save)
        return ExitCode.FAILED if problems else ExitCode.PASSED

    def _dry_run(self, looked: Looked) -> Report:
        given = self._given
        return Story(
            looked,
            replace(given.policy(self._entries, datetime.now(UTC).date()), dry_run=True),
            execution_id=given.fresh_run() or int(given.execution_id),
            test_plan_id=given.test_plan_id,
            server_url=given.server_url,
            time=self._signals,
            account=Account(Console(io.StringIO())),  # its last sentence is enough
            publish=lambda _: None,
        ).tell()

    def _save(self, path: Path) -> None:
        if not self._journal.exchanges:
            self._console.result("Nothing was saved: there was no reply.")
            return
        kept = record.record(self._journal.exchanges, self._given.execution_id, self._given.test_plan_id)
        folder = Folder(path.parent)
        try:
            folder.prepare()
            folder.write(path.name, record.render(kept))
        except OSError as error:
            self._console.result(inputs.not_writable("--save:", path, error))
            return
        self._console.result(f"Saved, anonymised: {path}. Read it before you show it.")


def _inputs(environ: Mapping[str, str]) -> Line:
    suspects = "; ".join(settings.suspects(environ))
    return Line("inputs", Finding(State.NOTE, suspects) if suspects else Finding(State.OK, "no fault"))
