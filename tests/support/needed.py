"""What a machine may lack: a test that needs it is skipped and says so; on a CI system that is a failure."""

import os
import shutil
from typing import NoReturn

import pytest


def do_without(reason: str) -> NoReturn:
    """End the test: skipped, or failed under CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def program(name: str) -> str:
    """Where a program is."""
    return shutil.which(name) or do_without(f"there is no {name} on this machine")
