"""The program as its users start it: a process of its own, with an environment and nothing else.

`run_here` spares the process, where one of a table has one and the others only vary what the platform shows.
"""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from jsonschema import Draft202012Validator

from rerun_action import cli
from rerun_action.reports import json_report
from rerun_action.signals import Signals
from rerun_action.simulator import Simulator
from tests.support.scenarios import FIRST, KEY

SCHEMA = Draft202012Validator(
    json.loads((Path(json_report.__file__).parent / "report.schema.json").read_text(encoding="utf-8"))
)
ENTRYPOINT = Path(__file__).parents[2] / "entrypoint.py"
HELD = """\
import os, sys, time
from pathlib import Path

class Hold:
    def find_spec(self, name, path=None, target=None):
        if name == "rerun_action":
            folder = Path(os.environ["HOLD_IN"])
            (folder / "held").touch()
            while not (folder / "go").exists():
                time.sleep(0.01)

sys.meta_path.insert(0, Hold())
"""
"""A sitecustomize.py: the import of the package, which entrypoint.py begins with, takes until a file `go` is there."""


@dataclass(frozen=True)
class Outcome:
    code: int
    text: str
    report: dict[str, Any]


def environment(simulator: Simulator | None, directory: Path, **inputs: object) -> dict[str, str]:
    """The inputs as variables; None takes one away."""
    given: Mapping[str, object] = {
        "api_key": KEY,
        "execution_id": FIRST,
        "server_url": simulator.url if simulator else "http://127.0.0.1:9",
        "report_dir": directory,
        "poll_interval_seconds": 0.1,
        "timeout_minutes": 1,
        **inputs,
    }
    named = {f"TESTSIGMA_{name.upper()}": str(value) for name, value in given.items() if value is not None}
    return {"PATH": os.environ["PATH"], **named}


MEASURED = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS")}
"""By this a process knows that its branches are to be counted; the fixture `uncounted` takes it away."""


@contextmanager
def started(environ: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone when the block is left."""
    with subprocess.Popen(
        [sys.executable, "-u", str(ENTRYPOINT), *arguments],
        env={**MEASURED, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


Run = Callable[..., tuple[int, str]]
"""Takes an environment and arguments; gives the exit code and what was printed."""


def run_apart(environ: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """Run the program as a process."""
    with started(environ, *arguments) as process:
        text, _ = process.communicate(timeout=60)
    return process.returncode, text


def run_here(environ: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """Run the program within this process, with the same environment, and no handlers for signals."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signals = Signals()
    try:
        with mock.patch.dict(os.environ, environ, clear=True), redirect_stdout(stream), redirect_stderr(stream):
            code = cli.main([*arguments], signals)
    finally:
        signals.close()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    stream.seek(0)
    return code, stream.read()


def act(simulator: Simulator | None, directory: Path, run: Run = run_apart, /, **inputs: object) -> Outcome:
    """Run the action to its end."""
    return outcome(*run(environment(simulator, directory, **inputs)), directory)


def act_and_signal(
    simulator: Simulator,
    directory: Path,
    when: Callable[[], bool],
    signum: signal.Signals,
    **inputs: object,
) -> Outcome:
    """Run the action, and send it a signal as soon as `when` holds."""
    with started(environment(simulator, directory, **inputs)) as process:
        wait_until(lambda: process.poll() is not None or when())
        assert process.poll() is None, process.communicate()[0]
        process.send_signal(signum)
        text, _ = process.communicate(timeout=60)
    return outcome(process.returncode, text, directory)


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "the moment did not come"
        time.sleep(0.01)


def outcome(code: int, text: str, directory: Path) -> Outcome:
    path = directory / "report.json"
    report = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if report:
        SCHEMA.validate(report)
    assert "Traceback" not in text
    assert KEY not in text
    assert [other.name for other in directory.glob("*") if other.name.startswith(".")] == []
    return Outcome(code, text, report)
