"""What the program costs, each figure beside a reference taken in the same run: `make bench`."""
