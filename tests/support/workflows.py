"""The workflows of this repository and of the examples, as data, and their scripts run as a runner would."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.needed import program

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "github" / "rerun.yml"
RELEASE = ROOT / ".github" / "workflows" / "release.yml"
OWN = sorted(ROOT.glob(".github/workflows/*.yml"))
ALL = [*OWN, *sorted(ROOT.glob("examples/github/*.yml"))]
ACTION = "OWNER/testsigma-rerun-action"
"""How the README and the examples call this action."""


def load(path: Path) -> dict[str, Any]:
    """The workflow; its triggers under "on", which YAML 1.1 takes for a truth value."""
    workflow: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in workflow.items()}


def steps(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step with the name of its job."""
    for name, job in load(path)["jobs"].items():
        for step in job.get("steps", []):
            yield name, step


def step(path: Path, job: str, **wanted: str) -> dict[str, Any]:
    """The one step of a job that has these values; `uses` is compared without what follows the @."""
    (found,) = [
        each
        for name, each in steps(path)
        if name == job and all(each.get(key, "").partition("@")[0] == value for key, value in wanted.items())
    ]
    return found


def run(step: Mapping[str, Any], environ: Mapping[str, str], folder: Path, **stubs: str) -> tuple[int, str]:
    """Run the script of a step in a folder; exit code and all it printed. `stubs` are scripts in place of commands."""
    bash = program("bash")
    with tempfile.TemporaryDirectory() as tools:
        for name, script in stubs.items():
            stub = Path(tools, name)
            stub.write_text(f"#!{bash}\n{script}\n", encoding="utf-8")
            stub.chmod(0o755)
        done = subprocess.run(
            [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=folder,
            env={"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "HOME": tools, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
    return done.returncode, done.stdout
