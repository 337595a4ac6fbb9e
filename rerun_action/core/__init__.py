"""The decisions: pure functions over plain data, standard library only."""
