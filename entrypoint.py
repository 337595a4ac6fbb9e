"""The container's entrypoint: signal handlers first, everything that takes time to import after them."""

import sys

from rerun_action.__main__ import start

if __name__ == "__main__":
    sys.exit(start())
