"""`python -m rerun_action`, and what entrypoint.py calls."""

import sys

from rerun_action.signals import Signals


def start() -> int:
    """Install the signal handlers, then import and run the program; return its exit code."""
    signals = Signals().install()
    try:
        from rerun_action import cli  # noqa: PLC0415 - the handlers stand before any heavy import
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{error.name} is not installed: run `pip install -r requirements.txt`, or use `make demo`\n")
        return 2
    try:
        return cli.main(sys.argv[1:], signals)
    finally:
        signals.close()


if __name__ == "__main__":
    sys.exit(start())
