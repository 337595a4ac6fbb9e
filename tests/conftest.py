"""For all tests."""

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


@pytest.fixture
def uncounted() -> Iterator[None]:
    """Counting takes as long again as the play itself, which reaches nothing that shorter tests don't."""
    counting = Coverage.current()
    if counting is not None:
        counting.stop()
    yield
    if counting is not None:
        counting.start()
