"""What the container tests need beside an engine: the npm packages that stand in for GitHub, GitLab and Jenkins."""

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.engine import ROOT
from tests.support.needed import do_without, program

SHIM = ROOT / "tests/container/shim/docker"
NPM = ROOT / "tests/container/npm"
STOP = ("/api/v1/execution_results/101", {"canStopAll": False, "result": "STOPPED"})
"""The one stop request that may be sent, if the rerun is run 101."""


def run(
    *command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; what it printed is in `stdout`, both streams together."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,  # npm-groovy-lint reads it where it is no terminal
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def npm_package(path: str) -> Path:
    """Where a file of npm/ is, its packages installed if need be."""
    npm = program("npm")
    installed = NPM / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (NPM / "package-lock.json").stat().st_mtime:
        done = run(npm, "ci", "--no-audit", "--no-fund", cwd=NPM)
        if done.returncode:
            do_without(f"npm could not install {NPM / 'package.json'}:\n{done.stdout}")
    return NPM / path


def npm_tool(name: str) -> Path:
    """Where a program of the npm packages is."""
    return npm_package(f"node_modules/.bin/{name}")


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"it did not come within {seconds:g} seconds"
        time.sleep(0.02)
