"""`doctor`, and what it printed."""

import re
from pathlib import Path
from typing import Any

from rerun_action.simulator import Simulator
from tests.support.processes import Run, environment, run_apart, run_here
from tests.support.scenarios import KEY


class Visit:
    """One call of doctor, and what came of it."""

    run: Run = staticmethod(run_here)

    def __init__(
        self,
        server: Simulator | str,
        folder: Path,
        *arguments: str,
        more: Any = None,
        **inputs: object,
    ) -> None:
        simulator = server if isinstance(server, Simulator) else None
        if simulator is None:
            inputs["server_url"] = server
        environ = environment(simulator, folder / "reports", **inputs) | dict(more or {})
        self.code, self.text = self.run(environ, "doctor", *arguments)
        self.lines = self.text.splitlines()
        assert KEY not in self.text
        assert "Traceback" not in self.text
        assert not (folder / "reports").exists()
        if simulator is not None:
            assert {request.method for request in simulator.platform.requests} <= {"GET"}

    def line(self, topic: str) -> str:
        (line,) = [line for line in self.lines if re.match(rf"\w+ +(.*, )?{topic}(, .*)?: ", line)]
        return line

    def problems(self) -> list[str]:
        return [line for line in self.lines if line.startswith("problem")]


class VisitApart(Visit):
    """One in a process of its own."""

    run = staticmethod(run_apart)
