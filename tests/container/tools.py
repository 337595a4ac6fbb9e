"""What the container tests need of the machine: a Docker engine, npm's stand-ins for GitLab and Jenkins."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIM = ROOT / "tests/container/shim/docker"
NPM = ROOT / "tests/container/npm"
STOP = ("/api/v1/execution_results/101", {"canStopAll": False, "result": "STOPPED"})
"""The one stop request that may be sent, if the rerun is run 101."""


def need(fulfilled: bool, what: str) -> None:
    """Skip the test where its tools are missing; in CI they have to be there."""
    if fulfilled:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"this test needs {what}")
    pytest.skip(f"needs {what}")


def run(
    *command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; what it printed is in `stdout`, both streams together."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )


def docker(*arguments: str | Path) -> str:
    """Call the docker client, with the host's network; return what it printed, fail if it failed."""
    done = run(SHIM, *arguments, env={**os.environ, "DOCKER_BUILDKIT": "1"})
    assert done.returncode == 0, f"docker {arguments}: {done.stdout}"
    return done.stdout.strip()


def engine() -> None:
    client = os.environ.get("DOCKER", "docker")
    up = shutil.which(client) is not None and run(client, "version").returncode == 0
    need(up, "a running Docker engine (DOCKER_HOST, or DOCKER for the client)")


def built(tag: str, context: Path, *arguments: str) -> str:
    """Build an image and return its tag; what has not changed comes from the engine's cache."""
    engine()
    docker("build", "--quiet", "--tag", tag, *arguments, context)
    return tag


def npm_tool(name: str) -> Path:
    """Return the path of a program of package.json, installed if need be."""
    need(shutil.which("npm") is not None, "npm with Node 20 or newer")
    installed = NPM / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (NPM / "package-lock.json").stat().st_mtime:
        done = run("npm", "ci", "--no-audit", "--no-fund", cwd=NPM)
        need(done.returncode == 0, f"the packages of {NPM / 'package.json'}; npm said:\n{done.stdout}")
    return NPM / "node_modules/.bin" / name


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"it did not come within {seconds:g} seconds"
        time.sleep(0.02)
