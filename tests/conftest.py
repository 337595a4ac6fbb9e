"""For all tests."""

from hypothesis import settings

# The same examples each time, so that what was green stays green until something changes; `make fuzz` looks for new
# ones. No deadline: machines are shared and noisy.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("new", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("same")
