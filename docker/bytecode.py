"""Writes the bytecode that a run imports, and no other, below a folder that becomes /usr/local of the image.

The base image has none for the standard library, and half of what the packages could have would only make the image
larger. What a run imports is found out by one: it reaches nobody and ends at once, with all its reports written.
"""

import importlib.util
import io
import os
import py_compile
import sys
import tempfile
from pathlib import Path

PREFIX = Path(sys.prefix)


def main(folder: Path) -> None:
    """Compile into `folder`, which holds the packages as they will be in /usr/local."""
    library = Path(os.__file__).parent.relative_to(PREFIX)
    sys.path.insert(0, str(folder / library / "site-packages"))
    run()
    for module in list(sys.modules.values()):
        spec = module.__spec__
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            continue  # this file, or one that is frozen or built in
        origin = Path(spec.origin)
        inside = origin.relative_to(folder if origin.is_relative_to(folder) else PREFIX)
        py_compile.compile(
            str(origin),
            cfile=importlib.util.cache_from_source(str(folder / inside)),
            dfile=str(PREFIX / inside),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def run() -> None:
    """Run once, where nobody answers."""
    from rerun_action import cli  # noqa: PLC0415 - it is on the path only now
    from rerun_action.signals import Signals  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        flakes, reports = Path(folder, "flakes.yml"), Path(folder, "reports")
        flakes.write_text("- {case: none, owner: nobody, reason: none, expires: 2000-01-01}\n", encoding="utf-8")
        environ = {
            "TESTSIGMA_API_KEY": "none",
            "TESTSIGMA_EXECUTION_ID": "1",
            "TESTSIGMA_SERVER_URL": "http://127.0.0.1:9",
            "TESTSIGMA_TIMEOUT_MINUTES": "0.001",
            "TESTSIGMA_QUARANTINE_FILE": str(flakes),
            "TESTSIGMA_REPORT_DIR": str(reports),
        }
        account = io.StringIO()
        code = cli.act(environ, Signals(), account)
        if code != 3 or len(list(reports.iterdir())) != 5:  # noqa: PLR2004 - exit code and reports of the interface
            sys.exit(f"this is not how a run ends that reaches nobody (exit code {code}):\n{account.getvalue()}")
    cli.help_text()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
