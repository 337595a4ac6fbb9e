"""Lines on stdout. What comes from the platform is data: it can't forge a line, a workflow command or an escape."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rerun_action.core.text import one_line

MAX_LINE = 5000
LEVELS = ("debug", "info", "warning")
_START_OF_LINE = "\r\x1b[2K"


def safe(text: str) -> str:
    """Return the text as one line that is nobody's command.

    GitHub's runner takes a line that begins with `::` and `##[` anywhere in a line for a command of its own.
    """
    return re.sub(r"^(\s*):(?=:)", r"\1: ", one_line(text).replace("##[", "# #["))


def no_group(title: str) -> tuple[str, str]:
    """Return the lines that open and close a group where the log has none: the title alone."""
    return title, ""


class Console:
    """Writes lines of at least the given level, never the secret; a reader that has gone is no reason to stop.

    `group` makes of a title the lines that open and close a group of the log, in the host's own way.
    """

    def __init__(
        self,
        stream: TextIO,
        level: str = "info",
        *,
        secret: str | None = None,
        group: Callable[[str], tuple[str, str]] = no_group,
    ) -> None:
        self._stream: TextIO | None = stream
        self._secret = secret
        self._least = LEVELS.index(level)
        self._group = group
        self._in_place = False
        """Whether the last line is one that the next one replaces."""

    def debug(self, text: str) -> None:
        """Write what only a person in search of a fault wants to read."""
        self._line(f"debug: {text}", LEVELS.index("debug"))

    def info(self, text: str = "") -> None:
        """Write a line of the account."""
        self._line(text, LEVELS.index("info"))

    def current(self, text: str) -> None:
        """Write a line that the next one replaces where the stream is a terminal."""
        if self._stream is not None and self._stream.isatty() and self._least <= LEVELS.index("info"):
            width = shutil.get_terminal_size().columns - 1  # a line that wraps could not be taken back
            self._write(f"{_START_OF_LINE}{self.conceal(safe(text))[:width]}", end="")
            self._in_place = True
        else:
            self.info(text)

    def warning(self, text: str) -> None:
        """Write what the user should do something about, though it goes on."""
        self._line(f"warning: {text}", LEVELS.index("warning"))

    def result(self, text: str) -> None:
        """Write what is said at every level."""
        self._line(text, LEVELS.index("warning"))

    def command(self, text: str) -> None:
        """Write a command to the host."""
        self._write(text)

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Put the lines that are written inside into a group."""
        opening, closing = self._group(safe(title))
        if self._least <= LEVELS.index("info"):
            self._write(self.conceal(opening))
        yield
        if closing and self._least <= LEVELS.index("info"):
            self._write(closing)

    def _line(self, text: str, level: int) -> None:
        if level >= self._least:
            self._write(self.conceal(safe(text))[:MAX_LINE])

    def conceal(self, text: str) -> str:
        """Return the text without the secret."""
        return text.replace(self._secret, "***") if self._secret else text

    def _write(self, line: str, end: str = "\n") -> None:
        if self._stream is None:
            return
        if self._in_place:
            line = line if line.startswith(_START_OF_LINE) else f"{_START_OF_LINE}{line}"
            self._in_place = False
        try:
            self._stream.write(line + end)
            self._stream.flush()
        except OSError:
            self._stream = None
