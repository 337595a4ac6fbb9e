"""GitHub Actions: what its runner wants on stdout and in its files."""

from collections.abc import Mapping


def is_host(environ: Mapping[str, str]) -> bool:
    """Return whether this is a step of a GitHub workflow."""
    return environ.get("GITHUB_ACTIONS") == "true"


def mask_command(secret: str) -> str:
    """Return the workflow command after which the runner shows *** for the secret. It has to be the first line."""
    return "::add-mask::" + secret.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
