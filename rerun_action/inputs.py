"""Everything that the user gave, beside the settings themselves: what is wrong with it is said all at once."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from rerun_action import settings
from rerun_action.core.model import QuarantineEntry
from rerun_action.errors import ConfigurationError
from rerun_action.hosts.console import Console


def quarantine_entries(environ: Mapping[str, str]) -> tuple[tuple[QuarantineEntry, ...], list[str]]:
    """Read the quarantine file, if there is one; return its entries and its faults."""
    path = settings.raw(environ, "quarantine_file")
    if path is None or "\0" in path:
        return (), []
    from rerun_action import quarantine  # noqa: PLC0415 - YAML is loaded by those who use it

    try:
        return quarantine.load(Path(path)), []
    except quarantine.QuarantineError as error:
        return (), [f"{settings.label('quarantine_file', environ)} {fault}" for fault in error.faults]


def not_writable(name: str, path: Path, error: OSError | ValueError) -> str:
    """Say that a file or folder which the user named can't be written to."""
    reason = error.strerror if isinstance(error, OSError) else "not a path"
    return f"{name} {path} can't be written to: {reason}"


def all_faults(environ: Mapping[str, str], faults: Iterable[str]) -> list[str]:
    """Return the faults of the settings, and then these."""
    try:
        settings.load(environ)
    except ConfigurationError as error:
        return [*error.faults, *faults]
    return [*faults]


def tell_faults(faults: Iterable[str], hints: Iterable[str], console: Console) -> None:
    """Say everything that is wrong with the inputs; nothing has been sent."""
    console.result("The configuration is wrong, nothing was sent:")
    for fault in faults:
        console.result(f"  - {fault}")
    for hint in hints:
        console.warning(hint)
    console.result("Inputs are given as `with:` on GitHub and as TESTSIGMA_... variables elsewhere; --help lists them.")
