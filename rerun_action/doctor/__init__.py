"""The read-only check-up: does the set-up work, and what would the action do? GET requests only."""
