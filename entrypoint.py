"""The container's entrypoint: signal handlers first, everything that takes time to import after them."""

import _signal  # type: ignore[import-not-found] # the C module that `signal` wraps: nothing to load
import sys

# The kernel drops a signal that process 1 has no handler for; a blocked one waits until `start` has its handlers.
_signal.pthread_sigmask(_signal.SIG_BLOCK, {_signal.SIGINT, _signal.SIGTERM})

from rerun_action.__main__ import start  # noqa: E402

if __name__ == "__main__":
    sys.exit(start())
