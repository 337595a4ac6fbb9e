"""GitLab CI: collapsible sections in the log. Its reports are files (junit.xml, outputs.env)."""

from collections.abc import Mapping

from rerun_action.core.text import one_line


def is_host(environ: Mapping[str, str]) -> bool:
    """Return whether this is a job of a GitLab pipeline."""
    return environ.get("GITLAB_CI") == "true"


def group(title: str, number: int, at: float) -> tuple[str, str]:
    """Return the lines that open and close a collapsed section; `at` is in seconds since 1970."""
    section = f"{int(at)}:testsigma_rerun_{number}"
    return (
        f"\x1b[0Ksection_start:{section}[collapsed=true]\r\x1b[0K{one_line(title)}",
        f"\x1b[0Ksection_end:{section}\r\x1b[0K",
    )
