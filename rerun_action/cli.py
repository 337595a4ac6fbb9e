"""The composition root: builds the parts, runs the story, turns whatever happens into an exit code."""

import os
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TextIO

from rerun_action import __version__, settings
from rerun_action.core.model import Outcome, Report
from rerun_action.errors import EXIT_CODE_MEANINGS, ConfigurationError, ExitCode
from rerun_action.hosts import github, gitlab
from rerun_action.hosts.account import Account
from rerun_action.hosts.console import Console, no_group
from rerun_action.inputs import not_writable, quarantine_entries, tell_faults
from rerun_action.publisher import Publisher
from rerun_action.reports.folder import Folder
from rerun_action.rerun import Story
from rerun_action.signals import Signals
from rerun_action.testsigma import trust
from rerun_action.testsigma.client import Client

USAGE = """\
usage: python entrypoint.py              rerun what failed; everything is read from the environment
       python entrypoint.py demo         the same against the embedded simulator: no account, no network
       python entrypoint.py simulator [--port N] [--scenario FILE]
                                         the simulator alone, to rehearse a pipeline against
       python entrypoint.py doctor [--save FILE]
                                         a check-up: does the set-up work, and what would be done? Only looks
       python entrypoint.py --help | --version
"""


def main(arguments: list[str], signals: Signals) -> int:
    """Run one command of the interface page's "Ways to run it" and return its exit code."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - closed with the process
    sys.stderr = sys.stderr or sys.stdout
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # a test's stream may be another
    try:
        return _command(arguments, signals)
    except Exception as fault:  # noqa: BLE001 - no traceback reaches a user
        Console(sys.stdout).result(f"a fault of the action itself ({type(fault).__name__}); nothing is known")
        return ExitCode.ERROR
    finally:
        _let_go(sys.stdout)


def _command(arguments: list[str], signals: Signals) -> int:
    match arguments:
        case []:
            return act(os.environ, signals, sys.stdout)
        case ["demo", "--help" | "-h"]:
            sys.stdout.write(USAGE)
        case ["demo"]:
            from rerun_action import demo  # noqa: PLC0415 - the action itself needs no simulator

            return demo.run(act, os.environ, signals, sys.stdout)
        case ["simulator", *options]:
            from rerun_action import demo  # noqa: PLC0415

            return demo.simulate(options, signals, sys.stdout)
        case ["doctor", *options]:
            from rerun_action.doctor import command  # noqa: PLC0415 - the action itself needs no doctor

            return command.run(options, os.environ, signals, sys.stdout)
        case ["--help" | "-h" | "help"]:
            sys.stdout.write(help_text())
        case ["--version"]:
            sys.stdout.write(f"testsigma-rerun-action {__version__}\n")
        case _:
            sys.stderr.write(f"unknown arguments: {' '.join(arguments)}\n{USAGE}")
            return ExitCode.CONFIGURATION
    return ExitCode.PASSED


def act(environ: Mapping[str, str], signals: Signals, stream: TextIO) -> int:
    """Run the action with this environment; return its exit code."""
    key = settings.raw(environ, "api_key")
    groups = _groups(environ)
    console = Console(stream, secret=key, group=groups)
    if key and github.is_host(environ):
        console.command(github.mask_command(key))  # the very first line
    folder = Folder(Path(settings.raw(environ, "report_dir") or settings.DEFAULT_REPORT_DIR))
    faults = _prepare(folder, environ)
    writable = None if faults else folder
    publisher = Publisher(writable, console, environ)
    entries, file_faults = quarantine_entries(environ)
    faults += [*file_faults, *trust.faults(environ)]
    try:
        inputs = settings.load(environ)
    except ConfigurationError as error:
        faults = [*error.faults, *faults]
    else:
        faults += trust.proxy_faults(inputs.server_url)
    if faults:
        return _refuse(faults, publisher, writable, console, environ)
    console = Console(stream, inputs.log_level, secret=key, group=groups)
    account = Account(console, dry_run=inputs.dry_run)
    fresh = inputs.fresh_run()
    subject = f"execution {inputs.execution_id}" if fresh is None else f"a fresh run of test plan {fresh.plan_id}"
    console.info(f"testsigma-rerun-action {__version__}: {subject} at {inputs.server_url}")
    for warning in settings.suspects(environ):
        console.warning(warning)
    if fresh is None and (inputs.build_no or inputs.runtime_data):
        console.warning("build-no and runtime-data are for execution-id: new; a rerun does not take them")
    client = Client(
        inputs.server_url,
        inputs.api_key.get_secret_value(),
        signals,
        warn=console.warning,
        debug=console.debug,
        ca_bundle=trust.ca_bundle(environ),
    )
    story = Story(
        client,
        inputs.policy(entries, datetime.now(UTC).date()),
        execution_id=fresh or int(inputs.execution_id),
        test_plan_id=inputs.test_plan_id,
        server_url=inputs.server_url,
        time=signals,
        account=account,
        publish=publisher.publish,
    )
    report = story.tell()
    signals.close()
    account.verdict(report, folder.path)
    _annotate(report, console, environ)
    return report.exit_code


def _groups(environ: Mapping[str, str]) -> Callable[[str], tuple[str, str]]:
    """Return how this host folds a part of the log."""
    if github.is_host(environ):
        return github.group
    if gitlab.is_host(environ):
        numbers = count(1)
        return lambda title: gitlab.group(title, next(numbers), time.time())
    return no_group


def _annotate(report: Report, console: Console, environ: Mapping[str, str]) -> None:
    if github.is_host(environ):
        for command in github.annotations(report, console.conceal):
            console.command(command)


def _prepare(folder: Folder, environ: Mapping[str, str]) -> list[str]:
    """Make the folder ready for reports; return what is wrong with it."""
    try:
        folder.prepare()
    except (OSError, ValueError) as error:
        return [not_writable(settings.label("report_dir", environ), folder.path, error)]
    return []


def _refuse(
    faults: list[str], publisher: Publisher, folder: Folder | None, console: Console, environ: Mapping[str, str]
) -> int:
    """Say everything that is wrong with the inputs; nothing has been sent."""
    error = ConfigurationError(faults)
    tell_faults(faults, settings.suspects(environ), console)
    report = Report(
        Outcome(error.result),
        error.exit_code,
        error.message,
        settings.given_execution(environ),
        faults=tuple(faults),
    )
    publisher.publish(report)
    if folder is not None:
        console.result(f"Reports: {folder.path} (open index.html)")
    _annotate(report, console, environ)
    return error.exit_code


def help_text() -> str:
    """Return every input with its variable, default and meaning."""
    lines = [USAGE, "inputs (`with: name:` on GitHub, the variable elsewhere; an empty value means not given):", ""]
    for entry in settings.inputs():
        state = "required" if entry.required else f"default: {entry.default or 'none'}"
        lines.append(f"  {entry.name}  ({', '.join(entry.variables[1:])}; {state})")
        lines += textwrap.wrap(entry.description, 96, initial_indent="      ", subsequent_indent="      ")
    codes = "".join(f"  {code.value:>3}  {meaning}\n" for code, meaning in EXIT_CODE_MEANINGS.items())
    return "\n".join([*lines, "", "exit codes:", codes])


def _let_go(stream: TextIO) -> None:
    """Flush what is left; a reader that has gone away must not change the exit code."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
