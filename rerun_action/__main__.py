"""`python -m rerun_action`, and what entrypoint.py calls."""

import sys

from rerun_action.signals import Signals


def start() -> int:
    """Install the signal handlers, then import and run the program; return its exit code."""
    signals = Signals().install()
    from rerun_action import cli  # noqa: PLC0415 - the handlers stand before any heavy import

    return cli.main(sys.argv[1:], signals)


if __name__ == "__main__":
    sys.exit(start())
