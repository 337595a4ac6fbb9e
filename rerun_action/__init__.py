"""Rerun exactly what failed on Testsigma, and tell the truth about it.

Nothing is imported here: the signal handlers have to stand before anything that takes time.
"""

__version__ = "0.1.0"
