"""A container engine, by its command-line client: DOCKER_HOST says which, DOCKER which client if not `docker`."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENT = os.environ.get("DOCKER", "docker")
NETWORK = ("--network", "host")
"""The simulator listens on the loopback interface of the host; and an engine may have no other network at all."""


def answer(*arguments: str | Path) -> str:
    """What the engine answers to a command that has to succeed."""
    done = subprocess.run([CLIENT, *arguments], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"docker {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def missing() -> str | None:
    """Why there is no engine to work with, None if there is one."""
    try:
        done = subprocess.run([CLIENT, "info"], capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        return f"there is no {CLIENT} on this machine"
    return None if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def build(folder: Path = ROOT) -> str:
    """Build an image, by default from the Dockerfile that is shipped; return its id: a tag could be moved meanwhile."""
    return answer("build", "--quiet", *NETWORK, folder)


@dataclass(frozen=True)
class Container:
    """`docker run` as a process, and the name of its container."""

    name: str
    process: subprocess.Popen[str]

    def end(self) -> tuple[int, str]:
        """Wait for its end: exit code and all it printed."""
        text, _ = self.process.communicate(timeout=120)
        return self.process.returncode, text


@contextmanager
def running(
    image: str,
    *flags: str,
    environ: Mapping[str, str] | None = None,
    command: tuple[str, ...] = (),
    network: tuple[str, ...] = NETWORK,
    terminal: int | None = None,
) -> Iterator[Container]:
    """Run a container that is gone when the block is left. `terminal`: a descriptor to use instead of pipes."""
    name = f"testsigma-rerun-test-{os.urandom(4).hex()}"
    variables = {key: value for key, value in (environ or {}).items() if key != "PATH"}
    # by name alone: a value on the command line is there for all to see
    by_name = [part for key in variables for part in ("--env", key)]
    with subprocess.Popen(
        [CLIENT, "run", "--rm", "--name", name, *network, *by_name, *flags, image, *command],
        env={**os.environ, **variables},
        stdin=terminal if terminal is not None else subprocess.DEVNULL,
        stdout=terminal if terminal is not None else subprocess.PIPE,
        stderr=terminal if terminal is not None else subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Container(name, process)
        finally:
            if process.poll() is None:
                subprocess.run([CLIENT, "kill", name], capture_output=True, check=False, timeout=60)


def run(
    image: str,
    *flags: str,
    environ: Mapping[str, str] | None = None,
    command: tuple[str, ...] = (),
    network: tuple[str, ...] = NETWORK,
) -> tuple[int, str]:
    """Run a container to its end: exit code and all it printed."""
    with running(image, *flags, environ=environ, command=command, network=network) as container:
        return container.end()
