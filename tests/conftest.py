"""For all tests."""

import gc
import os
from collections.abc import Iterator

import pytest
from coverage import Coverage
from hypothesis import settings

pytest.register_assert_rewrite("tests.support")  # so that a failure there shows its values, as one in a test does

# The same examples each time, so that what was green stays green until something changes; `make fuzz` looks for new
# ones. No deadline: machines are shared and noisy.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("new", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("same")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests of deadlines and signals wait more than they work."""
    return min((os.cpu_count() or 1) + 1, 8)


@pytest.fixture
def uncounted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Count no branches, nor in the processes that the test starts.

    Counting takes as long again as what is counted: it is for tests that reach what no shorter ones do.
    """
    monkeypatch.setattr("tests.support.processes.MEASURED", {})
    counting = Coverage.current()
    if counting is not None:
        counting.stop()
    yield
    if counting is not None:
        counting.start()


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Collect no garbage where JSON is read that is nested as deeply as Python goes.

    Hypothesis has a callback on each collection, which can't be called there: pytest takes that for a failure.
    """
    gc.disable()
    yield
    gc.enable()
