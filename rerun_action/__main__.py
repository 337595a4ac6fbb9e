"""`python -m rerun_action`, and what entrypoint.py calls."""

import gc
import sys

from rerun_action.signals import Signals

COLLECT_AFTER = 1_000_000
"""New objects before the garbage collector looks for cycles. A large listing is made of hundreds of thousands that have
none: looking for them while it is read takes as long as the reading."""


def start() -> int:
    """Install the signal handlers, then import and run the program; return its exit code."""
    signals = Signals().install()
    gc.set_threshold(COLLECT_AFTER)
    try:
        from rerun_action import cli  # noqa: PLC0415 - the handlers stand before any heavy import
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"{error.name} is not installed: run `pip install -r requirements.txt`; after `make demo`, "
            "`.venv/bin/python entrypoint.py` has all of it\n"
        )
        return 2
    try:
        return cli.main(sys.argv[1:], signals)
    finally:
        signals.close()


if __name__ == "__main__":
    sys.exit(start())
