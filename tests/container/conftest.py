"""One image for all tests; no engine: skipped, but on a CI system that is a failure."""

import os

import pytest

from tests.support import engine


@pytest.fixture(scope="session")
def image() -> str:
    """The tag of the image, built from the Dockerfile that is shipped."""
    reason = engine.missing()
    if reason:
        told = f"no container engine: {reason} (DOCKER_HOST names one)"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    return engine.build()
