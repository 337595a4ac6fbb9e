"""`make bench`: print the table, and write it to results.md."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import image, listing, polls, start
from benchmarks.table import table
from tests.support import engine

RESULTS = Path(__file__).parent / "results.md"


def machine() -> str:
    """Return what it was measured on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    packages = ", ".join(f"{name} {version(name)}" for name in ("requests", "pydantic", "pydantic-settings"))
    docker = "no container engine"
    if engine.missing() is None:
        docker = (
            "Docker "
            + subprocess.run(
                [engine.CLIENT, "version", "--format", "{{.Server.Version}}"],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
        )
    return (
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {packages}, {docker}; load {os.getloadavg()[0]:.1f} at the start"
    )


def main() -> None:
    """Measure everything; references and figures in turn, in this one run."""
    head = f"{datetime.now(UTC):%Y-%m-%d}, on {machine()}."
    sys.stdout.write(f"{head}\n\n")
    parts = []
    for part in (start, image, listing, polls):
        parts.append(table(part.rows()))
        sys.stdout.write(f"{parts[-1]}\n")
        sys.stdout.flush()
    body = "\n".join(parts)
    RESULTS.write_text(
        f"# What it costs\n\nWritten by `make bench`. {head}\nEach figure stands beside a reference that was "
        f"measured in the same run, in turn with it.\n\n{body}\n{polls.__doc__}",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
