"""Lines on stdout. What comes from the platform is data: it can't forge a line, a workflow command or an escape."""

import json
import re
import unicodedata
from typing import TextIO

LEVELS = ("debug", "info", "warning")

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_HARMFUL = re.compile(f"[\\x00-\\x1f\\x7f-\\x9f\u2028\u2029{_BIDI}\ud800-\udfff]")


def safe(text: str) -> str:
    """Return the text as one line: control characters and marks that turn the writing direction as escapes.

    GitHub's runner takes a line that begins with `::` and `##[` anywhere in a line for a command of its own.
    """
    text = _HARMFUL.sub(lambda match: _escape(match[0]), text).replace("##[", "# #[")
    return re.sub(r"^(\s*):(?=:)", r"\1: ", text)


def _escape(character: str) -> str:
    return " " if unicodedata.category(character) != "Cs" and character.isspace() else ascii(character)[1:-1]


class Console:
    """Writes lines of at least the given level, never the secret; a reader that has gone is no reason to stop."""

    def __init__(self, stream: TextIO, level: str = "info", *, secret: str | None = None) -> None:
        self._stream: TextIO | None = stream
        self._secret = secret
        self._least = LEVELS.index(level)

    def debug(self, text: str) -> None:
        """Write what only a person in search of a fault wants to read."""
        self._line(f"debug: {text}", LEVELS.index("debug"))

    def info(self, text: str = "") -> None:
        """Write a line of the account."""
        self._line(text, LEVELS.index("info"))

    def warning(self, text: str) -> None:
        """Write what the user should do something about, though it goes on."""
        self._line(f"warning: {text}", LEVELS.index("warning"))

    def result(self, text: str) -> None:
        """Write what is said at every level."""
        self._line(text, LEVELS.index("warning"))

    def command(self, text: str) -> None:
        """Write a workflow command of our own."""
        self._write(text)

    def _line(self, text: str, level: int) -> None:
        if level >= self._least:
            self._write(self.conceal(safe(text)))

    def conceal(self, text: str) -> str:
        """Return the text without the secret, as it stands or as it is written inside a JSON string."""
        if not self._secret:
            return text
        return text.replace(self._secret, "***").replace(json.dumps(self._secret)[1:-1], "***")

    def _write(self, line: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError:
            self._stream = None
