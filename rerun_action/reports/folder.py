"""The folder for the reports: each file is replaced whole, never half written."""

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


class Folder:
    """`report-dir`. Its methods raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Create the folder and make sure that files can be written to it."""
        missing = [path for path in (self.path, *self.path.parents) if not path.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        for path in reversed(missing):
            _take_owner_of_parent(path)
        with tempfile.TemporaryFile(dir=self.path):
            pass

    def check(self) -> None:
        """Make sure that `prepare` would work, and leave nothing behind."""
        with tempfile.TemporaryFile(dir=next(path for path in (self.path, *self.path.parents) if path.exists())):
            pass

    def write(self, name: str, text: str | Iterable[str]) -> None:
        """Put a file in place by replacing it with a finished temporary one."""
        temporary = self.path / f".{name}.{os.getpid()}"
        try:
            # surrogates can come in as \ud800 in JSON and have no UTF-8
            with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.writelines([text] if isinstance(text, str) else text)
            _take_owner_of_parent(temporary)
            temporary.replace(self.path / name)
        finally:
            temporary.unlink(missing_ok=True)


def _take_owner_of_parent(path: Path) -> None:
    """Where root writes into a user's checkout (GitHub's docker actions), the user must be able to remove it."""
    if os.geteuid() == 0:
        parent = path.resolve().parent.stat()
        # root without the capability (`--cap-drop ALL`) or on a squashed NFS may not: the report matters more
        with suppress(OSError):
            os.chown(path, parent.st_uid, parent.st_gid)
