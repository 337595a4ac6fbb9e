"""Tests; tests/README.md says which belongs where."""
