"""From the start of the process, or of the container, to the first request on the wire."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.table import Row

ENTRYPOINT = Path(__file__).parents[1] / "entrypoint.py"
IMPORTS = "import requests, pydantic_settings, os; os.write(1, b'.')"
TIMES = 15
TO_REACH = 1.25


def until_request(command: Sequence[str], environ: Mapping[str, str], listener: socket.socket) -> float:
    """Return the seconds until the program has connected and sent the first bytes; it is ended then."""
    began = time.perf_counter()
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1)
                return time.perf_counter() - began
        finally:
            process.kill()


def until_byte(command: Sequence[str], environ: Mapping[str, str]) -> float:
    """Return the seconds until the program has written the first byte."""
    ours, theirs = os.pipe()
    try:
        began = time.perf_counter()
        with subprocess.Popen(command, env=environ, stdout=theirs, stderr=subprocess.DEVNULL):
            os.read(ours, 1)
            return time.perf_counter() - began
    finally:
        os.close(ours)
        os.close(theirs)


def listening() -> socket.socket:
    """Return a socket that waits for the request, but not for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(60)
    return listener


def inputs(port: int, folder: str) -> dict[str, str]:
    """The environment of the action, with the server at this port."""
    return {
        "PATH": os.environ["PATH"],
        "TESTSIGMA_API_KEY": "made-up-key",
        "TESTSIGMA_EXECUTION_ID": "986",
        "TESTSIGMA_SERVER_URL": f"http://127.0.0.1:{port}",
        "TESTSIGMA_REPORT_DIR": folder,
    }


def row(what: str, reference: str, ours: Sequence[float], theirs: Sequence[float]) -> Row:
    """Compare two series that were measured in turn."""
    ratio = median(ours) / median(theirs)
    return Row(
        what,
        f"`{reference}`: {median(theirs) * 1000:.0f} ms",
        f"{ratio:.2f} x ({median(ours) * 1000:.0f} ms, medians of {len(ours)})",
        f"<= {TO_REACH} x",
        ratio <= TO_REACH,
    )


def rows() -> list[Row]:
    """Measure the process."""
    ours, theirs = [], []
    with listening() as listener, tempfile.TemporaryDirectory() as folder:
        environ = inputs(listener.getsockname()[1], folder)
        for _ in range(TIMES):
            ours.append(until_request([sys.executable, "-u", str(ENTRYPOINT)], environ, listener))
            theirs.append(until_byte([sys.executable, "-u", "-c", IMPORTS], environ))
    return [row("process start to first request", 'python -c "import requests, pydantic_settings"', ours, theirs)]
