"""Where it runs: the log that people read, and what each CI system wants beside it."""
