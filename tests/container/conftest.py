"""One image for all tests."""

import pytest

from tests.support import engine
from tests.support.needed import do_without


@pytest.fixture(scope="session")
def image() -> str:
    """The id of the image, built from the Dockerfile that is shipped."""
    reason = engine.missing()
    if reason:
        do_without(f"no container engine: {reason} (DOCKER_HOST names one)")
    return engine.build()
