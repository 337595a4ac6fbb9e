"""The image: how soon it asks, and what it weighs."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing

from benchmarks import start
from benchmarks.table import Row
from tests.support import engine

TIMES = 7
SIZE_TO_REACH, MEGABYTES_TO_REACH = 1.2, 30.0
REFERENCE_IMAGE = "testsigma-rerun-action-requirements:bench"
REQUIREMENTS = """\
ARG BASE=python:3.13-slim
FROM ${BASE} AS build
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes --no-compile --prefix /install -r requirements.txt \\
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /install/lib
FROM ${BASE}
COPY --from=build /install /usr/local
"""


def rows() -> list[Row]:
    """Measure the image, or say why not."""
    reason = engine.missing()
    if reason is not None:
        return [Row("the image", f"skipped: no container engine ({reason})", "")]
    image = engine.build()
    return [_start(image), *_size(image)]


def _start(image: str) -> Row:
    ours, theirs = [], []
    with start.listening() as listener, tempfile.TemporaryDirectory() as folder:
        environ = start.inputs(listener.getsockname()[1], "/reports")
        flags = ("--volume", f"{folder}:/reports", "--env", "HOME=/nonexistent")
        for _ in range(TIMES):
            ours.append(_until_request(image, flags, environ, listener))
            command = ("--entrypoint=", image, "/usr/local/bin/python", "-Iu", "-c", start.IMPORTS)
            theirs.append(_until_byte(command))
    return start.row(
        "`docker run` to first request",
        'docker run ... python -c "import requests, pydantic_settings"',
        ours,
        theirs,
    )


def _until_request(image: str, flags: Sequence[str], environ: Mapping[str, str], listener: socket.socket) -> float:
    began = time.perf_counter()
    with engine.running(image, *flags, environ=environ):
        connection, _ = listener.accept()
        with closing(connection):
            connection.recv(1)
            return time.perf_counter() - began


def _until_byte(command: Sequence[str]) -> float:
    return start.until_byte([engine.CLIENT, "run", "--rm", *engine.NETWORK, *command], dict(os.environ))


def _size(image: str) -> list[Row]:
    subprocess.run(
        [engine.CLIENT, "build", "--quiet", *engine.NETWORK, "--tag", REFERENCE_IMAGE, "--file", "-", str(engine.ROOT)],
        input=REQUIREMENTS,
        text=True,
        capture_output=True,
        check=True,
    )
    base, ours, theirs = (
        int(engine.answer("inspect", "--format", "{{.Size}}", name)) / 1e6
        for name in ("python:3.13-slim", image, REFERENCE_IMAGE)
    )
    ratio = (ours - base) / (theirs - base)
    return [
        Row(
            "image over its base",
            f"the requirements, installed and compiled: {theirs - base:.1f} MB",
            f"{ratio:.3f} x ({ours - base:.1f} MB; the base has {base:.0f} MB)",
            f"<= {SIZE_TO_REACH} x, <= {MEGABYTES_TO_REACH:.0f} MB",
            ratio <= SIZE_TO_REACH and ours - base <= MEGABYTES_TO_REACH,
        )
    ]
